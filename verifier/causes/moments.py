"""Whether a moment may have been written by a build: what every cause of times asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from verifier.causes.cause import CLOCK_SLACK, Claim, Normaliser, Place, SideContext
from verifier.formats.binary_times import find_binary_times
from verifier.formats.field import Field
from verifier.formats.number_times import double, integer_readings, packed_date, times_in_array
from verifier.formats.times import find_times

_EARLIEST: Final = 315532800
"""1980: no build is older, and ZIP cannot count from earlier …"""

_LATEST: Final = 4102444800
"""… nor later than 2100."""

_ZONE_STEP: Final = 1800
"""Seconds that neighbouring zones are apart."""

_MINUTE: Final = 60
_MICROSECOND: Final = 0.000001

_FIRST_ZONE: Final = -12 * 60
_LAST_ZONE: Final = 14 * 60


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


def claim_times(field: Field, side: SideContext, *, any_zone: bool = False) -> Iterator[Claim]:
    """Claim every time in a text that the build may have printed, in its own zone where it has one.

    A local time is told by its distance to the window: a whole number of half hours, which both sides must share. With
    `any_zone` the zone that is written may be wrong: a build that was put elsewhere prints what it likes.
    """
    window = side.window
    if window is None:
        for time in find_times(field.value, lambda moment, step: is_of_build(side, moment, step)):
            yield Claim(time.start, time.end, time.form)
        return
    around = (window.start, window.end)
    for time in find_times(field.value, lambda moment, step: _offset(side, moment, step) is not None, around):
        offset = _offset(side, time.moment, time.precision)
        if offset == 0:
            yield Claim(time.start, time.end, time.form)
        elif offset is not None and (any_zone or not (time.zoned or time.form.startswith("clock"))):
            yield Claim(time.start, time.end, f"{time.form}, {offset:+} minutes")


def claim_binary_times(field: Field, side: SideContext) -> Iterator[Claim]:
    """Claim every time of the build in bytes of no known format: as a count, or printed in full."""
    if side.window is None:
        return
    around = (side.window.start - CLOCK_SLACK, side.window.end)
    claims = list(claim_counts(field, side))
    printed = find_times(field.value, lambda moment, step: step <= 1 and is_of_build(side, moment, step), around)
    claims += [
        Claim(time.start, time.end, time.form) for time in printed if not time.form.startswith(("clock", "hexadecimal"))
    ]
    end = 0
    for claim in sorted(claims):
        if claim.start >= end:
            end = claim.end
            yield claim


def claim_counts(field: Field, side: SideContext) -> Iterator[Claim]:
    """Claim every time of the build that is counted in bytes of no known format."""
    if side.window is None:
        return
    around = (side.window.start - CLOCK_SLACK, side.window.end)
    for time in find_binary_times(field.value, around):
        yield Claim(time.start, time.end, f"{time.form}, at {time.start}")


def claim_printed_times(field: Field, side: SideContext) -> Iterator[Claim]:
    """Claim every time of the build that stands printed, with date and clock, among other bytes."""
    if side.window is None:
        return
    around = (side.window.start - CLOCK_SLACK, side.window.end)
    printed = find_times(field.value, lambda moment, step: step <= _MINUTE and is_of_build(side, moment, step), around)
    for time in printed:
        if not time.form.startswith(("clock", "hexadecimal")):
            yield Claim(time.start, time.end, time.form)


def claim_number_times(field: Field, side: SideContext) -> Iterator[Claim]:
    """Claim a time of the build that stands among the numbers of a pickle, of an array or of an HDF5 file."""
    if side.window is None:
        return
    size = len(field.value)
    if field.kind == "hdf5-time" and is_of_build(side, int.from_bytes(field.value, "little")):
        yield Claim(0, size, "seconds")
    if field.kind == "pickle-datetime":
        moment = packed_date(field.value)
        offset = None if moment is None else _offset(side, moment, _MICROSECOND)
        if offset is not None:
            yield Claim(0, size, f"a packed date, {offset:+} minutes")
    elif field.kind == "pickle-float":
        if is_of_build(side, double(field.value), _MICROSECOND):
            yield Claim(0, size, "seconds as a double")
    elif field.kind == "pickle-integer":
        for moment, step, unit in integer_readings(field.value):
            if is_of_build(side, moment, step):
                yield Claim(0, size, unit)
                return
    elif field.kind in ("array", "counts"):
        around = (side.window.start - CLOCK_SLACK, side.window.end)
        for time in times_in_array(field.value, around):
            yield Claim(time.start, time.end, f"{time.form}, at {time.start}")


def _offset(side: SideContext, moment: float, step: float) -> int | None:
    """Tell how many minutes a clock is before UTC that showed `moment` during the build; None for no zone's clock."""
    if is_of_build(side, moment, step):
        return 0
    window = side.window
    if window is None or window.end - window.start > _ZONE_STEP / 2 or step > 1:
        return None
    minutes = round((moment - window.end) / _ZONE_STEP) * (_ZONE_STEP // 60)
    for offset in (minutes, minutes + _ZONE_STEP // 60):
        if _FIRST_ZONE <= offset <= _LAST_ZONE and is_of_build(side, moment - offset * 60, step):
            return offset
    return None


def little_endian(value: bytes) -> float | None:
    """Read seconds since 1970, counted in little-endian order; 0 means none."""
    return int.from_bytes(value, "little") or None
