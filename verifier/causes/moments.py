"""Whether a moment may have been written by a build: what every cause of times asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from verifier.causes.cause import Claim, Normaliser, Place, SideContext
from verifier.formats.field import Field
from verifier.formats.times import find_times

_EARLIEST: Final = 315532800
"""1980: no build is older, and ZIP cannot count from earlier …"""

_LATEST: Final = 4102444800
"""… nor later than 2100."""


def is_of_build(side: SideContext, moment: float, precision: float = 1) -> bool:
    """Tell whether a clock that counts in steps of `precision` seconds may have shown `moment` during the build.

    Without a window any date of our times will do: what is claimed then is likely at most.
    """
    if side.window is None:
        return _EARLIEST <= moment < _LATEST
    return side.window.holds(moment, precision)


def claim_number(kind: str, read: Callable[[bytes], float | None], form: str, precision: float = 1) -> Normaliser:
    """Make a normaliser of fields of one kind that hold one moment and nothing else."""

    def normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
        if field.kind == kind:
            moment = read(field.value)
            if moment is not None and is_of_build(side, moment, precision):
                yield Claim(0, len(field.value), form)

    return normalise


def claim_times(field: Field, side: SideContext) -> Iterator[Claim]:
    """Claim every time in a text that the build may have printed."""
    for time in find_times(field.value):
        if is_of_build(side, time.moment, time.precision):
            yield Claim(time.start, time.end, time.form)


def little_endian(value: bytes) -> float | None:
    """Read seconds since 1970, counted in little-endian order; 0 means none."""
    return int.from_bytes(value, "little") or None
