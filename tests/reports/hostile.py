"""Reports that hold what an attacker may put into names, and one of every outcome."""

from __future__ import annotations

from dataclasses import replace

from tests.images import digest
from tests.reports.test_text import RUN, mtime, report
from verifier.causes import CAUSES
from verifier.model.difference import Difference
from verifier.model.finding import Evidence, Explanation, Finding, Residue, Risk
from verifier.model.instruction import Instruction, StageRef
from verifier.model.report import Inputs, Report, ReportedError
from verifier.model.verdict import Verdict
from verifier.reports.check_form import CheckReport

NASTY = (
    b"/\x1b[31mred\x07",
    b"/a|b`c``d\n# heading",
    b"/<script>alert(1)</script>&amp;]]>",
    b"/::error file=x::boo%0A",
    b"/\xff\xfe\x80 not utf-8",
    "/\u202eevil\u2066 @somebody www.example.org https://example.org".encode(),
    b"/$(id)'\"\\",
    "/\ufffe\uffff\U000e0001".encode(),
)
INSTRUCTION = Instruction(
    stage=StageRef(index=0, name="final|<b>"), line=7, end_line=9, text="RUN echo '<i>' | tee \x1b]0;x\x07 ::error::"
)
DOCKERFILE = "./dir with space/Docker,file:%|\n<x>"


def inputs(path: str = DOCKERFILE) -> Inputs:
    return Inputs(
        dockerfile_path=path,
        dockerfile_digest=digest("dockerfile"),
        dockerfile_text="FROM scratch\n" * 12,
        syntax=None,
        context_digest=digest("context"),
        archive_digest=digest("archive"),
        context_files=1,
        context_bytes=1,
        build_args=("A|B",),
        platform=None,
        target=None,
        epoch=None,
        varied=(),
        builds_run=2,
        bases=(),
        unchanged=True,
    )


def finding(cause: str, differences: tuple[int, ...], paths: tuple[bytes, ...], instruction: Instruction) -> Finding:
    return Finding(
        cause=cause,
        title="A file's time is that of the build",
        severity="warning",
        confidence="proven",
        opaque=False,
        instruction=instruction,
        differences=differences,
        paths=paths,
        evidence=(Evidence(path="/x", inner=None, offset=None, first="<1>", second="|2|"),),
        remedy="use the builder's rewrite",
    )


def explained(differences: tuple[Difference, ...]) -> Explanation:
    """All but the last difference explained."""
    number = len(differences)
    paths = tuple(sorted(item.path for item in differences[:-1] if item.path is not None))
    return Explanation(
        findings=(
            finding("file-mtime", tuple(range(number - 1)), paths, INSTRUCTION),
            finding("directory-mtime", (0,), paths[:1], RUN),
        ),
        residue=(Residue(difference=number - 1, ruled_out=("not a time within its build's window",)),),
        of=number,
        opaque=0,
        counterfactual_first=digest("one"),
        counterfactual_second=digest("two"),
        minimal=("file-mtime",),
    )


def hostile_report() -> Report:
    """A report of which every name is hostile."""
    made = report(*(mtime(path) for path in NASTY))
    risk = Risk(
        cause="unpinned-apt",
        severity="warning",
        instruction=INSTRUCTION,
        status="latent",
        message="`apt-get install` takes the newest version of `x|<b>\x1b[0m`",
        line=8,
    )
    return replace(
        made, inputs=inputs(), explanation=explained(made.differences), risks=(risk,), notes=("a | <note>\x1b[1m",)
    )


def holding_report() -> Report:
    """A report whose required level holds although something differs."""
    made = hostile_report()
    return replace(made, verdict=Verdict(outcome="reproducible", level="files", required="files"))


def failed_report() -> Report:
    """A report without a verdict."""
    return Report(
        tool_version="0",
        verdict=Verdict(outcome="no-verdict", level=None, required="manifest"),
        error=ReportedError(code="build-failed", message="build 1 failed: \x1b[31m%0A::error::x", hint="look <there>"),
        inputs=inputs("Dockerfile"),
    )


def compared_report() -> Report:
    """A comparison of two images that existed: no Dockerfile at all."""
    return replace(hostile_report(), inputs=None, risks=())


def crowded_report() -> Report:
    """A report of more causes than there are colours, all of them at one place, in an order of its own."""
    made = hostile_report()
    assert made.explanation is not None
    slugs = [cause.slug for cause in CAUSES[:30]]
    findings = tuple(finding(slug, (0, 1), tuple(sorted(NASTY[:2])), INSTRUCTION) for slug in slugs)
    return replace(made, explanation=replace(made.explanation, findings=findings, minimal=tuple(slugs)))


def hostile_check() -> CheckReport:
    """A check of which every name is hostile."""
    made = hostile_report()
    return CheckReport(
        tool_version="0",
        dockerfile_path=DOCKERFILE,
        dockerfile_digest=digest("dockerfile"),
        context=None,
        target=None,
        stages_judged=1,
        stages=1,
        risks=made.risks,
    )


REPORTS = {
    "hostile": hostile_report,
    "holding": holding_report,
    "failed": failed_report,
    "compared": compared_report,
    "crowded": crowded_report,
}
