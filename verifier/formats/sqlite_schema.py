"""Read the names of columns out of the SQL that a SQLite database keeps of its tables and indexes.

The names are labels: they say where a value stands. What cannot be read leaves columns with their numbers.
"""

from __future__ import annotations

import re
from typing import Final

_MAX_SQL: Final = 100_000
_WORD: Final = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\]|([A-Za-z_\u0080-\uffff][\w$]*)|\S""",
    re.DOTALL,
)
_CONSTRAINTS: Final = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})


def column_names(sql: str) -> tuple[str, ...]:
    """List the columns that a CREATE TABLE or CREATE INDEX names, in their order; empty where none can be read."""
    names: list[str] = []
    depth, is_first = 0, False
    for match in _WORD.finditer(sql[:_MAX_SQL]):
        word = match[0]
        if word.startswith(("--", "/*")):
            continue
        if word == "(":
            depth += 1
            is_first = depth == 1
        elif word == ")":
            depth -= 1
            if depth == 0:
                break
        elif word == "," and depth == 1:
            is_first = True
        elif is_first:
            is_first = False
            if match[4] is not None and match[4].upper() in _CONSTRAINTS:
                break
            names.append(_name(match))
    return tuple(names)


def _name(match: re.Match[str]) -> str:
    quoted = match[1] or match[2] or match[3] or match[4]
    # older SQL quotes names like strings
    return match[0].strip("'") if quoted is None else quoted
