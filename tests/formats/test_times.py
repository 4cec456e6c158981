"""Times in every form that programs print, and in bytes; what is none of them."""

from __future__ import annotations

import os
import random
import struct
from datetime import UTC, datetime

import pytest

from verifier.formats.binary_times import find_binary_times
from verifier.formats.times import FoundTime, find_times, parse_rfc3339

START = 1_795_422_545
"""2026-11-23 08:29:05 UTC."""

WINDOW = (float(START), START + 55.0)
MOMENT = START + 10


def within(moment: float, step: float) -> bool:
    return WINDOW[0] - 1 - step < moment <= WINDOW[1]


def found(text: bytes) -> list[FoundTime]:
    return list(find_times(text, within, WINDOW))


def printed(form: str, moment: float = MOMENT) -> bytes:
    return datetime.fromtimestamp(moment, UTC).strftime(form).encode()


EXACT = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.25Z",
    "%Y-%m-%d_%H-%M-%S",
    "%Y.%m.%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.123456789 +0000 UTC m=+0.012345",
    "%Y%m%dT%H%M%SZ",
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M%S.250",
    "%y%m%d%H%M%SZ",
    "%a %b %d %H:%M:%S UTC %Y",
    "%a %b %e %H:%M:%S %Y",
    "%a %b %d %I:%M:%S %p UTC %Y",
    "%a %d %b %Y %I:%M:%S %p UTC",
    "%b %d %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S +0000",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a, %d-%b-%Y %H:%M:%S GMT",
    "%d/%b/%Y:%H:%M:%S +0000",
    "%b %d, %Y %-I:%M:%S %p",
    "%d %B %Y at %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y, %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%H:%M:%S",
    "%Y-%jT%H:%M:%SZ",
    "Mo %d. %b %H:%M:%S UTC %Y",
    "lun. %d nov. %Y %H:%M:%S UTC",
    "%d de noviembre de %Y, %H:%M:%S",
    "D:%Y%m%d%H%M%S+00'00'",
    "datetime.datetime(%Y, %-m, %-d, %-H, %-M, %-S, 123)",
    "{built,{{%Y,%-m,%-d},{%-H,%-M,%-S}}}.",
    "%%%% generated at {%Y,%-m,%-d} {%-H,%-M,%-S}",
)


@pytest.mark.parametrize("form", EXACT)
def test_a_time_to_the_second(form: str) -> None:
    text = b"made " + printed(form) + b" by x"
    times = found(text)
    assert len(times) == 1
    assert MOMENT <= times[0].moment < MOMENT + 1
    assert times[0].precision <= 1
    assert found(b"made " + printed(form, MOMENT + 5000) + b" by x") == []


@pytest.mark.parametrize(
    ("form", "step"),
    [
        ("%Y-%m-%d", 86400),
        ("%Y%m%d", 86400),
        ("%Y-%j", 86400),
        ("%G-W%V-%u", 86400),
        ("%b %e %Y", 86400),
        ("%B %d, %Y", 86400),
        ("%d %B %Y", 86400),
        ("%d/%m/%Y", 86400),
        ("%Y-%m-%d %H:%M", 60),
        ("%d %b %Y %H:%M", 60),
        ("%Y%m%d%H%M", 60),
        ("%B %Y", 30 * 86400),
    ],
)
def test_a_coarser_time(form: str, step: float) -> None:
    times = found(b"x " + printed(form) + b"\n")
    assert [time.precision for time in times] == [step]
    assert found(b"x " + printed(form, MOMENT - 40 * 86400) + b"\n") == []


@pytest.mark.parametrize(
    "text",
    [
        b"%d" % MOMENT,
        b"%d +0000" % MOMENT,
        b'{"t":%d123}' % MOMENT,
        b"%d123456" % MOMENT,
        b"%d123456789" % MOMENT,
        b"%d.123456" % MOMENT,
        b"%d" % ((MOMENT + 11_644_473_600) * 10**7),
        b"%d" % ((MOMENT + 62_135_596_800) * 10**7),
        b"%x" % MOMENT,
        b"%X" % MOMENT,
        b"%x%05x" % (MOMENT, 99_999),
    ],
)
def test_a_count(text: bytes) -> None:
    assert [int(time.moment) for time in found(text)] == [MOMENT]
    assert found(text.replace(b"%d" % MOMENT, b"%d" % (MOMENT + 900))) == [] or b"%d" % MOMENT not in text


@pytest.mark.parametrize(
    "text",
    [
        b"1.%d" % MOMENT,
        b"v%d" % MOMENT,
        b"%d0" % MOMENT,
        b"%d.5.1" % MOMENT,
        b"a%x" % MOMENT,
        b"%x-%x" % (MOMENT, MOMENT),
        b"2026-11-31 08:29:15",
        b"Tue Nov 23 08:29:15 UTC 2026",
        b"Nop 23 08:29:15 2026",
        b"2026-11-23T08:29:15+15:00",
        b"13:29:15 PM",
        b"1.20261123.2",
        b"{2026,11,23},[8,29,15]",
        b"{2026,11,23},{8,29,75}",
        b"f{2026,11,23},{8,29,15}",
    ],
)
def test_what_only_looks_like_one(text: bytes) -> None:
    assert found(text) == []


@pytest.mark.parametrize("form", ["%Y.%m.%d at %I:%M:%S %p UTC", "%Y-%m-%d %I:%M:%S %p", "%Y/%m/%d, %-I:%M:%S.5 %p"])
def test_half_of_a_day_counts(form: str) -> None:
    evening = MOMENT + 12 * 3600
    for moment in (MOMENT, evening):
        assert [int(time.moment) for time in find_times(printed(form, moment))] == [moment]
    assert found(printed(form, evening)) == []


def test_a_half_has_twelve_hours() -> None:
    assert [time.precision for time in find_times(b"2026.11.23 at 20:29:15 PM")] == [86400]
    assert [time.precision for time in find_times(b"2026.11.23 at 00:29:15 AM")] == [86400]


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S,123", "%b %d %H:%M:%S"])
def test_a_colon_may_follow_as_in_a_log(form: str) -> None:
    whole = [time for time in found(printed(form) + b": started\n") if time.precision <= 1]
    assert [(time.start, time.end) for time in whole] == [(0, len(printed(form)))]
    # more figures behind the seconds are part of something else
    further = printed(form).removesuffix(b",123") + b":17\n"
    assert [time for time in found(further) if time.precision <= 1] == []


def test_a_level_may_follow_as_in_pythons_logs() -> None:
    text = printed("%Y-%m-%d %H:%M:%S,123") + b":DEBUG:certbot"
    assert [(time.start, time.end) for time in found(text)] == [(0, 23)]


def test_a_zone_is_counted_in() -> None:
    for text in (b"2026-11-23 09:29:15 +0100", b"2026-11-23T03:29:15-05:00", b"Mon Nov 23 09:29:15 CET 2026"):
        assert [time.moment for time in found(text)] == [MOMENT]


def test_an_ambiguous_date_is_read_as_the_one_that_is_looked_for() -> None:
    day = datetime(2026, 12, 11, tzinfo=UTC).timestamp()
    for text in (b"11/12/2026", b"12/11/2026"):
        times = list(find_times(text, lambda moment, _: moment == day))
        assert [time.moment for time in times] == [day]


def test_days_and_hours_are_written_alike_whether_padded_or_not() -> None:
    forms = {next(find_times(text)).form for text in (b"Nov  9 2026 8:05:01", b"Nov 23 2026 10:05:01")}
    assert len(forms) == 1
    assert next(find_times(b"2026-11-23T08:29:15Z")).form != next(find_times(b"2026-11-23 08:29:15Z")).form


def test_what_leaves_out_the_year_or_the_day_needs_a_window() -> None:
    assert list(find_times(b"Nov 23 08:29:15 host")) == []
    assert list(find_times(b"08:29:15")) == []
    hour = (WINDOW[0], WINDOW[0] + 4000)
    assert list(find_times(b"08:29:15", lambda moment, _: hour[0] <= moment <= hour[1], hour)) == []


def test_a_large_text_is_searched_near_what_every_time_of_the_window_has() -> None:
    filler = b"word 12:00 2024-01-01 1234567890 " * 4_000
    for form in EXACT:
        text = filler + b"\n" + printed(form) + b"\n" + filler
        assert len(found(text)) == 1, form


def test_rfc3339_whole() -> None:
    assert parse_rfc3339(b"2026-11-23T08:29:15.5Z") == (MOMENT + 0.5, 0.1)
    assert parse_rfc3339(b"at 2026-11-23T08:29:15Z") is None
    assert parse_rfc3339(b"2026-11-23") is None


class TestBinary:
    ENCODED = (
        struct.pack("<I", MOMENT),
        struct.pack(">I", MOMENT),
        struct.pack("<Q", MOMENT),
        struct.pack(">q", MOMENT),
        struct.pack("<Q", MOMENT * 1000 + 5),
        struct.pack(">Q", MOMENT * 1000 + 5),
        struct.pack("<Q", MOMENT * 10**6 + 5),
        struct.pack(">Q", MOMENT * 10**9 + 5),
        struct.pack("<Q", (MOMENT + 11_644_473_600) * 10**7),
        struct.pack("<d", MOMENT + 0.25),
        struct.pack(">d", MOMENT + 0.25),
    )

    @pytest.mark.parametrize("value", ENCODED, ids=lambda value: value.hex())
    def test_every_width_and_order_at_any_offset(self, value: bytes) -> None:
        for before in (0, 1, 7, 64):
            data = b"\xfe" * before + value + b"\xfe" * 50
            times = list(find_binary_times(data, WINDOW))
            assert len(times) == 1
            assert before <= times[0].start < times[0].end <= before + len(value)
        other = struct.pack("<I", MOMENT + 9000)
        assert list(find_binary_times(b"\xfe" * 9 + other + b"\xfe" * 50, WINDOW)) == []

    def test_dos_counts_two_seconds_at_a_time(self) -> None:
        time = datetime.fromtimestamp(MOMENT, UTC)
        day = (time.year - 1980) << 9 | time.month << 5 | time.day
        clock = time.hour << 11 | time.minute << 5 | time.second // 2
        times = list(find_binary_times(b"\xfe" * 5 + struct.pack("<HH", clock, day) + b"\xfe" * 5, WINDOW))
        assert [time.form for time in times] == ["MS-DOS time, 32 bits, little endian"]

    def test_the_fraction_behind_64_bits_is_a_time_as_well(self) -> None:
        data = b"\xfe" * 8 + struct.pack("<qq", MOMENT, 987_654_321) + b"\xfe" * 8
        assert [(time.start, time.end) for time in find_binary_times(data, WINDOW)] == [(8, 12), (16, 24)]
        data = b"\xfe" * 8 + struct.pack("<qq", MOMENT, 1_987_654_321) + b"\xfe" * 8
        assert [(time.start, time.end) for time in find_binary_times(data, WINDOW)] == [(8, 12)]

    def test_in_so_many_bytes_four_of_them_say_nothing(self) -> None:
        value = struct.pack("<I", MOMENT)
        assert list(find_binary_times(value + bytes(100_000), WINDOW))
        assert not list(find_binary_times(value + b"\1" * 1_000_000, WINDOW))
        long = (WINDOW[0], WINDOW[0] + 10_000)
        assert not list(find_binary_times(value + b"\1" * 100_000, long))
        # 64 bits of seconds say much where a processor wants them
        assert not list(find_binary_times(bytes(4) + value + bytes(1_000_000), WINDOW))
        assert list(find_binary_times(bytes(8) + value + bytes(1_000_000), WINDOW))
        # 64 bits of milliseconds are none of chance's
        assert list(find_binary_times(struct.pack("<Q", MOMENT * 1000) + bytes(1_000_000), WINDOW))

    def test_chance_makes_next_to_none(self) -> None:
        source = random.Random(7)
        hits = sum(bool(list(find_binary_times(source.randbytes(50_000), WINDOW))) for _ in range(100))
        assert hits <= 3

    def test_hostile_sizes_end(self) -> None:
        assert list(find_binary_times(os.urandom(3), WINDOW)) == []
        assert list(find_binary_times(b"", WINDOW)) == []
