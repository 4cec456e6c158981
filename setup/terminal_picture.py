#!/usr/bin/env python3
"""Draw the terminal of the README from what the tutorial shows, which a test holds against the tool itself.

usage: terminal_picture.py [--write] TUTORIAL PICTURE

The picture is an SVG of the first run that fails: the command, the answer, the causes and the digests. It has a
background of its own and so reads the same on a light and on a dark page, and its letters stand in a grid whatever
monospaced font there is.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.sax.saxutils import escape

COMMAND = "$ verify-build Dockerfile"
BLOCK = re.compile(r"```console\n(?P<text>\$ verify-build Dockerfile\b.*?)```\n", re.DOTALL)
LAST = "layer "
"""How the line begins before which the picture ends: the rest is in the tutorial."""

COLUMN, ROW, MARGIN, BAR = 7.8, 19, 20, 36
FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
PAPER, INK, SOFT, EDGE, FRAME = "#0d1117", "#e6edf3", "#9da7b3", "#161b22", "#6e7681"
LIGHTS = ("#ff5f57", "#febc2e", "#28c840")


def shown(tutorial: str) -> list[str]:
    """Take the lines from the tutorial; the command is shown without what a script adds to it. Raises ValueError."""
    block = BLOCK.search(tutorial)
    if block is None:
        raise ValueError(f"there is no run of `{COMMAND.removeprefix('$ ')}`")
    _, *lines = block["text"].splitlines()
    end = next((number for number, line in enumerate(lines) if line.startswith(LAST)), len(lines))
    return [COMMAND, *lines[:end], "…"]


def picture(lines: list[str]) -> str:
    """Draw the lines; every character has its place, so that columns stand under each other in any font."""
    width = round(max(map(len, lines)) * COLUMN) + 2 * MARGIN
    height = BAR + len(lines) * ROW + MARGIN
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title">',
        f'<title id="title">{escape(lines[1])}</title>',
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8" fill="{PAPER}" stroke="{FRAME}"/>',
        f'<path d="M1 {BAR - 8}V9a8 8 0 0 1 8-8H{width - 9}a8 8 0 0 1 8 8V{BAR - 8}z" fill="{EDGE}"/>',
    ]
    drawn += [f'<circle cx="{20 + 20 * place}" cy="14.5" r="5.5" fill="{fill}"/>' for place, fill in enumerate(LIGHTS)]
    drawn.append(f'<g font-family="{FONT}" font-size="13" fill="{INK}">')
    for number, line in enumerate(lines):
        for word in re.finditer(r"\S+(?: \S+)*", line):
            drawn.append(_text(word.start(), number, word.group(), SOFT if _is_soft(line, number) else INK))
    return "\n".join([*drawn, "</g>", "</svg>"]) + "\n"


def _is_soft(line: str, number: int) -> bool:
    return number == 0 or set(line) <= set("- ") or line == "…"


def _text(column: int, row: int, text: str, fill: str) -> str:
    x, y = round(MARGIN + column * COLUMN, 1), BAR + (row + 1) * ROW - 6
    colour = "" if fill == INK else f' fill="{fill}"'
    length = round(len(text) * COLUMN, 1)
    return f'<text x="{x}" y="{y}" textLength="{length}" lengthAdjust="spacingAndGlyphs"{colour}>{escape(text)}</text>'


def main(arguments: list[str]) -> int:
    """Run the command line: 0 they agree (or were written), 1 they do not, 2 bad usage or no such run."""
    names = [name for name in arguments if name != "--write"]
    if len(names) != 2:
        print("usage: terminal_picture.py [--write] TUTORIAL PICTURE", file=sys.stderr)
        return 2
    tutorial, path = map(Path, names)
    try:
        right = picture(shown(tutorial.read_text("utf-8")))
    except ValueError as error:
        print(f"error: {tutorial}: {error}", file=sys.stderr)
        return 2
    if path.is_file() and path.read_text("utf-8") == right:
        return 0
    if "--write" in arguments:
        path.write_text(right, "utf-8")
        return 0
    print(f"error: {path} shows another run than {tutorial}\nhint: make docs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
