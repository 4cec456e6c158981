"""What a Dockerfile asks of its builder beyond the oldest syntax, so that a builder can refuse by name and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from verifier.dockerfile.document import Dockerfile, Statement
from verifier.dockerfile.stages import sources
from verifier.model.instruction import Instruction

FeatureName = Literal[
    "add-checksum", "add-git", "add-keep-git-dir", "add-unpack",
    "copy-chmod", "copy-exclude", "copy-from-image", "copy-from-variable", "copy-link", "copy-parents",
    "from-platform", "healthcheck-start-interval", "heredoc", "onbuild", "run-device", "run-mount", "run-network",
    "run-security", "syntax-directive",
]  # fmt: skip

_GIT: Final = re.compile(
    r"git@|(?:git|ssh)://|https?://(?:[^#?]*\.git(?:[#?]|$)|(?:github|gitlab)\.com/[^/#?]+/[^/#?]+/?(?:#|$))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One use of a feature; of several uses each has its own.

    `copy-chmod`, `copy-exclude` and `copy-link` are ADD's flags too. `# syntax=` counts to the first instruction.
    """

    name: FeatureName
    instruction: Instruction


def features(dockerfile: Dockerfile) -> tuple[Feature, ...]:
    """List the uses of every feature that some builder lacks, in the order of the lines."""
    found = []
    if dockerfile.syntax is not None:
        found.append(Feature(name="syntax-directive", instruction=dockerfile.instructions[0]))
    names = frozenset(stage.name for stage in dockerfile.stages if stage.name)
    for statement in dockerfile.statements():
        used = dict.fromkeys(_used(statement, names))
        found += [Feature(name=name, instruction=statement.instruction) for name in used]
    return tuple(found)


def is_git_source(source: str) -> bool:
    """Tell whether ADD would take `source` for a git repository."""
    return _GIT.match(source) is not None


def _used(statement: Statement, stage_names: frozenset[str]) -> Iterator[FeatureName]:
    if statement.heredocs:
        yield "heredoc"
    for name, _ in statement.flags:
        feature = _BY_FLAG.get((statement.keyword, name))
        if feature is not None:
            yield feature
    if statement.keyword == "ADD" and any(is_git_source(source) for source in statement.arguments[:-1]):
        yield "add-git"
    for source in sources(statement):
        if "$" in source:
            yield "copy-from-variable"
        elif not source.isdecimal() and source.lower() not in stage_names:
            yield "copy-from-image"
    if statement.keyword == "ONBUILD":
        yield "onbuild"
        if statement.trigger is not None:
            yield from _used(statement.trigger, stage_names)


_BY_FLAG: Final[dict[tuple[str, str], FeatureName]] = {
    ("ADD", "checksum"): "add-checksum",
    ("ADD", "chmod"): "copy-chmod",
    ("ADD", "exclude"): "copy-exclude",
    ("ADD", "keep-git-dir"): "add-keep-git-dir",
    ("ADD", "link"): "copy-link",
    ("ADD", "unpack"): "add-unpack",
    ("COPY", "chmod"): "copy-chmod",
    ("COPY", "exclude"): "copy-exclude",
    ("COPY", "link"): "copy-link",
    ("COPY", "parents"): "copy-parents",
    ("FROM", "platform"): "from-platform",
    ("HEALTHCHECK", "start-interval"): "healthcheck-start-interval",
    ("RUN", "device"): "run-device",
    ("RUN", "mount"): "run-mount",
    ("RUN", "network"): "run-network",
    ("RUN", "security"): "run-security",
}
