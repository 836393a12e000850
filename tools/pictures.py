#!/usr/bin/env python3
"""Draws the pictures of the documents: docs/number.svg, what happens to a number, and docs/lead_tables.svg, how the lead tables hang together.
With --check, says whether they are as drawn. The references between tables are read from sql/install/lead_tables/tables.sql."""

import pathlib
import re
import sys
from html import escape

ROOT = pathlib.Path(__file__).parent.parent
STYLE = ('<style>text{font:14px sans-serif;fill:#1f2933}.small{font-size:12px;fill:#52606d}rect{fill:#f5f7fa;stroke:#7b8794;rx:6}'
         '.mark{fill:#fde8e8;stroke:#c53030}path{stroke:#52606d;fill:none;marker-end:url(#arrow)}</style>'
         '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
         '<path d="M0 0L10 5L0 10z" style="fill:#52606d;stroke:none;marker-end:none"/></marker></defs>')


def box(x, y, width, lines, mark=False):
    height = 20 + 20 * len(lines)
    shape = f'<rect x="{x}" y="{y}" width="{width}" height="{height}"{" class=" + chr(34) + "mark" + chr(34) if mark else ""}/>'
    texts = "".join(f'<text x="{x + width / 2}" y="{y + 25 + 20 * n}" text-anchor="middle"{"" if n == 0 else " class=" + chr(34) + "small" + chr(34)}>{escape(line)}</text>'
                    for n, line in enumerate(lines))
    return shape + texts


def arrow(x1, y1, x2, y2, label=""):
    text = f'<text x="{(x1 + x2) / 2}" y="{(y1 + y2) / 2 - 6}" text-anchor="middle" class="small">{escape(label)}</text>' if label else ""
    return f'<path d="M{x1} {y1}L{x2} {y2}"/>{text}'


def picture(width, height, title, *parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
            f'<title>{escape(title)}</title>{STYLE}<rect width="{width}" height="{height}" style="fill:#fff;stroke:none"/>' + "".join(parts) + "</svg>\n")


def number():
    return picture(
        890, 250, "A number is normalized as it is written, counted, and marked where it is disqualified",
        box(10, 30, 180, ["INSERT, COPY, UPDATE", "(678) 999-8212"]), arrow(190, 60, 250, 60),
        box(250, 30, 170, ["BEFORE ROW trigger", "is it valid? E.164"]), arrow(420, 60, 480, 60),
        box(480, 30, 160, ["the lead", "+16789998212"]), arrow(640, 60, 690, 60),
        box(690, 30, 190, ["AFTER STATEMENT trigger", "counts, at COMMIT"]),
        box(480, 160, 160, ["disqualify_phone", "the ledger says why"]), arrow(560, 160, 560, 90, ""),
        box(690, 160, 190, ["campaign_phone_counts", "one row for each number"]), arrow(785, 90, 785, 160),
        box(250, 160, 170, ["phone_disqualified", "marked, also later"], True), arrow(480, 190, 420, 190), arrow(335, 160, 500, 90))


def lead_tables():
    text = (ROOT / "sql/install/lead_tables/tables.sql").read_text()
    places = {"campaigns": (20, 20), "accounts": (300, 20), "contacts": (300, 140), "leads": (300, 260), "lead_uploads": (20, 260), "lead_upload_problems": (20, 380)}
    parts, width = [], 190
    for name, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n?\);", text, re.S):
        if name not in places:
            continue
        x, y = places[name]
        parts.append(box(x, y, width, [name]))
        for target in dict.fromkeys(re.findall(r"REFERENCES (\w+)", body)):
            to_x, to_y = places[target]
            start = (x, y + 20) if to_x < x else (x + width / 2, y)
            end = (to_x + width, to_y + 20) if to_x < x else (to_x + width / 2, to_y + 40)
            parts.append(arrow(*start, *end))
    return picture(520, 440, "The lead tables, and which refers to which", *parts)


pictures = {"number.svg": number(), "lead_tables.svg": lead_tables()}
for name, drawn in pictures.items():
    target = ROOT / "docs" / name
    if "--check" not in sys.argv:
        target.write_text(drawn)
    elif target.read_text() != drawn:
        sys.exit(f"docs/{name} is not as drawn: run tools/pictures.py")
