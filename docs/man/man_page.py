#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A manual page of a Markdown document: lowdown writes the roff, this gives it what a page has.

The title becomes NAME, a table of keys becomes a list (a terminal has no room for five columns),
and links lose their targets, which a terminal cannot follow.
"""

import argparse
import re
import subprocess
from pathlib import Path

TABLE = re.compile(r"(?m)^\|.*\n\|(?:-+\|)+\n((?:\|.*\n)+)")
LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
CELL = re.compile(r"(?<!\\)\|")  # a bar inside of a cell is written \|


def definitions(table):
    """`| key | kind, range | default | meaning | reload |` as terms and their definitions."""
    header = [cell.strip() for cell in CELL.split(table[0].splitlines()[0])[1:-1]]
    items = []
    for row in table[1].splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in CELL.split(row)[1:-1]]
        meaning = cells[-1]
        notes = []
        if "meaning" in header:
            values = dict(zip(header, cells))
            meaning = values.pop("meaning")
            values.pop(header[0])
            notes = [value if name == "kind, range" else f"{name}: {value}"
                     for name, value in values.items() if value]
        noted = f" ({'; '.join(notes)})" if notes else ""
        items.append(f"{cells[0]}\n:   {meaning}{noted}\n")
    return "\n".join(items) + "\n"


def manual(text, name, about):
    """The document without its title, with the section that every page begins with."""
    text = LINK.sub(r"\1", TABLE.sub(definitions, text))
    text = re.sub(r"(?m)\A# .*\n", "", text).lstrip()
    if not text.startswith("# "):
        text = "# DESCRIPTION\n\n" + text
    return f"# NAME\n\n{name} - {about}\n\n" + re.sub(r"(?m)^## ", "# ", text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lowdown", default="lowdown")
    parser.add_argument("--about", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("document", type=Path)
    parser.add_argument("page", type=Path)
    options = parser.parse_args()
    name, section = options.page.name.rsplit(".", 1)
    text = manual(options.document.read_text(), name, options.about)
    done = subprocess.run(
        [options.lowdown, "-s", "-tman", "-m", f"title={name}", "-m", f"section={section}",
         "-m", f"source=Sluice {options.version}"],
        input=text, text=True, capture_output=True, check=True)
    options.page.write_text(done.stdout)


if __name__ == "__main__":
    main()
