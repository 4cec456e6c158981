"""Keep the ledger: add each verification, say what earlier ones of the same inputs gave, list what is there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from verifier import __version__
from verifier.errors import UsageError, VerifyBuildError
from verifier.ledger import ArtifactLedger, LocalLedger, contradicted
from verifier.ledger.local import default_ledger
from verifier.model.ledger import Record, RecordedDigests, layers_digest
from verifier.model.plan import Plan
from verifier.model.report import Report, ReportedImage
from verifier.model.request import LedgerRequest, Surroundings
from verifier.oci.digest import digest_bytes
from verifier.oci.reference import parse_reference
from verifier.plan import read_dockerfile
from verifier.plan.identity import inputs_digest

_FILES = (".sqlite3", ".sqlite", ".db")


class Ledger(Protocol):
    """Somewhere that keeps records."""

    def append(self, record: Record) -> None:
        """Add a record. Raises NoVerdictError."""

    def records(self, inputs: str = "") -> tuple[Record, ...]:
        """List records by the beginning of their inputs' digest, the earliest first. Raises NoVerdictError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAnswer:
    """The records that were asked for, and where they were looked for."""

    place: str
    records: tuple[Record, ...]


def remember(report: Report, plan: Plan, place: str | None, surroundings: Surroundings) -> tuple[str, ...]:
    """Add a finished verification, and give notes: what contradicts it, or why it could not be added.

    A ledger never changes a verdict, and never ends a run.
    """
    try:
        record = record_of(report, plan, surroundings)
        if record is None:
            return ()
        with open_ledger(place, surroundings) as ledger:
            earlier = ledger.records(record.inputs)
            ledger.append(record)
    except VerifyBuildError as error:
        return (f"not in the ledger: {error.message}",)
    return contradicted(record, earlier)


def list_records(request: LedgerRequest, surroundings: Surroundings) -> LedgerAnswer:
    """List the records of some inputs, of a Dockerfile, or all. Raises UsageError, NoVerdictError."""
    with open_ledger(request.ledger, surroundings) as ledger:
        if request.about is None:
            records = ledger.records()
        elif request.about.startswith("sha256:"):
            records = ledger.records(request.about)
        else:
            digest = digest_bytes(read_dockerfile(Path(request.about)))
            records = tuple(each for each in ledger.records() if each.dockerfile_digest == digest)
    return LedgerAnswer(place=request.ledger or str(default_ledger(surroundings.environment)), records=records)


@contextlib.contextmanager
def open_ledger(place: str | None, surroundings: Surroundings) -> Iterator[Ledger]:
    """Open a ledger: a file by its path, a registry's repository by its name, by default this user's file."""
    if place is None:
        yield LocalLedger(default_ledger(surroundings.environment))
    elif place.startswith(("/", "./", "../")) or place.endswith(_FILES):
        yield LocalLedger(Path(place))
    else:
        from verifier.stores.registry import Repository  # noqa: PLC0415  # only where a registry is asked

        reference = parse_reference(place.removeprefix("docker://"))
        if reference.digest is not None or reference.tag not in {None, "latest"}:
            raise UsageError(f"--ledger {place!r} names one image", "name a repository: every record has its own tag")
        with Repository(reference) as repository:
            yield ArtifactLedger(repository)


def record_of(report: Report, plan: Plan, surroundings: Surroundings) -> Record | None:
    """Make the record of a finished verification; None where there are no two builds of one platform to speak of."""
    pair = next(iter(report.platforms), None)
    if report.second is None or report.second.builder is None or pair is None:
        return None
    if pair.first is None or pair.second is None or report.verdict.level is None:
        return None
    return Record(
        inputs=inputs_digest(plan, dict(surroundings.environment)),
        dockerfile=plan.dockerfile.path,
        dockerfile_digest=plan.dockerfile.digest,
        recorded=surroundings.now().replace(microsecond=0),
        tool_version=__version__,
        builder=report.second.builder.name,
        builder_version=report.second.builder.version,
        machine=surroundings.machine,
        platform=pair.platform,
        outcome=report.verdict.outcome,
        level=report.verdict.level,
        first=_digests(pair.first),
        second=_digests(pair.second),
    )


def _digests(image: ReportedImage) -> RecordedDigests:
    return RecordedDigests(
        manifest=image.manifest_digest,
        config=image.config_digest,
        layers=layers_digest(tuple(layer.diff_id for layer in image.layers)),
        files=image.files_digest,
    )
