"""Names that minifiers give out: which are found, and what is no name."""

from __future__ import annotations

import pytest

from verifier.formats.short_names import find_short_names


def names(text: bytes) -> list[tuple[str, int]]:
    return [(text[start:end].decode(), number) for start, end, number in find_short_names(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"const e=t+e;", [("e", 0), ("t", 1), ("e", 0)]),
        (b"r.e?.t(n_)", [("r", 0), ("n_", 1)]),
        (b"f(...r)", [("f", 0), ("r", 1)]),
        (b"x=\"a b\";y='c';//d\n/* e */z", [("x", 0), ("y", 1), ("z", 2)]),
        (b"`a ${b+`c${d}`} e`+f", [("b", 0), ("d", 1), ("f", 2)]),
        (b"if(a in b)do{}while(1e3)", [("a", 0), ("b", 1)]),
        (b"$=_a", [("$", 0), ("_a", 1)]),
        (b"", []),
    ],
)
def test_names(text: bytes, found: list[tuple[str, int]]) -> None:
    assert names(text) == found


@pytest.mark.parametrize("text", [rb"a=/\d/", b"a}", b"{a", b"a`b", b"`${a", b"a/*b", b"a=`b${c}"])
def test_what_is_not_read_for_sure_has_none(text: bytes) -> None:
    assert names(text) == []


@pytest.mark.parametrize("piece", [b"/*", b'"', b"'", b"`${", b"`", b"{", b"a ", b"..."])
def test_hostile_texts_are_read_in_no_more_time_than_others(piece: bytes) -> None:
    assert len(names(piece * 200_000)) in (0, 200_000)
