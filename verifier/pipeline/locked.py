"""Hold the bases of a run to a lock file (`verify --lock FILE`, written by `pin --lock FILE`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from verifier.errors import BaseNotHeldError, UsageError
from verifier.model.finding import Risk
from verifier.model.plan import BaseReference, Plan
from verifier.oci.reference import parse_reference
from verifier.pin.lock import MAX_LOCK_BYTES, Lock, read_lock

_UNPINNED: Final = "unpinned-base"


def read_lock_file(path: Path) -> Lock:
    """Read a lock file. Raises UsageError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_LOCK_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"--lock {str(path)!r}: the lock cannot be read: {error.strerror}", "write one: verify-build pin --lock"
        ) from None
    return read_lock(raw, str(path))


def hold_to_lock(plan: Plan, lock: Lock, path: Path) -> Plan:
    """Give every base that has no digest of its own the lock's. Raises BaseNotHeldError for one that the lock lacks."""
    return replace(plan, references=tuple(_locked(each, plan, lock, path) for each in plan.references))


def told_of_lock(references: Iterable[BaseReference], path: Path) -> tuple[str, ...]:
    """Say which bases a lock holds, and to what: the Dockerfile does not."""
    return tuple(
        f"base {base.reference} (line {base.instruction.line}) is held to {base.locked} by {path}"
        for base in references
        if base.locked is not None
    )


def refute_locked(risks: Iterable[Risk], references: Iterable[BaseReference], path: Path | None) -> tuple[Risk, ...]:
    """Take a base that the lock holds for pinned: its risk is refuted, as far as whoever builds goes by the lock."""
    held = {base.instruction: base.locked for base in references if base.locked is not None and path is not None}
    return tuple(
        replace(
            risk,
            status="refuted",
            message=f"{risk.message}; {path} holds it to {held[risk.instruction][:19]} "
            "here, and wherever a build goes by the lock",
        )
        if risk.cause == _UNPINNED and risk.status == "latent" and risk.instruction in held
        else risk
        for risk in risks
    )


def _locked(base: BaseReference, plan: Plan, lock: Lock, path: Path) -> BaseReference:
    try:
        has_own = parse_reference(base.reference).digest is not None
        digest = lock.digest_of(base.reference)
    except UsageError:
        return base  # the builder says what is wrong with the name
    if has_own:
        return base
    if digest is None:
        raise BaseNotHeldError(
            f"base {base.reference} (line {base.instruction.line}) is not in {path}, and has no digest of its own",
            f"verify-build pin {plan.dockerfile.path} --lock {path}",
        )
    return replace(base, locked=digest)
