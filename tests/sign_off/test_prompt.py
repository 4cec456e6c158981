"""The passphrase is asked for on a real terminal: not echoed, and the terminal is as it was afterwards."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.tool import TOOL
from tests.sign_off.made import Keys, make_keys, write_report
from verifier.model.report import Report

PROMPT = "passphrase of the key: "
SECONDS = 60.0
OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(1, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes the terminal on stdout the process's own, as a shell's child has it, and becomes the command."""


class Terminal:
    """A pseudo-terminal with one program on it, and somebody who reads and types."""

    def __init__(self) -> None:
        self._keyboard, self._screen = os.openpty()
        self._shown = b""
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str | Path, stdin: Path | None = None) -> None:
        environment = {name: value for name, value in os.environ.items() if "PASS" not in name}
        piped = None if stdin is None else stdin.open("rb")
        self._process = subprocess.Popen(
            [sys.executable, "-c", OWN_TERMINAL, *TOOL, *map(str, arguments)],
            stdin=piped or self._screen,
            stdout=self._screen,
            stderr=self._screen,
            env=environment,
            start_new_session=True,
        )
        if piped is not None:
            piped.close()

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self._screen)[3] & termios.ECHO)

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + SECONDS
        while text.encode() not in self._shown:
            assert time.monotonic() < end, self._shown
            self._read()

    def type(self, text: str) -> None:
        os.write(self._keyboard, text.encode())

    def finish(self) -> tuple[int, str]:
        """Give the exit code and everything that was on the screen."""
        assert self._process is not None
        end = time.monotonic() + SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            self._read()
        code = self._process.wait(timeout=1)
        while self._read():
            pass
        return code, self._shown.decode().replace("\r\n", "\n")

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._keyboard)
        os.close(self._screen)

    def _read(self) -> bool:
        if not select.select([self._keyboard], [], [], 0.1)[0]:
            return False
        self._shown += os.read(self._keyboard, 4096)
        return True


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return make_keys(tmp_path, "ed25519", b"open sesame")


@pytest.fixture
def words(report: Report, keys: Keys, tmp_path: Path) -> list[str | Path]:
    path = write_report(report, tmp_path / "report.json")
    return ["sign-off", path, "--out", tmp_path / "out", "--key", keys.private, "--signer", "x"]


def test_the_right_one_signs_and_is_not_echoed(terminal: Terminal, words: list[str | Path], tmp_path: Path) -> None:
    assert terminal.echoes
    terminal.run(*words)
    terminal.wait_for(PROMPT)
    assert not terminal.echoes
    terminal.type("open sesame\n")
    code, shown = terminal.finish()
    assert code == 0, shown
    assert shown.startswith(f"{PROMPT}\nSIGNED OFF: level manifest holds")
    assert "sesame" not in shown
    assert terminal.echoes
    assert (tmp_path / "out" / "sign-off.dsse.json").is_file()


def test_it_is_asked_for_where_the_report_is_piped_in(terminal: Terminal, words: list[str | Path]) -> None:
    report = Path(words[1])
    words[1] = "-"
    terminal.run(*words, "--dockerfile", report.parent / "checkout" / "Dockerfile", stdin=report)
    terminal.wait_for(PROMPT)
    terminal.type("open sesame\n")
    code, shown = terminal.finish()
    assert code == 0, shown


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("another\n", 2, "its passphrase is another, or it is damaged"),
        ("\n", 2, "its passphrase is another, or it is damaged"),
        ("\x04", 2, "error: no passphrase was typed that could be read"),
        ("\x03", 130, "error: interrupted"),
        ("open sesa\x03", 130, "error: interrupted"),
    ],
    ids=["wrong", "empty", "end of input", "Ctrl-C", "Ctrl-C on the way"],
)
def test_what_is_refused(
    terminal: Terminal, words: list[str | Path], tmp_path: Path, typed: str, code: int, said: str
) -> None:
    terminal.run(*words)
    terminal.wait_for(PROMPT)
    terminal.type(typed)
    status, shown = terminal.finish()
    assert status == code, shown
    assert "Traceback" not in shown
    prompt, _, error = shown.partition("\n")
    assert prompt == PROMPT
    assert error.startswith("error: ")
    assert said in error
    assert "sesa" not in error
    assert terminal.echoes
    assert not (tmp_path / "out").exists()


def test_without_a_terminal(words: list[str | Path]) -> None:
    environment = {name: value for name, value in os.environ.items() if "PASS" not in name}
    done = subprocess.run(
        [*TOOL, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        start_new_session=True,
        check=False,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: the key is encrypted, and no passphrase is given\n"
        "hint: set VERIFY_BUILD_PASSPHRASE, give --passphrase-file FILE, or run this in a terminal\n"
    )
