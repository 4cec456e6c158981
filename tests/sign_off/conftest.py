"""Fixtures of the tests of `sign-off`: a checkout and a report of what it builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sign_off.made import inputs_of, make_checkout, make_report
from verifier.model.report import Inputs, Report


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    return make_checkout(tmp_path / "checkout")


@pytest.fixture
def inputs(dockerfile: Path, tmp_path: Path) -> Inputs:
    return inputs_of(dockerfile, tmp_path / "copy")


@pytest.fixture
def report(inputs: Inputs) -> Report:
    return make_report(inputs)
