"""What a ledger says to a new record: whether the same inputs have given another digest before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from verifier.model.ledger import Record, RecordedDigests

_HELD = frozenset({"manifest", "config"})
"""Levels of a run whose digest can be held against another run's."""


def contradicted(record: Record, earlier: Iterable[Record]) -> tuple[str, ...]:
    """Say in sentences where a run that was reproducible in itself disagrees with earlier ones of the same inputs.

    Only digests of one kind are compared, and one builder's runs are told apart from another's: two builders may well
    make two images of one Dockerfile.
    """
    if record.level not in _HELD:
        return ()
    sentences = []
    for other in earlier:
        if other.inputs != record.inputs or other.level not in _HELD or other.platform != record.platform:
            continue
        kind = _differing(record.second, other.second)
        if kind is None:
            continue
        ours, theirs = getattr(record.second, kind), getattr(other.second, kind)
        sentences.append(
            f"ledger: the same inputs gave {kind} {theirs} on {other.recorded:%Y-%m-%d} with {other.builder} "
            f"{other.builder_version} on {other.machine}, and {ours} now: {_verdict(record, other)}"
        )
    return tuple(dict.fromkeys(sentences))


def _differing(ours: RecordedDigests, theirs: RecordedDigests) -> str | None:
    """Name the strictest kind of digest that both have, if it differs."""
    for field in fields(RecordedDigests):
        one, two = getattr(ours, field.name), getattr(theirs, field.name)
        if one is not None and two is not None:
            return None if one == two else field.name
    return None


def _verdict(record: Record, other: Record) -> str:
    if (record.builder, record.builder_version) != (other.builder, other.builder_version):
        return "reproducible with one builder, not across two"
    if record.machine != other.machine:
        return "reproducible within one machine, not across two"
    return "reproducible within one run, not across two"
