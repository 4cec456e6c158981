"""The forms in which programs print times, as patterns, each with the reader of what it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from verifier.formats.month_names import LETTER, WORD
from verifier.formats.time_readings import (
    ZONES,
    Around,
    Match,
    Meaning,
    read_clock_alone,
    read_counted,
    read_either,
    read_hexadecimal,
    read_month_alone,
    read_named,
    read_numeric,
    read_ordinal,
    read_python,
    read_tenths_of_microseconds,
    read_two_digit_year,
    read_week,
)

_MONTH: Final = rb"(?P<month>" + WORD + rb")"
_ZONE_NAMES: Final = sorted(ZONES, key=len, reverse=True)
_ZONE: Final = rb"(?P<zone>" + b"|".join(_ZONE_NAMES) + rb"|[+-]\d\d(?::?\d\d|'\d\d'?)?)(?!\w)"
_CLOCK: Final = rb"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d):(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?"
_ANY_CLOCK: Final = (
    rb"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    rb"(?:[ \xa0]?(?P<half>[AaPp]\.?[Mm]\b\.?))?"
)
_WEEKDAY: Final = (
    rb"(?P<weekday>(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*|" + LETTER + rb"{2,6}(?=\.)|Mo|Di|Mi|Do|Fr|Sa|So)"
)
_WORD_START: Final = rb"(?<![\w\x80-\xff])(?:" + _WEEKDAY + rb"\.?,? )?"
_YEAR_LAST: Final = rb"(?: (?P<year>[12]\d{3})(?!\w)|(?!:?\w| [12]\d{3}(?!\w)))"
_NAMED_DAY: Final = rb"(?P<day>[0-3]?\d)(?:st|nd|rd|th|\.|er)?"


class Form(NamedTuple):
    """One form: its name, its pattern, and what a match of it may mean in the time around a build."""

    name: str
    pattern: re.Pattern[bytes]
    read: Callable[[Match, Around | None], Iterable[Meaning]]


_PYTHON: Final = (
    rb"datetime\((?P<year>\d{4}), (?P<month>\d\d?), (?P<day>\d\d?), (?P<hour>\d\d?), (?P<minute>\d\d?)"
    rb"(?:, (?P<second>\d\d?)(?:, (?P<micro>\d{1,6}))?)?"
)
_DATE: Final = rb"(?P<year>[12]\d{3})(?P<separator>[-/.])(?P<month>0[1-9]|1[0-2])(?P=separator)(?P<day>[0-3]\d)"

FORMS: Final = tuple(
    Form(name, re.compile(pattern), read)
    for name, pattern, read in (
        (
            "common log",
            rb"(?<!\d)(?P<day>\d\d)/"
            + _MONTH
            + rb"/(?P<year>\d{4})[: ]"
            + _CLOCK
            + rb"(?: (?P<zone>[+-]\d{4}))?(?!\d)",
            read_named,
        ),
        (
            # RFC 2822, Netscape's cookies, dates in most languages, TeX's log
            "day month year",
            _WORD_START + _NAMED_DAY + rb"(?:[ -]| de )" + _MONTH + rb"\.?(?:[ -]|, | de )(?P<year>[12]\d{3})"
            rb"(?:(?:,? | at |, at | um | \xc3\xa0 )" + _ANY_CLOCK + rb"(?: " + _ZONE + rb")?)?(?!\w)",
            read_named,
        ),
        (
            "day month clock",
            _WORD_START
            + _NAMED_DAY
            + rb" "
            + _MONTH
            + rb"\.?,? "
            + _ANY_CLOCK
            + rb"(?: "
            + _ZONE
            + rb")?"
            + _YEAR_LAST,
            read_named,
        ),
        (
            "RFC 850",
            _WORD_START + rb"(?P<day>\d\d)-" + _MONTH + rb"-(?P<year>\d\d) " + _CLOCK + rb" " + _ZONE,
            read_two_digit_year,
        ),
        (
            # C's __DATE__, Java's DateFormat, apt's and git's kin
            "month day year",
            _WORD_START + _MONTH + rb"\.?  ?" + _NAMED_DAY + rb",? (?P<year>[12]\d{3})"
            rb"(?:(?:,? | at |, at )" + _ANY_CLOCK + rb"(?: " + _ZONE + rb")?)?(?!\w)",
            read_named,
        ),
        (
            # ctime(3), date(1), syslog without a year
            "month day clock",
            _WORD_START
            + _MONTH
            + rb"\.?  ?"
            + _NAMED_DAY
            + rb",? "
            + _ANY_CLOCK
            + rb"(?: "
            + _ZONE
            + rb")?"
            + _YEAR_LAST,
            read_named,
        ),
        (
            "month and year",
            rb"(?<![\w\x80-\xff-])(?<!\d )" + _MONTH + rb",? (?P<year>[12]\d{3})(?![\w:-])",
            read_month_alone,
        ),
        (
            "ISO 8601",
            rb"(?<![\d.-])" + _DATE + rb"(?P<between>T| {1,2}|_|-|, )(?P<hour>[01]\d|2[0-3])(?P<colon>\\:|[:.-]?)"
            rb"(?P<minute>[0-5]\d)(?:(?P=colon)(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
            rb"(?:(?P<gap> ?)" + _ZONE + rb"(?: [A-Z]{3,5}(?!\w))?(?P<monotonic> m=[+-]\d+\.\d+)?)?(?!:?\d)",
            read_numeric,
        ),
        (
            # xjc's headers, .NET's and SQL tools' dates
            "date, clock of 12 hours",
            rb"(?<![\d.-])" + _DATE + rb"(?: at |, | {1,2})(?P<hour>0?[1-9]|1[0-2]):(?P<minute>[0-5]\d)"
            rb"(?::(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?)?[ \xa0]?(?P<half>[AaPp]\.?[Mm]\b\.?)"
            rb"(?: " + _ZONE + rb")?(?!\w)",
            read_numeric,
        ),
        (
            "ISO 8601 basic",
            rb"(?<!\d)(?P<year>[12]\d{3})(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)(?P<between>T|-|_|\.|)"
            rb"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)"
            rb"(?:[.,]?(?P<fraction>\d{9}|\d{6}|\d{3})(?!\d))?(?:" + _ZONE + rb")?(?!\d)",
            read_numeric,
        ),
        (
            "ISO 8601 basic, to the minute",
            (
                # a version may have it: 1.0.dev202611231234 (PEP 440), v202611231234
                rb"(?:(?<![\w.])|(?<=dev)|(?<=post)|(?<=\bv))"
                rb"(?P<year>[12]\d{3})(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)(?P<between>T|-|_|\.|)"
                rb"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<zone>Z)?(?![\w]|\.\d)"
            ),
            read_numeric,
        ),
        ("ISO 8601 date", rb"(?<!\d)(?<!\d[.-])" + _DATE + rb"(?![\w-]|[./]\d)", read_numeric),
        (
            "ISO 8601 basic date",
            rb"(?<![0-9A-Za-z])(?<!\d\.)(?P<year>[12]\d{3})(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)(?!\w|\.\d)",
            read_numeric,
        ),
        (
            "ordinal date",
            rb"(?<![\w.-])(?P<year>[12]\d{3})-(?P<ordinal>[0-3]\d\d)(?:T" + _CLOCK + rb"(?P<zone>Z)?)?(?![\w-])",
            read_ordinal,
        ),
        (
            "week date",
            rb"(?<![\w.-])(?P<year>[12]\d{3})-?W(?P<week>[0-5]\d)(?:-?(?P<weekday>[1-7]))?(?![\w])",
            read_week,
        ),
        (
            "day and month in figures",
            rb"(?<![\w./-])(?P<one>[0-3]?\d)(?P<separator>[/.-])(?P<two>[0-3]?\d)(?P=separator)(?P<year>[12]\d{3})"
            rb"(?:(?:, | | at )" + _ANY_CLOCK + rb"(?: " + _ZONE + rb")?)?(?![\w/]|[.:]\d)",
            read_either,
        ),
        (
            "UTCTime",
            (
                rb"(?<![\w.])(?P<year>\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)"
                rb"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)(?P<zone>Z)(?!\w)"
            ),
            read_two_digit_year,
        ),
        (
            # date +%y%m%d-%H%M
            "two figures of the year",
            (
                rb"(?<![0-9A-Za-z])(?<!\d[.-])(?P<year>\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)(?P<between>T|-|_|\.|)"
                rb"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)?(?![0-9A-Za-z]|[.-]\d)"
            ),
            read_two_digit_year,
        ),
        ("clock", rb"(?<![\w:.-])(?<!\d )" + _CLOCK + rb"(?![\w:])", read_clock_alone),
        (
            "seconds since 1970",
            rb"(?<![\w.])(?P<digits>[1-9](?:\d{9}|\d{12}|\d{15}|\d{18}))(?:\.(?P<fraction>\d{1,10}))?(?![\w]|\.\d)",
            read_counted,
        ),
        ("tenths of microseconds", rb"(?<![\w.])(?P<digits>[1-9]\d{17})(?![\w]|\.\d)", read_tenths_of_microseconds),
        (
            "hexadecimal seconds",
            rb"(?<![\w.-])(?P<digits>[0-9a-f]{8}|[0-9A-F]{8})(?P<micro>[0-9a-f]{5})?(?![\w-])",
            read_hexadecimal,
        ),
        (
            # what Erlang prints of calendar:universal_time(), or of date() and time()
            "Erlang",
            (
                rb"(?<!\w)\{(?P<year>[12]\d{3}),(?P<month>[1-9]|1[0-2]),(?P<day>[1-9]|[12]\d|3[01])\}(?:, ?| )"
                rb"\{(?P<hour>1?\d|2[0-3]),(?P<minute>[1-5]?\d),(?P<second>[1-5]?\d)\}"
            ),
            read_numeric,
        ),
        ("Python", rb"\b" + _PYTHON + rb"(?=[,)])", read_python),
    )
)
"""In no order that matters: of two matches at one place, the longer one counts."""
