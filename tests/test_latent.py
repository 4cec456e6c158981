"""Content that passes today and fails tomorrow: found where the build made it, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.causes.sides import FIRST, WINDOWS, at
from verifier.causes.cause import SideContext
from verifier.latent import MAX_SHOWN, LatentDate, find_latent_dates, latent_risks, without_inputs
from verifier.model.instruction import Instruction, StageRef

SIDE = WINDOWS[0]
RUN = Instruction(stage=StageRef(index=0), line=2, end_line=2, text="RUN make")


def dates(form: str, *, path: str = "/srv/f", moment: float = FIRST + 5, side: SideContext = SIDE) -> list[LatentDate]:
    return list(find_latent_dates([(path.encode(), at(moment, form))], side, RUN))


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%d\n", "v%Y%m%d\n", "built on %d %B %Y.\n", '#define D "%b %e %Y"\n', "%m/%d/%Y\n", "%Y-%m-%d %H:%M\n"],
)
def test_the_day_of_the_build_is_found(form: str) -> None:
    found = dates(form.replace("v%Y", "v %Y"))
    assert [item.cause for item in found] == ["embedded-timestamp"]
    assert found[0].instruction == RUN


def test_a_documents_date_is_called_so() -> None:
    assert [item.cause for item in dates('.TH X 1 "%Y-%m-%d"\n')] == ["document-date"]


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%SZ\n", "%s\n", "%Y\n", "%H:%M:%S\n", "November %Y\n", "1.2.%Y%m%d.4\n"]
)
def test_what_would_have_differed_or_is_no_day_is_not(form: str) -> None:
    assert dates(form) == []


@pytest.mark.parametrize("days", [-400, -2, 2, 31])
def test_another_day_is_not(days: int) -> None:
    assert dates("%Y-%m-%d\n", moment=FIRST + days * 86400) == []


def test_a_date_that_follows_the_epoch_is_not() -> None:
    assert dates("%Y-%m-%d\n", side=replace(SIDE, epoch=FIRST)) == []
    assert dates("%Y-%m-%d\n", side=replace(SIDE, epoch=315532800)) != []


def test_without_a_build_nothing_is() -> None:
    assert dates("%Y-%m-%d\n", side=SideContext()) == []


def test_the_days_of_shadow() -> None:
    today = int(datetime.fromtimestamp(FIRST, UTC).timestamp() // 86400)
    lines = f"root:*:19000:0:99999:7:::\nbob:!:{today}:0:99999:7:::\n".encode()
    found = list(find_latent_dates([(b"/etc/shadow", lines)], SIDE, RUN))
    assert [(item.cause, item.written) for item in found] == [("shadow-lastchg", str(today).encode())]
    assert without_inputs(found, [iter([str(today).encode()])]) == tuple(found)


def test_bytes_are_not_looked_into() -> None:
    assert list(find_latent_dates([(b"/f", b"\0" + at(FIRST, "%Y-%m-%d"))], SIDE, RUN)) == []


def test_what_an_input_holds_is_no_builds() -> None:
    found = dates("%Y-%m-%d\n")
    day = at(FIRST, "%Y-%m-%d")
    assert without_inputs(found, [iter([b"x\n" + day + b"\n"])]) == ()
    # cut in the middle, and in an input further on
    assert without_inputs(found, [iter([b"x"]), iter([b"released " + day[:4], day[4:] + b" at last"])]) == ()
    # in front of a clock it is another's word, such as a line of a log
    assert without_inputs(found, [iter([day + b" 01:02:03 status installed\n"])]) == tuple(found)
    assert without_inputs(found, [iter([b"nothing"])]) == tuple(found)


def test_inputs_are_not_read_where_nothing_was_found() -> None:
    def unread() -> Iterator[bytes]:
        yield from (pytest.fail("was read") for _ in range(1))

    assert without_inputs([], [unread()]) == ()


def test_risks_name_the_file_and_are_bounded() -> None:
    found = [
        LatentDate(cause="embedded-timestamp", path=b"/f%d" % number, written=b"2026-11-18", instruction=RUN)
        for number in range(MAX_SHOWN + 3)
    ]
    risks = latent_risks([*found, *found])
    assert len(risks) == MAX_SHOWN + 1
    assert {risk.status for risk in risks} == {"latent"}
    assert risks[0].message == "/f0 holds the day of the build, `2026-11-18`: tomorrow's build differs"
    assert risks[-1].message == "3 more files hold the day of the build"
    assert risks[0].instruction == RUN
