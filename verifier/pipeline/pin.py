"""Audit the pins of a Dockerfile, and write digests where that is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from verifier import __version__
from verifier.dockerfile import parse_dockerfile
from verifier.errors import ResourceError
from verifier.model.pin import Pin, PinReport, Remark
from verifier.model.request import PinRequest, Surroundings
from verifier.oci.digest import digest_bytes
from verifier.pin import audit, lock_of, render_lock, render_source_policy, rewrite, uses_of
from verifier.pipeline.outside import World
from verifier.plan import read_dockerfile
from verifier.replace_file import replace_file
from verifier.workspace import open_workspace


def pin(request: PinRequest, surroundings: Surroundings) -> PinReport:
    """Judge every use of a Dockerfile; with `write` its digests are written, with `lock` a lock file.

    Raises UsageError, ResourceError; what could not be looked at stands in the report.
    """
    raw = read_dockerfile(request.dockerfile)
    dockerfile = parse_dockerfile(raw, str(request.dockerfile))
    environment = surroundings.environment
    uses = uses_of(dockerfile, request.build_args, request.platform, environment=environment)
    with open_workspace() as workspace, World(workspace) as world:
        pins = audit(uses, world, update=request.update)
    written: list[str] = []
    if request.write or request.update:
        rewritten = rewrite(raw, dockerfile, uses, pins, request.build_args, environment=environment)
        if rewritten.raw != raw:
            _write(request.dockerfile, rewritten.raw)
            written.append(str(request.dockerfile))
        pins = tuple(_after(each, rewritten.problems.get(number)) for number, each in enumerate(pins))
        raw = rewritten.raw
    if request.lock is not None:
        lock = lock_of(pins)
        _write(request.lock, render_lock(lock).encode())
        written.append(str(request.lock))
        if request.source_policy is not None:
            _write(request.source_policy, render_source_policy(lock).encode())
            written.append(str(request.source_policy))
        pins = tuple(_locked(each) for each in pins)
    return PinReport(
        tool_version=__version__,
        dockerfile_path=str(request.dockerfile),
        dockerfile_digest=digest_bytes(raw),
        pins=pins,
        written=tuple(written),
    )


def _after(pin: Pin, problem: str | None) -> Pin:
    """Say of a pin what became of it: written, it is no longer to mend; or why it could not be."""
    if pin.proposed is None:
        return pin
    if problem is not None:
        return replace(pin, remarks=(*pin.remarks, Remark(code="not-written", message=problem, mends=True)))
    settled = {"not-pinned", "tag-moved", "checksum-differs"}
    left = tuple(remark for remark in pin.remarks if remark.code not in settled)
    return replace(pin, digest=pin.current, remarks=left, status="to-mend" if any(r.mends for r in left) else "true")


def _locked(pin: Pin) -> Pin:
    """Take what the lock holds as pinned."""
    if pin.current is None or pin.digest is not None:
        return pin
    left = tuple(remark for remark in pin.remarks if remark.code not in {"not-pinned", "not-written"})
    return replace(pin, remarks=left, status="to-mend" if any(remark.mends for remark in left) else "true")


def _write(path: Path, content: bytes) -> None:
    try:
        replace_file(path, content)
    except OSError as error:
        raise ResourceError.from_system(error) from None
