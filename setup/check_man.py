#!/usr/bin/env python3
"""Hold the manual page against the tool's own options, so that they cannot drift apart.

usage: check_man.py [--write] FILE
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

SUMMARY = "say whether a container image can be rebuilt to the same digest, and if not, why"


def page() -> str:
    """Make the page, the same at any time and in any width of terminal."""
    os.environ |= {"SOURCE_DATE_EPOCH": "315532800", "COLUMNS": "100"}
    from argparse_manpage.manpage import Manpage  # noqa: PLC0415  # reads the environment

    from verifier.cli.arguments import make_parser  # noqa: PLC0415

    parser = make_parser()
    parser.man_short_description = SUMMARY  # type: ignore[attr-defined]  # argparse_manpage's own
    return f"{Manpage(parser, format='pretty')}".rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Run the command line: 0 they agree (or were written), 1 they do not."""
    path = Path(next(name for name in arguments if name != "--write"))
    if path.is_file() and path.read_text("utf-8") == page():
        return 0
    if "--write" in arguments:
        path.write_text(page(), "utf-8")
        return 0
    print(f"error: {path} is not what the tool says: make docs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
