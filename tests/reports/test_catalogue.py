"""A cause's page, in the terminal and in the documentation."""

from __future__ import annotations

import pytest

from accuracy.cases import FIXTURES
from verifier.causes import CAUSES, Cause
from verifier.errors import UsageError
from verifier.reports.catalogue import catalogue_table, cause_document, render_catalogue, render_cause
from verifier.reports.examples import read_example


def test_the_catalogue_lists_every_cause_in_the_order_of_the_registry() -> None:
    lines = render_catalogue().splitlines()[2:]
    assert [line.split()[0] for line in lines] == [cause.slug for cause in CAUSES]


def test_a_page_shows_both_forms_of_the_fixture() -> None:
    page = render_cause("pyc-mtime")
    bad, good = ((FIXTURES / "pyc-mtime" / name).read_text("utf-8") for name in ("Dockerfile", "Dockerfile.remedied"))
    shown = page.partition("\nBad: ")[2]
    assert shown.index(bad.splitlines()[-1].strip()) < shown.index("Good: with --reproducible")
    assert shown.endswith("".join(f"    {line}\n" for line in good.splitlines()))


def test_an_option_that_is_the_whole_remedy_is_named_alone() -> None:
    assert render_cause("file-mtime").endswith("\n\nGood: the same, with --reproducible\n")


def test_a_risk_is_shown_with_no_option() -> None:
    assert "\n\nGood:\n\n    FROM " in render_cause("unpinned-go")


def test_the_ignore_file_that_mends_it_is_shown() -> None:
    example = read_example("missing-dockerignore")
    assert example is not None
    assert example.ignore is not None
    assert example.ignore.splitlines()[0] in render_cause("missing-dockerignore").partition("ignore file:")[2]


def test_a_cause_that_is_not_known_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="there is no cause 'file-mtimes'") as caught:
        render_cause("file-mtimes")
    assert caught.value.hint == "did you mean file-mtime?"


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.slug)
def test_every_page_is_a_document_of_its_own(cause: Cause) -> None:
    slug = cause.slug
    document = cause_document(cause)
    assert document.startswith(f"# `{slug}`: ")
    for heading in ("What varies", "Why it matters", "How it is recognised", "Remedy", "Source"):
        assert f"\n\n**{heading}:** " in document
    assert document.count("```") % 2 == 0
    assert f"[`{slug}`]({slug}.md)" in catalogue_table()
