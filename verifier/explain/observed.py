"""Join the risks that a Dockerfile's text has with what this time was seen to differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from verifier.model.finding import Finding, Risk


def join_risks(risks: Iterable[Risk], findings: Iterable[Finding]) -> tuple[Risk, ...]:
    """Mark each risk `observed` whose cause was found at its own instruction, with the differences that show it.

    What is not seen stays `latent`: two builds minutes apart say little about next week. `refuted` stays refuted.
    """
    seen: dict[tuple[str, object], tuple[int, ...]] = {}
    for finding in findings:
        key = finding.cause, finding.instruction
        seen[key] = tuple(sorted({*seen.get(key, ()), *finding.differences}))
    return tuple(
        replace(risk, status="observed", differences=seen[risk.cause, risk.instruction])
        if risk.status != "refuted" and (risk.cause, risk.instruction) in seen
        else risk
        for risk in risks
    )
