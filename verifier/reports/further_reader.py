"""Read back what stands beside the verdict: variation, network, real `diff_id`s; and the nouns that all share."""

from __future__ import annotations

from datetime import date

from verifier.model.difference import LayerPair
from verifier.model.finding import NormalisedLayer
from verifier.model.instruction import Instruction, StageRef
from verifier.model.network import Download, Fetched, OfflineProbe
from verifier.model.tolerance import AppliedTolerance, Tolerance
from verifier.model.variation import FACTORS, Effect, LeftOut, Variation
from verifier.reports.json_fields import Fields, refuse


def instruction_from(fields: Fields) -> Instruction:
    """Read an instruction."""
    stage = fields.inner("stage")
    return Instruction(
        stage=StageRef(index=stage.number("index"), name=stage.optional("name", stage.text)),
        line=fields.number("line"),
        end_line=fields.number("end_line"),
        text=fields.text("text"),
    )


def layer_pair_from(fields: Fields) -> LayerPair:
    """Read an aligned pair of layers."""
    return LayerPair(first=fields.optional("first", fields.number), second=fields.optional("second", fields.number))


def normalised_from(fields: Fields) -> NormalisedLayer:
    """Read one layer that was written again."""
    return NormalisedLayer(
        platform=fields.text("platform"),
        layer=layer_pair_from(fields.inner("layer")),
        first=fields.optional("first", fields.digest),
        second=fields.optional("second", fields.digest),
        reason=fields.optional("reason", fields.text),
    )


def variation_from(fields: Fields, of: int) -> Variation:
    """Read what was varied; `of` is the number of differences."""
    factors = frozenset(FACTORS)
    return Variation(
        factors=tuple(factor for factor in FACTORS if factor in fields.texts("factors")),
        left_out=tuple(
            LeftOut(factor=item.word("factor", factors), reason=item.text("reason")) for item in fields.each("left_out")
        ),
        further_builds=fields.number("further_builds"),
        settled=fields.flag("settled"),
        effects=tuple(
            Effect(factor=item.word("factor", factors), differences=item.numbers("differences", of))
            for item in fields.each("effects")
        ),
        unvaried=fields.numbers("unvaried", of),
        unsettled=fields.numbers("unsettled", of),
    )


def offline_from(fields: Fields) -> OfflineProbe:
    """Read the build without a network."""
    return OfflineProbe(
        succeeded=fields.flag("succeeded"),
        instruction=fields.optional("instruction", lambda key: instruction_from(fields.inner(key))),
        reason=fields.optional("reason", fields.text),
    )


def downloads_from(fields: Fields) -> tuple[Download, ...]:
    """Read what the builds fetched."""
    return tuple(
        Download(
            instructions=tuple(instruction_from(each) for each in item.each("instructions")),
            method=item.text("method"),
            where=item.text("where"),
            encrypted=item.flag("encrypted"),
            first=item.optional("first", lambda key, item=item: _fetched(item.inner(key))),  # type: ignore[misc]  # bound
            second=item.optional("second", lambda key, item=item: _fetched(item.inner(key))),  # type: ignore[misc]
        )
        for item in fields.each("downloads")
    )


def _fetched(fields: Fields) -> Fetched:
    return Fetched(
        count=fields.number("count"),
        bytes=fields.number("bytes"),
        digests=fields.digests("digests"),
        statuses=fields.numbers("statuses"),
    )


def tolerance_from(fields: Fields, of: int) -> AppliedTolerance:
    """Read one tolerance and what became of it."""
    expires = fields.optional("expires", fields.text)
    try:
        day = None if expires is None else date.fromisoformat(expires)
    except ValueError:
        refuse(f"{fields.where}.expires", "is no date")
    return AppliedTolerance(
        tolerance=Tolerance(
            cause=fields.optional("cause", fields.text),
            path=fields.optional("path", fields.text),
            field=fields.optional("field", fields.text),
            reason=fields.text("reason"),
            expires=day,
            place=fields.text("place"),
        ),
        status=fields.word("status", frozenset({"used", "unused", "expired"})),
        differences=fields.numbers("differences", of),
    )
