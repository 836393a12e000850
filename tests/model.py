"""Writes of every kind, at random, on tracked tables of different shapes and in different modes: one to four columns of numbers, with and without
campaigns, in place and beside, with and without extensions. After each transaction the counts must be what a recount without the extension says.
Seeds are fixed, and printed where something differs.

SEED= and ROUNDS= in the environment make another, longer run; DIRECT=on, off or random says whether few counts are written without statements, which
the seeds do differently. Connects as libpq's environment says.
"""

import os
import random

import psycopg
from psycopg import errors

ROUNDS = int(os.environ.get("ROUNDS") or "250")
SEEDS = [int(os.environ["SEED"])] if os.environ.get("SEED") else [1, 2, 3]
NUMBERS = [f"(678) 999-{n}" for n in range(1000, 1012)] + ["+49 30 123456", "+44 7400 123456"]
RAW = [*NUMBERS, "678.999.1003 x12", None, None, "n/a", ""]
COLUMNS = ["phone", "mobile", "work", "Fax no."]
# by seed
DIRECT = {1: "on", 2: "random", 3: "off"}

PARTITIONED = """
    ALTER TABLE leads RENAME TO plain_leads;
    CREATE TABLE leads (LIKE plain_leads INCLUDING ALL EXCLUDING INDEXES, PRIMARY KEY (id)) PARTITION BY HASH (id);
    DROP TABLE plain_leads;
    CREATE TABLE leads_0 PARTITION OF leads FOR VALUES WITH (MODULUS 3, REMAINDER 0);
    CREATE TABLE leads_1 PARTITION OF leads FOR VALUES WITH (MODULUS 3, REMAINDER 1) PARTITION BY RANGE (id);
    CREATE TABLE leads_1a PARTITION OF leads_1 FOR VALUES FROM (MINVALUE) TO (200);
    CREATE TABLE leads_1b PARTITION OF leads_1 FOR VALUES FROM (200) TO (MAXVALUE);
    CREATE TABLE leads_2 PARTITION OF leads FOR VALUES WITH (MODULUS 3, REMAINDER 2);
"""
INHERITED = """
    CREATE TABLE leads_0 (heat int) INHERITS (leads);
    CREATE TABLE leads_1 (PRIMARY KEY (id)) INHERITS (leads);
    CREATE TABLE leads_1a () INHERITS (leads_1);
"""

# campaign type and its values, more columns, more DDL
SHAPES = {
    "named": ("season", ["spring", "summer", "autumn"], "", ""),
    "folded": ("citext", ["Spring", "SPRING", "Summer"], "", ""),
    "priced": ("numeric", ["1.0", "1.00", "-2.5"], "", ""),
    # the region of a lead is that of its country
    "pathed": ("int", [1, 2, 3], ", country int DEFAULT 1", """
        CREATE TABLE countries (id int PRIMARY KEY, region text);
        INSERT INTO countries VALUES (1, 'US'), (2, 'de'), (3, NULL);
        ALTER TABLE leads ADD FOREIGN KEY (country) REFERENCES countries;"""),
    "plain": ("int", [1, 2, 3], "", ""),
    "referencing": (
        "bigint", [1, 2, 3], "",
        """CREATE TABLE campaigns (id bigint PRIMARY KEY);
           INSERT INTO campaigns SELECT generate_series(1, 9);
           ALTER TABLE leads ADD FOREIGN KEY (campaign_id) REFERENCES campaigns ON DELETE CASCADE ON UPDATE CASCADE;""",
    ),
    "uuid": ("uuid", [f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2, 3)], ", region text", ""),
    "partitioned": ("int", [1, 2, 3], "", PARTITIONED),
    "inherited": ("int", [1, 2, 3], ", region text", INHERITED),
    "interfering": (
        "text", ["a", "b", "ü"], ", region text",
        # triggers of the application that change and suppress rows, and a view in front
        """CREATE FUNCTION change_row() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN
               IF NEW.note = 'suppress' THEN RETURN NULL; END IF;
               IF NEW.note = 'swap' THEN
                   NEW := json_populate_record(NEW, json_build_object('phone', NEW.mobile, 'mobile', NEW.phone));
               END IF;
               RETURN NEW;
           END $$;
           CREATE TRIGGER change_row BEFORE INSERT OR UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION change_row();
           CREATE VIEW lead_view AS SELECT * FROM leads;
           CREATE FUNCTION write_view() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN
               IF TG_OP = 'INSERT' THEN
                   INSERT INTO leads (campaign_id, phone, mobile) VALUES (NEW.campaign_id, NEW.phone, NEW.mobile); RETURN NEW;
               END IF;
               DELETE FROM leads WHERE id = OLD.id; RETURN OLD;
           END $$;
           CREATE TRIGGER write_view INSTEAD OF INSERT OR DELETE ON lead_view FOR EACH ROW EXECUTE FUNCTION write_view();""",
    ),
}

# What the counts should be, without a word of the extension's. In place, numbers in E.164 are those that begin with a plus sign.
RECOUNT = """
WITH numbers AS (
    SELECT {campaign} AS campaign, (leads.tableoid, leads.ctid) AS row, number, place FROM leads {join} CROSS JOIN LATERAL (VALUES {numbers}) AS v (number, place)
    WHERE number LIKE '+%' AND {campaign} IS NOT NULL
), expected AS (
    SELECT campaign, number AS phone, count(DISTINCT row) AS leads, {expected}
    FROM numbers GROUP BY 1, 2
), actual AS (
    SELECT {campaign} AS campaign, phone::text, lead_count, {counts} FROM campaign_phone_counts
    WHERE lead_count <> 0 OR NOT disqualified
)
(TABLE expected EXCEPT TABLE actual) UNION ALL (TABLE actual EXCEPT TABLE expected)
"""
# Beside, they are what the text of this program spells; which a German can read otherwise.
SPELLED = """CASE WHEN {column} LIKE '+%' THEN replace({column}, ' ', '')
    WHEN {column} ~ '^[(]?678' THEN CASE upper({region}) WHEN 'US' THEN '+1' WHEN 'DE' THEN '+49' END || '678999' || substring({column} FROM '999.([0-9]{{4}})')
    WHEN {column} = '030 123456' AND upper({region}) = 'DE' THEN '+4930123456' END"""
BESIDE = """
SELECT {stored}, {spelled} FROM leads {join} WHERE {stored}::text IS DISTINCT FROM {spelled}
"""
EXTENSIONS = """
SELECT {column} FROM leads WHERE {extension} IS DISTINCT FROM CASE WHEN {stored} IS NOT NULL THEN substring({column} FROM 'x([0-9]+)') END
"""
MARKS = """
SELECT leads.id FROM leads LEFT JOIN campaign_phone_counts AS c ON {is_of} AND c.phone = {stored} WHERE {mark} <> coalesce(c.disqualified, false)
"""


def quoted(name):
    return f'"{name}"'


# One text that holds all of the counts, and functions that read it.
DIGEST = "SELECT coalesce(string_agg(c::text, ' ' ORDER BY c::text COLLATE \"C\"), '') AS digest FROM campaign_phone_counts AS c"
READERS = f"""
    CREATE FUNCTION stable_digest() RETURNS text STABLE LANGUAGE sql AS $f${DIGEST}$f$;
    CREATE FUNCTION volatile_digest() RETURNS text VOLATILE LANGUAGE plpgsql AS $f$BEGIN RETURN ({DIGEST}); END$f$;
    CREATE MATERIALIZED VIEW digest_view AS {DIGEST} WITH NO DATA;
"""


class Model:
    def __init__(self, connection, other, shape, seed):
        self.connection = connection
        self.shape = shape
        self.random = random.Random(seed)
        self.kind, self.campaigns, columns, ddl = SHAPES[shape]
        self.has_region = "region" in columns
        self.has_path = "country" in columns
        # the mode: seed 1 is what a leads table is without further ado
        self.plain = seed == 1 and not self.has_path
        self.columns = ["phone", "mobile"] if self.plain else self.random.sample(COLUMNS, self.random.randint(1, 4))
        self.has_campaign = self.plain or self.random.random() < 0.6
        self.in_place = self.plain or self.random.random() < 0.4
        self.keeps_extensions = not self.plain and self.random.random() < 0.5
        connection.execute("DROP SCHEMA IF EXISTS model CASCADE; CREATE SCHEMA model; SET search_path = model, public")
        connection.execute("CREATE TYPE season AS ENUM ('spring', 'summer', 'autumn')")
        connection.execute(f"""
            CREATE TABLE leads (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, campaign_id {self.kind}, phone text,
                mobile varchar(40), work citext, "Fax no." char(24) NOT NULL DEFAULT '', note text{columns})""")
        connection.execute(ddl)
        region = ", region_column => 'region'" if self.has_region else ", region_column => 'country.region'" if self.has_path else ""
        self.mode = f"""phone_columns => ARRAY[{", ".join(f"'{column}'" for column in self.columns)}], in_place => {self.in_place},
            keep_extensions => {self.keeps_extensions}{region}{"" if self.has_campaign else ", campaign_column => NULL"}"""
        connection.execute(f"SELECT track_lead_phones('leads', {self.mode})")
        self.checks = self.queries()
        connection.execute(READERS)
        connection.commit()
        self.log = []
        self.serial = 500_000_000
        self.direct = os.environ.get("DIRECT") or DIRECT.get(seed, "random")
        for one in (connection, other):
            one.execute(f"SET lead_phones.direct_counts = {'on' if self.direct == 'random' else self.direct}")
            one.commit()

    def queries(self):
        """What must find nothing, by name."""
        region = "leads.region" if self.has_region else "countries.region" if self.has_path else "NULL::text"
        join = "LEFT JOIN countries ON countries.id = leads.country" if self.has_path else ""
        region = region if self.has_path else f"coalesce({region}, 'US')"
        def stored(column):
            return f"leads.{quoted(column)}::text" if self.in_place else f"leads.{quoted(column + '_e164')}"
        def spelled(column):
            return SPELLED.format(column=f"leads.{quoted(column)}::text", region=region)
        numbers = [stored(column) if self.in_place else spelled(column) for column in self.columns]
        found = {"counts": RECOUNT.format(
            campaign="campaign_id" if self.has_campaign else "0", join=join,
            numbers=", ".join(f"({number}, {place})" for place, number in enumerate(numbers)),
            expected=", ".join(f"count(*) FILTER (WHERE place = {place})" for place in range(len(numbers))),
            counts=", ".join(quoted(f"{column}_count") for column in self.columns))}
        for column in self.columns:
            found[f"marks of {column}"] = MARKS.format(
                is_of="c.campaign_id = leads.campaign_id" if self.has_campaign else "true", stored=stored(column), mark=f"leads.{quoted(column + '_disqualified')}")
            if not self.in_place:
                found[f"numbers of {column}"] = BESIDE.format(stored=stored(column), spelled=spelled(column), join=join)
                if self.keeps_extensions:
                    found[f"extensions of {column}"] = EXTENSIONS.format(
                        column=quoted(column), stored=stored(column), extension=quoted(column + "_extension"))
        return found | {"verify": "SELECT * FROM verify_phone_counts('leads')"}

    def run(self, statement, values=None):
        self.log.append((statement, values))
        return self.connection.execute(statement, values)

    # pieces of statements

    def campaign(self):
        return self.random.choice(self.campaigns)

    def raw(self):
        return self.random.choice(RAW)

    def some_leads(self):
        return f"mod(id, {self.random.randint(1, 6)}) = {self.random.randint(0, 5)}"

    def rows(self, count):
        return [(self.campaign(), self.raw(), self.raw()) for _ in range(count)]

    # statements

    def insert(self):
        self.run("INSERT INTO leads (campaign_id, phone, mobile) VALUES (%s, %s, %s)", self.rows(1)[0])

    def insert_many(self):
        rows = self.rows(self.random.randint(2, 60))
        columns = [list(column) for column in zip(*rows)]
        work, fax = self.random.choice(["NULL", "phone", "mobile", "NULL"]), self.random.choice(["''", "coalesce(phone, '')", "coalesce(mobile, '')"])
        self.run(f"""INSERT INTO leads (campaign_id, phone, mobile, work, "Fax no.")
                     SELECT campaign, phone, mobile, {work}, {fax}
                     FROM unnest(%s::{self.kind}[], %s::text[], %s::text[]) AS r (campaign, phone, mobile)""", columns)

    def insert_noted(self):
        self.run("INSERT INTO leads (campaign_id, phone, mobile, note) VALUES (%s, %s, %s, %s)",
                 (*self.rows(1)[0], self.random.choice(["suppress", "swap", "other"])))

    def copy(self):
        rows = self.rows(self.random.randint(1, 30))
        self.log.append(("COPY", rows))
        with self.connection.cursor().copy("COPY leads (campaign_id, phone, mobile) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def upsert(self):
        action = self.random.choice(["DO NOTHING", "DO UPDATE SET phone = EXCLUDED.phone, campaign_id = EXCLUDED.campaign_id",
                                     "DO UPDATE SET mobile = leads.phone WHERE leads.phone IS NOT NULL"])
        self.run(f"""INSERT INTO leads (id, campaign_id, phone, mobile) SELECT DISTINCT ON (id) id, campaign_id, mobile, phone FROM leads WHERE {self.some_leads()}
                     ON CONFLICT (id) {action}""")

    def merge(self):
        if self.connection.info.server_version < 150000:
            return
        self.run(f"""MERGE INTO leads AS l USING (SELECT DISTINCT ON (id) id, campaign_id, mobile FROM leads WHERE {self.some_leads()}) AS s
                     ON l.id = s.id AND s.id % 2 = 0
                     WHEN MATCHED AND s.mobile IS NULL THEN DELETE
                     WHEN MATCHED THEN UPDATE SET phone = s.mobile
                     WHEN NOT MATCHED THEN INSERT (campaign_id, phone) VALUES (s.campaign_id, s.mobile)""")

    def update_number(self):
        column = self.random.choice([*self.columns, "phone", "mobile"])
        raw = self.raw()
        # as Django writes it
        self.run(f"UPDATE leads SET {quoted(column)} = %s WHERE {self.some_leads()}", ("" if column == "Fax no." and raw is None else raw,))

    def update_campaign(self):
        self.run(f"UPDATE leads SET campaign_id = %s WHERE {self.some_leads()}", (self.random.choice([*self.campaigns, None]),))

    def update_key(self):
        self.run(f"UPDATE leads SET id = id + 1000000 WHERE {self.some_leads()}")

    def update_note(self):
        self.run("UPDATE leads SET note = 'other'")

    def swap(self):
        self.run(f"UPDATE leads SET phone = mobile, mobile = phone WHERE {self.some_leads()}")
        if self.random.random() < 0.5:
            self.run(f"""UPDATE leads SET work = phone, phone = work, "Fax no." = coalesce(mobile, '') WHERE {self.some_leads()}""")

    def update_from(self):
        self.run("UPDATE leads AS l SET phone = o.mobile FROM leads AS o WHERE l.id = o.id + 1")

    def delete(self):
        self.run(f"DELETE FROM leads WHERE {self.some_leads()} AND id % 3 = 0")

    def truncate(self):
        # of a part of the leads it needs a snapshot that misses none, as a recount does
        if self.random.random() < 0.2 and (self.shape != "inherited" or self.isolation == "READ COMMITTED"):
            more = "campaigns, " if self.shape == "referencing" else ""
            self.run(f"TRUNCATE {more}leads CASCADE")
            if more:
                self.run("INSERT INTO campaigns SELECT generate_series(1, 9)")

    def write_twice(self):
        self.run(f"""WITH gone AS (DELETE FROM leads WHERE {self.some_leads()} AND id % 2 = 1 RETURNING *),
                     changed AS (UPDATE leads SET mobile = phone WHERE id % 2 = 0 RETURNING id)
                     INSERT INTO leads (campaign_id, phone, mobile) SELECT campaign_id, mobile, phone FROM gone""")

    def cascade(self):
        if self.shape == "referencing":
            one = self.random.randint(4, 9)
            self.run("UPDATE leads SET campaign_id = %s WHERE id %% 7 = 1", (one,))
            if self.random.random() < 0.5:
                self.run("DELETE FROM campaigns WHERE id = %s", (one,))
                self.run("INSERT INTO campaigns VALUES (%s)", (one,))
            else:
                self.run("UPDATE campaigns SET id = id + 100 WHERE id = %s", (one,))
                self.run("UPDATE leads SET campaign_id = 1 WHERE campaign_id > 100")
                self.run("UPDATE campaigns SET id = %s WHERE id > 100", (one,))

    def view(self):
        if self.shape == "interfering":
            self.run("INSERT INTO lead_view (campaign_id, phone, mobile) VALUES (%s, %s, %s)", self.rows(1)[0])
            self.run("DELETE FROM lead_view WHERE id %% 11 = %s", (self.random.randint(0, 10),))

    def exception_block(self):
        self.run(f"""DO $$ BEGIN
            UPDATE leads SET phone = mobile WHERE {self.some_leads()};
            BEGIN
                INSERT INTO leads (campaign_id, phone) SELECT campaign_id, mobile FROM leads WHERE {self.some_leads()};
                PERFORM count(*) FROM campaign_phone_counts;
                DELETE FROM leads WHERE {self.some_leads()};
                PERFORM 1 / 0;
            EXCEPTION WHEN division_by_zero THEN
                UPDATE leads SET mobile = NULL WHERE {self.some_leads()};
            END;
        END $$""")

    # ways of looking at the counts

    def by_query(self):
        return self.run(DIGEST).fetchone()[0]

    def by_stable(self):
        return self.one_of(self.run("SELECT stable_digest() FROM generate_series(1, 2)").fetchall())

    def by_volatile(self):
        return self.one_of(self.run("SELECT volatile_digest() FROM generate_series(1, 2)").fetchall())

    def by_both(self):
        return self.one_of([[digest] for digest in self.run(f"SELECT digest, stable_digest(), volatile_digest() FROM ({DIGEST}) AS d").fetchone()])

    def by_copy(self):
        self.log.append(("COPY campaign_phone_counts TO STDOUT", None))
        with self.connection.cursor().copy("COPY campaign_phone_counts TO STDOUT (FORMAT csv, DELIMITER '|')") as copy:
            rows = sorted(f"({bytes(block).decode().rstrip()})".replace("|", ",") for block in copy)
        return " ".join(rows)

    def by_copied_query(self):
        self.log.append((f"COPY ({DIGEST}) TO STDOUT", None))
        with self.connection.cursor().copy(f"COPY ({DIGEST}) TO STDOUT") as copy:
            return b"".join(copy).decode().rstrip("\n")

    def by_table(self):
        self.serial += 1
        self.run(f"CREATE TABLE digest_{self.serial} AS {DIGEST}")
        return self.run(f"SELECT digest FROM digest_{self.serial}").fetchone()[0]

    def by_view(self):
        self.run("REFRESH MATERIALIZED VIEW digest_view")
        return self.run("SELECT digest FROM digest_view").fetchone()[0]

    def by_cursor(self):
        self.run(f"DECLARE digests CURSOR FOR {DIGEST}")
        digest = self.run("FETCH digests").fetchone()[0]
        self.run("CLOSE digests")
        return digest

    def one_of(self, rows):
        assert len({row[0] for row in rows}) == 1, f"several figures in one statement: {rows}\n{self.log}"
        return rows[0][0]

    def read(self):
        ways = [self.by_query, self.by_stable, self.by_volatile, self.by_both, self.by_copy, self.by_copied_query, self.by_table, self.by_view,
                self.by_cursor]
        found = {way.__name__: way() for way in self.random.sample(ways, self.random.randint(1, 3))}
        if len(set(found.values())) > 1:
            raise AssertionError(f"one transaction reads different counts: {found}\n{self.log}")
        self.check("in the transaction")

    def rivals(self, other):
        """Two transactions at REPEATABLE READ that write the same numbers, and leads of their own: both commit."""
        self.log = []
        writers = [(self.connection, 0), (other, 1)]
        for connection, _ in writers:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SELECT count(*) FROM leads")
        for _ in range(self.random.randint(2, 5)):
            connection, own = self.random.choice(writers)
            statement, values = self.random.choice([
                ("INSERT INTO leads (campaign_id, phone, mobile) VALUES (%s, %s, %s)", self.rows(1)[0]),
                (f"UPDATE leads SET phone = %s WHERE mod(id, 2) = {own} AND {self.some_leads()}", (self.raw(),)),
                (f"UPDATE leads SET mobile = phone, phone = mobile WHERE mod(id, 2) = {own}", None),
                (f"DELETE FROM leads WHERE mod(id, 2) = {own} AND {self.some_leads()}", None),
            ])
            self.log.append((own, statement, values))
            connection.execute(statement, values)
        self.random.shuffle(writers)
        for connection, _ in writers:
            connection.commit()

    def disqualify(self):
        procedure = self.random.choice(["disqualify_phone", "disqualify_phone", "requalify_phone"])
        campaign = self.campaign() if self.has_campaign else None
        kind = self.kind if self.kind in ("bigint", "uuid") else "bigint" if self.kind == "int" else "text"
        try:
            with self.connection.transaction():
                # which a lead of another region could read otherwise
                self.run(f"CALL {procedure}(%s::{kind}, %s, leads => 'leads', region => 'US')", (campaign, self.random.choice(NUMBERS)))
        except errors.NoDataFound:
            pass  # no lead of that campaign

    def below(self):
        """A table of the tree, and how its rows are written: a partition takes only those that belong to it."""
        return self.random.choice(["leads_0", "leads_1", "leads_1a"])

    def write_below(self):
        if self.shape not in ("partitioned", "inherited"):
            return
        table = self.below()
        for _ in range(self.random.randint(1, 4)):
            match self.random.randint(0, 3):
                case 0:
                    self.run(f"UPDATE {table} SET phone = %s WHERE {self.some_leads()}", (self.raw(),))
                case 1:
                    self.run(f"DELETE FROM {table} WHERE {self.some_leads()} AND id % 3 = 0")
                case 2 if self.shape == "inherited":
                    self.run(f"""INSERT INTO {table} (id, campaign_id, phone, mobile)
                                 VALUES (nextval(pg_get_serial_sequence('leads', 'id')), %s, %s, %s)""", self.rows(1)[0])
                case 2:
                    self.serial += 100
                    self.run("""INSERT INTO leads_1 (id, campaign_id, phone) SELECT i, %s, %s FROM generate_series(%s, %s) AS i
                                WHERE satisfies_hash_partition('leads'::regclass, 3, 1, i::bigint)""",
                             (self.campaign(), self.raw(), self.serial, self.serial + 99))
                case 3:
                    only = "ONLY " if self.shape == "inherited" and self.random.random() < 0.3 else ""
                    if self.isolation == "READ COMMITTED" and self.random.random() < 0.2:
                        self.run(f"TRUNCATE {only}{table}")

    def reshape(self):
        if self.shape not in ("partitioned", "inherited") or self.isolation != "READ COMMITTED":
            return
        if self.shape == "inherited":
            away, back = "ALTER TABLE leads_0 NO INHERIT leads", "ALTER TABLE leads_0 INHERIT leads"
        else:
            away, back = "ALTER TABLE leads DETACH PARTITION leads_0", "ALTER TABLE leads ATTACH PARTITION leads_0 FOR VALUES WITH (MODULUS 3, REMAINDER 0)"
        self.run(away)
        self.run(f"UPDATE leads_0 SET mobile = %s WHERE {self.some_leads()}", (self.raw(),))
        self.check("with a table detached")
        if self.random.random() < 0.2:
            columns = "INHERITS (leads)" if self.shape == "inherited" else "PARTITION OF leads FOR VALUES WITH (MODULUS 3, REMAINDER 0)"
            self.run("DROP TABLE leads_0")
            self.run(f"CREATE TABLE leads_0 {'(heat int)' if self.shape == 'inherited' else ''} {columns}")
        else:
            self.run(back)

    def region(self):
        if self.has_path:
            self.run(f"UPDATE leads SET country = %s, phone = '030 123456' WHERE {self.some_leads()}", (self.random.choice([1, 2, 3, None]),))
        if self.has_region:
            self.run(f"UPDATE leads SET region = %s, phone = '030 123456' WHERE {self.some_leads()}", (self.random.choice(["DE", "US", None]),))

    # a recount refuses to work with a snapshot that may miss leads

    def disabled(self):
        if self.isolation != "READ COMMITTED":
            return
        self.run("ALTER TABLE leads DISABLE TRIGGER USER")
        self.run(f"DELETE FROM leads WHERE {self.some_leads()} AND id % 2 = 0")
        self.run("ALTER TABLE leads ENABLE TRIGGER USER")
        self.run("SELECT rebuild_phone_counts('leads')")

    def replica(self):
        if self.isolation != "READ COMMITTED":
            return
        self.run("SET LOCAL session_replication_role = replica")
        self.run(f"UPDATE leads SET phone = mobile WHERE {self.some_leads()} AND mobile LIKE '+%'")
        self.run("SET LOCAL session_replication_role = origin")
        self.run("SELECT rebuild_phone_counts('leads')")

    STATEMENTS = {
        insert: 6, insert_many: 8, insert_noted: 3, copy: 4, upsert: 3, merge: 2, update_number: 6, update_campaign: 3, update_key: 2,
        update_note: 2, swap: 3, update_from: 2, delete: 5, truncate: 1, write_twice: 3, cascade: 2, view: 3, exception_block: 3,
        read: 3, disqualify: 4, region: 2, write_below: 6, reshape: 1, disabled: 1, replica: 1,
    }

    def statement(self):
        statements, weights = zip(*self.STATEMENTS.items())
        self.random.choices(statements, weights)[0](self)

    def transaction(self):
        self.log = []
        self.isolation = self.random.choice(["READ COMMITTED"] * 3 + ["REPEATABLE READ", "SERIALIZABLE"])
        self.run(f"SET TRANSACTION ISOLATION LEVEL {self.isolation}")
        for _ in range(self.random.randint(1, 5)):
            if self.direct == "random" and self.random.random() < 0.4:
                self.run(f"SET lead_phones.direct_counts = {self.random.choice(['on', 'off'])}")
            if self.random.random() < 0.25:
                self.run("SAVEPOINT s")
                self.statement()
                self.statement()
                self.run(self.random.choice(["ROLLBACK TO s", "RELEASE s"]))
            else:
                self.statement()
        end = self.random.random()
        if end < 0.1:
            self.connection.rollback()
        elif end < 0.2:
            # two-phase commit is not for transactions that touched a temporary object; none here does
            self.run("PREPARE TRANSACTION 'model'")
            self.connection.commit()
            self.connection.autocommit = True
            self.run(self.random.choice(["COMMIT PREPARED 'model'", "ROLLBACK PREPARED 'model'"]))
            self.connection.autocommit = False
        else:
            self.connection.commit()

    def check(self, when):
        for name, query in self.checks.items():
            wrong = self.connection.execute(query).fetchall()
            if wrong and not (name.startswith("marks") and when == "in the transaction"):
                statements = "\n".join(map(str, self.log))
                raise AssertionError(f"{name} differ {when}: {wrong[:5]}\n{self.mode}\n{statements}")


def main():
    statements = 0
    with psycopg.connect() as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS citext")
    for shape in SHAPES:
        for seed in SEEDS:
            with psycopg.connect() as connection, psycopg.connect() as other:
                connection.prepare_threshold = other.prepare_threshold = None
                model = Model(connection, other, shape, seed)
                other.execute("SET search_path = model, public")
                other.commit()
                for round_number in range(ROUNDS):
                    try:
                        model.transaction() if round_number % 4 else model.rivals(other)
                        model.check("after the transaction")
                        connection.commit()
                    except Exception:
                        print(f"shape {shape}, seed {seed}, round {round_number}")
                        raise
                    statements += len(model.log)
                    # keeps the tables small
                    connection.execute("DELETE FROM leads WHERE (SELECT count(*) FROM leads) > 400 AND id % 2 = 0")
                    connection.commit()
    print(f"{statements} statements in {len(SHAPES) * len(SEEDS) * ROUNDS} transactions")


if __name__ == "__main__":
    main()
