"""One slug everywhere: module, page, fixture, registry."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

import verifier.causes
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
    assert cause.normalise or cause.rename or cause.risk
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


def test_every_fixture_folder_of_a_cause_names_a_cause() -> None:
    fixtures = Path(__file__).parents[2] / "fixtures"
    slugs = {cause.slug for cause in CAUSES}
    named = {folder.name for folder in fixtures.iterdir() if (folder / "fixture.toml").is_file()}
    assert named <= slugs


def test_the_documentation_lists_every_cause_in_the_registrys_order() -> None:
    document = (Path(__file__).parents[2] / "docs" / "causes.md").read_text("utf-8")
    table = document.partition("## The catalogue\n\n")[2]
    rows = [f"| `{cause.slug}` | {cause.title} | {cause.remedy} |" for cause in CAUSES]
    expected = "\n".join(["| cause | what it is | remedy |", "|---|---|---|", *rows]) + "\n"
    assert table == expected, "replace the table in docs/causes.md by the one on the right"
