"""Take the values of build arguments that look like secrets out of a report."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from verifier.model.difference import Difference, FieldValue
from verifier.model.finding import Evidence, Explanation
from verifier.model.report import PlatformPair, Report, ReportedImage, Side

REDACTED: Final = "[redacted]"

_SECRET_NAME: Final = re.compile(
    r"pass(wd|word|phrase)?|secret|token|credential|auth|private|api_?key|access_?key|_key$|^key$", re.IGNORECASE
)
_SHORT: Final = 6
"""A value below this length may stand anywhere by chance: it is redacted only behind its own name."""

_LONGEST: Final = 120
"""Evidence shows no longer values: so long may the beginning of a secret be that is left of it."""


def redact(report: Report, build_args: Sequence[tuple[str, str | None]], *, everything: bool = False) -> Report:
    """Replace the values of build arguments whose name says that they are secret, or of all with `everything`.

    They show in history (`RUN |1 TOKEN=…`), in environment variables and labels, and in the builder's options.
    """
    pattern = _pattern_of(
        [(name, value) for name, value in build_args if value and (everything or _SECRET_NAME.search(name))]
    )
    if pattern is None:
        return report

    def clean(text: str) -> str:
        return pattern.sub(REDACTED, text)

    return replace(
        report,
        error=None if report.error is None else replace(report.error, message=clean(report.error.message)),
        first=None if report.first is None else _redact_side(report.first, clean),
        second=None if report.second is None else _redact_side(report.second, clean),
        platforms=tuple(_redact_pair(pair, clean) for pair in report.platforms),
        differences=tuple(_redact_difference(item, clean) for item in report.differences),
        explanation=None if report.explanation is None else _redact_explanation(report.explanation, clean),
        notes=tuple(clean(note) for note in report.notes),
        offline=report.offline
        if report.offline is None or report.offline.reason is None
        else replace(report.offline, reason=clean(report.offline.reason)),
        downloads=None
        if report.downloads is None
        else tuple(replace(item, where=clean(item.where)) for item in report.downloads),
    )


def _pattern_of(named: Sequence[tuple[str, str]]) -> re.Pattern[str] | None:
    """Match every value, the longest first; a short one only behind its name; one that was cut off, at the very end."""
    parts = []
    for name, value in sorted(named, key=lambda pair: -len(pair[1])):
        behind = rf"(?<=\b{re.escape(name)}=)" if len(value) < _SHORT else ""
        parts.append(behind + re.escape(value))
        parts += [f"{re.escape(value[:length])}$" for length in range(min(len(value), _LONGEST) - 1, _SHORT - 1, -1)]
    return re.compile("|".join(parts)) if parts else None


def _redact_side(side: Side, clean: Callable[[str], str]) -> Side:
    return replace(side, options=tuple(clean(option) for option in side.options))


def _redact_pair(pair: PlatformPair, clean: Callable[[str], str]) -> PlatformPair:
    return replace(pair, first=_redact_image(pair.first, clean), second=_redact_image(pair.second, clean))


def _redact_image(image: ReportedImage | None, clean: Callable[[str], str]) -> ReportedImage | None:
    if image is None:
        return None
    layers = (replace(layer, created_by=clean(layer.created_by)) for layer in image.layers)
    return replace(image, layers=tuple(layers))


def _redact_difference(item: Difference, clean: Callable[[str], str]) -> Difference:
    return replace(item, first=_redact_value(item.first, clean), second=_redact_value(item.second, clean))


def _redact_explanation(explanation: Explanation, clean: Callable[[str], str]) -> Explanation:
    """Clean the evidence: it shows values of the config as they are."""
    return replace(
        explanation,
        findings=tuple(
            replace(finding, evidence=tuple(_redact_evidence(item, clean) for item in finding.evidence))
            for finding in explanation.findings
        ),
    )


def _redact_evidence(item: Evidence, clean: Callable[[str], str]) -> Evidence:
    return replace(
        item,
        first=None if item.first is None else clean(item.first),
        second=None if item.second is None else clean(item.second),
    )


def _redact_value(value: FieldValue, clean: Callable[[str], str]) -> FieldValue:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_redact_value(item, clean) for item in value]
    if isinstance(value, dict):
        return {key: _redact_value(item, clean) for key, item in value.items()}
    return value
