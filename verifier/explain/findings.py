"""Join what was proven into findings: one a cause and instruction, with bounded evidence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.counterfactual import Claimed
from verifier.causes.trial import Trial
from verifier.explain.reader import Behind, Instructions
from verifier.formats.elf_strings import STRING_KINDS
from verifier.model.difference import Difference
from verifier.model.finding import Confidence, Evidence, Finding
from verifier.model.instruction import Instruction

MAX_EVIDENCE: Final = 5
"""Places shown of one finding."""

MAX_VALUE_BYTES: Final = 80
"""Of one value that is shown, in bytes."""

_HEADER: Final = frozenset({"mtime", "mode", "uid", "gid", "uname", "gname"})
"""Fields of tar headers, which hold no secrets."""

_TEXT: Final = _HEADER | {
    "text", "json", "ar-time", "tar-mtime", "digest", "link", "layer-rest", "entry-order", "tar-encoding", "trailer",
    "json-layout", "marshal", "marshal-sharing", "member-order", *STRING_KINDS,
}  # fmt: skip


@dataclass(slots=True)
class _Group:
    """What will be one finding; `values` are evidence that shows whole values, for want of what in them varies."""

    differences: list[int] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    values: list[Evidence] = field(default_factory=list)
    opaque: bool = False
    guessed: bool = False


def findings_of(
    differences: Sequence[Difference],
    trials: Sequence[Trial],
    causes: Sequence[Cause],
    instructions: Instructions,
    *,
    equal: bool,
    timed: bool,
    behind: Behind | None = None,
) -> tuple[Finding, ...]:
    """Make findings, in the order of the causes, then of the lines.

    `equal` says that the counterfactual digests are, `timed` that both sides have a window of time. Where values come
    from an earlier instruction's file, `behind` tells.
    """
    groups: dict[tuple[str, Instruction | None], _Group] = {}
    for number, (item, trial) in enumerate(zip(differences, trials, strict=True)):
        if not trial.equal:
            continue
        instruction = instructions(item)
        for slug in sorted(trial.causes):
            own = [pair for pair in trial.varying if pair[0].cause.slug == slug]
            earlier = None
            if behind is not None and item.field in ("content", "size"):
                earlier = behind(item, [(first.value, second.value) for first, second in own])
            group = groups.setdefault((slug, earlier or instruction), _Group())
            group.differences.append(number)
            group.opaque |= trial.recompressed or trial.given is not None
            group.opaque |= any(item.opaque for pair in own for item in pair)
            group.guessed |= any(item.claim.guessed for pair in own for item in pair)
            _add_evidence(group, item, own)
            if not own:
                _add_values(group, item)
    known = {cause.slug: (rank, cause) for rank, cause in enumerate(causes)}
    ordered = sorted(groups, key=lambda key: (known[key[0]][0], -1 if key[1] is None else key[1].line))
    return tuple(
        _finding(known[slug][1], instruction, groups[slug, instruction], differences, equal=equal, timed=timed)
        for slug, instruction in ordered
    )


def _finding(
    cause: Cause,
    instruction: Instruction | None,
    group: _Group,
    differences: Sequence[Difference],
    *,
    equal: bool,
    timed: bool,
) -> Finding:
    opaque = cause.opaque or group.opaque
    paths = {path for number in group.differences if (path := differences[number].path) is not None}
    is_proven = equal and not opaque and not group.guessed and (timed or not cause.timed)
    confidence: Confidence = "proven" if is_proven else "likely"
    return Finding(
        cause=cause.slug,
        title=cause.title,
        severity=cause.severity,
        confidence=confidence,
        opaque=opaque,
        instruction=instruction,
        differences=tuple(group.differences),
        paths=tuple(sorted(paths)),
        evidence=(*group.evidence, *group.values)[:MAX_EVIDENCE],
        remedy=cause.remedy,
    )


def _add_evidence(group: _Group, item: Difference, varying: Sequence[tuple[Claimed, Claimed]]) -> None:
    """Show the first places of a difference, one of each difference before more of one."""
    if item.field == "size" or len(group.evidence) >= MAX_EVIDENCE or not varying:
        return
    first, second = varying[0]
    is_inside = item.field == "content"
    group.evidence.append(
        Evidence(
            path=item.field if item.path is None else item.path.decode("utf-8", "backslashreplace"),
            inner=" > ".join(part for part in (*first.trail, first.field.name) if part) or None if is_inside else None,
            offset=first.field.offset + first.claim.start if is_inside else None,
            first=_shown(first),
            second=_shown(second),
        )
    )


def _add_values(group: _Group, item: Difference) -> None:
    """Show both sides' values of a difference that is taken as given, or that one side may leave out."""
    if item.field == "size" or len(group.values) >= MAX_EVIDENCE:
        return
    texts = [value if isinstance(value, str) else json.dumps(value) for value in (item.first, item.second)]
    shown = [None if text == "null" else text[:MAX_VALUE_BYTES] for text in texts]
    path = item.field if item.path is None else item.path.decode("utf-8", "backslashreplace")
    group.values.append(Evidence(path=path, inner=None, offset=None, first=shown[0], second=shown[1]))


def _shown(item: Claimed) -> str:
    """Show a value, bounded; what an opaque cause swallows may be a secret, and is described alone."""
    if item.opaque and item.field.kind not in _HEADER:
        size = f"{len(item.value)} byte{'' if len(item.value) == 1 else 's'}"
        return size if item.claim.form == size else f"{item.claim.form}, {size}"
    value = item.value[:MAX_VALUE_BYTES]
    if item.field.kind in _TEXT:
        return value.decode("utf-8", "backslashreplace")
    return "0x" + value.hex()
