"""Whether a script goes on when one of its commands fails: what a check is worth hangs on that.

POSIX.1-2017, "Shell Command Language": 2.9.3 (lists), 2.9.4 (`if`), `set -e`. Where it cannot be told, a failure counts
as one that is heeded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

_SEQUENCES: Final = frozenset({"program", "compound_statement", "subshell", "do_group", "else_clause"})
_BRANCHES: Final = frozenset({"if_statement", "elif_clause"})
_UNKNOWN: Final = frozenset({"function_definition", "while_statement"})
"""Who calls a function is not followed; a loop tries again."""

_NOT_RUN: Final = frozenset({"comment", "heredoc_body", "heredoc_redirect", "file_redirect"})
_OTHER_BRANCHES: Final = frozenset({"elif_clause", "else_clause"})
_HARMLESS: Final = frozenset({b"true", b":", b"echo", b"printf", b"sleep"})
"""Commands that leave a script running, whatever they say."""

_LETTERS: Final = re.compile(r"-[a-zA-Z]*e[a-zA-Z]*")


class Outcome(NamedTuple):
    """What becomes of a command's failure, and of its success where a `!` stands before it."""

    ignored: bool
    ignored_if_negated: bool


HEEDED: Final = Outcome(ignored=False, ignored_if_negated=False)


def stops_at_failures(options: Sequence[str]) -> bool:
    """Tell whether the options of a shell, or of `set`, turn on `-e`: `-eux`, `-eo pipefail`, `-o errexit`."""
    return any(_LETTERS.fullmatch(word) for word in options) or ("errexit" in options and "-o" in options)


def outcomes(node: Node, outer: Outcome) -> dict[int, Outcome | None]:
    """Tell what becomes of failures in the parts of `node`, by their ids, where it is not what becomes of its own.

    `outer` is that. None stands for what `set -e` decides, as it is when the part is run.
    """
    parts = [child for child in node.named_children if child.type not in _NOT_RUN]
    swapped = Outcome(outer.ignored_if_negated, outer.ignored)
    if node.type in _SEQUENCES:
        return dict.fromkeys(part.id for part in parts[:-1])
    if node.type in _BRANCHES:
        return _of_branches(node, parts)
    if node.type == "negated_command":
        return {part.id: swapped for part in parts}
    if node.type == "pipeline" and len(parts) > 1:
        # in `! a | b` the grammar negates the first command alone
        last = swapped if parts[0].type == "negated_command" else outer
        return {**dict.fromkeys((part.id for part in parts), HEEDED), parts[-1].id: last}
    if node.type == "list" and len(parts) > 1:
        is_ignored = any(child.type == "||" for child in node.children) and _goes_on(parts[1:])
        return {parts[0].id: Outcome(is_ignored, is_ignored)}
    is_unknown = node.type in _UNKNOWN or (node.type == "redirected_statement" and _goes_on_behind_heredoc(node))
    return dict.fromkeys((child.id for child in node.named_children), HEEDED) if is_unknown else {}


def _of_branches(node: Node, parts: Sequence[Node]) -> dict[int, Outcome | None]:
    """A condition's failure counts for nothing only where the branch behind `if !` lets the script go on."""
    conditions = {child.id for child in node.children_by_field_name("condition")}
    body = [part for part in parts if part.id not in conditions and part.type not in _OTHER_BRANCHES]
    condition = Outcome(ignored=False, ignored_if_negated=_goes_on(body))
    return dict.fromkeys(part.id for part in body[:-1]) | dict.fromkeys(conditions, condition)


def _goes_on_behind_heredoc(node: Node) -> bool:
    """Tell whether a list goes on behind `<<EOF`, which the grammar puts inside the redirection: mostly with `&&`."""
    return any(part.type in {"&&", "||"} for child in node.children for part in child.children)


def _goes_on(nodes: Sequence[Node]) -> bool:
    """Tell whether nothing but harmless commands stands there."""
    pending, found = list(nodes), False
    while pending:
        part = pending.pop()
        if part.type == "command_name":
            found = True
            if part.text not in _HARMLESS:
                return False
        pending += part.named_children
    return found
