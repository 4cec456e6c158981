"""One slug everywhere: module, page, fixture, registry."""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import verifier.causes
from accuracy.cases import ROOT, read_cases
from verifier.causes import CAUSES, Cause, cause_of

HEADINGS = ("What varies:", "Why it matters:", "How it is recognised:", "Remedy:", "Source:")


def modules_of_causes() -> dict[str, Cause]:
    found = {}
    for module in pkgutil.iter_modules(verifier.causes.__path__):
        loaded = importlib.import_module(f"verifier.causes.{module.name}")
        if isinstance(getattr(loaded, "cause", None), Cause):
            found[module.name] = loaded.cause
    return found


def test_every_module_of_a_cause_is_in_the_registry_and_every_entry_has_its_module() -> None:
    modules = modules_of_causes()
    assert {name.replace("_", "-") for name in modules} == {cause.slug for cause in modules.values()}
    assert sorted(cause.slug for cause in CAUSES) == sorted(cause.slug for cause in modules.values())


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.slug)
def test_a_page_has_its_parts_in_order(cause: Cause) -> None:
    assert len(cause.title) <= 80
    assert not cause.title.endswith(".")
    positions = [cause.page.find(f"\n\n{heading}") for heading in HEADINGS]
    assert -1 not in positions
    assert positions == sorted(positions)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.slug)
def test_a_cause_explains_or_warns_and_says_what_helps(cause: Cause) -> None:
    assert cause.normalise or cause.rename or cause.optional or cause.given or cause.risk
    assert cause.remedy
    assert not cause.remedy.endswith(".")
    assert "\n" not in cause.remedy


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.slug)
def test_a_module_exports_its_cause_alone(cause: Cause) -> None:
    module = importlib.import_module(f"verifier.causes.{cause.slug.replace('-', '_')}")
    assert module.__all__ == ["cause"]
    assert module.__doc__ == cause.page


def test_causes_are_found_by_their_slug() -> None:
    assert cause_of("file-mtime").slug == "file-mtime"
    with pytest.raises(KeyError):
        cause_of("no-such-cause")


def test_every_cause_has_its_fixture_and_its_page_and_nothing_else_has_one() -> None:
    slugs = {cause.slug for cause in CAUSES}
    fixtures = {path.parent.name for path in (ROOT / "fixtures").glob("*/fixture.toml")}
    pages = {path.stem for path in (ROOT / "docs" / "causes").glob("*.md")} - {"README"}
    assert {"without a fixture": slugs - fixtures, "no cause": fixtures - slugs} == {
        "without a fixture": set(),
        "no cause": set(),
    }
    assert pages == slugs


@pytest.mark.parametrize(
    "fixture", sorted((ROOT / "fixtures").glob("*/fixture.toml")), ids=lambda path: path.parent.name
)
def test_a_fixture_shows_its_cause_and_the_remedied_form(fixture: Path) -> None:
    cases = [case for case in read_cases() if case.folder == fixture.parent]
    assert any(not case.remedied for case in cases)
    assert any(case.remedied for case in cases)
    for case in cases:
        assert not case.remedied or case.dockerfile.name != "Dockerfile" or case.options or case.tried == "compare"


def test_the_documentation_shows_the_catalogue_as_it_is() -> None:
    script = ROOT / "setup" / "check_causes.py"
    done = subprocess.run(
        [sys.executable, script, ROOT / "docs" / "causes"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_documentation_is_found_out_when_it_is_not(tmp_path: Path) -> None:
    script = ROOT / "setup" / "check_causes.py"
    shutil.copytree(ROOT / "docs" / "causes", tmp_path / "causes")
    subprocess.run([sys.executable, script, "--write", tmp_path / "causes"], check=True)
    (tmp_path / "causes" / "pyc-mtime.md").write_text("something else\n", "utf-8")
    (tmp_path / "causes" / "no-such-cause.md").write_text("stray\n", "utf-8")
    done = subprocess.run([sys.executable, script, tmp_path / "causes"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no-such-cause.md, pyc-mtime.md" in done.stderr
    subprocess.run([sys.executable, script, "--write", tmp_path / "causes"], check=True)
    assert not (tmp_path / "causes" / "no-such-cause.md").exists()
    subprocess.run([sys.executable, script, tmp_path / "causes"], check=True)
