"""Knowledge joined with facts: findings, risks, and what is left when everything known has been taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from verifier.model.difference import LayerPair
from verifier.model.instruction import Instruction
from verifier.oci.digest import Digest

Severity = Literal["error", "warning", "note"]
Confidence = Literal["possible", "likely", "proven", "confirmed"]
RiskStatus = Literal["observed", "latent", "refuted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One place where a cause showed: both sides' values, bounded, and where they stand.

    `path` is the entry's, or a JSON pointer where no layer is concerned. `inner` leads on inside the content, outermost
    first (`member a/b.class > time`); `offset` counts bytes from the start of the innermost value's container, None
    where that lay compressed.
    """

    path: str
    inner: str | None
    offset: int | None
    first: str | None
    second: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause, at one instruction, with every difference that it made.

    `differences` are positions in the report's list, ascending. `opaque` says that whole values were taken for granted
    (a key, a random value): such a finding is never `proven`. `remedy` is one sentence.
    """

    cause: str
    title: str
    severity: Severity
    confidence: Confidence
    opaque: bool
    instruction: Instruction | None
    differences: tuple[int, ...]
    paths: tuple[bytes, ...]
    evidence: tuple[Evidence, ...]
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What may differ at another time: found in the Dockerfile's text, then joined with what was seen.

    A static rule yields `latent`, or `refuted` where the same instruction checks it; `observed` is for the join alone.
    `line` is the command's own line within the instruction, None where that is the instruction's or is not known.
    """

    cause: str
    severity: Severity
    instruction: Instruction | None
    status: RiskStatus
    message: str
    differences: tuple[int, ...] = ()
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Residue:
    """One difference that no cause explains.

    `ruled_out` are short phrases: what it was tried for and is not. `alike` names what both contents differ by alone
    (`the order of lines`): a hint for whoever looks into them, and no cause.
    """

    difference: int
    ruled_out: tuple[str, ...]
    alike: tuple[str, ...] = ()
    instruction: Instruction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalisedLayer:
    """One pair of layers written again with every claimed value replaced, and the `diff_id` of each.

    Where that could not be done, `first` and `second` are None and `reason` says why.
    """

    platform: str
    layer: LayerPair
    first: Digest | None
    second: Digest | None
    reason: str | None = None

    @property
    def equal(self) -> bool | None:
        """Whether both sides have one `diff_id` by now; None where nothing was written."""
        return None if self.first is None else self.first == self.second


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known about a comparison's differences, and the proof that nothing was left out.

    `counterfactual_first` and `counterfactual_second` are the Merkle digests of the two sides with every claimed value
    replaced; None where nothing was read. Equal digests go with an empty residue. `opaque` counts the differences that
    rest on an opaque claim. `minimal` are the causes that cannot be dropped, in the registry's order. `diff_ids` are
    those of the layers' normalised streams, None where they were not asked for.
    """

    findings: tuple[Finding, ...]
    residue: tuple[Residue, ...]
    of: int
    opaque: int
    counterfactual_first: Digest | None
    counterfactual_second: Digest | None
    minimal: tuple[str, ...]
    diff_ids: tuple[NormalisedLayer, ...] | None = None

    @property
    def explained(self) -> int:
        """How many of the differences are explained in full."""
        return self.of - len(self.residue)

    @property
    def equal(self) -> bool:
        """Whether both sides are the same once every claimed value is replaced."""
        return self.counterfactual_first == self.counterfactual_second
