"""Put whole documents to the proof: values are compared one by one, and nothing may hide between them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from verifier.causes.cause import Cause, Place
from verifier.causes.counterfactual import replace_claims
from verifier.explain.reader import SIDES, ContentReader, Sides
from verifier.formats.field import Field, Node
from verifier.formats.json_document import unfold_json
from verifier.model.difference import Difference, Part
from verifier.oci.platform import Platform

Key = tuple[Part, Platform | None]

_FOLLOWS: Final[Mapping[Part, re.Pattern[str]]] = {
    "manifest": re.compile(r"/(?:config|layers/\d+)/(?:digest|size)"),
    "config": re.compile(r"/rootfs/diff_ids/\d+"),
    "index": re.compile(r"/manifests/\d+/(?:digest|size|annotations/vnd\.docker\.reference\.digest)"),
}
"""What follows from the parts below a document: the comparison read these, and they have these digests and sizes."""


def key_of(item: Difference) -> Key | None:
    """Name the document that a difference is a value of; None for anything else, attestations too."""
    if item.part in _FOLLOWS and (item.field.startswith("/") or item.field == "encoding"):
        return item.part, item.platform
    return None


def document_digests(
    differences: Sequence[Difference], reader: ContentReader, sides: Sides, causes: Sequence[Cause]
) -> dict[Key, tuple[bytes, bytes]]:
    """Give both counterfactual digests of every document that differs by a value."""
    keys = dict.fromkeys(key for key in map(key_of, differences) if key is not None)
    return {key: _digests(key, reader, sides, causes) for key in keys}


def _digests(key: Key, reader: ContentReader, sides: Sides, causes: Sequence[Cause]) -> tuple[bytes, bytes]:
    part, platform = key
    found = []
    for name, side in zip(SIDES, sides, strict=True):
        raw = reader.document(name, part, platform)
        # a document that is not at hand proves nothing: it is unlike any other
        node = Node(name=name, format="missing", parts=(), offset=0) if raw is None else _unfold(raw, part)
        found.append(replace_claims(node, Place(part=part, field=""), side, causes).digest)
    return found[0], found[1]


def _unfold(raw: bytes, part: Part) -> Node:
    node = unfold_json(raw)
    follows = _FOLLOWS[part]
    return replace(
        node,
        parts=tuple(
            replace(item, derived=True) if isinstance(item, Field) and follows.fullmatch(item.name) else item
            for item in node.parts
        ),
    )
