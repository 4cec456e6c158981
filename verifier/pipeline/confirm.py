"""Confirm findings: what is gone from two builds that are made with the remedy was explained rightly.

The remedies that are tried are those that need no thought of the Dockerfile's author: the builder's reproducible mode
(SOURCE_DATE_EPOCH, rewritten times), and SOURCE_DATE_EPOCH declared in every stage, which many programs heed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from verifier.errors import NoVerdictError
from verifier.model.difference import Difference
from verifier.model.finding import Finding
from verifier.model.report import Report
from verifier.pipeline.variation import Key, key_of

REMEDIED: Final = frozenset(
    {
        "apk-scripts-tar", "c-date-macro", "config-created", "context-mtime", "directory-mtime", "document-date",
        "file-mtime", "fontconfig-cache", "index-created-annotation", "initrd", "mount-point-entry", "pyc-mtime",
        "rpmdb-install-time", "shadow-lastchg", "whiteout",
    }
)  # fmt: skip
"""Causes whose remedy, or one of whose remedies, is one of those that are tried."""

_NUMBER: Final = re.compile(r"/\d+(?=/|$)")


def confirm(report: Report, remedied: Callable[[], frozenset[Key]]) -> tuple[Report, str]:
    """Mark the findings whose differences are gone from a remedied pair of builds; a sentence says how many there are.

    `remedied` builds that pair and gives how its two sides differ. Findings that are only possible stay so.
    """
    explanation = report.explanation
    if explanation is None or not any(_can_be_confirmed(finding) for finding in explanation.findings):
        return report, "nothing to confirm: no finding's remedy is the reproducible mode or SOURCE_DATE_EPOCH"
    try:
        left = frozenset(map(_place, remedied()))
    except NoVerdictError as error:
        return report, f"nothing was confirmed: {error.message}"
    findings = tuple(_judged(finding, report.differences, left) for finding in explanation.findings)
    confirmed = sum(finding.confidence == "confirmed" for finding in findings)
    told = (
        "two further builds in the reproducible mode, with ARG SOURCE_DATE_EPOCH in every stage, "
        f"confirm {confirmed} of {len(findings)} findings"
    )
    return replace(report, explanation=replace(explanation, findings=findings)), told


def _can_be_confirmed(finding: Finding) -> bool:
    return finding.cause in REMEDIED and finding.confidence in ("likely", "proven")


def _judged(finding: Finding, differences: tuple[Difference, ...], left: frozenset[Key]) -> Finding:
    gone = not any(_place(key_of(differences[number])) in left for number in finding.differences)
    return replace(finding, confidence="confirmed") if gone and _can_be_confirmed(finding) else finding


def _place(key: Key) -> Key:
    """Give what a difference is whatever its layer's number, and without positions in a document's lists.

    The remedy may make both longer.
    """
    platform, part, _, path, occurrence, field = key
    return platform, part, None, path, occurrence, _NUMBER.sub("/*", field) if field.startswith("/") else field
