"""Learn what frameworks made up for a build, from each side's own files, before anybody looks for it elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from verifier.causes.moments import is_of_build
from verifier.explain.reader import SIDES, ContentReader, SideName, Sides
from verifier.formats.build_identity import (
    MAX_IDENTITY_BYTES,
    Identity,
    identities_of_file,
    identities_of_path,
    tells_identity,
)
from verifier.model.difference import Comparison, Difference
from verifier.oci.platform import Platform
from verifier.oci.tar_entry import FILE


def with_identities(sides: Sides, comparison: Comparison, reader: ContentReader) -> Sides:
    """Add to both sides what their files that differ tell. Raises what `reader` raises."""
    files = [
        item for item in comparison.all_differences if item.layer is not None and item.field in ("content", "entry")
    ]
    found = []
    for index, (name, side) in enumerate(zip(SIDES, sides, strict=True)):
        own = [item for item in files if (item.first, item.second)[index] is not None]
        identities = {
            one for one in _told(own, name, reader) if one.moment is None or is_of_build(side, one.moment, 0.001)
        }
        found.append(replace(side, identities=tuple(sorted(identities))) if identities else side)
    return found[0], found[1]


def _told(items: Collection[Difference], side: SideName, reader: ContentReader) -> Iterator[Identity]:
    layers: dict[tuple[Platform, int], set[tuple[bytes, int]]] = {}
    for item in items:
        path = item.path or b""
        layer = None if item.layer is None else getattr(item.layer, side)
        yield from identities_of_path(path)
        if tells_identity(path) and item.entry_type == FILE and layer is not None and item.platform is not None:
            layers.setdefault((item.platform, layer), set()).add((path, item.occurrence))
    for (platform, layer), wanted in layers.items():
        read = reader.contents(side, platform, layer, tuple(sorted(wanted)), MAX_IDENTITY_BYTES)
        for (path, _), content in read.items():
            yield from identities_of_file(path, content)
