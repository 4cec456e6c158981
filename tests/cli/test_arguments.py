from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from verifier.cli.arguments import parse_arguments
from verifier.cli.main import main
from verifier.cli.requests import report_files, verify_request
from verifier.errors import UsageError


def test_a_first_word_that_is_no_command_is_a_dockerfile() -> None:
    assert parse_arguments(["Dockerfile", "--builder", "buildah"]) == parse_arguments(
        ["verify", "Dockerfile", "--builder", "buildah"]
    )


def test_options_may_come_before_the_dockerfile() -> None:
    parsed = parse_arguments(["--reproducible", "Dockerfile"])
    assert (parsed.command, parsed.dockerfile, parsed.reproducible) == ("verify", "Dockerfile", True)


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["verify"],
        ["Dockerfile", "--builds", "1"],
        ["Dockerfile", "--builds", "two"],
        ["Dockerfile", "--timeout", "0"],
        ["Dockerfile", "--timeout", "nan"],
        ["Dockerfile", "--builder", "kaniko"],
        ["Dockerfile", "--require", "bits"],
        ["Dockerfile", "--no-such-option"],
        ["Dockerfile", "another"],
        ["compare", "only-one"],
    ],
    ids=" ".join,
)
def test_bad_usage_is_exit_2_in_words(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--expect", "sha256:12"], "not a sha256 or sha512 digest"),
        (["--expect", "sha256:" + "0" * 64, "--against", "oci:x"], "both a first side"),
        (["--platform", "linux"], "os/architecture"),
        (["--build-arg", "=x"], "NAME=VALUE"),
        (["--source-date-epoch", "0"], "--reproducible"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_is_refused_before_any_work(options: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        verify_request(parse_arguments(["Dockerfile", *options]))


def test_keep_refuses_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(UsageError, match="not an empty folder"):
        verify_request(parse_arguments(["Dockerfile", "--keep", str(tmp_path)]))


@pytest.mark.parametrize("text", ["json", "json=", "yaml=x", "json=/no/such/folder/x"])
def test_a_report_that_cannot_be_written_is_refused_before_any_work(text: str) -> None:
    with pytest.raises(UsageError, match="--report"):
        report_files(parse_arguments(["Dockerfile", "--report", text]))


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from verifier.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'docker', 'oras', 'deepdiff', 'tabulate', 'rich', 'isal', 'requests', 'asyncio'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage: verify-build" in done.stdout


def test_factors_are_a_list_that_may_be_repeated() -> None:
    parsed = parse_arguments(["Dockerfile", "--vary", "mode, mtime", "--vary", "mtime,all"])
    parsed.tolerances = ()
    request = verify_request(parsed)
    assert request.vary == ("mode", "mtime", "all")


@pytest.mark.parametrize(
    "argv",
    [
        ["--vary", "moon"],
        ["--vary", "mtime,"],
        ["--vary", "mtime", "--against", "oci:x"],
        ["--vary", "mtime", "--expect", "sha256:" + "0" * 64],
        ["--record-network"],
        ["--record-network", "--network", "none"],
        ["--prove-diff-ids", "--no-explain"],
        ["--confirm", "--no-explain"],
    ],
)
def test_what_cannot_be_looked_at_closer_is_refused(argv: list[str]) -> None:
    with pytest.raises(UsageError):
        verify_request(parse_arguments(["Dockerfile", *argv]))
