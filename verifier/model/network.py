"""What a build had from the network: by a build that has none, and by a proxy that keeps records."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.model.instruction import Instruction
from verifier.oci.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineProbe:
    """A build without a network, outside the verdict.

    `instruction` is the one it failed at, None where it succeeded or the builder did not say; `reason` is the builder's
    complaint then.
    """

    succeeded: bool
    instruction: Instruction | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What one build fetched from one place: how often, how many bytes came, and the sha256 of what came.

    `digests` are of the answers' bodies, sorted, without repetition, and empty for an encrypted connection, of which
    only the bytes are counted; `statuses` likewise.
    """

    count: int
    bytes: int
    digests: tuple[Digest, ...] = ()
    statuses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One place that builds fetched from, and what each of the two got; None where a build did not ask.

    `where` is the URL, without a password, or `HOST:PORT` where the connection is encrypted. `instructions` are those
    that ran at that time: several where the builder ran them side by side, none where it is not known. `same` is None
    for what is encrypted: nothing is known of the content.
    """

    instructions: tuple[Instruction, ...]
    method: str
    where: str
    encrypted: bool
    first: Fetched | None
    second: Fetched | None

    @property
    def same(self) -> bool | None:
        """Whether both builds got the same bytes."""
        if self.encrypted:
            return None
        if self.first is None or self.second is None:
            return False
        return (self.first.digests, self.first.statuses) == (self.second.digests, self.second.statuses)
