"""Every cause with a static rule has a Dockerfile where it speaks; and whose remedy is written down ends it."""

from __future__ import annotations

import pytest

from tests.risks import (
    test_bases_and_copies,
    test_downloads,
    test_hidden_commands,
    test_language_packages,
    test_leftovers,
    test_packages,
    test_recorded,
)
from verifier.causes import CAUSES

MODULES = (
    test_bases_and_copies,
    test_downloads,
    test_hidden_commands,
    test_language_packages,
    test_leftovers,
    test_packages,
    test_recorded,
)
CASES = [case for module in MODULES for case in module.CASES.values()]
ELSEWHERE = frozenset({"stale-cache", "secret-influence"})
"""What `test_caches_and_secrets` tries: one of them is an error, which no `Case` has a word for."""


@pytest.mark.parametrize("slug", [cause.slug for cause in CAUSES if cause.risk and cause.slug not in ELSEWHERE])
def test_every_rule_has_a_dockerfile_where_it_speaks(slug: str) -> None:
    assert any(slug in case.fires or slug in case.notes for case in CASES)
