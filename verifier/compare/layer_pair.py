"""Compare one pair of layers, or read one that has no partner: which blobs are read, and how."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

from verifier.compare.apart import add_regions
from verifier.compare.compression import blob_parts
from verifier.compare.content import open_reader
from verifier.compare.layer_side import read_layer
from verifier.compare.layers import compare_layers
from verifier.compare.read_ahead import ReadAhead
from verifier.compare.roots import Roots
from verifier.compare.tables import SpillSpace
from verifier.errors import DigestMismatchError, MalformedImageError
from verifier.model.difference import Difference, LayerPair
from verifier.oci.blob import stream_layer, verify_blob
from verifier.oci.image import Image, Layer
from verifier.oci.tar import TarReader

Progress = Callable[[int], None]


class LayerComparison:
    """One pair of layers, or a layer without a partner."""

    def __init__(
        self, first: Image, second: Image, pair: LayerPair, space: SpillSpace, progress: Progress | None
    ) -> None:
        self._images = (first, second)
        self._pair = pair
        self._space = space
        self._progress = progress
        self._streams: list[ReadAhead] = []

    def compare_into(self, roots: Roots) -> list[Difference]:
        """Read the pair's blobs, apply their entries to the roots, and list what differs."""
        try:
            return self._compare(roots)
        except DigestMismatchError:
            raise
        except MalformedImageError:
            # a wrong digest is the better explanation of what does not parse
            for stream in self._streams:
                stream.drain()
            raise
        finally:
            for stream in self._streams:
                stream.close()

    def _compare(self, roots: Roots) -> list[Difference]:
        first, second = self._pair.first, self._pair.second
        if first is None or second is None:
            return self._read_alone(roots)
        layer, other = self._images[0].layers[first], self._images[1].layers[second]
        if layer.diff_id == other.diff_id:
            return self._read_equal(roots, layer, other)
        return self._walk(roots, layer, other, (first, second))

    def _read_alone(self, roots: Roots) -> list[Difference]:
        side = 0 if self._pair.second is None else 1
        number = self._pair.first if side == 0 else self._pair.second
        assert number is not None  # noqa: S101 - a pair has at least one layer
        layer = self._images[side].layers[number]
        records = read_layer(self._open(side, layer), self._space)
        roots.apply(self._pair, records if side == 0 else None, records if side == 1 else None)
        records.close()
        value = str(layer.diff_id)
        return [self._difference("layer", value if side == 0 else None, value if side == 1 else None)]

    def _read_equal(self, roots: Roots, layer: Layer, other: Layer) -> list[Difference]:
        reader = self._open(0, layer)
        check = None
        if layer.descriptor.digest != other.descriptor.digest:
            check = self._stream(lambda count: _only_verified(stream_layer(self._images[1].blobs, other, count)))
        elif not self._is_same_file(layer):
            check = self._stream(lambda count: _digested(self._images[1], other, count))
        records = read_layer(reader, self._space)
        roots.apply(self._pair, records, records)
        records.close()
        if check is not None:
            check.drain()
        if layer.descriptor.digest == other.descriptor.digest:
            return []
        found = self._difference("digest", str(layer.descriptor.digest), str(other.descriptor.digest))
        return [replace(found, whole=blob_parts(self._images[0], layer, self._images[1], other))]

    def _walk(self, roots: Roots, layer: Layer, other: Layer, numbers: tuple[int, int]) -> list[Difference]:
        result = compare_layers(
            self._open(0, layer),
            self._open(1, other),
            pair=self._pair,
            platform=self._images[0].platform,
            space=self._space,
        )
        roots.apply(self._pair, result.first, result.second)
        result.first.close()
        result.second.close()
        if result.apart:
            add_regions(result.differences, result.apart, self._images, numbers, self._space.folder)
        return result.differences

    def _open(self, side: int, layer: Layer) -> TarReader:
        image = self._images[side]
        return open_reader(image, layer, self._stream(lambda count: stream_layer(image.blobs, layer, count)))

    def _stream(self, make: Callable[[Progress], Iterator[bytes]]) -> ReadAhead:
        stream = ReadAhead(make, self._progress)
        self._streams.append(stream)
        return stream

    def _is_same_file(self, layer: Layer) -> bool:
        """Tell whether both sides' blob is one file on disk, all of it: then it need not be read twice."""
        identities = []
        for image in self._images:
            with image.blobs.open(layer.descriptor.digest) as handle:
                if not isinstance(handle, io.BufferedReader | io.FileIO):
                    return False
                facts = os.fstat(handle.fileno())
                if facts.st_size != layer.descriptor.size:
                    return False
                identities.append((facts.st_dev, facts.st_ino))
        return identities[0] == identities[1]

    def _difference(self, name: str, first: str | None, second: str | None) -> Difference:
        return Difference(
            platform=self._images[0].platform, part="layer", layer=self._pair, field=name, first=first, second=second
        )


def _only_verified(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Read a layer for its digests and give nothing of it."""
    for _ in pieces:
        yield b""


def _digested(image: Image, layer: Layer, count: Progress) -> Iterator[bytes]:
    verify_blob(image.blobs, layer.descriptor, count)
    yield b""
