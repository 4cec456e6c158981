"""Times of the build among the constants of a compiled program.

Go's linker and Rust's compiler lay literals end to end: what stands before and behind a date may be anything, a letter
or a figure too. Numbers stand in the program's data as the processor keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import CLOCK_SLACK, Claim, SideContext
from verifier.causes.moments import claim_counts, claim_printed_times, is_of_build
from verifier.formats.elf_strings import GO_STRINGS, RUST_STRINGS
from verifier.formats.field import Field
from verifier.formats.times import find_times

_CLOCK: Final = rb"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
_MONTH: Final = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY: Final = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_DATES: Final = re.compile(
    rb"[12]\d{3}-[01]\d-[0-3]\d[T ]" + _CLOCK + rb"(?:\.\d{1,9})?(?:Z| UTC| ?[+-]\d\d:?\d\d)?"
    rb"|" + _DAY + rb", [0-3]?\d " + _MONTH + rb" [12]\d{3} " + _CLOCK + rb"(?: GMT| UTC| [+-]\d{4})?"
    rb"|" + _DAY + rb" " + _MONTH + rb" [ 0-3]\d " + _CLOCK + rb"(?: UTC| GMT)? [12]\d{3}"
)
_FIGURES: Final = re.compile(rb"\d{10,64}")
_SECOND_FIGURES: Final = 10
_COUNTED_FIGURES: Final = (10, 13, 16, 19)
"""Of seconds, milli-, micro- and nanoseconds since 1970."""


def claim_program_times(field: Field, side: SideContext) -> Iterator[Claim]:
    """Claim every time of the build in a section of strings and constants, ascending, without overlap."""
    if side.window is None:
        return
    claims = [*claim_printed_times(field, side), *claim_counts(field, side)]
    if field.kind in (GO_STRINGS, RUST_STRINGS):
        claims += [*_joined_dates(field.value, side), *_joined_figures(field.value, side)]
    end = 0
    for claim in sorted(claims, key=lambda claim: (claim.start, -claim.end)):
        if claim.start >= end:
            end = claim.end
            yield claim


def _joined_dates(value: bytes, side: SideContext) -> Iterator[Claim]:
    for match in _DATES.finditer(value):
        for time in find_times(match[0], lambda moment, step: step <= 1 and is_of_build(side, moment, step)):
            if (time.start, time.end) == (0, len(match[0])):
                yield Claim(match.start(), match.end(), time.form)


def _joined_figures(value: bytes, side: SideContext) -> Iterator[Claim]:
    """Claim a count alone among its neighbours, and of figures that run on the one ten that are the build's seconds."""
    if side.window is None:
        return
    first, last = int(side.window.start - CLOCK_SLACK), int(side.window.end)
    for match in _FIGURES.finditer(value):
        size = len(match[0])
        if size in _COUNTED_FIGURES:
            moment = int(match[0]) / 10 ** (size - _SECOND_FIGURES)
            if first <= moment <= last:
                yield Claim(match.start(), match.end(), f"{size} figures since 1970")
                continue
        places = [
            place for place in range(size - _SECOND_FIGURES + 1) if first <= int(match[0][place : place + 10]) <= last
        ]
        if len(places) == 1:
            start = match.start() + places[0]
            yield Claim(start, start + _SECOND_FIGURES, "10 figures since 1970")
