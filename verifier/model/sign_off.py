"""A release's sign-off: what a person answers for, on what ground, and what stands against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from verifier.model.objections import ObjectionName
from verifier.model.report import Report
from verifier.oci.digest import Digest
from verifier.oci.reference import Reference

SourceState = Literal["clean", "dirty", "unknown"]
SubjectKind = Literal["index", "manifest", "config"]
SIGN_OFF_TYPE: Final = "urn:verify-build:sign-off:v1"
"""The predicate type of our own statement; `docs/sign-off.md` describes it."""

SUMMARY_TYPE: Final = "https://slsa.dev/verification_summary/v1"
"""The predicate type of SLSA's verification summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCommit:
    """The checkout around the Dockerfile as it is when the release is signed.

    `dirty` says that something the image was made from is in no commit, `changed` that Dockerfile or context are not
    those of the report; each sentence says what. Both are empty where the state is unknown.
    """

    state: SourceState
    commit: str | None = None
    described: str | None = None
    remote: str | None = None
    dirty: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unknown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is signed for: one digest. `kind` is `config` where the image has no manifest yet."""

    name: str
    digest: Digest
    kind: SubjectKind
    platform: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Something that stands against the signature."""

    name: ObjectionName
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """Everything that is signed, and why it was not where it was not. `signed` is in UTC, whole seconds.

    `report_digest` is of the JSON report's exact bytes, `key` of the public key (PKIX, DER), None where there is no
    signature; there are no `subjects` where it was refused. `objections` are all that were found, `allowed` the names
    that the signer took upon himself.
    """

    tool_version: str
    report: Report
    report_digest: Digest
    source: SourceCommit
    subjects: tuple[Subject, ...]
    signer: str
    signed: datetime
    key: Digest | None
    objections: tuple[Objection, ...]
    allowed: tuple[ObjectionName, ...]

    @property
    def refused(self) -> tuple[Objection, ...]:
        """What stands against the signature and was not allowed by name."""
        return tuple(item for item in self.objections if item.name not in self.allowed)

    @property
    def exceptions(self) -> tuple[Objection, ...]:
        """What stands against the signature and was allowed by name."""
        return tuple(item for item in self.objections if item.name in self.allowed)

    @property
    def exit_code(self) -> int:
        """0 signed off, 1 refused."""
        return 1 if self.refused else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFile:
    """One file of a sign-off that is kept, by its name in the folder."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOff:
    """The outcome of signing: the files to keep (none where it was refused), and where it was attached."""

    sign_off: SignOff
    files: tuple[SignedFile, ...] = ()
    attached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One step of verifying a sign-off; `holds` is None where it was not asked for."""

    name: str
    holds: bool | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSignOff:
    """What the steps said, in their order; after a signature that does not hold nothing further is looked at.

    `exceptions` are what the signer took upon himself, in his words.
    """

    checks: tuple[Check, ...]
    exceptions: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 everything that was looked at holds, else 1."""
        return 1 if any(check.holds is False for check in self.checks) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOffRequest:
    """A report to sign off. Without `key` the statements are written unsigned, and nothing is attached.

    `image` names what is signed for; with a digest it also chooses the side. `dockerfile` and `context` say where the
    source is, where the report's own path does not lead there from here.
    """

    report: bytes
    key: Path | None = None
    image: Reference | None = None
    attach: Reference | None = None
    dockerfile: Path | None = None
    context: Path | None = None
    signer: str | None = None
    allowed: tuple[ObjectionName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySignOffRequest:
    """An envelope (or a sigstore bundle) to verify by a public key, against a report and an image where given."""

    envelope: Path
    key: Path
    report: Path | None = None
    image: str | None = None
