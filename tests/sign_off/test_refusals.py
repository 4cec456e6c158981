"""What stands against a signature: each reason is found, refuses, and is allowed by its own name alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.cli.tool import error_lines, verify_build
from tests.sign_off.made import NOW, different, git, make_report, tolerated, write_report
from verifier.errors import UsageError
from verifier.model.objections import OBJECTIONS, ObjectionName
from verifier.model.report import Inputs, Report, ReportedError
from verifier.model.request import Surroundings
from verifier.model.sign_off import SignedOff, SignOffRequest
from verifier.model.verdict import Verdict
from verifier.pipeline.sign_off import sign_off
from verifier.reports.json_form import render_json
from verifier.reports.sign_off_form import headline, render_sign_off_text

YESTERDAY = date(2026, 3, 3)


def no_passphrase() -> bytes:
    raise UsageError("nobody asks")


def sign(report: Report, allowed: tuple[ObjectionName, ...] = (), dockerfile: Path | None = None) -> SignedOff:
    request = SignOffRequest(
        report=render_json(report).encode(), signer="Somebody", allowed=allowed, dockerfile=dockerfile
    )
    surroundings = Surroundings(environment={"PATH": "/usr/bin:/bin"}, now=lambda: NOW, sleep=lambda _: None)
    return sign_off(request, surroundings, no_passphrase)


def no_verdict(report: Report, folder: Path) -> Report:
    error = ReportedError(code="x", message="a layer was not rebuilt", hint=None)
    return replace(report, verdict=Verdict(outcome="no-verdict", level=None, required="manifest"), error=error)


def edited(report: Report, folder: Path) -> Report:
    (folder / "file").write_text("another", encoding="utf-8")
    git(folder, "commit", "--quiet", "--all", "--message", "two")
    return report


def another_dockerfile(report: Report, folder: Path) -> Report:
    with (folder / "Dockerfile").open("a", encoding="utf-8") as stream:
        stream.write("RUN true\n")
    git(folder, "commit", "--quiet", "--all", "--message", "two")
    return report


def unknown_file(report: Report, folder: Path) -> Report:
    (folder / ".dockerignore").write_text(".git\nnotes\n", encoding="utf-8")
    git(folder, "commit", "--quiet", "--all", "--message", "two")
    (folder / "notes").touch()
    return report


def no_commit(report: Report, folder: Path) -> Report:
    (folder / ".git").rename(folder.parent / "elsewhere")
    return report


def gone(report: Report, folder: Path) -> Report:
    (folder / "Dockerfile").unlink()
    return report


def compared(report: Report, folder: Path) -> Report:
    return replace(report, inputs=None)


Change = Callable[[Report, Path], Report]
CASES: dict[str, tuple[Change, set[str]]] = {
    "faultless": (lambda report, _: report, set()),
    "no verdict": (no_verdict, {"no-verdict"}),
    "different": (lambda report, _: different(report), {"different"}),
    "an edit after the build": (edited, {"changed-source"}),
    "another Dockerfile": (another_dockerfile, {"changed-source"}),
    "a file nobody knows": (unknown_file, {"dirty-source", "changed-source"}),
    "no git": (no_commit, {"unknown-source"}),
    "no Dockerfile": (gone, {"unknown-source"}),
    "two images": (compared, {"unknown-source"}),
    "tolerated for ever": (lambda report, _: tolerated(report, None), set()),
    "tolerated until today": (lambda report, _: tolerated(report, NOW.date()), set()),
    "tolerated until yesterday": (lambda report, _: tolerated(report, YESTERDAY), {"expired-tolerance"}),
    "expired when it was verified": (
        lambda report, _: tolerated(report, YESTERDAY, "expired"),
        {"different", "expired-tolerance"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_reason_refuses_and_is_allowed_by_name(case: str, report: Report, dockerfile: Path) -> None:
    change, expected = CASES[case]
    made = change(report, dockerfile.parent)
    signed = sign(made)
    assert {item.name for item in signed.sign_off.refused} == expected
    assert signed.sign_off.exit_code == (1 if expected else 0)
    assert bool(signed.files) is not bool(expected)
    if not expected:
        assert headline(signed.sign_off).startswith("SIGNED OFF WITHOUT A KEY: ")
        return
    others = tuple(name for name in OBJECTIONS if name not in expected)
    assert {item.name for item in sign(made, others).sign_off.refused} == expected
    named = tuple(name for name in OBJECTIONS if name in expected)
    allowed = sign(made, named)
    assert allowed.sign_off.exit_code == 0
    page = next(file.content.decode() for file in allowed.files if file.name == "sign-off.html")
    for text in (render_sign_off_text(allowed, None).splitlines()[0], page[page.index("<h1>") : page.index("</h1>")]):
        assert "SIGNED OFF WITHOUT A KEY IN SPITE OF" in text
        assert all(name in text for name in named)
    statement = json.loads(next(file.content for file in allowed.files if file.name == "sign-off.intoto.json"))
    assert {item["name"] for item in statement["predicate"]["exceptions"]} == expected


def test_what_git_ignores_and_the_image_holds_is_dirty(dockerfile: Path, tmp_path: Path) -> None:
    """The checkout is clean by git's word, and a fresh one would build another image."""
    from tests.sign_off.made import inputs_of  # noqa: PLC0415

    (dockerfile.parent / "made").mkdir()
    (dockerfile.parent / "made" / "by-hand").touch()
    refused = sign(make_report(inputs_of(dockerfile, tmp_path / "again"))).sign_off.refused
    assert [item.name for item in refused] == ["dirty-source"]
    assert "made/by-hand" in refused[0].message


def test_the_source_may_have_moved(report: Report, inputs: Inputs, dockerfile: Path, tmp_path: Path) -> None:
    elsewhere = dockerfile.parent.rename(tmp_path / "elsewhere")
    assert sign(report).sign_off.refused
    assert not sign(report, dockerfile=elsewhere / "Dockerfile").sign_off.refused


def test_source_is_told_without_secrets(report: Report, dockerfile: Path) -> None:
    source = sign(report).sign_off.source
    assert source.remote == "https://example.org/app.git"
    assert source.described == "v1.2"
    assert source.commit == git(dockerfile.parent, "rev-parse", "HEAD")
    assert source.state == "clean"


def test_without_any_image_there_is_nothing_to_sign_for(report: Report) -> None:
    with pytest.raises(UsageError, match="no image"):
        sign(replace(report, platforms=()), OBJECTIONS)
    unfinished = replace(
        report,
        platforms=(),
        first=None,
        second=None,
        verdict=Verdict(outcome="no-verdict", level=None, required="manifest"),
    )
    assert [item.name for item in sign(unfinished).sign_off.refused] == ["no-verdict"]


def test_refused_on_the_command_line(report: Report, dockerfile: Path, tmp_path: Path) -> None:
    path = write_report(different(report), tmp_path / "report.json")
    done = verify_build("sign-off", path, "--out", tmp_path / "out", "--signer", "Somebody")
    assert done.returncode == 1
    assert done.stdout.startswith("NOT SIGNED OFF: different\n")
    assert not (tmp_path / "out").exists()
    done = verify_build(
        "sign-off", path, "--out", tmp_path / "out", "--signer", "Somebody", "--allow", "different", "--format", "json"
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["exceptions"][0]["name"] == "different"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--out", "x"], "no report is given"),
        (["report.json"], "nothing would be kept"),
        (["report.json", "--out", "x", "--allow", "everything"], "'everything' is not known"),
        (["report.json", "--attach", "localhost:1/x"], "give --key FILE"),
        (["report.json", "--out", "x", "--report", "y"], "is for --verify"),
        (["--verify", "x"], "needs the public key"),
        (["--verify", "x", "--key", "y", "--signer", "z"], "verifies nothing"),
        (["report.json", "--out", "x"], "cannot be read"),
    ],
)
def test_what_cannot_be_meant(words: list[str], told: str, tmp_path: Path) -> None:
    done = verify_build("sign-off", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert told in " ".join(error_lines(done))
