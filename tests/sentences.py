"""Counts the words of the sentences in the documents, and refuses pages that are long-winded, and words that only this house knows.

A page has at most 15 words a sentence on average. Counted is prose: paragraphs and items of lists, not headings, tables, code and comments.
Usage: sentences.py [DOCUMENT...]      all by default; with -v also the longest sentences
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parent.parent
MOST_ON_AVERAGE = 15


def sentences(text):
    text = re.sub(r"^```.*?^```$|<!--.*?-->", "", text, flags=re.M | re.S)
    paragraphs, current = [], []
    for line in text.splitlines() + [""]:
        stripped = line.strip()
        item = re.match(r"([-*]|\d+\.) ", stripped)
        if not stripped or stripped.startswith(("#", "|", "![", "<")) or item:
            paragraphs.append(" ".join(current))
            current = [stripped[item.end():]] if item else []
        else:
            current.append(stripped)
    for paragraph in paragraphs:
        # code is a word; a link is its text
        plain = re.sub(r"`[^`]*`", "code", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", paragraph)).replace("**", "")
        for sentence in re.split(r"(?<=[.!?])\s+(?=[\"'(A-Z0-9c])", plain):
            words = re.findall(r"[\w+'’./%-]*\w", sentence)
            if words:
                yield len(words), sentence


documents = [pathlib.Path(name) for name in sys.argv[1:] if name != "-v"] or [
    ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
failed = False
for document in documents:
    found = list(sentences(document.read_text()))
    if not found:
        continue
    average = sum(words for words, _ in found) / len(found)
    print(f"{average:5.1f} words a sentence, {len(found):4} sentences: {document.resolve().relative_to(ROOT)}")
    if average > MOST_ON_AVERAGE:
        failed = True
    if "-v" in sys.argv:
        for words, sentence in sorted(found, reverse=True)[:15]:
            print(f"    {words}: {sentence}")
sys.exit(failed)
