"""Which instruction made which layer: history aligned with the Dockerfile, and no answer rather than a wrong one.

1. The k-th history entry without `empty_layer` made the k-th layer; where the counts disagree nothing can be said.
2. The base's entries are left out; what remains is aligned, in order, with the instructions of the target stage and of
   the stages it stands on. The best alignment matches the most entries.
3. A layer is attributed where every best alignment says the same, and where its entry can have made a layer on its own:
   a builder that writes one layer for many instructions marks the others as empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from verifier.dockerfile.arguments import BuildArgs, given_values, global_scope
from verifier.dockerfile.document import Dockerfile, Statement
from verifier.dockerfile.history import DEFAULT_SHELL, LAYER_KEYWORDS, Entry, matches, read_entry
from verifier.dockerfile.stages import chain, find_target
from verifier.model.instruction import Instruction
from verifier.oci.config import History, ImageConfig

_MAX_PAIRS: Final = 1_000_000
"""Of history entries with instructions, past which nothing is attributed; real images have some thousands."""

_EXACT: Final = 3
_LOOSE: Final = 1


def attribute(
    dockerfile: Dockerfile,
    target: str | None,
    config: ImageConfig,
    base_layers: int,
    builder: str,
    *,
    build_args: BuildArgs = (),
    environment: Mapping[str, str] | None = None,
) -> tuple[Instruction | None, ...]:
    """Give the instruction that made each layer, in the order of `config.diff_ids`; None for the base's and in doubt.

    `base_layers` counts the layers of the image that the target stands on; `builder` is its name; `build_args` are
    those of the build. Raises UsageError for an unknown target.
    """
    layers = len(config.diff_ids)
    answer: list[Instruction | None] = [None] * layers
    history = _built_history(config.history, layers, base_layers)
    scope = global_scope(dockerfile, given_values(build_args, environment or {}), None)
    stages = chain(dockerfile, find_target(dockerfile, target), scope)
    statements = [item for stage in stages for item in stage.statements]
    if history is None or len(history) * len(statements) > _MAX_PAIRS:
        return tuple(answer)
    entries = [read_entry(item) for item in history]
    shells = _shells(config, statements)
    scores = [[_score(entry, item, shells, dockerfile.escape) for item in statements] for entry in entries]
    partners = _align(scores)
    position = base_layers
    for number in (index for index, entry in enumerate(entries) if entry.layer):
        partner = partners[number]
        if partner is not None and _made_its_layer(entries, number, builder):
            answer[position] = statements[partner].instruction
        position += 1
    return tuple(answer)


def _built_history(history: Sequence[History], layers: int, base_layers: int) -> Sequence[History] | None:
    """Leave out the base's entries; None where the entries with a layer cannot be those of the layers."""
    ordinals = [number for number, entry in enumerate(history) if not entry.empty_layer]
    if len(ordinals) == layers:
        start = ordinals[base_layers - 1] + 1 if base_layers else 0
        return history[start:]
    # A base that was imported may have layers without history.
    return history if len(ordinals) == layers - base_layers else None


def _shells(config: ImageConfig, statements: Sequence[Statement]) -> tuple[str, ...]:
    """List the shells that a shell form may have been run by: the default, the image's, those of SHELL."""
    found = [DEFAULT_SHELL]
    inner = json.loads(config.raw).get("config")
    declared = inner.get("Shell") if isinstance(inner, dict) else None
    if isinstance(declared, list):
        found.append(" ".join(str(word) for word in declared))
    found += [" ".join(item.arguments) for item in statements if item.keyword == "SHELL"]
    return tuple(dict.fromkeys(found))


def _score(entry: Entry, statement: Statement, shells: tuple[str, ...], escape: str) -> int:
    if not matches(entry, statement, shells, escape):
        return 0
    return _EXACT if entry.keyword in LAYER_KEYWORDS else _LOOSE


def _made_its_layer(entries: Sequence[Entry], number: int, builder: str) -> bool:
    """Tell whether the entry's layer holds that instruction's changes alone."""
    if entries[number].keyword not in LAYER_KEYWORDS:
        return False
    if builder == "docker":
        # The classic engine marks a RUN that changed nothing as empty; it never merges steps.
        return True
    before = number - 1
    while before >= 0 and not entries[before].layer:
        if entries[before].keyword in {"RUN", "COPY", "ADD"}:
            return False
        before -= 1
    return True


def _align(scores: Sequence[Sequence[int]]) -> list[int | None]:
    """Align entries with statements in order for the highest total; an entry with several best partners has None."""
    rows, columns = len(scores), len(scores[0]) if scores else 0
    ahead = _totals(scores)
    behind = _totals([row[::-1] for row in reversed(scores)])
    best = ahead[rows][columns]
    partners: list[int | None] = []
    for row, line in enumerate(scores):
        found = [
            column
            for column, score in enumerate(line)
            if score and ahead[row][column] + score + behind[rows - row - 1][columns - column - 1] == best
        ]
        partners.append(found[0] if len(found) == 1 and _is_needed(scores, ahead, behind, row, best) else None)
    return partners


def _is_needed(
    scores: Sequence[Sequence[int]], ahead: list[list[int]], behind: list[list[int]], row: int, best: int
) -> bool:
    """Tell whether every best alignment matches the entry at `row`: without it none is as good."""
    rows, columns = len(scores), len(scores[0])
    return all(ahead[row][column] + behind[rows - row - 1][columns - column] < best for column in range(columns + 1))


def _totals(scores: Sequence[Sequence[int]]) -> list[list[int]]:
    """Give the highest total of aligning the first entries with the first statements, for every pair of lengths."""
    columns = len(scores[0]) if scores else 0
    totals = [[0] * (columns + 1)]
    for line in scores:
        above = totals[-1]
        current = [0]
        for column, score in enumerate(line):
            taken = above[column] + score if score else 0
            current.append(max(above[column + 1], current[column], taken))
        totals.append(current)
    return totals
