"""Write digests into a Dockerfile, byte for byte the same elsewhere: comments, layout, line ends and the tags stay.

Each edit is put to the test before it is kept: the Dockerfile is read again, and must mean the same but for that one
digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from verifier.dockerfile import Dockerfile, Statement, parse_dockerfile
from verifier.dockerfile.arguments import BuildArgs, declarations
from verifier.errors import DockerfileError
from verifier.model.pin import Pin
from verifier.pin.uses import Use, uses_of

_LAST_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))$")
_VARIABLE: Final = re.compile(r"\$\{?(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A Dockerfile with digests; `problems` says of uses, by their position, why nothing was written."""

    raw: bytes
    problems: Mapping[int, str]


class _NoPlaceError(Exception):
    """There is no place for a digest; the words say why."""


def rewrite(
    raw: bytes,
    dockerfile: Dockerfile,
    uses: Sequence[Use],
    pins: Sequence[Pin],
    build_args: BuildArgs = (),
    *,
    environment: Mapping[str, str] | None = None,
) -> Rewritten:
    """Write what each pin proposes; `uses` and `pins` go together. Never raises for a use that has no place."""
    problems: dict[int, str] = {}
    for number, (use, pin) in enumerate(zip(uses, pins, strict=True)):
        if pin.proposed is None:
            continue
        try:
            edited = _edit(raw, dockerfile, use, pin, build_args)
        except _NoPlaceError as error:
            problems[number] = str(error)
            continue
        if not _means_the_same(edited, dockerfile.path, raw, number, pin, build_args, environment):
            problems[number] = "the Dockerfile would mean something else as well"
            continue
        raw = edited
        dockerfile = parse_dockerfile(raw, dockerfile.path)
    return Rewritten(raw=raw, problems=problems)


def _means_the_same(
    edited: bytes,
    path: str,
    before: bytes,
    number: int,
    pin: Pin,
    build_args: BuildArgs,
    environment: Mapping[str, str] | None,
) -> bool:
    """Read both again: use `number` has the proposed digest, and everything else is as it was."""
    wanted = (pin.proposed or "").rpartition("@")[2]
    if pin.kind == "add-git":
        wanted = pin.current or ""
    try:
        old, new = parse_dockerfile(before, path), parse_dockerfile(edited, path)
        old_uses, new_uses = (uses_of(each, build_args, environment=environment) for each in (old, new))
    except DockerfileError:
        return False
    if [len(old_uses), len(old.instructions)] != [len(new_uses), len(new.instructions)]:
        return False
    for position, (one, two) in enumerate(zip(old_uses, new_uses, strict=True)):
        if position == number:
            found = two.checksum if pin.kind == "add-url" else two.meaning
            if one.kind != two.kind or wanted not in (found or ""):
                return False
        elif one.meaning != two.meaning and (one.word != two.word or one.line != two.line):
            return False
    differing = sum(a.text != b.text for a, b in zip(old.instructions, new.instructions, strict=True))
    return differing == (0 if pin.kind == "syntax" else 1)


def _edit(raw: bytes, dockerfile: Dockerfile, use: Use, pin: Pin, build_args: BuildArgs) -> bytes:
    proposed = pin.proposed or ""
    if use.kind == "syntax":
        return _replace(raw, use.line, use.line, rf"(?<=[=\s]){re.escape(use.word)}(?=\s|$)", proposed)
    statement = _statement_at(dockerfile, use)
    if use.kind == "add-url":
        return _with_checksum(raw, statement, proposed)
    if "$" in use.word and use.kind == "from":
        return _edit_argument(raw, dockerfile, use, proposed.rpartition("@")[2], build_args)
    before = {"from": r"(?<=\s)", "add-git": r"(?<=[\s\"'\[])", "copy-from": "(?<=--from=)", "mount-from": "(?<=from=)"}
    pattern = rf"{before[use.kind]}{re.escape(use.word)}(?=[\s,\"'\]]|$)"
    return _replace(raw, statement.instruction.line, statement.instruction.end_line, pattern, proposed)


def _statement_at(dockerfile: Dockerfile, use: Use) -> Statement:
    """Find a use's statement again: lines stay where they are, whatever was edited before."""
    return next(each for each in dockerfile.statements() if each.instruction.line == use.line)


def _edit_argument(raw: bytes, dockerfile: Dockerfile, use: Use, digest: str, build_args: BuildArgs) -> bytes:
    """Write the digest at the end of an ARG's default, where nothing but this expression ends with it."""
    match = _LAST_VARIABLE.search(use.word)
    if match is None:
        raise _NoPlaceError(
            f"{use.word} goes on after its variable, and a digest can only stand at the end: use --lock"
        )
    name = match[1] or match[2]
    if any(given == name for given, _ in build_args):
        raise _NoPlaceError(f"the build argument {name} decides what is meant, not the Dockerfile: pin it there")
    words = {stage.base for stage in dockerfile.stages if name in _VARIABLE.findall(stage.base)}
    if words != {use.word}:
        raise _NoPlaceError(f"ARG {name} is used by other instructions as well: use --lock")
    statement, default = _declaration(dockerfile.arguments, name)
    bare = default.partition("@")[0]
    pattern = rf"(?<=\b{name}=){re.escape(default)}(?=\s|$)"
    quoted = rf"(?<=\b{name}=[\"']){re.escape(default.strip(chr(34) + chr(39)))}(?=[\"'])"
    lines = statement.instruction.line, statement.instruction.end_line
    if default[:1] in {'"', "'"}:
        return _replace(raw, *lines, quoted, f"{bare.strip(chr(34) + chr(39))}@{digest}")
    return _replace(raw, *lines, pattern, f"{bare}@{digest}")


def _declaration(statements: Iterable[Statement], name: str) -> tuple[Statement, str]:
    found = [
        (statement, default)
        for statement in statements
        for declared, default in declarations(statement)
        if declared == name and default is not None
    ]
    if len(found) != 1 or "$" in found[0][1]:
        raise _NoPlaceError(f"ARG {name} has no default of its own: use --lock")
    return found[0]


def _with_checksum(raw: bytes, statement: Statement, digest: str) -> bytes:
    if len(statement.arguments) != 2:
        raise _NoPlaceError("an ADD with a checksum has one source: give each URL an ADD of its own")
    lines = statement.instruction.line, statement.instruction.end_line
    if statement.flag("checksum") is not None:
        return _replace(raw, *lines, r"(?<=--checksum=)\S+", digest)
    return _replace(raw, *lines, r"(?i:(?<=^ADD)|(?<=\sADD))(?=\s)", f" --checksum={digest}")


def _replace(raw: bytes, first: int, last: int, pattern: str, text: str) -> bytes:
    """Replace the one match within lines `first` to `last`. Raises _NoPlaceError where there is none, or more."""
    lines = raw.split(b"\n")
    part = b"\n".join(lines[first - 1 : last])
    found = list(_matches(pattern, part))
    if len(found) != 1:
        raise _NoPlaceError("where it stands in the Dockerfile could not be told: write it by hand, or use --lock")
    start, end = found[0]
    changed = part[:start] + text.encode() + part[end:]
    return b"\n".join([*lines[: first - 1], changed, *lines[last:]])


def _matches(pattern: str, part: bytes) -> Iterator[tuple[int, int]]:
    compiled = re.compile(pattern.encode("utf-8", "surrogateescape"), re.MULTILINE)
    yield from (match.span() for match in compiled.finditer(part))
