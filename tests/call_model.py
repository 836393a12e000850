"""Calls, outcomes, corrections, rules and claims at random, while time goes by; who may be called, and why not, must be what a model in Python
says, which shares no code with the extension. Then hours, around the changes of clocks in four time zones. Seeds are fixed, and printed where
something differs.

SEED= and ROUNDS= in the environment make another, longer run. Connects as libpq's environment says.
"""

import datetime
import itertools
import os
import random
import zoneinfo

import psycopg
from psycopg.rows import dict_row

from support import lead_tables

ROUNDS = int(os.environ.get("ROUNDS") or "280")
SEEDS = [int(os.environ["SEED"])] if os.environ.get("SEED") else [1, 2, 3]
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NEW_YORK, LONDON = "America/New_York", "Europe/London"
# number, region, states of its area, time zones
NUMBERS = {"+16789991001": ("US", {"GA"}, {NEW_YORK}), "+16789991002": ("US", {"GA"}, {NEW_YORK}), "+13055551003": ("US", {"FL"}, {NEW_YORK}),
           "+12125551004": ("US", {"NY"}, {NEW_YORK}), "+442079460018": ("GB", set(), {LONDON})}
STATE_ZONES = {"FL": {NEW_YORK, "America/Chicago"}, "CA": {"America/Los_Angeles"}}
# name: what it disqualifies, seconds of rest, everywhere, calls back, attempt
OUTCOMES = {"connected": (None, None, False, False, True), "voicemail": (None, DAY, False, False, True), "no answer": (None, 4 * HOUR, False, False, True),
            "call back": (None, None, False, True, True), "retired": ("phone", None, False, False, True), "do not call": ("phone", None, True, False, True),
            "not dialed": (None, None, False, False, False), "person says no": ("contact", None, False, False, True),
            "rests everywhere": (None, 2 * DAY, True, False, True)}
CALLERS = ["ann", "bob", "cid"]


class World:
    def __init__(self, rng, connection):
        self.rng, self.db = rng, connection
        self.leads = {}
        self.calls = {}
        self.rules = {}
        self.claims = []
        self.by_hand = set()
        self.now = 0.0

    def run(self, query, *values):
        cursor = self.db.execute(query, values)
        return cursor.fetchall() if cursor.description else []

    def create(self):
        self.run("DROP SCHEMA IF EXISTS crm CASCADE; CREATE SCHEMA crm; SET search_path = crm, public; SET client_min_messages = warning")
        self.run(lead_tables.CREATE)
        self.run("INSERT INTO campaigns (campaign_id, name) VALUES (1, 'one'), (2, 'two')")
        self.run("INSERT INTO dispositions (name, disqualifies, rests, everywhere) VALUES ('person says no', 'contact', NULL, false), ('rests everywhere', NULL, '2 days', true)")
        for campaign, lead in itertools.product((1, 2), range(1, 8)):
            phone, mobile = self.rng.choice(list(NUMBERS)), self.rng.choice([None, *NUMBERS])
            state, zone = self.rng.choice([None, None, "FL", "california"]), self.rng.choice([None, None, LONDON])
            lead += 100 * campaign
            self.run("INSERT INTO leads (campaign_id, lead_id, email, phone, mobile) VALUES (%s, %s, %s, %s, %s)", campaign, lead, f"p{lead}@x.example", phone, mobile)
            self.run("UPDATE contacts SET state = %s, time_zone = %s WHERE email = %s", state, zone, f"p{lead}@x.example")
            self.leads[lead] = {"campaign": campaign, "phone": phone, "mobile": mobile, "state": {"california": "CA"}.get(state, state), "zone": zone}

    def advance(self, seconds):
        """What happened is so much longer ago."""
        self.now += seconds
        for table, columns in {"calls": ["started_at", "ended_at"], "call_outcomes": ["callback_at", "rests_until"], "lead_claims": ["claimed_until"], "leads": ["due_at"]}.items():
            update = f"SET {', '.join(f'{c} = {c} - interval $${seconds} s$$' for c in columns)}"
            self.run(lead_tables.update(table, update))

    def outcomes(self):
        return ((call, call["outcome"]) for call in self.calls.values() if call["outcome"])

    def rule_applies(self, rule, lead, number):
        region, states, _ = NUMBERS[number]
        own = {lead["state"]} if lead["state"] else set()
        known = states | own
        return (rule["campaign_id"] in (None, lead["campaign"])
                and (rule["region"] in (None, region) or (lead["state"] or lead["zone"]) and rule["region"] == "US")
                and (rule["state"] is None or not known or rule["state"] in known))

    def refusals(self, lead_id, number, caller=None):
        lead = self.leads[lead_id]
        found = set()
        for call in self.calls.values():
            if (call["number"] == number or call["lead"] == lead_id) and call["ended"] is None and call["started"] + 2 * HOUR > self.now:
                found.add("on_call")
        for call, (name, until) in self.outcomes():
            disqualifies, _, everywhere, _, _ = OUTCOMES[name]
            here = everywhere or call["campaign"] == lead["campaign"]
            if call["number"] == number and here and until is not None and until > self.now:
                found.add("resting")
            if disqualifies == "phone" and call["number"] == number and here:
                found.add("phone")
            if disqualifies == "contact" and call["lead"] == lead_id:
                found.add("contact")
        if (lead["campaign"], number) in self.by_hand:
            found.add("phone")
        for rule in self.rules.values():
            if not self.rule_applies(rule, lead, number):
                continue
            attempts = sorted((call for call in self.calls.values() if call["number"] == number and call["attempt"]
                               and rule["campaign_id"] in (None, call["campaign"])), key=lambda call: call["started"])
            recent = [call for call in attempts if call["started"] > self.now - DAY]
            if rule["attempts_in_24_hours"] and len(recent) >= rule["attempts_in_24_hours"] or rule["attempts_in_all"] and len(attempts) >= rule["attempts_in_all"]:
                found.add("attempts")
            if rule["rest"] and attempts:
                last = attempts[-1]
                if (last["started"] + 2 * HOUR if last["ended"] is None else last["ended"]) + rule["rest"] > self.now:
                    found.add("resting")
            if rule["hours"]:
                zones = NUMBERS[number][2] | ({lead["zone"]} if lead["zone"] else STATE_ZONES.get(lead["state"], set()))
                opens, closes = rule["hours"]
                clocks = [datetime.datetime.now(zoneinfo.ZoneInfo(zone)).hour for zone in zones]
                if any(not opens <= hour < closes for hour in clocks):
                    found.add("hours")
        if caller and any(until > self.now and who != caller and {number, lead_id} & things for who, things, until in self.claims):
            found.add("claimed")
        return found

    def numbers(self, lead_id):
        lead = self.leads[lead_id]
        return list(dict.fromkeys(number for number in (lead["phone"], lead["mobile"]) if number))

    def start(self):
        lead_id, caller = self.rng.choice(list(self.leads)), self.rng.choice(CALLERS)
        which = self.rng.choice([None, "phone", "mobile"])
        wanted = self.numbers(lead_id) if which is None else [self.leads[lead_id][which]] if self.leads[lead_id][which] else []
        expected = {number: self.refusals(lead_id, number, caller) for number in wanted}
        answer = self.run("CALL start_call(%s, %s, %s)", lead_id, which, caller)[0]
        free = next((number for number in wanted if not expected[number]), None)
        assert answer["allowed"] == (free is not None), (lead_id, which, caller, expected, answer)
        if free is None:
            for number in wanted:
                kinds = {refusal["kind"] for refusal in answer["refusals"] if refusal["number"] == number}
                assert kinds == expected[number], (lead_id, number, expected, answer)
            return
        assert answer["number"] == free, (lead_id, free, answer)
        for call in self.calls.values():
            if call["number"] == free and call["ended"] is None:
                call["ended"] = call["started"] + 2 * HOUR
        self.calls[answer["call_id"]] = {"lead": lead_id, "campaign": self.leads[lead_id]["campaign"], "number": free, "started": self.now, "ended": None,
                                         "attempt": True, "outcome": None}
        self.claims = [(who, things - {free, lead_id}, until) for who, things, until in self.claims]

    def end(self):
        if not self.calls:
            return
        # mostly those that are on the line
        waiting = [call for call in self.calls if self.calls[call]["ended"] is None]
        call_id = self.rng.choice(waiting if waiting and self.rng.random() < 0.7 else list(self.calls))
        name = self.rng.choice(list(OUTCOMES))
        call = self.calls[call_id]
        callback = self.rng.choice([3 * HOUR, 3 * DAY]) if OUTCOMES[name][3] else None
        self.run("CALL end_call(%s, %s, %s, clock_timestamp() + make_interval(secs => %s))", call_id, name, None, callback)
        call["ended"] = self.now if call["ended"] is None else call["ended"]
        rest = OUTCOMES[name][1]
        call["outcome"] = (name, self.now + callback if callback else call["ended"] + rest if rest else None)
        call["attempt"] = OUTCOMES[name][4]

    def disqualify(self):
        campaign, number = self.rng.choice((1, 2)), self.rng.choice(list(NUMBERS))
        if (campaign, number) in self.by_hand:
            self.run("CALL requalify_phone(%s, %s, source => 'manual', leads => 'contacts')", campaign, number)
            self.by_hand.remove((campaign, number))
        else:
            self.run("CALL disqualify_phone(%s, %s, leads => 'contacts')", campaign, number)
            self.by_hand.add((campaign, number))

    def rule(self):
        if self.rules and self.rng.random() < 0.7:
            self.run("DELETE FROM call_rules WHERE rule = %s", self.rules.popitem()[0])
            return
        choose = self.rng.choice
        region = choose([None, "US", "GB"])
        rule = {"campaign_id": choose([None, 1, 2]), "region": region, "state": choose([None, "GA", "FL"]) if region == "US" else None,
                "attempts_in_24_hours": choose([None, 1, 2, 3]), "attempts_in_all": choose([None, None, None, 6]), "rest": choose([None, 5 * HOUR]),
                "hours": choose([None, None, None, (0, 12), (6, 20), (12, 24)])}
        found = self.run("""INSERT INTO call_rules (campaign_id, region, state, attempts_in_24_hours, attempts_in_all, rest, opens, closes)
                            VALUES (%s, %s, %s, %s, %s, make_interval(secs => %s), %s::time, %s::time) RETURNING rule""", rule["campaign_id"], region, rule["state"],
                         rule["attempts_in_24_hours"], rule["attempts_in_all"], rule["rest"],
                         *([f"{hour}:00" for hour in rule["hours"]] if rule["hours"] else (None, None)))
        self.rules[found[0]["rule"]] = rule

    def next(self):
        campaign, caller, how_many = self.rng.choice((1, 2)), self.rng.choice(CALLERS), self.rng.choice([1, 3, 20])
        # whatever was put off is asked about once a day
        all_of_them = how_many == 20
        if all_of_them:
            self.advance(25 * HOUR)
        live = [(who, things) for who, things, until in self.claims if until > self.now]
        taken = set().union(*(things for _, things in live)) if live else set()
        for row in self.run("SELECT * FROM next_leads(%s, %s, %s)", campaign, caller, how_many):
            free = {number for number in self.numbers(row["lead_id"]) if not self.refusals(row["lead_id"], number) }
            given = {row["phone"], row["mobile"]} - {None}
            assert given == free and given and not (given | {row["lead_id"]}) & taken, (row, free, taken)
            taken |= given | {row["lead_id"]}
            self.claims.append((caller, given | {row["lead_id"]}, self.now + 10 * MINUTE))
        if all_of_them:
            for lead_id, lead in self.leads.items():
                free = {number for number in self.numbers(lead_id) if not self.refusals(lead_id, number)}
                assert lead["campaign"] != campaign or not free or (free | {lead_id}) & taken, (lead_id, "is not given", free, taken)

    def check(self):
        shown = {row["lead_id"]: {row["phone"], row["mobile"]} - {None} for row in self.run("SELECT lead_id, phone, mobile FROM callable_leads")}
        expected = {lead_id: {number for number in self.numbers(lead_id) if not self.refusals(lead_id, number)} for lead_id in self.leads}
        wrong = [lead_id for lead_id, free in expected.items() if free != shown.get(lead_id, set())]
        assert not wrong, [(lead_id, self.leads[lead_id], shown.get(lead_id), expected[lead_id], self.run("SELECT * FROM lead_status(%s)", lead_id)) for lead_id in wrong]
        for lead_id in self.rng.sample(list(self.leads), 3):
            reasons = {row["kind"] for row in self.run("SELECT kind FROM lead_status(%s)", lead_id)}
            said = set().union(*(self.refusals(lead_id, number) for number in self.numbers(lead_id)))
            assert reasons == said, (lead_id, reasons, said)


def play(seed):
    rng = random.Random(seed)
    made = 0
    with psycopg.connect(autocommit=True, row_factory=dict_row) as connection:
        for step in range(ROUNDS):
            # in the end all are out
            if step % 40 == 0:
                world = World(rng, connection)
                world.create()
            # not an hour or more together, so that nothing ends just now
            world.advance(rng.choice([11 * MINUTE, 71 * MINUTE, 5 * HOUR + 7 * MINUTE, 22 * HOUR + 13 * MINUTE, 26 * HOUR + 13 * MINUTE]) if rng.random() < 0.4 else 61)
            if datetime.datetime.now().minute == 59 and datetime.datetime.now().second > 50:
                # rules of hours are of whole ones
                continue
            made += len(world.calls) if step % 40 == 39 else 0
            action = rng.choices([world.start, world.end, world.disqualify, world.rule, world.next], [12, 8, 1, 1, 3])[0]
            try:
                action()
                world.check()
            except Exception:
                print(f"seed {seed}, step {step}: {action.__name__}")
                raise
            if step % 40 == 39:
                drift = world.run("SELECT * FROM verify_phone_counts('contacts')")
                assert drift == [], drift
        return made


def hours(seed):
    """Around each change of clocks of a year, and on other days."""
    rng = random.Random(seed)
    utc = datetime.timezone.utc
    changes = {"America/New_York": ["2026-03-08 07:00", "2026-11-01 06:00"], "Europe/London": ["2026-03-29 01:00", "2026-10-25 01:00"],
               "Australia/Lord_Howe": ["2026-04-04 15:00", "2026-10-03 15:30"], "America/St_Johns": ["2026-03-08 05:30", "2026-11-01 04:30"]}
    asked = 0
    with psycopg.connect(autocommit=True) as connection:
        for names in [[zone] for zone in changes] + [["America/New_York", "Europe/London"]]:
            places = [zoneinfo.ZoneInfo(name) for name in names]
            for _ in range(150):
                change = datetime.datetime.fromisoformat(rng.choice(changes[rng.choice(names)])).replace(tzinfo=utc)
                at = change + datetime.timedelta(minutes=rng.randint(-1500, 1500))
                weekdays = rng.choice([[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5], [7]])
                opens, closes = sorted(rng.choices(range(0, 1441, 15), k=2))
                holidays = rng.choice([[], [change.date()], [change.date() + datetime.timedelta(days=d) for d in range(3)]])

                def is_open(moment):
                    for place in places:
                        local = moment.astimezone(place)
                        minute = local.hour * 60 + local.minute
                        if local.date() in holidays or local.isoweekday() in weekdays and not opens <= minute < closes:
                            return False
                    return True

                values = {"zones": ",".join(names), "days": weekdays, "opens": f"{opens // 60}:{opens % 60:02}", "closes": f"{closes // 60}:{closes % 60:02}", "holidays": holidays, "at": at}
                said, opening = connection.execute("""SELECT lead_phones_is_open(%(zones)s, %(days)s, %(opens)s::time, %(closes)s::time, %(holidays)s::date[], %(at)s),
                    lead_phones_opens_at(%(zones)s, %(days)s, %(opens)s::time, %(closes)s::time, %(holidays)s::date[], %(at)s)""", values).fetchone()
                assert said == is_open(at), (values, said)
                asked += 1
                if said:
                    continue
                # the first minute that is open, of those to come
                moment, last = at + datetime.timedelta(minutes=1), at + datetime.timedelta(days=12)
                while moment < last and not is_open(moment):
                    moment += datetime.timedelta(minutes=1)
                assert opening == moment if moment < last else opening is None or opening >= last, (values, opening, moment)
    return asked


made = sum(play(seed) for seed in SEEDS)
print(f"{len(SEEDS)} seeds of {ROUNDS} steps: {made} calls; {sum(hours(seed) for seed in SEEDS)} times of day around the changes of clocks")
