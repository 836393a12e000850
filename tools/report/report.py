"""Writes one HTML page, with nothing outside it, on the quality of the phone data of a database: `make report`.

Connects as libpq's environment says (PGHOST, PGDATABASE, ...), reads in one snapshot, and writes nothing. Digits of numbers are hidden
unless --numbers is given.
"""

import argparse
import io
import pathlib
import re
import sys

import jinja2
import markupsafe
import matplotlib
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  after the choice of what it draws with

MOST_CAMPAIGNS = 15
MOST_NUMBERS = 20
# Okabe and Ito's colours, which colour-blind readers tell apart
GOOD, BAD, WARN, DARK = "#0072B2", "#D55E00", "#E69F00", "#444444"
pyplot.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "lead_phones", "font.family": "sans-serif", "font.size": 10, "axes.edgecolor": "#bbbbbb",
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "axes.grid": True, "axes.grid.axis": "x", "grid.color": "#eeeeee",
    "xtick.color": DARK, "ytick.color": DARK})


def plain(label) -> str:
    """A label that matplotlib takes as text, not as a formula, and that fits."""
    label = "(none)" if label is None else str(label)
    return (label if len(label) <= 28 else label[:27] + "…").replace("$", r"\$")


def bars(title: str, labels: list, series: dict[str, tuple[str, list]]) -> markupsafe.Markup:
    """Horizontal bars, stacked, as the text of an SVG."""
    if not any(any(values) for _, values in series.values()):
        return markupsafe.Markup("<p><strong>None.</strong></p>")
    figure, axes = pyplot.subplots(figsize=(7.2, 0.9 + 0.32 * len(labels)), layout="constrained")
    left = [0] * len(labels)
    for name, (colour, values) in series.items():
        axes.barh(range(len(labels)), values, left=left, color=colour, label=name, height=0.7)
        left = [a + b for a, b in zip(left, values)]
    for place, total in enumerate(left):
        axes.text(total, place, f" {total:,}", va="center", fontsize=9, color=DARK)
    axes.set_yticks(range(len(labels)), [plain(label) for label in labels])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter(matplotlib.ticker.StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5, integer=True))
    if len(series) > 1:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(series), frameon=False, fontsize=9)
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    pyplot.close(figure)
    svg = text.getvalue()
    svg = svg[svg.index("<svg"):]
    # ids are unique in the page; what names the chart is for readers who do not see it
    chart = re.sub(r"\W+", "-", title.lower())
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{chart}-", svg)
    return markupsafe.Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{markupsafe.escape(title)}" ', 1))


def hidden(number: str) -> str:
    """A number without the digits that tell whose it is."""
    return number[:-4][:5] + "•" * max(len(number) - 7, 2) + number[-2:]


def section(connection, table, numbers: bool) -> dict:
    """What the page says of one tracked table."""
    def rows(query, *values):
        return connection.execute(query, values).fetchall()

    leads = table["leads"]
    quality = rows("SELECT * FROM lead_phone_quality(%s::regclass)", leads)
    total = {name: sum(row[name] for row in quality) for name in
             ("lead_count", "filled", "valid", "invalid", "unique_numbers", "shared_numbers", "disqualified_numbers", "callable_leads")}
    reasons = {}
    for row in quality:
        for reason, count in row["invalid_by_reason"].items():
            reasons[reason] = reasons.get(reason, 0) + count
    reasons = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    largest = sorted(quality, key=lambda row: -row["lead_count"])[:MOST_CAMPAIGNS]
    names = [row["campaign"] for row in largest]
    counts = sql.SQL(table["counts"])
    # a number that no lead has can be disqualified too
    out = {row["campaign"]: row["numbers"] for row in rows(
        sql.SQL("SELECT {}::text AS campaign, count(*) AS numbers FROM {} WHERE disqualified AND lead_count > 0 GROUP BY 1 HAVING count(*) > 0").format(
            sql.SQL("NULL") if table["campaign_column"] is None else sql.Identifier(table["campaign_column"]), counts))}
    sharing = rows(sql.SQL("SELECT least(lead_count, 6) AS leads, count(*) AS numbers FROM {} WHERE lead_count > 0 GROUP BY 1 ORDER BY 1").format(counts))
    kinds = rows(sql.SQL("""SELECT coalesce(phone_type(phone), 'unknown') AS kind, count(*) AS numbers FROM {} WHERE lead_count > 0
                            GROUP BY 1 ORDER BY 2 DESC, 1""").format(counts))
    regions = rows(sql.SQL("""SELECT coalesce(phone_region(phone), 'none') AS region, count(*) AS numbers FROM {} WHERE lead_count > 0
                              GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12""").format(counts))
    ledger = rows(sql.SQL("""SELECT source, count(*) FILTER (WHERE lifted_at IS NULL) AS in_force, count(*) FILTER (WHERE lifted_at IS NOT NULL) AS lifted
                               FROM {} GROUP BY source ORDER BY count(*) DESC, source LIMIT 12""").format(sql.SQL(table["disqualifications"])))
    shared = rows("SELECT * FROM shared_lead_phones(%s::regclass) LIMIT %s", leads, MOST_NUMBERS)
    for row in shared:
        row["phone"] = row["phone"] if numbers else hidden(row["phone"])
        row["places"] = ", ".join(f"{column} {count:,}" for column, count in row["column_counts"].items() if count)
    calls = table["calls"] and rows(sql.SQL("""SELECT coalesce(disposition, CASE WHEN ended_at IS NULL THEN 'on the line' ELSE 'no outcome' END) AS disposition, count(*) AS calls
                                                 FROM {} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 15""").format(sql.SQL(table["calls"])))
    charts = [
        ("Values by campaign", "Filled-in values of the largest campaigns, valid and invalid.",
         bars(f"{leads}: values by campaign", names, {"valid": (GOOD, [row["valid"] for row in largest]), "invalid": (BAD, [row["invalid"] for row in largest])})),
        ("Unique numbers by campaign", "Each number once, and how many of them may not be called.",
         bars(f"{leads}: unique numbers by campaign", names,
              {"may be called": (GOOD, [row["unique_numbers"] - out.get(row["campaign"], 0) for row in largest]),
               "disqualified": (WARN, [out.get(row["campaign"], 0) for row in largest])})),
        ("Leads that share a number", "How many numbers one lead has, and how many several have.",
         bars(f"{leads}: leads that share a number", ["one lead" if row["leads"] == 1 else "6 and more" if row["leads"] == 6 else f"{row['leads']} leads" for row in sharing],
              {"numbers": (GOOD, [row["numbers"] for row in sharing])})),
        ("Why values are invalid", "By phone_problem().",
         bars(f"{leads}: why values are invalid", [reason for reason, _ in reasons], {"values": (BAD, [count for _, count in reasons])})),
        ("Kinds of numbers", "Of the unique numbers, by phone_type().",
         bars(f"{leads}: kinds of numbers", [row["kind"] for row in kinds], {"numbers": (GOOD, [row["numbers"] for row in kinds])})),
        ("Regions", "Of the unique numbers, by phone_region().",
         bars(f"{leads}: regions", [row["region"] for row in regions], {"numbers": (GOOD, [row["numbers"] for row in regions])})),
        ("Disqualifications by source", "Entries of the ledger that are in force, and that were lifted.",
         bars(f"{leads}: disqualifications by source", [row["source"] for row in ledger],
              {"in force": (WARN, [row["in_force"] for row in ledger]), "lifted": ("#999999", [row["lifted"] for row in ledger])})),
    ]
    if table["calls"]:
        charts.append(("Calls by disposition", "What came of the calls that the log has.",
                       bars(f"{leads}: calls by disposition", [row["disposition"] for row in calls], {"calls": (GOOD, [row["calls"] for row in calls])})))
    return {"table": leads, "settings": table, "total": total, "campaigns": quality, "more": max(len(quality) - MOST_CAMPAIGNS, 0), "charts": charts, "shared": shared}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--numbers", action="store_true", help="write numbers in full")
    options = arguments.parse_args()
    with psycopg.connect(row_factory=dict_row) as connection:
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        schema = connection.execute("""SELECT format('%I', n.nspname) AS schema FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
                                        WHERE e.extname = 'lead_phones'""").fetchone()
        if schema is None:
            raise SystemExit(f"database {connection.info.dbname} has no extension lead_phones")
        connection.execute("SELECT set_config('search_path', %s, true)", [schema["schema"]])
        tables = connection.execute("""SELECT leads::text, campaign_column, array_to_string(phone_columns, ', ') AS phone_columns, region, on_invalid, counts::text, disqualifications::text,
                                                CASE WHEN c.relname = 'contacts' AND to_regclass(format('%I.call_outcomes', n.nspname)) IS NOT NULL THEN format('%I.calls', n.nspname) END AS calls
                                           FROM lead_phone_tables JOIN pg_class AS c ON c.oid = leads JOIN pg_namespace AS n ON n.oid = c.relnamespace ORDER BY leads::text""").fetchall()
        about = connection.execute("SELECT current_database() AS database, lead_phones_version() AS version, to_char(now(), 'YYYY-MM-DD HH24:MI TZ') AS at").fetchone()
        # a session that locks a table, or a table that only looks tracked, keeps no other from the page
        connection.execute("SET LOCAL lock_timeout = '10s'")
        sections = []
        for table in tables:
            try:
                with connection.transaction():
                    sections.append(section(connection, table, options.numbers))
            except psycopg.Error as error:
                print(f"{table['leads']} is left out: {str(error).splitlines()[0]}", file=sys.stderr)
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined)
    options.out.write_text(environment.get_template("page.html.j2").render(about=about, sections=sections), encoding="utf-8")
    print(f"{options.out}: {len(sections)} tracked tables")


main()
