"""A program wrote how long something took.

What varies: the seconds or milliseconds that a step, a test or a build needed, as test reports, server logs, build
tools and `time` write them; how many bytes a second were downloaded or copied.

Why it matters: the machine is never as fast twice, so that a log or a report that is kept makes the layer another one,
also where every date in it was fixed.

How it is recognised: in text, a number with its unit, no longer than the build itself ran, where the words around it
say that it is a duration: `in`, `took`, `elapsed`, `time`, `duration`, `total` before it, `ago` behind it, brackets
around it, JUnit's `time="…"`, JSON's `"duration": …`, the lines of `time` and of IPython's `%time`, those of
`.ninja_log`, PostgreSQL's `write=0.015 s`, dd's `copied, 0.1 s`; and any `12.5 MB/s`. The unit may vary with it: a
second is `998 ms` or `1.02 s`. What is set and not measured (a timeout, an interval, an age) is not claimed. What it
should be is not known: hence this is never called proven.

Remedy: remove the log or the report in the RUN that writes it, or write it elsewhere (`>/dev/null`).

Source: time(1); dd(1); JUnit's XML report, attribute `time`; PostgreSQL documentation, `log_checkpoints`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_SECONDS: Final = {
    b"ns": 1e-9, b"us": 1e-6, b"\xc2\xb5s": 1e-6, b"\xce\xbcs": 1e-6, b"ms": 1e-3, b"msec": 1e-3, b"msecs": 1e-3,
    b"millis": 1e-3, b"milliseconds": 1e-3, b"s": 1, b"sec": 1, b"secs": 1, b"second": 1, b"seconds": 1,
}  # fmt: skip
"""What each unit is in seconds."""

_UNIT: Final = rb"(?P<unit>milliseconds|millis|msecs?|ms|ns|us|\xc2\xb5s|\xce\xbcs|seconds?|secs?|s)(?![\w.])"
_NUMBER: Final = rb"(?P<number>(?:\d{1,5}|\d{1,2}(?:,\d{3})+)(?:\.\d{1,18})?)"
_FORMS: Final = tuple(
    re.compile(form, re.MULTILINE | re.IGNORECASE)
    for form in (
        # where words say so: finished in 1.23s, took 12 ms, Total time:  4.2 s
        rb"(?<![\w-])(?:in|took|elapsed|time|duration|total)(?: (?:elapsed|time|of|taken))?"
        rb"(?: ?[:=]|\b) {0,4}[(~]?" + _NUMBER + rb" ?" + _UNIT,
        # in brackets of its own, or with the word behind it: 3 seconds ago
        rb"[(\[]" + _NUMBER + rb" ?" + _UNIT + rb"[)\]]",
        rb"(?<![\w.-])" + _NUMBER + rb" ?" + _UNIT + rb"(?= (?:elapsed|total|user|system|ago)\b)",
        # IPython's %time
        rb"(?<=CPU times: user )" + _NUMBER + rb" ?" + _UNIT + rb"(?=, sys: )",
        rb"(?<=, sys: )" + _NUMBER + rb" ?" + _UNIT + rb"(?=, total: )",
        # time(1), in the shell's form and in POSIX's
        rb"^(?:real|user|sys)[\t ]+(?P<minutes>\d{1,4}m)?(?P<number>\d{1,5}\.\d{2,3})s?$",
        # JUnit's report
        rb"<test(?:suites?|case)\b[^<>]{0,2000}? time=\"" + _NUMBER + rb"\"",
        # dd
        rb"\bcopied, (?P<number>\d{1,5}(?:\.\d{1,9})?(?:e-\d\d)?) (?P<unit>s)(?=,)",
        # PostgreSQL's checkpoints
        rb"\b(?:write|sync|total|longest|average)=(?P<number>\d+\.\d{3})(?= s\b)",
    )
)
_MEMBER: Final = re.compile(
    rb"\"(?:[A-Za-z]+_)?(?:duration|elapsed|took|(?:elapsed|run|wall|cpu|total|build)_?time)"
    rb"(?:_?(?P<unit>ns|us|ms|millis|msecs?|s|secs?|seconds))?\"\s*:\s*(?P<number>\d{1,9}(?:\.\d{1,20})?(?:[eE]-\d{1,2})?)"
    rb"(?=\s*[,}\]])",
    re.IGNORECASE,
)
"""A member of a JSON object; without a unit it may count milliseconds."""

_RATE: Final = re.compile(rb"(?<![\w.,])(\d{1,5}(?:[.,]\d{1,3})? ?[kKMGT]?i?B)(?=/s\b)")
_NINJA_HEAD: Final = b"# ninja log v"
_NINJA_LINE: Final = re.compile(rb"^(\d{1,7})\t(\d{1,7})\t\d+\t[^\t\n]+\t[0-9a-f]{1,16}$", re.MULTILINE)
"""Ninja's log: milliseconds from the start of the build to that of the step, and to its end."""

_SET: Final = re.compile(
    rb"time.?out|interval|delay|expir|retr(?:y|ies)|keep.?alive|\bmax|\bmin\b|limit|\bttl\b|\bage\b|every|sleep|wait"
    rb"|refresh|poll|deadline|grace|threshold|default",
    re.IGNORECASE,
)
"""What a line speaks of where a time in it was set, not measured."""

_MAX_BYTES: Final = 4 * 1024 * 1024


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content" or field.kind != "text" or side.window is None or len(field.value) > _MAX_BYTES:
        return
    longest = side.window.end - side.window.start
    if field.value.startswith(_NINJA_HEAD):
        for line in _NINJA_LINE.finditer(field.value):
            if int(line[2]) / 1000 <= longest:
                yield Claim(*line.span(1), "milliseconds to the start")
                yield Claim(*line.span(2), "milliseconds to the end")
        return
    found = {
        _span(match): Claim(*_span(match), _form(match))
        for form in _FORMS
        for match in form.finditer(field.value)
        if _seconds(match) <= longest and not _SET.search(_line(field.value, match))
    }
    for match in _MEMBER.finditer(field.value):
        seconds = float(match["number"]) * _SECONDS[(match["unit"] or b"ms").lower()]
        if seconds <= longest and not _SET.search(match[0]):
            found[match.span("number")] = Claim(*match.span("number"), "a duration in an object")
    for match in _RATE.finditer(field.value):
        if not _SET.search(_line(field.value, match)):
            found[match.span(1)] = Claim(*match.span(1), "bytes a second")
    end = 0
    for claim in sorted(found.values()):
        if claim.start >= end:
            end = claim.end
            yield claim


def _span(match: re.Match[bytes]) -> tuple[int, int]:
    """Give the stretch of a number with its unit: one that took longer may be told in another."""
    groups = match.groupdict()
    return match.start("minutes" if groups.get("minutes") else "number"), match.end(
        "unit" if "unit" in groups else "number"
    )


def _seconds(match: re.Match[bytes]) -> float:
    groups = match.groupdict()
    minutes = int(groups["minutes"][:-1]) if groups.get("minutes") else 0
    unit = (groups.get("unit") or b"s").lower()
    return minutes * 60 + float(match["number"].replace(b",", b"")) * _SECONDS[unit]


def _line(text: bytes, match: re.Match[bytes]) -> bytes:
    start = text.rfind(b"\n", 0, match.start()) + 1
    return text[start : match.end()]


def _form(match: re.Match[bytes]) -> str:
    return "a duration with its unit" if "unit" in match.groupdict() else "a duration in s"


cause = Cause(
    slug="elapsed-time",
    page=__doc__ or "",
    remedy="remove the log or the report in the RUN that writes it, or do not write it",
    opaque=True,
    timed=True,
    normalise=_normalise,
)
