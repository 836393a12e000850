"""Follows the links between documents: each page is there, and has the heading that is meant; the book has each page. Files and folders that are
named as code are there too."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parent.parent
pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def anchors(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
        yield re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


wrong = []
for page in pages:
    text = re.sub(r"^```.*?^```$|<!--.*?-->", "", page.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        meant = (page.parent / name).resolve() if name else page
        if not meant.exists():
            wrong.append(f"{page.relative_to(ROOT)}: there is no {target}")
        elif anchor and meant.suffix == ".md" and anchor not in anchors(meant):
            wrong.append(f"{page.relative_to(ROOT)}: no heading #{anchor} in {meant.relative_to(ROOT)}")
    # beside others, files of theirs are named
    for path in re.findall(r"`((?:src|sql|tests|tools|bench|docs|demo|monitoring|packaging)/[\w./-]*\*?[\w.]*)[^`]*`", text.split("\n## Side by side")[0]):
        # VERSION, A--B and the like stand for names
        if not re.search("VERSION|A--B", path) and not list(ROOT.glob(path)):
            wrong.append(f"{page.relative_to(ROOT)}: there is no file {path}")
summary = (ROOT / "docs/SUMMARY.md").read_text()
for page in (ROOT / "docs").rglob("*.md"):
    if page.name != "SUMMARY.md" and f"({page.relative_to(ROOT / 'docs')})" not in summary:
        wrong.append(f"docs/SUMMARY.md does not name {page.relative_to(ROOT / 'docs')}")
print("\n".join(wrong) or f"{len(pages)} pages, no dead link")
sys.exit(bool(wrong))
