"""Tell an archive's members by name, and the order in which they stand beside them.

Two archives of the same members in another order have one tree, but for the field that holds the order. Nothing is
lost: members come sorted by name, those of one name as they stood, so that the list of names says where each was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from verifier.formats.field import Field, Node

MEMBER_ORDER: Final = "member-order"
"""The kind of field that holds an order: a JSON array of names, or of positions."""

MAX_NAME_CHARACTERS: Final = 4 * 1024 * 1024
"""Of all names together; an archive whose members have longer ones keeps its order."""


class Member(NamedTuple):
    """Everything that an archive says of one member, and the name that it is found by."""

    name: str
    parts: tuple[Field | Node, ...]


def tell_by_name(
    node: Node,
    before: Sequence[Field | Node],
    members: Sequence[Member],
    after: Sequence[Field | Node],
) -> Node:
    """Put `members`, given in their order, sorted by name between what stands before and after them.

    The very node comes back where there is nothing to put in order, or too much.
    """
    names = [member.name for member in members]
    if len(names) < 2 or sum(map(len, names)) > MAX_NAME_CHARACTERS:
        return node
    in_order = (
        Node(name="", format="member", parts=member.parts, offset=member.parts[0].offset)
        for member in sorted(members, key=lambda member: member.name)
    )
    parts = (*before, order_field("order of the members", names), *in_order, *after)
    return replace(node, format=f"{node.format}, by name", parts=parts)


def order_field(name: str, order: Sequence[str] | Sequence[int]) -> Field:
    """Make the field that holds an order."""
    return Field(name=name, kind=MEMBER_ORDER, value=json.dumps(order, ensure_ascii=False).encode(), offset=0)
