from __future__ import annotations

from dataclasses import replace

from tests.images import digest
from verifier.model.build import BuilderIdentity
from verifier.model.difference import ContentDifference, Difference, LayerPair, Region
from verifier.model.finding import Evidence, Explanation, Finding, Residue
from verifier.model.instruction import Instruction, StageRef
from verifier.model.report import PlatformPair, Report, ReportedError, ReportedImage, ReportedLayer, Side
from verifier.model.verdict import Verdict
from verifier.reports import render

RUN = Instruction(stage=StageRef(index=0), line=3, end_line=4, text="RUN make all")
BUILDKIT = BuilderIdentity(name="buildkit", version="28.5.2", reproducible=True, shows_manifest=True)


def layer(name: str, instruction: Instruction | None = RUN, *, rebuilt: bool | None = True) -> ReportedLayer:
    return ReportedLayer(
        digest=digest(name),
        diff_id=digest("tar " + name),
        size=10,
        media_type="application/vnd.oci.image.layer.v1.tar+gzip",
        created_by="RUN /bin/sh -c make all # buildkit",
        instruction=instruction,
        origin="base" if instruction is None else "built",
        rebuilt=None if instruction is None else rebuilt,
    )


def image(*layers: ReportedLayer, manifest: str = "m") -> ReportedImage:
    return ReportedImage(
        platform="linux/amd64",
        manifest_digest=digest(manifest),
        config_digest=digest("c " + manifest),
        files_digest=digest("files"),
        verified=True,
        layers=layers,
    )


def side(ordinal: int) -> Side:
    return Side(
        builder=BUILDKIT,
        options=("--no-cache",),
        reference=f"build {ordinal}",
        started=None,
        finished=None,
        index_digest=None,
        manifest_source="builder",
    )


def report(*differences: Difference, second: ReportedImage | None = None) -> Report:
    first = image(layer("base", None), layer("one"))
    return Report(
        tool_version="0",
        verdict=Verdict(outcome="different", level="files", required="manifest"),
        first=side(1),
        second=side(2),
        platforms=(
            PlatformPair(
                platform="linux/amd64",
                first=first,
                second=second or image(layer("base", None), layer("two"), manifest="other"),
                layers=(LayerPair(first=0, second=0), LayerPair(first=1, second=1)),
            ),
        ),
        differences=differences,
    )


def mtime(path: bytes, first: str = "1", second: str = "2") -> Difference:
    pair = LayerPair(first=1, second=1)
    return Difference(platform=None, part="layer", layer=pair, path=path, field="mtime", first=first, second=second)


def test_thousands_of_differences_stay_a_few_lines() -> None:
    many = report(*(mtime(b"/f%d" % number) for number in range(5000)))
    lines = render(many, "text").splitlines()
    assert len(lines) < 40
    assert any("5,000 mtime in layer 1 (line 3: RUN make all)" in line for line in lines)
    assert len(render(many, "text", verbose=True).splitlines()) > 5000


def test_digests_are_whole_so_that_they_can_be_copied() -> None:
    text = render(report(mtime(b"/f")), "text")
    assert digest("m") in text
    assert digest("other") in text


def test_layers_name_the_line_and_base_layers_are_marked() -> None:
    text = render(report(mtime(b"/f")), "text")
    rows = [line.split() for line in text.splitlines()]
    assert any(row[:2] == ["0", "base"] for row in rows)
    assert any(row[:5] == ["1", "3", "RUN", "make", "all"] for row in rows)


def test_a_layer_that_was_not_rebuilt_says_so() -> None:
    cached = image(layer("base", None), layer("one", rebuilt=False))
    assert "(not rebuilt) RUN make all" in render(report(second=cached), "text")


def test_names_from_an_image_cannot_act_on_the_terminal() -> None:
    text = render(report(mtime(b"/evil\x1b[31m\n\xff\xe2\x80\xae")), "text")
    assert "/evil\\x1b[31m\\n\\xff\\u202e" in text
    assert "\x1b" not in text


def test_content_shows_the_first_differing_bytes_as_text_or_hex() -> None:
    region = Region(
        offset_first=5,
        length_first=4,
        offset_second=5,
        length_second=4,
        sample_offset_first=0,
        sample_first=b"date 2025",
        sample_offset_second=0,
        sample_second=b"date 2026",
    )
    content = ContentDifference(
        type_first="text", type_second="text", size_first=9, size_second=9, regions=(region,), complete=True
    )
    item = replace(mtime(b"/d", "a", "b"), field="content", content=content)
    assert 'from byte 5: "date 2025" | "date 2026"' in render(report(item), "text")
    binary = replace(region, sample_first=b"date \x00\x01", sample_second=b"date \x00\x02")
    item = replace(item, content=replace(content, regions=(binary,)))
    assert "from byte 5: 00 01 | 00 02" in render(report(item), "text")


def test_what_is_not_explained_is_shown_with_what_was_ruled_out() -> None:
    explained, left = mtime(b"/explained"), mtime(b"/left")
    made = replace(
        report(explained, left),
        explanation=Explanation(
            findings=(),
            residue=(
                Residue(
                    difference=1,
                    ruled_out=("not a time within its build's window",),
                    alike=("the order of lines",),
                    instruction=Instruction(stage=StageRef(index=0, name="build"), line=7, end_line=7, text="RUN make"),
                ),
            ),
            of=2,
            opaque=0,
            counterfactual_first=digest("1"),
            counterfactual_second=digest("2"),
            minimal=(),
        ),
    )
    text = render(made, "text")
    assert "explained: 1 of 2 differences; not explained: 1" in text
    assert "/left" in text
    assert "/explained" not in text
    assert "tried: not a time within its build's window" in text
    assert "the same but for the order of lines" in text
    assert "made at line 7: RUN make" in text


def with_findings(*lines: int, evidence: Evidence) -> str:
    """Render a report with one cause at each of the lines."""
    findings = tuple(
        Finding(
            cause="random-value",
            title="A random value",
            severity="warning",
            confidence="likely",
            opaque=True,
            instruction=replace(RUN, line=line),
            differences=(0,),
            paths=(b"/f",),
            evidence=(evidence,),
            remedy="make none",
        )
        for line in lines
    )
    made = replace(
        report(mtime(b"/f")),
        explanation=Explanation(
            findings=findings,
            residue=(),
            of=1,
            opaque=1,
            counterfactual_first=digest("1"),
            counterfactual_second=digest("1"),
            minimal=(),
        ),
    )
    return render(made, "text")


def test_more_instructions_than_are_shown_are_counted() -> None:
    evidence = Evidence(path="/f", inner=None, offset=None, first="1", second="2")
    assert "more instruction" not in with_findings(*range(4), evidence=evidence)
    assert "    and 1 more instruction\n" in with_findings(*range(5), evidence=evidence)
    assert "    and 2 more instructions\n" in with_findings(*range(6), evidence=evidence)


def test_values_that_are_only_described_are_said_to_be_two() -> None:
    evidence = Evidence(path="/key", inner=None, offset=None, first="private key, 65 bytes", second="2")
    assert "such as /key: private key, 65 bytes | 2\n" in with_findings(3, evidence=evidence)
    evidence = replace(evidence, second="private key, 65 bytes")
    assert "such as /key: private key, 65 bytes, another on each side\n" in with_findings(3, evidence=evidence)


def test_a_run_without_a_verdict_says_why() -> None:
    failed = Report(
        tool_version="0",
        verdict=Verdict(outcome="no-verdict", level=None, required="manifest"),
        error=ReportedError(code="build-failed", message="build 1 failed", hint=None),
    )
    assert render(failed, "text").startswith("no verdict: build 1 failed")
