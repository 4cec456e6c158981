"""JSON documents without some members, and their layout with members sorted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.formats.json_layout import MAX_DEPTH, sorted_layout
from verifier.formats.json_members import members, without_members

DOCUMENT = b'{"a": {"b": 1, "c": [1, 2, {"x": "y"}]}, "d" : {}, "e/f": null}'


@pytest.mark.parametrize(
    ("pointers", "expected"),
    [
        (set(), DOCUMENT),
        ({"/a/b"}, b'{"a": {"c": [1, 2, {"x": "y"}]}, "d" : {}, "e/f": null}'),
        ({"/a/b", "/a/c"}, b'{"d" : {}, "e/f": null}'),
        ({"/a/c/2/x"}, b'{"a": {"b": 1, "c": [1, 2]}, "d" : {}, "e/f": null}'),
        ({"/a/c/0", "/a/c/2"}, b'{"a": {"b": 1, "c": [2]}, "d" : {}, "e/f": null}'),
        ({"/e~1f"}, b'{"a": {"b": 1, "c": [1, 2, {"x": "y"}]}, "d" : {}}'),
        ({"/a", "/d", "/e~1f"}, b"{}"),
        ({"/nothing"}, DOCUMENT),
    ],
)
def test_a_document_without_some_members(pointers: set[str], expected: bytes) -> None:
    assert without_members(DOCUMENT, pointers) == expected


def test_where_members_stand() -> None:
    found = {member.pointer: DOCUMENT[member.value : member.end] for member in members(DOCUMENT)}
    assert found["/a/c/2"] == b'{"x": "y"}'
    assert found["/e~1f"] == b"null"
    assert len(found) == 9


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(value=st.dictionaries(st.text(max_size=3), VALUES, max_size=4), data=st.data())
def test_what_is_left_is_the_document_without_the_value(value: dict[str, object], data: st.DataObject) -> None:
    raw = json.dumps(value, indent=data.draw(st.sampled_from([None, 1]))).encode()
    assert {member.pointer for member in members(raw)} >= {
        "/" + key.replace("~", "~0").replace("/", "~1") for key in value
    }
    if value:
        key = data.draw(st.sampled_from(sorted(value)))
        left = without_members(raw, {"/" + key.replace("~", "~0").replace("/", "~1")})
        assert json.loads(left) == {name: item for name, item in value.items() if name != key}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b'{"a": \0, "b": \0}', b'{"b": \0, "a": \0}'),
        (b'{"a": {"x":\0,"y":\0}, "b": \0}', b'{"b": \0, "a": {"y":\0,"x":\0}}'),
        (b'[{"a": \0, "b": [\0]}]', b'[{"b": [\0], "a": \0}]'),
    ],
)
def test_members_in_another_order(first: bytes, second: bytes) -> None:
    assert sorted_layout(first) == sorted_layout(second)


@pytest.mark.parametrize(
    "other",
    [
        b'{"b":\0, "a": \0}',
        b'{ "b": \0, "a":\0}',
        b'{"b": \0, "a": \0} ',
        b'{"b": \0, "\\u0061": \0}',
        b'{"b": [\0], "a": \0}',
        b'{"b": \0, "c": \0}',
        b'{"b": \0,"a": \0 }',
    ],
)
def test_another_layout(other: bytes) -> None:
    assert sorted_layout(b'{"a": \0, "b": \0}') != sorted_layout(other)


@pytest.mark.parametrize("layout", [b"", b"{", b'{"a"}', b'{"a": \0 "b": \0}', b"\0\0", b'{"a": \0, "a": \0}', b"x"])
def test_what_is_no_layout(layout: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        sorted_layout(layout)


def test_a_layout_that_is_too_deep() -> None:
    with pytest.raises(ValueError, match="too deep"):
        sorted_layout(b"[" * (MAX_DEPTH + 5) + b"]" * (MAX_DEPTH + 5))
