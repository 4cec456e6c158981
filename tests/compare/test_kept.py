"""Contents that differ are kept as they pass; what is not kept is read again, and nobody is told anything wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compare.layer_images import file, image, single, tar
from verifier.compare import compare
from verifier.compare.contents_reader import ImageSetReader
from verifier.compare.kept import KeptContents
from verifier.model.difference import LayerPair
from verifier.oci.platform import Platform

PLATFORM = Platform(os="linux", architecture="amd64")
PAIR = LayerPair(first=1, second=2)


def test_both_sides_come_back_by_their_own_layer(tmp_path: Path) -> None:
    with KeptContents(tmp_path) as kept:
        kept.add(PLATFORM, PAIR, (b"/a", 0), [b"on", b"e"], [b"two"])
        kept.add(PLATFORM, PAIR, (b"/a", 1), [b""], [b"three"])
        assert kept.read("first", PLATFORM, 1, [(b"/a", 0), (b"/a", 1), (b"/b", 0)], 9) == {
            (b"/a", 0): b"one",
            (b"/a", 1): b"",
        }
        assert kept.read("second", PLATFORM, 2, [(b"/a", 1)], 9) == {(b"/a", 1): b"three"}
        assert kept.read("second", PLATFORM, 1, [(b"/a", 1)], 9) == {}
    assert not list(tmp_path.iterdir())


def test_what_is_over_the_limits_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.compare.kept.MAX_KEPT_BYTES", 5)
    with KeptContents(tmp_path) as kept:
        kept.add(PLATFORM, PAIR, (b"/a", 0), [b"123"], [b"456"])
        assert kept.read("first", PLATFORM, 1, [(b"/a", 0)], 9) == {(b"/a", 0): b"123"}
        assert kept.read("first", PLATFORM, 1, [(b"/a", 0)], 2) == {}
        assert kept.read("second", PLATFORM, 2, [(b"/a", 0)], 9) == {}


@pytest.mark.parametrize("room", [0, 10, 10**9])
def test_an_explanation_sees_the_contents_whether_they_were_kept_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr("verifier.compare.kept.MAX_KEPT_BYTES", room)
    shared = b"same" * 100_000
    first = single(image(tar([file("a", b"one"), file("b", b"x" + shared), file("c", b"equal"), file("d", shared)])))
    second = single(image(tar([file("a", b"two!"), file("b", b"y" + shared), file("c", b"equal"), file("d", shared)])))
    wanted = [(b"/a", 0), (b"/b", 0)]
    with KeptContents(tmp_path) as kept:
        comparison = compare(first, second, workspace=tmp_path, kept=kept)
        platform = comparison.images[0].platform
        reader = ImageSetReader(first, second, kept)
        assert reader.contents("first", platform, 0, wanted, 10**6) == {
            (b"/a", 0): b"one",
            (b"/b", 0): b"x" + shared,
        }
        assert reader.contents("second", platform, 0, wanted, 10**6) == {
            (b"/a", 0): b"two!",
            (b"/b", 0): b"y" + shared,
        }
        # what is equal is not kept
        assert kept.read("first", platform, 0, [(b"/c", 0), (b"/d", 0)], 10**6) == {}
        assert (kept.read("first", platform, 0, wanted, 10**6) != {}) is (room > 0)
