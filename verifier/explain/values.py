"""Unfold single values: those of headers, of documents, and of what a comparison shows in part."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from verifier.explain.reader import SideName
from verifier.formats.field import Field, Node
from verifier.formats.json_document import unfold_json
from verifier.model.difference import Difference

_BOUNDED: Final = frozenset({"header", "padding", "order", "encoding"})
"""Differences whose values are samples: what these show may be the same on both sides, and proves nothing."""


def is_sample(item: Difference) -> bool:
    """Tell whether a difference's values prove nothing, because there is more of them than is known."""
    return item.whole is None and (item.field in _BOUNDED or item.field.endswith("/encoding"))


def value_node(item: Difference, side: SideName) -> Node | None:
    """Unfold one side's value; None where that side has none, an extended attribute excepted.

    Whether there is an attribute is part of what a file system decides.
    """
    if item.whole is not None:
        parts = tuple(
            Field(name=part.kind, kind=part.kind, value=part.value, offset=0)
            for part in (item.whole.first if side == "first" else item.whole.second)
        )
        return Node(name="", format="whole", parts=parts, offset=0)
    value = item.first if side == "first" else item.second
    is_attribute = item.field.startswith("xattr:")
    if value is None and not is_attribute:
        return None
    is_pointer = item.field.startswith("/")
    raw = value if isinstance(value, str) and not is_pointer else json.dumps(value, ensure_ascii=False, sort_keys=True)
    kind = "json" if is_pointer else "xattr" if is_attribute else item.field
    part = Field(name=item.field, kind=kind, value=raw.encode("utf-8", "surrogatepass"), offset=0)
    return Node(name="", format="value", parts=(part,), offset=0)


def scalars_of(item: Difference) -> tuple[Field, ...]:
    """List the scalars of a JSON value that one side alone has, each by its pointer in the document."""
    value = item.second if item.first is None else item.first
    # a comparison shows a null whose other side is missing as this text
    raw = b"null" if value == "null" else json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if not isinstance(value, dict | list):
        return (Field(name=item.field, kind="json", value=raw, offset=0),)
    found = (part for part in unfold_json(raw).parts if isinstance(part, Field) and part.kind == "json")
    return tuple(replace(part, name=item.field + part.name) for part in found)
