"""The exception tree; `cli` alone turns it into two lines on stderr and an exit code.

VerifyBuildError
├── UsageError                exit 2: what was asked for cannot be meant
│   ├── DockerfileError       … with the line, where there is one
│   └── UnsupportedError      this builder or store lacks what was asked for
├── NoVerdictError            exit 3: nothing could be decided
│   ├── BuildError            a build failed: which, at which instruction, its last lines
│   ├── BuilderUnavailableError   no builder answers
│   ├── InputsChangedError    the inputs moved while they were being frozen
│   ├── BaseNotHeldError      a base image could not be held to one digest
│   ├── StoreError            an image could not be found or read
│   │   ├── NotFoundError         a registry answered, and does not have it
│   │   ├── UnauthorizedError     a registry answered, and does not let us: who we are, or what we may
│   │   ├── UnreachableError      a registry gave no answer, or none that is of use: nothing is known
│   │   └── MalformedImageError   it was read, and breaks the specification or a named limit
│   │       └── DigestMismatchError   bytes do not have the digest they claim
│   └── ResourceError         the disk is full, a file cannot be written
└── InterruptedRunError       exit 130
"""

from __future__ import annotations

import errno
from typing import ClassVar, Final, Self

_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class VerifyBuildError(Exception):
    """A failure with words for the user: `message` says what failed on which thing, `hint` what would mend it."""

    exit_code: ClassVar[int] = 3
    code: ClassVar[str] = "error"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(VerifyBuildError):
    """What was asked for cannot be meant."""

    exit_code = 2
    code = "usage"


class DockerfileError(UsageError):
    """The Dockerfile cannot be used: missing, empty, binary or unparsable."""

    code = "dockerfile"

    def __init__(self, message: str, hint: str | None = None, *, line: int | None = None) -> None:
        super().__init__(message, hint)
        self.line = line


class UnsupportedError(UsageError):
    """This builder or store lacks what was asked for."""

    code = "unsupported"


class NoVerdictError(VerifyBuildError):
    """Nothing could be decided."""

    code = "no-verdict"


class BuildError(NoVerdictError):
    """A build failed; `log` holds its last lines."""

    code = "build-failed"

    def __init__(
        self, message: str, hint: str | None = None, *, line: int | None = None, log: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint)
        self.line = line
        self.log = log


class BuilderUnavailableError(NoVerdictError):
    """No builder answers."""

    code = "no-builder"


class InputsChangedError(NoVerdictError):
    """The inputs moved while they were being frozen."""

    code = "inputs-changed"


class BaseNotHeldError(NoVerdictError):
    """A base image could not be resolved, or not be held to one digest for both builds."""

    code = "base-not-held"


class StoreError(NoVerdictError):
    """An image could not be found or read."""

    code = "store"


class NotFoundError(StoreError):
    """A registry answered, and has no such repository, tag, manifest or blob."""

    code = "not-found"


class UnauthorizedError(StoreError):
    """A registry answered, and wants credentials, other ones, or more rights."""

    code = "unauthorized"


class UnreachableError(StoreError):
    """A registry gave no answer, or none that is of use: whether it has what was asked for is not known."""

    code = "unreachable"


class MalformedImageError(StoreError):
    """An image breaks its specification or a named limit."""

    code = "malformed-image"


class DigestMismatchError(MalformedImageError):
    """Bytes do not have the digest that their descriptor claims."""

    code = "digest-mismatch"


class ResourceError(NoVerdictError):
    """The machine lacks something: the disk is full, a file cannot be written."""

    code = "resource"

    @classmethod
    def from_system(cls, error: OSError | MemoryError) -> Self:
        """Put the operating system's complaint into words."""
        if isinstance(error, MemoryError):
            return cls("the machine has no memory left")
        if error.errno in _DISK_FULL:
            return cls(
                f"the disk is full: {error.filename or error.strerror}",
                "set TMPDIR to a folder with space for two images",
            )
        where = f"{error.filename}: " if error.filename else ""
        return cls(f"{where}{error.strerror or error}")


class InterruptedRunError(VerifyBuildError):
    """The user, or a signal, ended the run."""

    exit_code = 130
    code = "interrupted"
