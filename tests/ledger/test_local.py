"""The ledger of one machine: nothing is lost under parallel runs, nothing is broken by a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.images import digest
from tests.ledger.records import record
from tests.machine import ROOT
from verifier.errors import MalformedImageError, ResourceError
from verifier.ledger import LocalLedger, contradicted
from verifier.ledger.local import default_ledger
from verifier.model.ledger import RecordedDigests, read_record, record_bytes

APPEND = """
import sys
from pathlib import Path
from tests.ledger.records import record
from verifier.ledger import LocalLedger
ledger = LocalLedger(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    ledger.append(record(machine=f"{sys.argv[2]}-{number}"))
    print(number, flush=True)
"""


def start(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-c", APPEND, str(path), name, str(count)]
    return subprocess.Popen(argv, env=environment, text=True, stdout=subprocess.PIPE)


def test_parallel_runs_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a" / "ledger.sqlite3"
    runs = [start(path, str(number), 25) for number in range(4)]
    for run in runs:
        run.communicate(timeout=120)
        assert run.returncode == 0
    assert len(LocalLedger(path).records()) == 100


def test_a_kill_leaves_every_record_that_was_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    run = start(path, "killed", 100_000)
    assert run.stdout is not None
    told = [run.stdout.readline() for _ in range(20)]
    run.send_signal(signal.SIGKILL)
    rest = run.communicate(timeout=60)[0].splitlines()
    number = len(LocalLedger(path).records())
    assert number >= len(told) + len(rest)
    LocalLedger(path).append(record(machine="after"))
    assert len(LocalLedger(path).records()) == number + 1


def test_a_record_is_kept_once_and_read_back_as_it_was(tmp_path: Path) -> None:
    ledger = LocalLedger(tmp_path / "ledger.sqlite3")
    one, two = record(), record(inputs=digest("other"), recorded=datetime(2020, 1, 1, tzinfo=UTC))
    for each in (one, two, one):
        ledger.append(each)
    assert ledger.records() == (two, one)
    assert ledger.records(one.inputs) == (one,)
    assert ledger.records("sha256:") == (two, one)
    assert ledger.records("sha256:%") == ()


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(ResourceError, match=r"ledger\.sqlite3"):
        LocalLedger(path).append(record())
    assert path.read_bytes() == b"not a database" * 100


def test_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    assert LocalLedger(tmp_path / "none").records() == ()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/verify-build/ledger.sqlite3"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/verify-build/ledger.sqlite3"),
        ({"HOME": "/h"}, "/h/.local/state/verify-build/ledger.sqlite3"),
    ],
)
def test_where_the_ledger_is(environment: dict[str, str], expected: str) -> None:
    assert str(default_ledger(environment)) == expected


def test_without_a_home_there_is_no_ledger() -> None:
    with pytest.raises(ResourceError, match="home"):
        default_ledger({})


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"null", b"\xff", b'{"version":2}', b"[" * 100_000])
def test_what_is_no_record_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedImageError):
        read_record(raw)


def test_a_record_reads_back() -> None:
    assert read_record(record_bytes(record())) == record()


def test_another_digest_of_the_same_inputs_is_said() -> None:
    before = record()
    moved = RecordedDigests(manifest=digest("new"), config=before.second.config, layers=None, files=None)
    now = record(first=moved, second=moved, recorded=before.recorded + timedelta(days=9))
    assert contradicted(now, [now]) == ()
    (same_machine,) = contradicted(now, [before])
    assert same_machine.endswith("reproducible within one run, not across two")
    (other_machine,) = contradicted(replace(now, machine="laptop"), [before])
    assert other_machine.endswith("reproducible within one machine, not across two")
    (other_builder,) = contradicted(replace(now, builder="buildah"), [before])
    assert other_builder.endswith("reproducible with one builder, not across two")


def test_what_cannot_be_held_against_each_other_is_not() -> None:
    before = record()
    moved = replace(before.second, manifest=digest("new"))
    now = record(second=moved)
    assert contradicted(replace(now, level="files"), [before]) == ()
    assert contradicted(now, [replace(before, level="none")]) == ()
    assert contradicted(now, [replace(before, platform="linux/arm64")]) == ()
    assert contradicted(now, [replace(before, inputs=digest("others"))]) == ()
    # no manifest on one side: the config decides, and it is the same
    without = replace(before.second, manifest=None)
    assert contradicted(now, [replace(before, second=without)]) == ()
