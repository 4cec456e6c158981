"""Read a JSON report back, so that it can be rendered in any other form, or signed.

What is read is foreign, and checked for all that rendering relies on. Rendering it as JSON gives the same bytes again.
"""

from __future__ import annotations

import json
from typing import Final, get_args

from verifier.errors import UsageError
from verifier.model.build import BuilderIdentity, BuilderName
from verifier.model.difference import ContentDifference, Difference, Region
from verifier.model.finding import Confidence, Evidence, Explanation, Finding, Residue, Risk, Severity
from verifier.model.instruction import Instruction, StageRef
from verifier.model.plan import BaseReference, HeldBase
from verifier.model.report import Inputs, PlatformPair, Report, ReportedError, ReportedImage, ReportedLayer, Side
from verifier.model.verdict import LEVELS, Verdict
from verifier.oci.platform import parse_platform
from verifier.reports.further_reader import (
    downloads_from,
    instruction_from,
    layer_pair_from,
    normalised_from,
    offline_from,
    tolerance_from,
    variation_from,
)
from verifier.reports.json_fields import Fields, refuse

MAX_REPORT_BYTES: Final = 1024 * 1024 * 1024
"""Of one report; a million differences take about half of that."""

_PARTS: Final = frozenset({"index", "manifest", "config", "layer", "attestation"})
_SEVERITIES: Final = frozenset(get_args(Severity))
_ANY_LEVEL: Final = frozenset({*LEVELS, None})


def read_report(raw: bytes) -> Report:
    """Read a JSON report of schema_version 1. Raises UsageError, with the place of what is wrong."""
    if len(raw) > MAX_REPORT_BYTES:
        raise UsageError(f"a report of more than {MAX_REPORT_BYTES} bytes is not read")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise UsageError("the report is not JSON", "write one: verify-build DOCKERFILE --report json=PATH") from None
    fields = Fields(value, "report")
    if fields.get("schema_version") != 1 or "kind" in value:
        raise UsageError("this is no report of schema_version 1", "it comes of: --report json=PATH")
    differences = tuple(_difference(item) for item in fields.each("differences"))
    first, second = _sides(fields)
    return Report(
        tool_version=fields.inner("tool").text("version"),
        verdict=Verdict(
            outcome=fields.word("outcome", frozenset({"reproducible", "tolerated", "different", "no-verdict"})),
            level=fields.word("level", _ANY_LEVEL),
            required=fields.word("required", frozenset({*LEVELS, "index"})),
        ),
        error=fields.optional("error", lambda key: _error(fields.inner(key))),
        inputs=fields.optional("inputs", lambda key: _inputs(fields.inner(key))),
        first=first,
        second=second,
        platforms=_platforms(fields),
        index_equal=fields.optional("index_equal", fields.flag),
        differences=differences,
        explanation=_explanation(fields, differences),
        risks=tuple(_risk(item, len(differences)) for item in fields.each("risks")),
        notes=fields.texts("notes"),
        tolerated=fields.numbers("tolerated", len(differences)),
        tolerances=tuple(tolerance_from(item, len(differences)) for item in fields.each("tolerances")),
        variation=fields.optional("variation", lambda key: variation_from(fields.inner(key), len(differences))),
        offline=fields.inner("network").optional(
            "offline", lambda key: offline_from(fields.inner("network").inner(key))
        ),
        downloads=fields.inner("network").optional("downloads", lambda _: downloads_from(fields.inner("network"))),
    )


def _error(fields: Fields) -> ReportedError:
    hint = fields.optional("hint", fields.text)
    return ReportedError(code=fields.text("code"), message=fields.text("message"), hint=hint)


def _inputs(fields: Fields) -> Inputs:
    dockerfile, context = fields.inner("dockerfile"), fields.inner("context")
    return Inputs(
        dockerfile_path=dockerfile.text("path"),
        dockerfile_digest=dockerfile.digest("digest"),
        dockerfile_text=dockerfile.text("text"),
        syntax=fields.optional("syntax", fields.text),
        context_digest=context.digest("digest"),
        archive_digest=context.digest("archive_digest"),
        context_files=context.number("files"),
        context_bytes=context.number("bytes"),
        build_args=fields.texts("build_args"),
        platform=fields.optional("platform", fields.text),
        target=fields.optional("target", fields.text),
        epoch=fields.optional("epoch", fields.number),
        varied=fields.texts("varied"),
        builds_run=fields.number("builds_run"),
        bases=tuple(_base(item) for item in fields.each("bases")),
        unchanged=fields.flag("unchanged"),
    )


def _base(fields: Fields) -> HeldBase:
    line = fields.number("line")
    instruction = Instruction(stage=StageRef(index=0), line=line, end_line=line, text="")
    return HeldBase(
        base=BaseReference(reference=fields.text("reference"), instruction=instruction, platform=None, final=False),
        digest=fields.digest("digest"),
        digest_kind=fields.word("digest_kind", frozenset({"index", "manifest", "config"})),
        pinned=fields.flag("pinned"),
        diff_ids=None,
        holder="",
    )


def _sides(fields: Fields) -> tuple[Side | None, Side | None]:
    if fields.get("builds") is None:
        return None, None
    builds = fields.inner("builds")
    return _side(builds.inner("first")), _side(builds.inner("second"))


def _side(fields: Fields) -> Side:
    builder = fields.optional("builder", fields.inner)
    source = fields.word("manifest_source", frozenset({"builder", "export", "registry", None}))
    return Side(
        builder=None
        if builder is None
        else BuilderIdentity(
            name=builder.word("name", frozenset(get_args(BuilderName))),
            version=builder.text("version"),
            reproducible=False,
            shows_manifest=source is not None,
        ),
        options=() if builder is None else builder.texts("options"),
        reference=fields.text("reference"),
        started=fields.optional("started", fields.time),
        finished=fields.optional("finished", fields.time),
        index_digest=fields.optional("index_digest", fields.digest),
        manifest_source=source,
        expected=fields.optional("expected", fields.digest),
    )


def _platforms(fields: Fields) -> tuple[PlatformPair, ...]:
    """Join both sides' images by platform, in the order of the alignment."""
    images: tuple[dict[str, ReportedImage], dict[str, ReportedImage]] = ({}, {})
    if fields.get("builds") is not None:
        for known, name in zip(images, ("first", "second"), strict=True):
            side = fields.inner("builds").inner(name)
            own = [] if side.get("platform") is None else [side]
            known |= {image.platform: image for image in map(_image, [*own, *side.each("other_platforms")])}
    pairs = []
    for item in fields.each("alignment"):
        platform = item.text("platform")
        pair = PlatformPair(
            platform=platform,
            first=images[0].get(platform),
            second=images[1].get(platform),
            layers=tuple(layer_pair_from(each) for each in item.each("layers")),
        )
        _check_layers(pair, item.where)
        pairs.append(pair)
    return tuple(pairs)


def _check_layers(pair: PlatformPair, where: str) -> None:
    for image, numbers in (
        (pair.first, [each.first for each in pair.layers]),
        (pair.second, [each.second for each in pair.layers]),
    ):
        count = 0 if image is None else len(image.layers)
        if any(number is not None and number >= count for number in numbers):
            refuse(where, "pairs a layer that is not there")


def _image(fields: Fields) -> ReportedImage:
    return ReportedImage(
        platform=fields.text("platform"),
        manifest_digest=fields.optional("manifest_digest", fields.digest),
        config_digest=fields.digest("config_digest"),
        files_digest=fields.optional("files_digest", fields.digest),
        verified=fields.flag("verified"),
        layers=tuple(_layer(item) for item in fields.each("layers")),
    )


def _layer(fields: Fields) -> ReportedLayer:
    return ReportedLayer(
        digest=fields.digest("digest"),
        diff_id=fields.digest("diff_id"),
        size=fields.number("size"),
        media_type=fields.text("media_type"),
        created_by=fields.text("created_by"),
        instruction=fields.optional("instruction", lambda key: instruction_from(fields.inner(key))),
        origin=fields.word("origin", frozenset({"base", "built", None})),
        rebuilt=fields.optional("rebuilt", fields.flag),
    )


def _difference(fields: Fields) -> Difference:
    path = fields.optional("path", fields.text)
    raw = fields.optional("path_base64", fields.bytes)
    platform = fields.optional("platform", fields.text)
    return Difference(
        platform=None if platform is None else parse_platform(platform),
        part=fields.word("part", _PARTS),
        layer=fields.optional("layer", lambda key: layer_pair_from(fields.inner(key))),
        path=raw if raw is not None or path is None else path.encode("utf-8", "surrogatepass"),
        occurrence=fields.number("occurrence"),
        visible=fields.flag("visible"),
        field=fields.text("field"),
        first=fields.get("first"),
        second=fields.get("second"),
        content=fields.optional("content", lambda key: _content(fields.inner(key))),
    )


def _content(fields: Fields) -> ContentDifference:
    types, sizes = fields.inner("types"), fields.inner("sizes")
    return ContentDifference(
        type_first=types.text("first"),
        type_second=types.text("second"),
        size_first=sizes.number("first"),
        size_second=sizes.number("second"),
        regions=tuple(_region(item) for item in fields.each("regions")),
        complete=fields.flag("complete"),
    )


def _region(fields: Fields) -> Region:
    offset, length = fields.inner("offset"), fields.inner("length")
    start, sample = fields.inner("sample_offset"), fields.inner("sample")
    return Region(
        offset_first=offset.number("first"),
        length_first=length.number("first"),
        offset_second=offset.number("second"),
        length_second=length.number("second"),
        sample_offset_first=start.number("first"),
        sample_first=sample.bytes("first"),
        sample_offset_second=start.number("second"),
        sample_second=sample.bytes("second"),
    )


def _explanation(fields: Fields, differences: tuple[Difference, ...]) -> Explanation | None:
    """Read what is known; None where nothing was explained at all (`--no-explain`, or no difference)."""
    of = len(differences)
    explained = fields.inner("explained")
    counterfactual = explained.inner("counterfactual")
    residue = fields.numbers("residue", of)
    said = {item.number("difference"): item for item in fields.each("ruled_out")}
    if counterfactual.get("first") is None:
        return None
    return Explanation(
        findings=tuple(_finding(item, differences) for item in fields.each("findings")),
        residue=tuple(_residue(number, said.get(number)) for number in residue),
        of=explained.number("of"),
        opaque=explained.number("opaque"),
        counterfactual_first=counterfactual.digest("first"),
        counterfactual_second=counterfactual.optional("second", counterfactual.digest),
        minimal=explained.texts("minimal"),
        diff_ids=explained.optional("diff_ids", lambda key: tuple(map(normalised_from, explained.each(key)))),
    )


def _residue(number: int, fields: Fields | None) -> Residue:
    if fields is None:
        return Residue(difference=number, ruled_out=())
    return Residue(
        difference=number,
        ruled_out=fields.texts("phrases"),
        alike=fields.texts("alike"),
        instruction=fields.optional("instruction", lambda key: instruction_from(fields.inner(key))),
    )


def _finding(fields: Fields, differences: tuple[Difference, ...]) -> Finding:
    numbers = fields.numbers("differences", len(differences))
    paths = {path for number in numbers if (path := differences[number].path) is not None}
    return Finding(
        cause=fields.text("cause"),
        title=fields.text("title"),
        severity=fields.word("severity", _SEVERITIES),
        confidence=fields.word("confidence", frozenset(get_args(Confidence))),
        opaque=fields.flag("opaque"),
        instruction=fields.optional("instruction", lambda key: instruction_from(fields.inner(key))),
        differences=numbers,
        paths=tuple(sorted(paths)),
        evidence=tuple(_evidence(item) for item in fields.each("evidence")),
        remedy=fields.text("remedy"),
    )


def _evidence(fields: Fields) -> Evidence:
    return Evidence(
        path=fields.text("path"),
        inner=fields.optional("inner", fields.text),
        offset=fields.optional("offset", fields.number),
        first=fields.optional("first", fields.text),
        second=fields.optional("second", fields.text),
    )


def _risk(fields: Fields, of: int) -> Risk:
    return Risk(
        cause=fields.text("cause"),
        severity=fields.word("severity", _SEVERITIES),
        instruction=fields.optional("instruction", lambda key: instruction_from(fields.inner(key))),
        status=fields.word("status", frozenset({"observed", "latent", "refuted"})),
        message=fields.text("message"),
        differences=fields.numbers("differences", of),
        line=fields.optional("line", fields.number),
    )
