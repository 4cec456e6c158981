"""The modification times of tar entries, which several causes share out among themselves by what the entry is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from verifier.causes.cause import Claim, Normaliser, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field


def claim_entry_time(belongs: Callable[[Place], bool]) -> Normaliser:
    """Make a normaliser of the mtimes of the entries that `belongs` picks."""

    def normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
        if place.part != "layer" or place.field != "mtime" or field.kind != "mtime" or not belongs(place):
            return
        whole, _, fraction = field.value.partition(b".")
        if not whole.isdigit() or not (fraction.isdigit() or not fraction):
            return
        if is_of_build(side, float(field.value), 10.0 ** -len(fraction)):
            yield Claim(0, len(field.value), "seconds with a fraction" if fraction else "seconds")

    return normalise


def claim_time_if(holds: Callable[[float, Place, SideContext], bool]) -> Normaliser:
    """Make a normaliser of the mtimes of entries for which `holds`, given the time in seconds since 1970."""

    def normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
        if place.part != "layer" or place.field != "mtime" or field.kind != "mtime":
            return
        whole, _, fraction = field.value.removeprefix(b"-").partition(b".")
        if not whole.isdigit() or not (fraction.isdigit() or not fraction):
            return
        if holds(float(field.value), place, side):
            yield Claim(0, len(field.value), "seconds with a fraction" if fraction else "seconds")

    return normalise


def is_whiteout(place: Place) -> bool:
    """Tell whether an entry hides something of the layers below."""
    return place.path is not None and place.path.rpartition(b"/")[2].startswith(b".wh.")


_MOUNT_POINTS: Final = frozenset({b"/proc", b"/sys", b"/dev", b"/etc/hosts", b"/etc/hostname", b"/etc/resolv.conf"})


def is_mount_point(place: Place) -> bool:
    """Tell whether builders mount something over an entry while a RUN runs (and make it, where the base has none)."""
    return place.path in _MOUNT_POINTS
