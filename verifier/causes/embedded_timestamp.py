"""A program wrote the time of the build into a file.

What varies: a date, in any of the forms that programs print: ISO 8601 with its weeks and ordinal days, RFC 2822 and
850, ctime, date(1) in many languages, syslog, a web server's log, X.509, 12-hour clocks, or seconds, milli-, micro- and
nanoseconds since 1970, in figures or in 32 and 64 bits of either byte order, Windows' and MS-DOS's counts too. Also
the name of a file or folder that holds such a date, and a link to it.

Why it matters: one line of output, or one generated header, makes the whole layer another.

How it is recognised: a value of such a form that lies within its own build's window; where no zone is written also a
whole number of half hours away from it, the same on both sides. A date that lies elsewhere is none of this build's,
and without a window there is no telling: then nothing is claimed. In bytes of no known format 32-bit counts are
claimed only where chance alone would hardly put one: by the content's size and the window's length. So in a program's
constants, where literals of Go's and Rust's run into each other. In a pickle (joblib's, too) by its operations: a
`datetime` in its ten packed bytes, a number that counts from 1970, a string; in arrays 64-bit counts, as NumPy's
`datetime64` are. In an HDF5 file by its objects' headers, which hold when they were written. In a message catalogue of
gettext's (`.mo`) by its header's `POT-Creation-Date`. Names with a date are paired where everything else about the two
entries is the same, or explained.

Remedy: do not write it, or take it from SOURCE_DATE_EPOCH: `date -u -d @$SOURCE_DATE_EPOCH`, with `ARG
SOURCE_DATE_EPOCH` in the stage. HDF5: `track_times=False` (h5py, PyTables, pandas' `HDFStore.put`). A notebook:
nbconvert's `--ExecutePreprocessor.record_timing=False`.

Source: https://reproducible-builds.org/docs/source-date-epoch/; HDF5 File Format Specification, version 3, IV.A "Data
Object Headers"; GNU gettext manual, "The Format of GNU MO Files"; Python, `datetime`, `pickle`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import CONTENTS, HEADERS, Cause, Claim, NewName, Place, SideContext
from verifier.causes.moments import (
    claim_binary_times,
    claim_counts,
    claim_number_times,
    claim_printed_times,
    claim_times,
)
from verifier.causes.program_times import claim_program_times
from verifier.causes.rules.build_facts import clock_risks
from verifier.formats.elf_strings import STRING_KINDS
from verifier.formats.field import Field

__all__ = ["cause"]


_NUMBERS: Final = frozenset({"pickle-datetime", "pickle-float", "pickle-integer", "array", "counts", "hdf5-time"})
_COUNTED: Final = ("seconds since 1970", "tenths of microseconds", "hexadecimal seconds")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if field.kind == "linkname":
        yield from claim_printed_times(field, side)
    if place.field != "content" or side.window is None:
        return
    if field.kind == "text":
        for claim in claim_times(field, side):
            # where the zones differ on purpose, a calendar's times are the zones' affair
            if not side.local_times or claim.form.startswith(_COUNTED):
                yield claim
    elif field.kind in _NUMBERS:
        yield from claim_number_times(field, side)
    elif field.kind in ("marshal", "hdf5-data"):
        yield from claim_printed_times(field, side)
    elif field.kind in STRING_KINDS:
        yield from claim_program_times(field, side)
    elif (field.kind, field.name) == ("elf", ".text"):
        yield from claim_counts(field, side)  # instructions hold small constants themselves
    elif field.kind == "bytes" and not field.name:  # no known format has named it
        yield from claim_binary_times(field, side)


def _rename(place: Place, side: SideContext) -> NewName | None:
    name = Field(name="path", kind="text", value=place.path or b"", offset=0)
    renamed, end = b"", 0
    for claim in claim_printed_times(name, side):
        renamed += name.value[end : claim.start] + f"<{claim.form}>".encode()
        end = claim.end
    return NewName(renamed + name.value[end:]) if end else None


cause = Cause(
    slug="embedded-timestamp",
    page=__doc__ or "",
    remedy="leave the date out, or take it from SOURCE_DATE_EPOCH, declared as ARG: date -u -d @$SOURCE_DATE_EPOCH",
    timed=True,
    reach=CONTENTS | HEADERS,
    normalise=_normalise,
    rename=_rename,
    risk=clock_risks,
)
