#!/usr/bin/env python3
"""Hold the README's help text against the tool's own, so that they cannot drift apart.

usage: check_readme.py [--write] FILE…

Between the comments `help: begin` and `help: end` stands what `verify-build verify --help` prints at 100 columns.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"(<!-- help: begin -->\n).*?(<!-- help: end -->)", re.DOTALL)
COMMAND = ("verify-build", "verify", "--help")


def printed() -> str:
    """Run the tool of this interpreter's environment."""
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    argv = [str(Path(sys.executable).with_name(COMMAND[0])), *COMMAND[1:]]
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=environment).stdout.rstrip()


def main(arguments: list[str]) -> int:
    """Run the command line: 0 they agree (or were written), 1 they do not, 2 bad usage or a page without help text."""
    write = "--write" in arguments
    paths = [Path(name) for name in arguments if name != "--write"]
    right = f"```text\n{printed()}\n```\n"
    status = 0
    for path in paths:
        text = path.read_text("utf-8")
        if not BLOCK.search(text):
            print(f"error: {path} has no comments `help: begin` and `help: end`", file=sys.stderr)
            return 2
        corrected = BLOCK.sub(lambda match: match[1] + right + match[2], text)
        if corrected == text:
            continue
        if write:
            path.write_text(corrected, "utf-8")
        else:
            print(f"error: {path} shows another help text than the tool\nhint: make readme", file=sys.stderr)
            status = 1
    return status if paths else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
