"""Make a plan that differs on purpose: the same Dockerfile and the same contents, under another sky.

`mtime`     every mtime of the context a day, an hour, a minute and a second earlier, as another checkout would have it
`mode`      the context's modes as another umask gives them: group write turned over where the owner may write
`order`     the entries of the archive, and the making of the folder's entries, the other way round
`hostname`  BuildKit's BUILDKIT_SANDBOX_HOSTNAME, which leaves no trace in an image
`timezone`, `locale`  TZ and LC_ALL as secret environment variables of every RUN (Dockerfile frontend 1.10), which
            leave no trace either: neither history nor config name them
`cpus`      one CPU in place of all
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from verifier.dockerfile.parse import parse_dockerfile
from verifier.errors import ResourceError
from verifier.model.build import BuilderName
from verifier.model.plan import FrozenContext, Plan
from verifier.model.variation import CONTEXT_FACTORS, Factor
from verifier.plan.archive import ArchiveWriter
from verifier.plan.freeze import write_dockerfile
from verifier.plan.frozen_copy import CHUNK
from verifier.plan.ignore import IgnoreRules, reload_ignore_rules
from verifier.plan.walk import Found, Walk

SHIFT_SECONDS: Final = 90_061
"""How much earlier the varied mtimes are: odd, so that ZIP's two-second steps show it, and over a day."""

HOSTNAME: Final = "verify-build-varied"
TIMEZONE: Final = "GMT-14"
"""POSIX form, as reprotest varies it: fourteen hours east, understood without any time zone data."""
LOCALE: Final = "C.UTF-8"
"""The one locale besides C that slim images have."""

_SECRETS: Final[dict[Factor, tuple[str, str]]] = {"timezone": ("TZ", TIMEZONE), "locale": ("LC_ALL", LOCALE)}
_RUN: Final = re.compile(rb"\s*RUN(?=[\s\\`]|$)", re.IGNORECASE)


def vary_plan(plan: Plan, factors: Sequence[Factor], folder: Path) -> Plan:
    """Make the plan of a build that differs from `plan` in `factors`; `folder` must not exist and takes its files.

    Raises ResourceError for what cannot be written.
    """
    if not factors:
        return plan
    try:
        folder.mkdir(mode=0o700)
        varied = replace(plan, workspace=folder)
        if any(factor in CONTEXT_FACTORS for factor in factors):
            varied = replace(varied, context=_vary_context(plan.context, plan.builder, factors, folder))
        secrets = [factor for factor in _SECRETS if factor in factors]
        if secrets:
            varied = _vary_environment(varied, secrets, folder)
    except OSError as error:
        raise ResourceError(f"the varied copy of the inputs cannot be written: {error.strerror}") from None
    options = varied.options
    if "hostname" in factors:
        given = tuple(pair for pair in options.build_args if pair[0] != "BUILDKIT_SANDBOX_HOSTNAME")
        options = replace(options, build_args=(*given, ("BUILDKIT_SANDBOX_HOSTNAME", HOSTNAME)))
    if "cpus" in factors:
        options = replace(options, cpuset=one_cpu())
    return replace(varied, options=options)


def one_cpu() -> str:
    """Name the one CPU that a build may have where `cpus` is varied."""
    return str(min(os.sched_getaffinity(0)))


def _vary_context(
    context: FrozenContext, builder: BuilderName | None, factors: Sequence[Factor], folder: Path
) -> FrozenContext:
    """Copy a frozen context once more, varied; its digests are the copy's own where they have times or order."""
    archive, directory = folder / "context.tar", folder / "context"
    root, target = os.fsencode(context.directory), os.fsencode(directory)
    rules = reload_ignore_rules(context.ignore_copy, builder) or IgnoreRules(source=None)
    found = list(Walk(root=root, rules=rules))
    private = not any(item.status.st_mode & 0o070 for item in found if item.kind != stat.S_IFLNK)
    directory.mkdir(mode=0o700)
    late: list[tuple[bytes, int, int]] = []
    with archive.open("xb", buffering=CHUNK) as file:
        writer = ArchiveWriter(file)
        for item in _other_way_round(found) if "order" in factors else found:
            mtime = _varied_mtime(item.status.st_mtime_ns) if "mtime" in factors else item.status.st_mtime_ns
            mode = stat.S_IMODE(item.status.st_mode)
            if "mode" in factors and item.kind != stat.S_IFLNK:
                mode = _varied_mode(mode, private=private)
            copy = target + b"/" + item.path
            _copy(writer, root, item, copy, mode, mtime // 1_000_000_000)
            if item.kind == stat.S_IFLNK:
                os.utime(copy, ns=(mtime, mtime), follow_symlinks=False)
            else:
                late.append((copy, mode, mtime))
        digest = writer.finish()
    for copy, mode, mtime in reversed(late):
        os.chmod(copy, mode)  # noqa: PTH101  # raw bytes, which pathlib does not know
        os.utime(copy, ns=(mtime, mtime))
    return replace(context, archive=archive, directory=directory, archive_digest=digest)


def _copy(writer: ArchiveWriter, root: bytes, item: Found, copy: bytes, mode: int, mtime: int) -> None:
    """Copy one entry into the archive and the folder; its mode and time in the folder come at the end."""
    if item.kind == stat.S_IFREG:
        writer.begin(item.path, b"0", mode=mode, mtime=mtime, size=item.status.st_size)
        with open(root + b"/" + item.path, "rb") as source, open(copy, "xb") as target:  # noqa: PTH123
            while piece := source.read(CHUNK):
                writer.write(piece)
                target.write(piece)
        writer.end_content(item.status.st_size)
    elif item.kind == stat.S_IFDIR:
        if not item.is_left_out:
            writer.begin(item.path + b"/", b"5", mode=mode, mtime=mtime)
        os.mkdir(copy, 0o700)  # noqa: PTH102
    elif item.kind == stat.S_IFLNK:
        link = os.readlink(root + b"/" + item.path)  # noqa: PTH115
        writer.begin(item.path, b"2", mode=mode, mtime=mtime, target=link)
        os.symlink(link, copy)  # noqa: PTH211
    else:
        writer.begin(item.path, b"6", mode=mode, mtime=mtime)
        os.mkfifo(copy, 0o600)


def _other_way_round(found: Sequence[Found]) -> Iterator[Found]:
    """Yield every directory before its content, and what lies in one directory from the last name to the first."""
    inside: dict[bytes, list[Found]] = {}
    for item in found:
        inside.setdefault(item.path.rpartition(b"/")[0], []).append(item)
    pending = inside.get(b"", [])[:]
    while pending:
        item = pending.pop()
        yield item
        if item.kind == stat.S_IFDIR:
            pending += inside.get(item.path, [])


def _varied_mtime(nanoseconds: int) -> int:
    shift = SHIFT_SECONDS * 1_000_000_000
    return nanoseconds - shift if nanoseconds >= shift else nanoseconds + shift


def _varied_mode(mode: int, *, private: bool) -> int:
    """Give the mode under another umask: 002 in place of 022 or the reverse; 022 in place of 077 (`private`).

    What its owner keeps to itself among entries that others may read was made so on purpose, and stays.
    """
    if private:
        return mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6
    return mode ^ 0o020 if mode & 0o200 and mode & 0o040 else mode


def _vary_environment(plan: Plan, factors: Sequence[Factor], folder: Path) -> Plan:
    """Give every RUN of the Dockerfile's copy secret environment variables; lines keep their numbers."""
    mounts, secrets = [], []
    for factor in factors:
        variable, value = _SECRETS[factor]
        source = folder / f"{factor}.secret"
        source.write_text(value, "ascii")
        mounts.append(f"--mount=type=secret,id=verify-build-{factor},env={variable}")
        # a field of a line of CSV, which buildx reads it as
        quoted = str(source).replace('"', '""')
        secrets.append(f'id=verify-build-{factor},"src={quoted}"')
    raw = _with_flags(plan.dockerfile.raw, plan.dockerfile.path, " ".join(mounts).encode())
    copy = write_dockerfile(raw, plan.dockerfile.copy.name, folder / "dockerfile")
    return replace(
        plan,
        dockerfile=replace(plan.dockerfile, copy=copy),
        options=replace(plan.options, secrets=(*plan.options.secrets, *secrets)),
    )


def _with_flags(raw: bytes, path: str, flags: bytes) -> bytes:
    """Put flags right behind the keyword of every RUN, an ONBUILD's not: it is another build's."""
    lines = raw.split(b"\n")
    for statement in parse_dockerfile(raw, path).statements():
        match = _RUN.match(lines[statement.instruction.line - 1]) if statement.keyword == "RUN" else None
        if match is not None:
            line = lines[statement.instruction.line - 1]
            lines[statement.instruction.line - 1] = match[0] + b" " + flags + b" " + line[match.end() :].lstrip(b" \t")
    return b"\n".join(lines)
