"""Who is out stays out: hostile writes at random on lead tables, by two sessions at once, and one assertion: what is out never comes back but
by requalify, unsuppress and expiry. In callable_leads, in lead_status and in the marks. And nobody is called by a number that the person's own row calls
invalid.

The generator knows people by their addresses, companies by their domains and numbers by their E.164, and writes each in many ways; it shares no
code with the extension, and has no opinion on how leads are split; numbers are read by the package phonenumbers. Seeds are fixed, and printed where the law is broken.

DURATION= (seconds) and SEED= in the environment make another, longer run; MUTATION= breaks a rule first, to see that it is found (see MUTATIONS).
Connects as libpq's environment says.
"""

import hashlib
import os
import random
import threading
import time
import unicodedata

import phonenumbers
import psycopg

from support import lead_tables

DURATION = float(os.environ.get("DURATION") or "30")
SEED = int(os.environ.get("SEED") or "1")
CAMPAIGNS = [1, 2, 3]
REGIONS = {1: "US", 2: "us ", 3: "MX"}
HOSTS = ["acme.example", "mail.acme.example", "étoile.example", "blue.example", "gmail.com", "linkedin.com"]
OWN = ["acme.example", "étoile.example", "blue.example"]
PEOPLE = [f"{name}@{host}" for name in ("ann", "bob", "zoë", "d/e") for host in HOSTS] + [f"{n}@gmail.com" for n in range(20)]
COMPANIES = ["Acme", "Étoile", "Blue Sky", "Beta", "Beta Corp"]
NUMBERS = [f"+1678999{n}" for n in range(1000, 1012)] + ["+525512345678", "+15512345678", "+442079460958"]
HASHES = {hashlib.sha256(number.encode()).hexdigest(): number for number in NUMBERS}
FIELDS = ["email", "name", "company", "website", "phone", "mobile", "country"]

# How each rule is broken by hand: functions, and what of their texts becomes what.
MUTATIONS = {
    # the entry goes with a person who leaves: so both must be broken
    "another company": [("lead_phones_write_people", "OR {schema}.lead_phones_is_account_out(c.campaign_id, c.account_id) THEN", "THEN"),
                        ("lead_phones_keep_out_of_contacts", "BEGIN\n", "BEGIN\n    RETURN;\n")],
    "two companies in a row": [("lead_phones_account_of", "ORDER BY f.is_out DESC,", "ORDER BY")],
    "a file of two companies": [("lead_phones_merged", "coalesce(p.held_account_id, p.account_id)", "p.account_id")],
    "an entry names a row": [("lead_phones_holds_for", "|| CASE $1", "|| CASE 'none'")],
    "edits of people": [("lead_phones_keep_out_of_contacts", "BEGIN\n", "BEGIN\n    RETURN;\n")],
    "edits of companies": [("lead_phones_keep_out_of_accounts", "BEGIN\n", "BEGIN\n    RETURN;\n")],
    "domains as they are written": [("lead_phones_write_domain", "NEW.domain := ", "RETURN NEW; NEW.domain := ")],
    "the longest of a source": [("lead_phones_enter", "ELSE greatest(o.expires_at, expires_at) END", "ELSE expires_at END"),
                                ("lead_phones_enter", "WHEN expires_at IS NULL OR o.entry IS NOT NULL AND o.expires_at IS NULL THEN NULL", "WHEN expires_at IS NULL THEN NULL"),
                                ("lead_phones_enter", "AND coalesce(d.expires_at, 'infinity') >= coalesce(expires_at, 'infinity')", "AND d.expires_at IS NOT DISTINCT FROM expires_at")],
    "numbers of every campaign": [("lead_phones_apply_everywhere", "    FOR ordered IN", "    RETURN 0;\n    FOR ordered IN")],
    "marks beside entries": [("lead_phones_among_everywhere", "IF everywhere IS NOT NULL", "IF false")],
    "hashes": [("lead_phones_apply_everywhere", "k < 0", "k IS NULL")],
    "entries against other rows": [("lead_phones_standing", "k.subject = $1 || ' ' || coalesce(d.account_id::text, d.contact_id::text, d.domain)", "true")],
    "a company goes with its people": [("lead_phones_keep_out_of_account", "BEGIN\n", "BEGIN\n    RETURN;\n"), ("lead_phones_keep_out_of_contacts", "o.account_id, a.name_key", "a.account_id, a.name_key")],
    "numbers of who has no address": [("lead_phones_hold_for_numbers", "BEGIN\n", "BEGIN\n    RETURN;\n")],
    "invalid in its own region": [("lead_phones_better_number", "OR {schema}.try_normalize_phone(new_number, old_region) IS NOT NULL", "")],
}


def canonical(text):
    """An address or a domain as Python's own libraries compare it."""
    text = "".join(c for c in unicodedata.normalize("NFKC", text or "") if unicodedata.category(c) != "Cf").strip().lower()
    if "@" not in text:
        return None
    local, _, host = text.rpartition("@")
    return f"{local}@{unicodedata.normalize('NFC', host.encode('ascii').decode('idna') if host.isascii() else host)}"


def identities(email, name, phone, mobile):
    """By what a person is known: the address, else name and number."""
    address = canonical(email)
    return [address] if address else [f"{name or ''} {number}" for number in (phone, mobile) if number and number.startswith("+")]


def read(raw, region):
    """The number that a text spells, by Google's library; None where that is none."""
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_valid_number(number) else None


class Writer:
    """Writes as hostile people do."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, values, empty=0.0):
        return None if self.random.random() < empty else self.random.choice(values)

    def host(self, host):
        unicode = not host.isascii()
        return self.random.choice([
            host, host.upper(), "www." + host, host + ".",
            host.encode("idna").decode() if unicode else host.replace("e", "\u00ade"),
            unicodedata.normalize("NFD", host) if unicode else "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in host),
            "shop." + host if host in OWN else host,
        ])

    def email(self, address):
        local, _, host = address.rpartition("@")
        written = self.host(host)
        # below another domain, somebody else has the same name
        if written.startswith("shop."):
            written = host
        address = f"{self.random.choice([local, local.upper(), unicodedata.normalize('NFD', local)])}@{written}"
        return self.random.choice([
            address, f" {address}\t", f"<{address}>", f"John Smith <{address}>", f"{address},", f"{address}\u200b", f"mailto:{address}", f"'{address}'",
            f"{address} (work)", address.replace("@", "\uff20")])

    def website(self, host):
        host = self.host(host)
        return self.random.choice([host, f"https://{host}/x?y=a@b.c", f"http:/{host}", f"({host})", f"{host}:443", f"HTTPS://{host.upper()}", f"{host}, now", f"//{host}"])

    def company(self, name):
        return self.random.choice([name, name.upper(), f" {name} ", name.replace(" ", ""), name.replace(" ", "-"), name + ".", unicodedata.normalize("NFD", name), name + "\u200b"])

    def number(self, number):
        national = number.removeprefix("+52").removeprefix("+1").removeprefix("+44")
        return self.random.choice([number, f"{number} x12", f"tel:{number}", national, f"({national[:3]}) {national[3:6]}-{national[6:]}"])

    def row(self):
        def maybe(write, values, empty):
            value = self.pick(values, empty)
            return None if value is None else write(value)

        self.person = self.pick(PEOPLE, 0.25)
        return [self.person and self.email(self.person), self.pick(["Ann", "Bob", "ANN "]), maybe(self.company, COMPANIES, 0.4), maybe(self.website, HOSTS, 0.6),
                maybe(self.number, NUMBERS, 0.2), maybe(self.number, NUMBERS, 0.5), self.pick(["US", "mx", "GB", "Mexico"], 0.7)]


class Session:
    """Writes in transactions of its own."""

    def __init__(self, seed, rows_say):
        self.rows_say = rows_say  # of (campaign, address): the numbers that the person's rows say, each as its own region reads it
        self.outs = []
        self.connection = psycopg.connect(application_name=f"law {seed}")
        self.connection.execute("SET search_path = law, public; SET client_min_messages = error; SET lock_timeout = '20s'")
        self.connection.execute(f"CREATE TEMP TABLE staging ({', '.join(f'{f} text' for f in FIELDS)})")
        self.connection.commit()
        self.write = Writer(seed)
        self.random = self.write.random
        self.log = []

    def run(self, statement, values=()):
        self.log.append((statement, values))
        return self.connection.execute(statement, values)

    def one(self, table):
        return self.run(f"SELECT campaign_id, {table[:-1]}_id FROM {table} ORDER BY random() LIMIT 1").fetchone()

    def says(self, campaign, address, numbers, region):
        self.rows_say.setdefault((campaign, address), set()).update(read(number, region) for number in numbers if number)

    # what brings nobody back
    def upload(self):
        campaign = self.random.choice(CAMPAIGNS)
        rows = []
        for _ in range(self.random.randint(1, 8)):
            rows.append((self.write.row(), self.write.person))
            if self.random.random() < 0.3:
                # the same person again, of another company, with other numbers
                (email, *_), person = rows[-1]
                rows.insert(self.random.randint(0, len(rows)), ([email, *self.write.row()[1:]], person))
        self.run("TRUNCATE staging")
        for row, person in rows:
            country = (row[-1] or "").upper()
            self.says(campaign, person, row[4:6], country if country in phonenumbers.SUPPORTED_REGIONS else REGIONS[campaign].strip().upper())
            self.run(f"INSERT INTO staging VALUES ({', '.join(['%s'] * len(FIELDS))})", row)
        self.run("CALL upload_leads(%s, 'staging')", (campaign,))

    def insert(self):
        campaign, row = self.random.choice(CAMPAIGNS), self.write.row()
        self.says(campaign, self.write.person, row[4:6], REGIONS[campaign].strip().upper())
        self.run("INSERT INTO leads (campaign_id, email, name, company, website, phone, mobile) VALUES (%s, %s, %s, %s, %s, %s, %s)", (campaign, *row[:6]))

    def edit_contact(self):
        if found := self.contact():
            address = self.write.pick(PEOPLE)
            column, value = self.random.choice([
                ("email", self.write.email(address)), ("email", None), ("phone", self.write.number(self.write.pick(NUMBERS))), ("mobile", None),
                ("account_id", None), ("name", "Zed"), ("region", self.random.choice(["US", "GB", "mx "]))])
            if column == "account_id":
                other = self.run("SELECT account_id FROM accounts WHERE campaign_id = %s ORDER BY random() LIMIT 1", found[:1]).fetchone()
                value = other[0] if other and self.random.random() < 0.8 else None
            if column == "region":
                # an edit of the region is somebody's word on how the numbers are to be read
                self.run("UPDATE contacts SET region = %s, phone = NULL, mobile = NULL WHERE campaign_id = %s AND contact_id = %s", (value, *found))
            else:
                self.run(f"UPDATE contacts SET {column} = %s WHERE campaign_id = %s AND contact_id = %s AND NOT EXISTS (SELECT FROM contacts AS o WHERE o.campaign_id = %s AND {'true' if column == 'email' and value else 'false'} AND lead_phones_email_key(o.email) = lead_phones_email_key(%s))",
                         (value, *found, found[0], value if column == "email" else None))
                # what an edit says is said of the person that the contact is then
                known = self.run("SELECT lead_phones_email_key(email), phone, mobile, upper(btrim(region)) FROM contacts WHERE campaign_id = %s AND contact_id = %s", found).fetchone()
                if known and column in ("email", "phone"):
                    self.says(found[0], known[0], known[1:3] if column == "email" else known[1:2], known[3])

    def account(self):
        """Any account, as often as not one that is out."""
        out = self.random.random() < 0.5 and self.run("SELECT campaign_id, account_id FROM account_disqualifications ORDER BY random() LIMIT 1").fetchone()
        return out or self.one("accounts")

    def contact(self):
        """Any contact, as often as not one that is out by an entry against a contact."""
        out = self.random.random() < 0.5 and self.run(
            "SELECT campaign_id, contact_id FROM contact_disqualifications WHERE kind = 'contact' ORDER BY random() LIMIT 1").fetchone()
        return out or self.one("contacts")

    def edit_account(self):
        if found := self.account():
            column, value = self.random.choice([("name", self.write.company(self.write.pick(COMPANIES))), ("domain", self.write.website(self.write.pick(OWN))), ("domain", None)])
            self.run(f"UPDATE accounts SET {column} = %s WHERE campaign_id = %s AND account_id = %s", (value, *found))

    def merge_accounts(self):
        if found := self.account():
            if self.random.random() < 0.5:
                self.run("UPDATE accounts SET name = %s WHERE campaign_id = %s AND account_id = %s", (self.write.pick(COMPANIES), *found))
            other = self.run("SELECT account_id FROM accounts WHERE campaign_id = %s ORDER BY random() LIMIT 1", found[:1]).fetchone()
            # the other session may have deleted all of them since
            if other:
                self.run("UPDATE contacts SET account_id = %s WHERE campaign_id = %s AND account_id = %s", (*other, *found))
                if other[0] != found[1]:
                    self.run("DELETE FROM accounts WHERE campaign_id = %s AND account_id = %s", found)

    def delete(self):
        kind = self.random.random()
        if kind < 0.03:
            self.run("TRUNCATE contacts, leads, accounts")
        elif kind < 0.2:
            self.run("DELETE FROM contacts WHERE campaign_id = %s", (self.random.choice(CAMPAIGNS),))
        elif kind < 0.3:
            campaign = self.random.choice(CAMPAIGNS)
            self.run("WITH people AS (DELETE FROM contacts WHERE campaign_id = %s) DELETE FROM accounts WHERE campaign_id = %s", (campaign, campaign))
        elif found := self.one("contacts"):
            self.run("DELETE FROM contacts WHERE campaign_id = %s AND contact_id = %s", found)

    # what disqualifies somebody; an expiry in the far future, that must not shorten what holds longer
    def out(self):
        campaign, source = self.random.choice(CAMPAIGNS), self.random.choice(["a", "b"])
        scope = self.random.choice([campaign, campaign, None])
        if self.outs and self.random.random() < 0.3:
            # the same again, for a shorter time
            statement, values = self.random.choice(self.outs)
            self.run(statement, (*values[:-1], "2001-01-01"))
            return
        expires = self.write.pick(["2090-01-01", "2001-01-01"], 0.7)
        match self.random.choices(range(6), [1, 1, 1, 2, 3, 1])[0]:
            case 0:
                self.call("CALL disqualify_phone(%s::bigint, %s, source => %s, expires_at => %s, leads => 'leads')", (campaign, self.write.pick(NUMBERS), source, expires))
            case 1:
                self.call("CALL suppress_phones(ARRAY[%s, %s], campaign => %s, source => %s, expires_at => %s)",
                         (self.write.pick(NUMBERS), self.write.pick(NUMBERS), scope, source, expires))
            case 2:
                self.call("CALL suppress_domains(ARRAY[%s], campaign => %s, source => %s, expires_at => %s)", (self.write.website(self.write.pick(HOSTS)), scope, source, expires))
            case 3:
                if found := self.contact():
                    self.call("CALL disqualify_contact(%s, %s, reason => %s, source => %s, expires_at => %s)", (*found, self.random.choice("xyz"), source, expires))
            case 4:
                if found := self.one("accounts"):
                    self.call("CALL disqualify_account(%s, %s, reason => %s, source => %s, expires_at => %s)", (*found, self.random.choice("xyz"), source, expires))
            case 5:
                self.call("CALL suppress_phones(ARRAY[%s], hashed => 'sha256', source => %s, expires_at => %s)", (self.write.pick(list(HASHES)), source, expires))

    def call(self, statement, values):
        self.outs = [*self.outs[-20:], (statement, values)]
        self.run(statement, values)

    def transaction(self):
        """Returns what it was told to leave out, or nothing where it failed."""
        self.log = []
        try:
            for _ in range(self.random.randint(1, 3)):
                self.random.choices([self.upload, self.insert, self.edit_contact, self.edit_account, self.merge_accounts, self.delete, self.out], [4, 4, 4, 3, 1, 2, 3])[0]()
            if self.random.random() < 0.1:
                self.connection.rollback()
            else:
                self.connection.commit()
        except (psycopg.errors.UniqueViolation, psycopg.errors.ForeignKeyViolation, psycopg.errors.DeadlockDetected, psycopg.errors.NoDataFound,
                psycopg.errors.LockNotAvailable, psycopg.errors.SerializationFailure, psycopg.errors.RaiseException) as error:
            if isinstance(error, psycopg.errors.RaiseException):
                raise
            self.connection.rollback()


class Law:
    def __init__(self):
        self.rows_say = {}
        # that are out: (campaign, who)
        self.out = self.people, self.numbers, self.companies, self.domains = set(), set(), set(), set()
        self.watch = psycopg.connect(autocommit=True)
        self.watch.execute("SET search_path = law, public; SET client_min_messages = error")
        self.checks = self.last = 0

    def rows(self, query, values=None):
        return self.watch.execute(query, values).fetchall()

    def seen(self):
        """Who is out, as the entries say: people by address, or by name and number; numbers; companies by name, and by domain."""
        people = {(c, who) for c, email, name, phone, mobile in self.rows("""
            SELECT c.campaign_id, lead_phones_email(c.email), lower(btrim(c.name)), c.phone, c.mobile FROM contacts AS c
             WHERE EXISTS (SELECT FROM contact_disqualifications AS d WHERE d.campaign_id = c.campaign_id AND d.contact_id = c.contact_id AND d.blocks = 'lead'
                              -- who has no address is nobody else's equal, but for an entry against himself
                              AND (lead_phones_email(c.email) IS NOT NULL OR d.kind = 'contact'))""") for who in identities(email, name, phone, mobile)}
        numbers = {(c, number) for c, subject in self.rows("""
            SELECT d.campaign_id, d.phone::text FROM campaign_phone_disqualifications AS d WHERE d.lifted_at IS NULL AND coalesce(d.expires_at, 'infinity') > now()
             UNION
            SELECT c.campaign_id, d.subject FROM lead_ledger AS d CROSS JOIN campaigns AS c WHERE d.kind = 'phone' AND d.campaign_id IS NULL AND d.stands""")
            for number in ([subject] if subject.startswith("+") else [n for h, n in HASHES.items() if subject == f"sha256 {h[:15]}"])}
        companies = set(self.rows("""
            SELECT d.campaign_id, substr(k.subject, 9) FROM lead_disqualification_subjects AS k JOIN lead_disqualifications AS d USING (entry)
             WHERE k.subject LIKE 'company %' AND d.lifted_at IS NULL AND coalesce(d.expires_at, 'infinity') > now()
             UNION
            SELECT a.campaign_id, lead_phones_company_key(a.name) FROM accounts AS a JOIN lead_disqualifications AS d USING (campaign_id, account_id)
             WHERE lead_phones_company_key(a.name) IS NOT NULL AND d.lifted_at IS NULL AND coalesce(d.expires_at, 'infinity') > now()"""))
        domains = set(self.rows("""
            SELECT c.campaign_id, d.domain FROM lead_disqualifications AS d JOIN campaigns AS c ON coalesce(d.campaign_id, c.campaign_id) = c.campaign_id
             WHERE d.domain IS NOT NULL AND d.lifted_at IS NULL AND coalesce(d.expires_at, 'infinity') > now()
             UNION
            SELECT a.campaign_id, lead_phones_domain(a.domain) FROM accounts AS a JOIN lead_disqualifications AS d USING (campaign_id, account_id)
             WHERE lead_phones_domain(a.domain) = ANY (%s) AND d.lifted_at IS NULL AND coalesce(d.expires_at, 'infinity') > now()""", (OWN,)))
        return people, numbers, companies, domains

    def check(self, log):
        for campaign, lead, address, email, name, phone, mobile, *numbers in self.rows("""
            SELECT k.campaign_id, k.lead_id, lead_phones_email_key(c.email), lead_phones_email(c.email), lower(btrim(c.name)), c.phone, c.mobile, k.phone, k.mobile
              FROM callable_leads AS k JOIN contacts AS c USING (campaign_id, contact_id)"""):
            out = [who for who in identities(email, name, phone, mobile) if (campaign, who) in self.people] + [n for n in numbers if (campaign, n) in self.numbers]
            unsaid = [n for n in numbers if n and address and n not in self.rows_say.get((campaign, address), ())]
            if unsaid:
                raise AssertionError(f"in campaign {campaign}, {address} is called by {unsaid}, which no row of the person says; lead {lead}; after:\n" + "\n".join(map(str, log)))
            out += [d for d in HOSTS if (campaign, d) in self.domains and f".{canonical(address).replace('@', '.')}".endswith(f".{d}")] if address else []
            if out:
                raise AssertionError(f"in campaign {campaign}, {out} was out and is callable, by lead {lead}; after:\n" + "\n".join(map(str, log)))
        # who comes by the name of a disqualified company, with whatever else
        for campaign, lead, company in self.rows(f"""
            SELECT l.campaign_id, l.lead_id, lead_phones_company_key(l.company) FROM leads AS l
             WHERE l.lead_id > {self.last} AND EXISTS (SELECT FROM callable_leads AS k WHERE k.campaign_id = l.campaign_id AND k.contact_id = l.contact_id)"""):
            if (campaign, company) in self.companies:
                raise AssertionError(f"in campaign {campaign}, company {company} was out and is callable, by lead {lead}; after:\n" + "\n".join(map(str, log)))
        self.last = self.rows("SELECT coalesce(max(lead_id), 0) FROM leads")[0][0] or self.last
        marks = self.rows("""
            SELECT c.campaign_id, c.contact_id FROM contacts AS c
             WHERE EXISTS (SELECT FROM lead_ledger AS d WHERE d.kind = 'phone' AND (d.campaign_id = c.campaign_id OR d.campaign_id IS NULL) AND d.lifted_at IS NULL
                              AND (d.subject = c.phone AND NOT c.phone_disqualified OR d.subject = c.mobile AND NOT c.mobile_disqualified))""")
        if marks:
            raise AssertionError(f"contacts without their marks: {marks}; after:\n" + "\n".join(map(str, log)))
        differ = self.rows("""
            SELECT l.campaign_id, l.lead_id FROM (SELECT * FROM leads ORDER BY random() LIMIT 20) AS l
              JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
             CROSS JOIN LATERAL (SELECT coalesce(bool_or(s.blocks = 'lead'), false) AS lead, coalesce(bool_or(s.blocks = 'phone'), false) AS phone,
                                        coalesce(bool_or(s.blocks = 'mobile'), false) AS mobile FROM lead_status(l.lead_id, campaign => l.campaign_id) AS s) AS s
             WHERE (NOT s.lead AND (try_normalize_phone(c.phone, c.region) IS NOT NULL AND NOT s.phone OR try_normalize_phone(c.mobile, c.region) IS NOT NULL AND NOT s.mobile))
                   <> EXISTS (SELECT FROM callable_leads AS k WHERE k.campaign_id = l.campaign_id AND k.lead_id = l.lead_id)""")
        if differ:
            raise AssertionError(f"lead_status and callable_leads differ: {differ}")
        for known, seen in zip(self.out, self.seen(), strict=True):
            known |= seen
        self.checks += 1

    def lift(self, writer):
        """The ways back: afterwards, those are out who still are."""
        campaign, source = writer.pick(CAMPAIGNS), writer.pick(["a", "b"], 0.3)
        scope = writer.pick([campaign, None])
        match writer.random.randint(-1, 5):
            case -1:
                self.watch.execute("CALL unsuppress_phones(ARRAY[%s], hashed => 'sha256', source => %s)", (writer.pick(list(HASHES)), source))
            case 0:
                self.watch.execute("CALL requalify_phone(%s::bigint, %s, source => %s, leads => 'leads')", (campaign, writer.pick(NUMBERS), source))
            case 1:
                self.watch.execute("CALL unsuppress_phones(ARRAY[%s], campaign => %s, source => %s)", (writer.pick(NUMBERS), scope, source))
            case 2:
                self.watch.execute("CALL unsuppress_domains(ARRAY[%s], campaign => %s, source => %s)", (writer.host(writer.pick(HOSTS)), scope, source))
            case 3:
                self.watch.execute("CALL expire_disqualifications('leads')")
            case kind:
                entries = self.rows(f"SELECT campaign_id, {'contact' if kind == 4 else 'account'}_id FROM lead_disqualifications WHERE lifted_at IS NULL AND {'contact' if kind == 4 else 'account'}_id IS NOT NULL")
                if entries:
                    self.watch.execute(f"CALL requalify_{'contact' if kind == 4 else 'account'}(%s, %s, source => %s)", (*writer.pick(entries), source))
        for known, seen in zip(self.out, self.seen(), strict=True):
            known &= seen


def mutate(connection, name):
    for function, old, new in MUTATIONS[name]:
        body = connection.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", (function,)).fetchone()[0]
        old, new = old.format(schema="public"), new.format(schema="public")
        assert old in body, f"{function} does not say {old}"
        connection.execute(body.replace(old, new, 1))
    print(f"broken: {name}")


def main():
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS law CASCADE; CREATE SCHEMA law; SET search_path = law, public; SET client_min_messages = error")
        connection.execute(lead_tables.CREATE)
        for campaign, region in REGIONS.items():
            connection.execute("INSERT INTO campaigns (campaign_id, name, region) VALUES (%s, 'c', %s)", (campaign, region))
        if mutation := os.environ.get("MUTATION"):
            mutate(connection, mutation)
    law, writer = Law(), Writer(SEED)
    sessions = [Session(SEED * 1000 + n, law.rows_say) for n in (1, 2)]
    started = time.monotonic()
    transactions = 0
    try:
        while time.monotonic() - started < DURATION:
            errors = []

            def work(session):
                try:
                    session.transaction()
                except BaseException as error:  # handed to the main thread
                    errors.append(error)

            threads = [threading.Thread(target=work, args=(session,)) for session in sessions]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if errors:
                raise errors[0]
            transactions += len(sessions)
            law.check([entry for session in sessions for entry in session.log])
            if writer.random.random() < 0.1:
                law.lift(writer)
    except Exception:
        print(f"seed {SEED}, after {time.monotonic() - started:.1f} s and {transactions} transactions")
        raise
    wrong = law.rows("SELECT * FROM verify_phone_counts('contacts')")
    assert not wrong, wrong
    print(f"{transactions} transactions of two sessions, {law.checks} checks, nobody came back; {len(law.people)} people, {len(law.numbers)} numbers out at the end")


main()
