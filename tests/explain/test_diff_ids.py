"""Real `diff_id`s of the normalised streams: equal where the explanation holds, and never where a byte more differs."""

from __future__ import annotations

import gzip
import random
import re
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, at
from tests.compare.layer_images import digest_of, file, image, single, tar
from tests.explain.test_proof import FIRST_LAYER, SECOND_LAYER, is_claimed, repaired
from verifier.causes import CAUSES
from verifier.causes.cause import CONTENTS, HEADERS, Cause, Claim, Place, SideContext
from verifier.compare import compare
from verifier.compare.contents_reader import ImageSetReader
from verifier.errors import MalformedImageError
from verifier.explain import explain
from verifier.explain.diff_ids import prove_diff_ids
from verifier.formats.field import Field
from verifier.model.finding import Explanation


def proven(*layers: tuple[bytes, bytes], causes: tuple[Cause, ...] = CAUSES) -> Explanation:
    sides = WINDOWS
    sets = single(image(*(pair[0] for pair in layers))), single(image(*(pair[1] for pair in layers)))
    with tempfile.TemporaryDirectory() as workspace:
        comparison = compare(*sets, workspace=Path(workspace))
    reader = ImageSetReader(*sets)
    explanation = explain(
        comparison, first=sides[0], second=sides[1], contents=reader, instructions=lambda _: None, causes=causes
    )
    return prove_diff_ids(
        comparison, explanation, sides=(sides[0], sides[1]), layers=reader, instructions=lambda _: None, causes=causes
    )


def test_an_explained_pair_has_one_diff_id_on_both_sides() -> None:
    explanation = proven((FIRST_LAYER, SECOND_LAYER))
    assert explanation.residue == ()
    assert explanation.diff_ids is not None
    (layer,) = explanation.diff_ids
    assert layer.equal
    assert layer.reason is None


def test_equal_layers_are_not_written_and_others_are() -> None:
    same = tar([file("same", b"same")])
    explanation = proven((same, same), (FIRST_LAYER, SECOND_LAYER))
    assert explanation.diff_ids is not None
    assert [(item.layer.first, item.equal) for item in explanation.diff_ids] == [(1, True)]


@pytest.mark.parametrize("seed", range(12))
def test_one_more_changed_byte_is_never_proven(seed: int) -> None:
    chosen = random.Random(seed)
    changed = bytearray(SECOND_LAYER)
    while True:
        position = chosen.randrange(len(changed))
        if not is_claimed(position):
            break
    changed[position] ^= 1 << chosen.randrange(8)
    try:
        explanation = proven((FIRST_LAYER, repaired(bytes(changed))))
    except MalformedImageError:
        return  # a broken archive is no proof either
    assert explanation.diff_ids is not None
    assert not any(item.equal for item in explanation.diff_ids)


def test_a_layer_with_residue_is_not_written_and_says_so() -> None:
    first = tar([file("f", b"one thing"), file("t", at(FIRST, "%Y-%m-%d %H:%M:%S\n"))])
    second = tar([file("f", b"or another"), file("t", at(SECOND, "%Y-%m-%d %H:%M:%S\n"))])
    explanation = proven((first, second))
    assert explanation.diff_ids is not None
    assert [item.reason for item in explanation.diff_ids] == ["not all of its differences are explained"]


def test_a_stream_of_an_unknown_compressor_is_not_written() -> None:
    def packed(moment: float) -> bytes:
        machine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 1, zlib.Z_HUFFMAN_ONLY)
        content = at(moment, "built %Y-%m-%d %H:%M:%S\n") * 40
        body = machine.compress(content) + machine.flush()
        trailer = zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
        return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + body + trailer

    assert gzip.decompress(packed(FIRST)).startswith(b"built ")
    explanation = proven((tar([file("a.gz", packed(FIRST))]), tar([file("a.gz", packed(SECOND))])))
    assert explanation.residue == ()
    assert explanation.diff_ids is not None
    assert [item.reason for item in explanation.diff_ids] == [
        "something varies inside a compressed stream whose compressor is not known"
    ]


def claim_numbers(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    """Claim what follows `id=`, and the last two digits of a mode."""
    if field.kind == "text":
        yield from (Claim(*match.span(1), "decimal") for match in re.finditer(rb"id=([0-9]+)", field.value))
    if place.field == "mode":
        yield Claim(2, 4, "octal")


NUMBERED = (
    Cause(slug="numbered", page="Numbers vary", remedy="none", reach=CONTENTS | HEADERS, normalise=claim_numbers),
)


def test_contents_of_other_sizes_and_modes_get_one_form() -> None:
    first = tar([file("f", b"a id=7 b\n", mode=0o640), file("g", b"stays")])
    second = tar([file("f", b"a id=1234567 b\n", mode=0o664), file("g", b"stays")])
    explanation = proven((first, second), causes=NUMBERED)
    assert explanation.residue == ()
    assert explanation.diff_ids is not None
    (layer,) = explanation.diff_ids
    normalised = tar([file("f", b"a id=<numbered: decimal> b\n", mode=0o600), file("g", b"stays")])
    assert (layer.first, layer.second) == (digest_of(normalised), digest_of(normalised))


def test_what_the_normalisation_leaves_different_is_told_apart() -> None:
    def second_digit(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
        if place.field == "mode":
            yield Claim(3, 4, "octal")

    cause = Cause(slug="numbered", page="Numbers vary", remedy="none", reach=CONTENTS | HEADERS, normalise=second_digit)
    layers = tar([file("f", mode=0o640)]), tar([file("f", mode=0o664)])
    explanation = proven(layers, causes=(cause,))
    assert explanation.diff_ids is not None
    assert [item.equal for item in explanation.diff_ids] == [None]
