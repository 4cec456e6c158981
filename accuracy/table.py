"""The table: what came out of every case, by cause and builder, and a sentence that sums it up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from accuracy.cases import BUILDERS, Case
from accuracy.outcome import Outcome

Outcomes = Mapping[Case, Outcome | None]
"""What came out of every case; None where nothing did."""

_NOT_TRIED: Final = "-"
_EARLIER: Final = "°"
_WITHOUT: Final = "text or images"


def render_table(outcomes: Outcomes, earlier: Collection[Case] = ()) -> str:
    """Render everything that is generated: the sentence, the builders' versions, the table.

    What came out in `earlier` cases is of the tool before its last change, and is marked.
    """
    blocks = [summarise(outcomes, earlier), *_versions(outcomes.values()), _rows(outcomes, earlier)]
    return "\n".join(blocks)


def summarise(outcomes: Outcomes, earlier: Collection[Case] = ()) -> str:
    """Say in a sentence or two what was reached, and what was not."""
    shown = {case: outcome for case, outcome in outcomes.items() if not case.remedied}
    mended = {case: outcome for case, outcome in outcomes.items() if case.remedied}
    missed = {case.cause for case, outcome in shown.items() if outcome is None or not outcome.found}
    found = sum(bool(outcome and outcome.found) for outcome in shown.values())
    wrong = sum(bool(outcome and outcome.wrong) for outcome in outcomes.values())
    residue = sum(bool(outcome and outcome.residue) for outcome in outcomes.values())
    gone = sum(bool(outcome and not outcome.faults) for outcome in mended.values())
    untried = sum(outcome is None for outcome in outcomes.values())
    causes = len({case.cause for case in shown})
    return (
        f"The cause is found at its line in {found:,} of {len(shown):,} cases, {causes - len(missed)} of {causes} "
        f"causes in all of theirs. A wrong cause is named in {wrong or 'none'}, and residue is left in "
        f"{residue or 'none'}. {gone:,} of {len(mended):,} remedied forms are without it, and as equal as they must be."
        + (f" {untried:,} cases have no result." if untried else "")
        + (f" {len(earlier):,} results{_EARLIER} are of the tool before its last change." if earlier else "")
        + "\n"
    )


def _versions(outcomes: Iterable[Outcome | None]) -> list[str]:
    versions = sorted({outcome.builder for outcome in outcomes if outcome and outcome.builder})
    return [*(f"- {version}" for version in versions), ""] if versions else []


def _rows(outcomes: Outcomes, earlier: Collection[Case]) -> str:
    columns = [*BUILDERS, None]
    names = [*BUILDERS, _WITHOUT]
    lines = [
        f"| cause | {' | '.join(names)} | {' | '.join(f'remedied, {name}' for name in names)} |",
        "|---" * (1 + 2 * len(names)) + "|",
    ]
    for cause in dict.fromkeys(case.cause for case in outcomes):
        cells = []
        for remedied in (False, True):
            for builder in columns:
                alike = [
                    _cell(case, outcome) + (_EARLIER if case in earlier else "")
                    for case, outcome in outcomes.items()
                    if (case.cause, case.builder, case.remedied) == (cause, builder, remedied)
                ]
                cells.append(", ".join(dict.fromkeys(alike)) or _NOT_TRIED)
        lines.append(f"| [`{cause}`](causes/{cause}.md) | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(case: Case, outcome: Outcome | None) -> str:
    if outcome is None:
        return "**no result**"
    faults = [f"wrong: {', '.join(outcome.wrong)}"] if outcome.wrong else []
    if outcome.residue:
        faults.append(f"residue: {len(outcome.residue)}")
    if case.remedied:
        faults += ["still found"] if outcome.found else []
        reached = outcome.level or "gone"
    else:
        faults += [] if outcome.found else ["missed"]
        reached = "found"
    if outcome.faults and not faults:
        faults = [outcome.faults[0]]
    return f"**{'; '.join(faults)}**" if faults else reached
