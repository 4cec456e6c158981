"""Find content that passes today and fails tomorrow: dates of the build's day in files that did not differ.

Two builds minutes apart write the same day into a file. Such a file is looked for in the built layers; a date that
stands in the context or in the base image already is input, and none of the build's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from verifier.causes import document_date, shadow_lastchg
from verifier.causes.cause import Place, SideContext
from verifier.formats.field import Field
from verifier.formats.text import is_text
from verifier.formats.times import FoundTime, find_times
from verifier.model.finding import Risk
from verifier.model.instruction import Instruction

MAX_FILE_BYTES: Final = 1024 * 1024
"""Of one file that is looked into; larger texts are data."""

MAX_SHOWN: Final = 5
"""Files named of one instruction and cause; the rest is counted."""

_MINUTE: Final = 60
_DAY: Final = 86400
_OVERLAP: Final = 64
_WRITTEN: Final = 40
_SHADOW: Final = frozenset({b"/etc/shadow", b"/etc/shadow-"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentDate:
    """One date of the build's day in one file: `written` is how it stands there."""

    cause: str
    path: bytes
    written: bytes
    instruction: Instruction | None


def find_latent_dates(
    files: Iterable[tuple[bytes, bytes]], side: SideContext, instruction: Instruction | None
) -> Iterator[LatentDate]:
    """Yield the dates in some files (path and content) that another day's build would write otherwise.

    Only what counts in days or minutes can agree in two builds: a date to the second that does is no build's.
    """
    if side.window is None:
        return
    around = (side.window.start, side.window.end)
    years = _years(around)
    for path, content in files:
        if path in _SHADOW:
            yield from _shadow_days(path, content, side, instruction)
        elif years.search(content) and is_text(content):
            place = Place(part="layer", field="content", path=path)
            for time in find_times(content, lambda moment, step: _is_latent(side, moment, step), around):
                cause = "document-date" if _is_documents(content, time, place, side) else "embedded-timestamp"
                yield LatentDate(
                    cause=cause, path=path, written=content[time.start : time.end], instruction=instruction
                )


def _years(around: tuple[float, float]) -> re.Pattern[bytes]:
    """Choose the texts worth a closer look: those that have the year as a number, however it is divided."""
    first, last = (datetime.fromtimestamp(moment, UTC) for moment in around)
    days = {first + timedelta(days=count) for count in range((last.date() - first.date()).days + 1)}
    return re.compile(b"|".join(sorted({f"{day:%Y}".encode() for day in days})))


def _is_latent(side: SideContext, moment: float, step: float) -> bool:
    if side.window is None or not _MINUTE <= step <= _DAY or not side.window.holds(moment, step):
        return False
    # a date that follows the epoch stays the same as long as the epoch does
    return side.epoch is None or not moment <= side.epoch < moment + step


def _is_documents(content: bytes, time: FoundTime, place: Place, side: SideContext) -> bool:
    """Tell whether it is a document's own word for its date that stands before it."""
    normalise = document_date.cause.normalise
    line = content.rfind(b"\n", 0, time.start) + 1
    field = Field(name="", kind="text", value=content[line : time.end], offset=line)
    claims = [] if normalise is None else list(normalise(field, place, side))
    return any(line + claim.start == time.start for claim in claims)


def _shadow_days(
    path: bytes, content: bytes, side: SideContext, instruction: Instruction | None
) -> Iterator[LatentDate]:
    normalise = shadow_lastchg.cause.normalise
    if normalise is None or (side.epoch is not None and side.window is not None and _is_today(side)):
        return
    field = Field(name="", kind="text", value=content, offset=0)
    for claim in normalise(field, Place(part="layer", field="content", path=path), side):
        written = content[claim.start : claim.end]
        yield LatentDate(cause=shadow_lastchg.cause.slug, path=path, written=written, instruction=instruction)


def _is_today(side: SideContext) -> bool:
    """Tell whether the epoch lies on the day of the build: then its day cannot be told from the clock's."""
    window, epoch = side.window, side.epoch
    return window is not None and epoch is not None and window.start // _DAY <= epoch // _DAY <= window.end // _DAY


def without_inputs(dates: Sequence[LatentDate], inputs: Iterable[Iterable[bytes]]) -> tuple[LatentDate, ...]:
    """Leave out the dates that stand, written alike, in one of the inputs: streams, read only where needed."""
    left = {date.written for date in dates if date.cause != shadow_lastchg.cause.slug}
    for stream in inputs:
        if not left:
            break
        left -= _standing(left, stream)
    days = shadow_lastchg.cause.slug
    return tuple(date for date in dates if date.cause == days or date.written in left)


def _standing(wanted: Iterable[bytes], stream: Iterable[bytes]) -> set[bytes]:
    # the day alone: in front of a clock it is another program's word
    dates = b"|".join(re.escape(written) for written in sorted(wanted))
    pattern = re.compile(rb"(?<![\w-])(?:" + dates + rb")(?![\w:-]|[ T_]{1,2}\d\d:)")
    found: set[bytes] = set()
    tail = b""
    for piece in stream:
        text = tail + piece
        found.update(match[0] for match in pattern.finditer(text))
        tail = text[-_OVERLAP:]
    return found


def latent_risks(dates: Iterable[LatentDate]) -> tuple[Risk, ...]:
    """State the dates as risks, one a file, bounded for each instruction and cause."""
    groups: dict[tuple[str, Instruction | None], dict[bytes, bytes]] = {}
    for date in dates:
        groups.setdefault((date.cause, date.instruction), {}).setdefault(date.path, date.written)
    risks = []
    for (cause, instruction), files in groups.items():
        shown = list(files.items())[:MAX_SHOWN]
        messages = [_message(path, written) for path, written in shown]
        if len(files) > len(shown):
            messages.append(f"{len(files) - len(shown)} more files hold the day of the build")
        risks += [
            Risk(cause=cause, severity="warning", instruction=instruction, status="latent", message=message)
            for message in messages
        ]
    return tuple(risks)


def _message(path: bytes, written: bytes) -> str:
    name, date = (value.decode("utf-8", "backslashreplace") for value in (path, written[:_WRITTEN]))
    return f"{name} holds the day of the build, `{date}`: tomorrow's build differs"
