"""A report held against a label: what is missed, wrong or left over does not pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from accuracy.cases import Case
from accuracy.outcome import Outcome, judge_check, judge_report

CASE = Case(
    cause="file-mtime",
    tried="verify",
    builder="docker",
    builders=("docker",),
    options=(),
    remedied=False,
    line=2,
    along=frozenset({"directory-mtime"}),
    confidence=None,
    level=None,
    status="latent",
    leaves=None,
    heavy=False,
)
REMEDIED = replace(CASE, remedied=True, level="manifest")


def finding(cause: str = "file-mtime", line: int | None = 2, confidence: str = "proven") -> dict[str, Any]:
    return {
        "cause": cause,
        "instruction": None if line is None else {"line": line},
        "confidence": confidence,
        "opaque": False,
        "differences": [0],
        "evidence": ["something"],
    }


def report(*findings: dict[str, Any], level: str = "files", residue: tuple[int, ...] = ()) -> dict[str, Any]:
    return {
        "level": level,
        "differences": [{"part": "layer", "field": "mtime", "path": "/etc/date"}],
        "findings": list(findings),
        "residue": list(residue),
        "explained": {"differences": 1 - len(residue), "counterfactual": {"equal": not residue}},
        "inputs": {"varied": []},
        "builds": {"second": {"builder": {"name": "docker", "version": "20.10"}}},
    }


def test_what_is_found_at_its_line_passes() -> None:
    outcome = judge_report(CASE, report(finding(), finding("directory-mtime"), finding("config-created", None)))
    assert outcome == Outcome(found=True, wrong=(), residue=(), level="files", faults=(), builder="docker 20.10")
    assert Outcome.from_json(outcome.to_json()) == outcome


@pytest.mark.parametrize(
    ("findings", "fault"),
    [
        ((), "file-mtime is not found"),
        ((finding(line=3),), "file-mtime is not found at line 2"),
        ((finding(line=None),), "file-mtime is not found at line 2"),
        ((finding(confidence="likely"),), "file-mtime is likely, not proven"),
        ((finding(), finding("random-value")), "causes that were not expected: random-value"),
        (({**finding(), "evidence": []},), "file-mtime is found without differences or without evidence"),
    ],
)
def test_what_is_missed_or_wrong_does_not(findings: tuple[dict[str, Any], ...], fault: str) -> None:
    assert judge_report(CASE, report(*findings)).faults == (fault,)


def test_what_nobody_can_be_sure_of_is_likely_and_not_proven() -> None:
    case = replace(CASE, confidence="likely")
    assert not judge_report(case, report(finding(confidence="likely"))).faults
    assert judge_report(case, report(finding())).faults == ("file-mtime is proven, not likely",)


def test_residue_does_not_pass() -> None:
    outcome = judge_report(CASE, report(finding(), residue=(0,)))
    assert outcome.residue == ("layer mtime /etc/date",)
    assert set(outcome.faults) == {
        "residue: layer mtime /etc/date",
        "the counterfactual digests differ",
        "not every difference is explained",
    }


def test_a_claim_on_a_time_is_at_most_likely_where_nothing_was_built() -> None:
    compared = replace(CASE, tried="compare", builder=None, line=0)
    values = {**report(finding(line=None, confidence="likely")), "builds": None}
    assert judge_report(replace(compared, along=frozenset()), values).faults == ()


def test_a_remedied_form_is_without_the_cause_and_reaches_its_level() -> None:
    assert judge_report(REMEDIED, report(level="manifest")).faults == ()
    assert judge_report(REMEDIED, report(level="config")).faults == ("level config, not manifest",)
    assert "file-mtime is still found" in judge_report(REMEDIED, report(finding(), level="manifest")).faults


def test_a_variation_that_did_not_take_place_does_not_pass() -> None:
    assert judge_report(replace(CASE, tried="vary"), report(finding())).faults == ("nothing was varied",)


def risk(line: int = 2, status: str = "latent", severity: str = "warning") -> dict[str, Any]:
    return {
        "cause": "file-mtime",
        "line": line,
        "instruction": {"line": 2},
        "status": status,
        "severity": severity,
        "message": "it may vary",
    }


def test_a_risk_is_found_by_the_line_of_its_command_or_of_its_instruction() -> None:
    checked = replace(CASE, tried="check", builder=None)
    assert judge_check(checked, {"risks": [risk()]}).faults == ()
    assert judge_check(checked, {"risks": [risk(line=4)]}).faults == ()
    assert judge_check(replace(checked, line=4), {"risks": [risk(line=4)]}).faults == ()
    assert judge_check(replace(checked, line=7), {"risks": [risk(line=4)]}).faults
    assert judge_check(checked, {"risks": [risk(status="refuted")]}).faults
    assert judge_check(checked, {"risks": []}).faults


def test_a_remedied_text_has_no_such_risk_any_more() -> None:
    mended = replace(CASE, tried="check", builder=None, remedied=True)
    assert judge_check(mended, {"risks": []}).faults == ()
    assert judge_check(mended, {"risks": [risk(status="refuted")]}).faults == ()
    assert judge_check(mended, {"risks": [risk(severity="note")]}).faults == ("line 2: it may vary",)
    assert judge_check(replace(mended, leaves="note"), {"risks": [risk(severity="note")]}).faults == ()
