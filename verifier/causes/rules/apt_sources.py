"""Where apt takes packages from: a moving archive, or a snapshot of one date."""

from __future__ import annotations

import re
from typing import Final

from verifier.dockerfile.recipe import Recipe, Step

_SNAPSHOT: Final = re.compile(
    r"snapshot(?:-cloudflare)?\.(?:debian\.org|ubuntu\.com)|APT::Snapshot|^Snapshot:\s*\d{8}|repro-sources-list",
    re.MULTILINE,
)
_REPLACES: Final = re.compile(
    r"[^>]>\s*/etc/apt/sources\.list|\bsed\b.*/etc/apt/|tee\s+/etc/apt/sources\.list|"
    r"rm\b.*/etc/apt/sources\.list|APT::Snapshot|repro-sources-list|Snapshot:|/etc/apt/sources\.list\.d/\w+\.sources",
    re.DOTALL,
)


def from_snapshot(recipe: Recipe, step: Step) -> bool:
    """Tell whether the sources were replaced by a snapshot's, before or in this instruction."""
    for other in (*recipe.earlier(step), step):
        statement = other.statement
        if statement.keyword in {"COPY", "ADD"}:
            known = {} if recipe.context is None else recipe.context.texts
            texts = [known.get(source.removeprefix("./"), "") for source in statement.arguments[:-1]]
            texts += [heredoc.content for heredoc in statement.heredocs]
            if "/etc/apt" in statement.arguments[-1] and any(_SNAPSHOT.search(text) for text in texts):
                return True
        if statement.keyword == "RUN":
            text = "\n".join([statement.rest, *(heredoc.content for heredoc in statement.heredocs)])
            text += "\n" + "\n".join(value for name, value in other.scope.items() if name in text)
            if _SNAPSHOT.search(text) and _REPLACES.search(text):
                return True
    return False
