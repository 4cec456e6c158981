"""Put whole documents to the proof: values are compared one by one, and nothing may hide between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from verifier.causes.cause import Cause, Place, SideContext
from verifier.causes.counterfactual import replace_claims
from verifier.explain.places import is_cut
from verifier.explain.reader import SIDES, ContentReader, SideName, Sides
from verifier.formats.field import Field, Node
from verifier.formats.json_document import unfold_json
from verifier.formats.json_members import without_members
from verifier.model.difference import Comparison, Difference, Part
from verifier.oci.platform import Platform

Key = tuple[Part, Platform | None]

_FOLLOWS: Final[Mapping[Part, re.Pattern[str]]] = {
    "manifest": re.compile(r"/(?:config|layers/\d+)/(?:digest|size)"),
    "config": re.compile(r"/rootfs/diff_ids/\d+"),
    "index": re.compile(r"/manifests/\d+/(?:digest|size|annotations/vnd\.docker\.reference\.digest)"),
}
"""What follows from the parts below a document: the comparison read these, and they have these digests and sizes."""

_LAYERS: Final[Mapping[Part, str]] = {"manifest": "/layers/", "config": "/rootfs/diff_ids/"}


def key_of(item: Difference) -> Key | None:
    """Name the document that a difference is a value of; None for anything else, attestations too."""
    if item.part in _FOLLOWS and (item.field.startswith("/") or item.field == "encoding"):
        return item.part, item.platform
    return None


class Documents:
    """The manifests, configs and indexes of both sides as the proof sees them.

    A layer that one side alone has is a difference of its own, and left out of the documents that list it. So are
    members of which a cause says that a writer may leave them out.
    """

    def __init__(self, comparison: Comparison, reader: ContentReader, sides: Sides, causes: Sequence[Cause]) -> None:
        self._reader = reader
        self._sides = dict(zip(SIDES, sides, strict=True))
        self._causes = [cause for cause in causes if cause.optional is not None]
        self._reaching = [cause for cause in causes if "document" in cause.reach]
        self._images = {image.platform: image for image in comparison.images}

    def nodes(self, key: Key) -> tuple[Node, Node]:
        """Unfold both sides' document."""
        return self._node(key, "first"), self._node(key, "second")

    def digests(self, keys: Iterator[Key | None]) -> dict[Key, tuple[bytes, bytes]]:
        """Give both counterfactual digests of each document."""
        found = {}
        for key in dict.fromkeys(key for key in keys if key is not None):
            place = self._place(key)
            digests = [
                replace_claims(node, place, side, self._reaching).digest
                for node, side in zip(self.nodes(key), self._sides.values(), strict=True)
            ]
            found[key] = (digests[0], digests[1])
        return found

    def _place(self, key: Key) -> Place:
        image = None if key[1] is None else self._images.get(key[1])
        return Place(part=key[0], field="", is_cut=image is not None and is_cut(image))

    def _node(self, key: Key, name: SideName) -> Node:
        raw = self._reader.document(name, *key)
        # a document that is not at hand proves nothing: it is unlike any other
        return Node(name=name, format="missing", parts=(), offset=0) if raw is None else self._unfold(raw, key, name)

    def _unfold(self, raw: bytes, key: Key, name: SideName) -> Node:
        left_out = set(self._alone(key, name))
        place, side = self._place(key), self._sides[name]
        for part in unfold_json(raw).parts:
            if isinstance(part, Field) and part.kind == "json" and may_be_left_out(part, place, side, self._causes):
                left_out.add(part.name)
        return _by_pointer(unfold_json(without_members(raw, left_out)), _FOLLOWS[key[0]])

    def _alone(self, key: Key, name: SideName) -> Iterator[str]:
        """Name the layers that the other side does not have."""
        image = None if key[1] is None else self._images.get(key[1])
        if image is None or key[0] not in _LAYERS:
            return
        for pair in image.layers:
            here, there = (pair.first, pair.second) if name == "first" else (pair.second, pair.first)
            if there is None:
                yield f"{_LAYERS[key[0]]}{here}"


def may_be_left_out(part: Field, place: Place, side: SideContext, causes: Sequence[Cause]) -> Cause | None:
    """Find the cause that says of a value, which a document has, that a writer may leave it out."""
    for cause in causes:
        if cause.optional is not None and cause.optional(part, place, side):
            return cause
    return None


def _by_pointer(node: Node, follows: re.Pattern[str]) -> Node:
    """Part a document into its layout (keys, brackets, white space, in their order) and its scalars by pointer.

    Together they give back every byte: a NUL, which JSON has nowhere, stands for each scalar.
    """
    layout = b""
    scalars = []
    for part in node.parts:
        if isinstance(part, Field) and part.kind == "json":
            layout += b"\0"
            scalars.append(replace(part, derived=follows.fullmatch(part.name) is not None))
        elif isinstance(part, Field):
            layout += part.value
    shape = Field(name="", kind="json-layout", value=layout, offset=0)
    return replace(node, parts=(shape, *sorted(scalars, key=lambda scalar: scalar.name)))
