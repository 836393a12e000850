"""Uploads, inserts, edits and ways out at random on lead tables; after each transaction people, companies, receipts and what may be
called must be what a model in Python says, which shares no code with the extension. Seeds are fixed, and printed where something differs.

SEED= and ROUNDS= in the environment make another, longer run. Connects as libpq's environment says.
"""

import copy
import itertools
import os
import random

import psycopg

from support import lead_tables

ROUNDS = int(os.environ.get("ROUNDS") or "80")
SEEDS = [int(os.environ["SEED"])] if os.environ.get("SEED") else [1, 2, 3]
CAMPAIGNS = [1, 2]
# how it is written, and what it is
NUMBERS = [(f"(678) 999-{n}", f"+1678999{n}") for n in range(1000, 1008)] + [("+49 30 123456", "+4930123456"), ("n/a", None), ("555-1212", None)]
VALID = dict(NUMBERS)
EMAILS = [f"P{n}@{host}" for n in range(6) for host in ("acme.example", "gmail.com", "blue.example")] + ["not an address"]
COMPANIES = ["Acme", "ACME ", "Blue  Sky", "bluesky", "Red", "Green"]
WEBSITES = ["https://www.acme.example/x", "BLUE.example", "red.example", "gmail.com", "none"]
DOMAINS = {"https://www.acme.example/x": "acme.example", "BLUE.example": "blue.example", "red.example": "red.example", "gmail.com": None, "none": None}
serial = itertools.count(1)
FIELDS = ["email", "name", "company", "website", "phone", "mobile"]


def name_key(company):
    return "".join(c for c in company if c.isalnum()).lower() if company else None


def address(row):
    email = row["email"]
    return email if email and "@" in email else None


def domain(row):
    found = DOMAINS.get(row["website"])
    if found is None and address(row) and not address(row).endswith("gmail.com"):
        found = address(row).split("@")[1]
    return found


def better(old, new):
    """The latest value that is not empty, and no invalid number for a valid one."""
    if new is None or (VALID[new] is None and old is not None and VALID[old] is not None):
        return old
    return new


class World:
    """What the tables should say."""

    def __init__(self):
        self.accounts = {campaign: [] for campaign in CAMPAIGNS}  # in the order in which they were made
        self.people = {campaign: [] for campaign in CAMPAIGNS}
        self.entries = []  # what was said: kind, campaign, source; whom it means, which grows

    def find(self, campaign, email):
        found = [p for p in self.people[campaign] if p["email"] and p["email"].lower() == email.lower()]
        return found[0] if found else None

    def split_accounts(self, campaign, rows):
        accounts = self.accounts[campaign]
        known = {a["domain"] for a in accounts}
        first = {}
        for row in rows:
            if domain(row) and name_key(row["company"]):
                first.setdefault(name_key(row["company"]), domain(row))
        taken = {}
        for key in sorted(first):
            taken.setdefault(first[key], key)
        for found, key in taken.items():
            for account in accounts:
                if account["key"] == key and account["domain"] is None and found not in known:
                    account["domain"] = found
                    self.keep_out(campaign, self.account_keys(account), {("domain", found)}, "account")
        known = {a["domain"] for a in accounts}
        for found in sorted({domain(row) for row in rows if domain(row)} - known):
            names = [row["company"] for row in rows if domain(row) == found and row["company"]]
            accounts.append({"n": next(serial), "domain": found, "key": name_key(names[0]) if names else None})
        keys = {a["key"] for a in accounts}
        named = {name_key(row["company"]) for row in rows if row["company"] and (not domain(row) or self.holds("account", campaign, ("company", name_key(row["company"]))))}
        for key in sorted(named - keys):
            accounts.append({"n": next(serial), "domain": None, "key": key})

    def account(self, campaign, row):
        found, key = domain(row), name_key(row["company"])
        by_domain = [a for a in self.accounts[campaign] if found and a["domain"] == found]
        by_name = [a for a in self.accounts[campaign] if key and a["key"] == key]
        out = [a for a in by_domain + by_name if self.is_out(campaign, self.account_keys(a))]
        return next(iter(out + (by_domain if found else by_name)), None)

    @staticmethod
    def account_keys(account):
        """By what an account is meant."""
        return {("account", account["n"]), ("company", account["key"]), ("domain", account["domain"])} if account else set()

    def person_keys(self, person):
        email = person["email"].lower() if person["email"] else None
        return self.account_keys(person["account"]) | ({("email", email), ("domain", email.split("@")[1])} if email else set())

    def holds(self, kind, campaign, key):
        return any(e["kind"] == kind and e["campaign"] == campaign and key in e["means"] for e in self.entries)

    def is_out(self, campaign, keys):
        return any(self.means(e, campaign, keys) for e in self.entries)

    @staticmethod
    def means(entry, campaign, keys):
        keys = (keys | {(campaign, key) for key in keys}) - {("company", None), ("domain", None)}
        return entry["kind"] != "phone" and entry["campaign"] in (None, campaign) and entry["means"] & keys

    def keep_out(self, campaign, keys, also, kind=None):
        for entry in self.entries:
            if kind in (None, entry["kind"]) and self.means(entry, campaign, keys):
                entry["means"] |= also if entry["campaign"] else {(campaign, key) for key in also}

    def write(self, campaign, rows):
        """Leads that come together; returns how many were created, updated, and repeated in the file."""
        self.split_accounts(campaign, rows)
        created = updated = repeated = 0
        seen = {}
        for row in rows:
            email = address(row)
            person = self.find(campaign, email) if email else None
            if email and email.lower() in seen:
                repeated += 1
            elif person:
                updated += 1
            else:
                created += 1
            if person is None:
                person = {"email": email, "name": None, "phone": None, "mobile": None, "account": None}
                self.people[campaign].append(person)
            person["name"] = row["name"] or person["name"]
            # what a file says of a person is one: a company that is out, if there is one
            key = email.lower() if email else id(row)
            stood, said = seen.setdefault(key, (person["account"], []))
            said.append(self.account(campaign, row))
            out = [a for a in said if a and self.is_out(campaign, self.account_keys(a))]
            latest = [a for a in said if a]
            person["account"] = (out or latest[-1:] or [stood])[0]
            if stood and self.is_out(campaign, self.account_keys(stood)):
                person["account"] = stood
            for column in ("phone", "mobile"):
                person[column] = better(person[column], row[column])
        return created, updated, repeated

    def stands(self, campaign, number):
        return any(e["kind"] == "phone" and e["campaign"] == campaign and ("phone", number) in e["means"] for e in self.entries)

    def callable(self, campaign):
        found = []
        for person in self.people[campaign]:
            email = person["email"]
            out = self.is_out(campaign, self.person_keys(person))
            numbers = [VALID.get(person[column]) for column in ("phone", "mobile")]
            numbers = [None if n is None or self.stands(None, n) or self.stands(campaign, n) else n for n in numbers]
            if not out and any(numbers):
                found.append((email or "", person["name"] or "", numbers[0] or "", numbers[1] or ""))
        return sorted(found)


class Run:
    def __init__(self, connection, seed):
        self.connection, self.random, self.world = connection, random.Random(seed), World()
        connection.execute("DROP SCHEMA IF EXISTS model CASCADE; CREATE SCHEMA model; SET search_path = model, public")
        connection.execute("SET client_min_messages = error")
        connection.execute(lead_tables.CREATE)
        connection.execute("INSERT INTO campaigns (campaign_id, name) VALUES (1, 'one'), (2, 'two')")
        connection.execute(f"CREATE TEMP TABLE staging ({', '.join(f'{f} text' for f in FIELDS)})")
        connection.commit()
        self.log = []

    def run(self, statement, values=None):
        self.log.append((statement, values))
        return self.connection.execute(statement, values)

    def rows(self, most):
        pick = lambda values, empty: None if self.random.random() < empty else self.random.choice(values)
        return [{"email": pick(EMAILS, 0.2), "name": f"N{self.random.randint(1, 9)}", "company": pick(COMPANIES, 0.5), "website": pick(WEBSITES, 0.7),
                 "phone": pick([n for n, _ in NUMBERS], 0.3), "mobile": pick([n for n, _ in NUMBERS], 0.5)} for _ in range(self.random.randint(1, most))]

    def upload(self):
        rows, campaign = self.rows(12), self.random.choice(CAMPAIGNS)
        empty = self.random.random() < 0.3
        self.run("TRUNCATE staging")
        for row in [*rows, *([dict.fromkeys(FIELDS, " ")] if empty else [])]:
            self.run(f"INSERT INTO staging VALUES ({', '.join(['%s'] * len(FIELDS))})", [row[f] for f in FIELDS])
        receipt = self.run("CALL upload_leads(%s, 'staging')", (campaign,)).fetchone()
        expected = (len(rows) + empty, *self.world.write(campaign, rows), int(empty))
        if receipt[1:6] != expected:
            self.fail("the receipt", expected, receipt[1:6])

    def insert(self):
        rows, campaign = self.rows(3), self.random.choice(CAMPAIGNS)
        values = ", ".join(["(%s, " + ", ".join(["%s"] * len(FIELDS)) + ")"] * len(rows))
        self.run(f"INSERT INTO leads (campaign_id, {', '.join(FIELDS)}) VALUES {values}", [v for row in rows for v in (campaign, *(row[f] for f in FIELDS))])
        self.world.write(campaign, rows)

    def edit(self):
        campaign, (raw, _) = self.random.choice(CAMPAIGNS), self.random.choice(NUMBERS)
        email = self.random.choice(EMAILS).lower()
        self.run("UPDATE contacts SET phone = %s WHERE campaign_id = %s AND lower(email) = %s", (raw, campaign, email))
        if person := self.world.find(campaign, email):
            person["phone"] = raw

    def delete(self):
        campaign, email = self.random.choice(CAMPAIGNS), self.random.choice(EMAILS).lower()
        self.run("DELETE FROM contacts WHERE campaign_id = %s AND lower(email) = %s", (campaign, email))
        if person := self.world.find(campaign, email):
            # who was disqualified by a company is so when coming again with another
            self.world.keep_out(campaign, self.world.person_keys(person), {("email", email)})
        self.world.people[campaign] = [p for p in self.world.people[campaign] if not p["email"] or p["email"].lower() != email]

    def change(self, kind, campaign, means, source, out, lift):
        """Calls one of two procedures, each a statement and its values; the second with a source, or for all sources."""
        entries = self.world.entries
        # named itself, or by what else it is known by
        same = [e for e in entries if e["kind"] == kind and e["campaign"] == campaign and e["means"] & means - {("company", None), ("domain", None)}]
        if self.random.random() < 0.6:
            self.run(*out)
            named = [e for e in same if e["source"] == source and e["named"] == min(means)]
            if not named:
                entries.append({"kind": kind, "campaign": campaign, "source": source, "means": set(means), "named": min(means)})
        else:
            lifted = source if self.random.random() < 0.5 else None
            self.run(lift[0].replace("SOURCE", "%s"), (*lift[1], lifted))
            self.world.entries = [e for e in entries if e not in same or lifted not in (None, e["source"])]

    def way_out(self):
        campaign, source = self.random.choice(CAMPAIGNS), self.random.choice(["a", "b"])
        raw, number = self.random.choice(NUMBERS[:9])
        host = self.random.choice(["acme.example", "blue.example", "gmail.com"])
        scope = self.random.choice([campaign, None])
        match self.random.randint(0, 4):
            case 0:
                self.change("phone", campaign, {("phone", number)}, source,
                            ("CALL disqualify_phone(%s::bigint, %s, source => %s, leads => 'leads')", (campaign, raw, source)),
                            ("CALL requalify_phone(%s::bigint, %s, leads => 'leads', source => SOURCE)", (campaign, raw)))
            case 1:
                self.change("phone", scope, {("phone", number)}, source, ("CALL suppress_phones(ARRAY[%s], campaign => %s, source => %s)", (raw, scope, source)),
                            ("CALL unsuppress_phones(ARRAY[%s], campaign => %s, source => SOURCE)", (raw, scope)))
            case 2:
                self.change("domain", scope, {("domain", host)}, source, ("CALL suppress_domains(ARRAY[%s], campaign => %s, source => %s)", (host, scope, source)),
                            ("CALL unsuppress_domains(ARRAY[%s], campaign => %s, source => SOURCE)", (host, scope)))
            case 3:
                people = [p for p in self.world.people[campaign] if p["email"]]
                if people:
                    email = self.random.choice(people)["email"].lower()
                    contact = self.run("SELECT contact_id FROM contacts WHERE campaign_id = %s AND lower(email) = %s", (campaign, email)).fetchone()[0]
                    self.change("contact", campaign, {("email", email)}, source, ("CALL disqualify_contact(%s, %s, source => %s)", (campaign, contact, source)),
                                ("CALL requalify_contact(%s, %s, source => SOURCE)", (campaign, contact)))
            case 4:
                found = self.run("SELECT account_id, name_key, domain FROM accounts WHERE campaign_id = %s AND domain IS NOT NULL ORDER BY 1", (campaign,)).fetchall()
                if found:
                    account, key, of = self.random.choice(found)
                    known = next(a for a in self.world.accounts[campaign] if (a["key"], a["domain"]) == (key, of))
                    self.change("account", campaign, self.world.account_keys(known), source, ("CALL disqualify_account(%s, %s, source => %s)", (campaign, account, source)),
                                ("CALL requalify_account(%s, %s, source => SOURCE)", (campaign, account)))

    def fail(self, what, expected, actual):
        raise AssertionError(f"{what}:\nexpected {expected}\nactual   {actual}\nafter:\n" + "\n".join(map(str, self.log)))

    def check(self):
        for campaign in CAMPAIGNS:
            expected = sorted((p["email"] or "", p["name"] or "", VALID.get(p["phone"]) or p["phone"] or "", VALID.get(p["mobile"]) or p["mobile"] or "",
                               (p["account"] or {}).get("key") or "", (p["account"] or {}).get("domain") or "") for p in self.world.people[campaign])
            actual = sorted(self.connection.execute("""
                SELECT coalesce(c.email, ''), coalesce(c.name, ''), coalesce(c.phone, ''), coalesce(c.mobile, ''), coalesce(a.name_key, ''), coalesce(a.domain, '')
                  FROM contacts AS c LEFT JOIN accounts AS a USING (campaign_id, account_id) WHERE c.campaign_id = %s""", (campaign,)).fetchall())
            if expected != actual:
                self.fail("contacts", [e for e in expected if e not in actual], [a for a in actual if a not in expected])
            actual = sorted(self.connection.execute("""
                SELECT coalesce(email, ''), coalesce(name, ''), coalesce(phone, ''), coalesce(mobile, '') FROM callable_leads WHERE campaign_id = %s""", (campaign,)).fetchall())
            if self.world.callable(campaign) != actual:
                expected = self.world.callable(campaign)
                self.fail("callable_leads", [e for e in expected if e not in actual], [a for a in actual if a not in expected])
        wrong = self.connection.execute("SELECT * FROM verify_phone_counts('contacts')").fetchall()
        if wrong:
            self.fail("verify_phone_counts", [], wrong)
        # the two answers to one question
        differ = self.connection.execute("""
            SELECT l.lead_id FROM leads AS l CROSS JOIN LATERAL (
                SELECT NOT coalesce(bool_or(s.blocks = 'lead'), false)
                       AND (try_normalize_phone(c.phone) IS NOT NULL AND NOT coalesce(bool_or(s.blocks = 'phone'), false)
                            OR try_normalize_phone(c.mobile) IS NOT NULL AND NOT coalesce(bool_or(s.blocks = 'mobile'), false)) AS callable
                  FROM contacts AS c LEFT JOIN LATERAL lead_status(l.lead_id) AS s ON true
                 WHERE c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id GROUP BY c.phone, c.mobile) AS s
             WHERE s.callable <> EXISTS (SELECT FROM callable_leads AS k WHERE k.lead_id = l.lead_id)""").fetchall()
        if differ:
            self.fail("lead_status and callable_leads", [], differ)

    def transaction(self):
        self.log, before = [], copy.deepcopy(self.world)
        for _ in range(self.random.randint(1, 4)):
            self.random.choices([self.upload, self.insert, self.edit, self.delete, self.way_out], [3, 4, 2, 1, 5])[0]()
        if self.random.random() < 0.2:
            self.connection.rollback()
            self.world = before
        else:
            self.connection.commit()
        self.check()
        self.connection.rollback()


def main():
    for seed in SEEDS:
        with psycopg.connect() as connection:
            run = Run(connection, seed)
            try:
                for _ in range(ROUNDS):
                    run.transaction()
            except Exception:
                print(f"seed {seed}")
                raise
    people = sum(len(people) for people in run.world.people.values())
    print(f"{len(SEEDS) * ROUNDS} transactions, 0 differences; {people} people at the end of the last")


main()
