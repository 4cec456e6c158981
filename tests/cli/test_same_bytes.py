"""Whatever the tool puts out is the same bytes under another time zone, locale, umask and hash seed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.every_output import commands, prepare
from tests.machine import ROOT

SURROUNDINGS = (
    ("022", {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}),
    # neither UTF-8 nor UTC, and no help from the interpreter, which would take the C locale for UTF-8
    ("077", {"TZ": "XYZ-5:45", "LC_ALL": "C", "PYTHONHASHSEED": "1", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    ("000", {"TZ": "ABC+11", "LC_ALL": "tr_TR.ISO-8859-9", "LANGUAGE": "tr", "PYTHONHASHSEED": "4242"}),
)
BESIDES = ("pins", "digests", "signed", "unsigned", "bundle", "hostile")
"""How the names begin of what is made without a command."""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    """Give the outputs by their names, once for each of the surroundings."""
    made = tmp_path_factory.mktemp("made")
    prepare(made)
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "TZ"))}
    usual |= {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "PYTHONWARNINGS": "error"}
    found = []
    for umask, changes in SURROUNDINGS:
        out = tmp_path_factory.mktemp("out")
        script = [sys.executable, "-m", "tests.cli.every_output", str(made), str(out)]
        done = subprocess.run(
            ["sh", "-c", 'umask "$0"; exec "$@"', umask, *script],
            env=usual | changes,
            cwd=ROOT,
            capture_output=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr.decode()
        names = (out / "names").read_text("utf-8").split("\n")
        found.append({name: (out / str(number)).read_bytes() for number, name in enumerate(names, start=1)})
    return found


@pytest.mark.parametrize("name", [" ".join(words) for words in commands()])
def test_of_a_command(name: str, outputs: list[dict[str, bytes]]) -> None:
    usual, *others = (each[name] for each in outputs)
    assert usual.removesuffix(b"\n").rpartition(b"\n")[2] in (b"[exit code 0]", b"[exit code 1]", b"[exit code 3]")
    for other in others:
        assert other == usual


@pytest.mark.parametrize("kind", BESIDES)
def test_of_what_is_written_and_signed(kind: str, outputs: list[dict[str, bytes]]) -> None:
    names = [name for name in outputs[0] if name.partition(" ")[0] == kind]
    assert len(names) > 1
    for name in names:
        assert len({each[name] for each in outputs}) == 1, name


def test_nothing_is_left_out(outputs: list[dict[str, bytes]]) -> None:
    given = {" ".join(words) for words in commands()}
    assert {name.partition(" ")[0] for name in outputs[0] if name not in given} == set(BESIDES)
