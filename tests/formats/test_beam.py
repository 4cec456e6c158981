"""Erlang's modules: literals and debugging information lie compressed, the version follows from the code."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import Final

import pytest

from tests.causes.sides import FIRST, SECOND, at, causes, explain_contents
from verifier.formats.beam_file import is_compressed_term
from verifier.formats.field import Field
from verifier.formats.unfold import unfold

REAL: Final = base64.b64decode(
    """
Rk9SMQAAA7BCRUFNQXRVOAAAADkAAAAHAXQBZgttb2R1bGVfaW5mbwZlcmxhbmcPZ2V0X21vZHVsZV9pbmZvCy1mLzAtZnVuLTAtASsAAABDb2Rl
AAAAawAAABAAAAAAAAAAqwAAAAkAAAAEARCZEAISIgABIBA3MAAwEAAgEACrAAMXAKQDFyADRwATATCZAAISMgABQEASA04QAAFQmQACEjIQAWBA
AxNAEgNOIBABcJkQAhJiEAGAfQUQIAMRAxMDAFN0clQAAAAASW1wVAAAACgAAAADAAAABAAAAAUAAAABAAAABAAAAAUAAAACAAAABAAAAAcAAAAC
RXhwVAAAACgAAAADAAAAAwAAAAEAAAAGAAAAAwAAAAAAAAAEAAAAAgAAAAAAAAACRnVuVAAAABwAAAABAAAABgAAAAEAAAAIAAAAAAAAAAABg12S
TGl0VAAAACwAAAAgeJxjYGBgZGBgkGjOZhAxMjAy0zU01DW0CDE0tDIwszIxiQIARJ0FXU1ldGEAAAAdg2wAAAABaAJkABBlbmFibGVkX2ZlYXR1
cmVzamoAAABMb2NUAAAAEAAAAAEAAAAGAAAAAQAAAAhBdHRyAAAAKINsAAAAAWgCZAADdnNubAAAAAFuEACHf8ehG/eCM8ZUmvFXsmswampDSW5m
AAAAUoNsAAAAA2gCZAAHdmVyc2lvbmsABTguMi4zaAJkAAdvcHRpb25zbAAAAAFkAApkZWJ1Z19pbmZvamgCZAAGc291cmNlawAKL3RtcC90LmVy
bGoAAERiZ2kAAAEZg1AAAAHOeJxtkctOwzAQRcd59IHoAgFixw+gQl1VFep3sKjYRE7sJE7cOErGhc9nHAsQokufOTN3bNexhJVUuasy3ZU2O3MJ
N2owmchHHESBWWGlqiMDAGmdSFgKxEHnDgkKJpiEpNSGDi2k+Eydgl3QIgmzk5XOKAkM/wnRJKjP3g7ok1hNZ1YKaOpUwqJ0XYHadmTGPtFXgkbV
WWGEG1WoNU3gdKsUXW8CXngYeRjTqAktfcI8tI4XZ13/TIrPYpjQiqKP3xGkR7af+D3xpz/mrTc9mesOVaUCffALejqjt9VdNcHHFu62m+1+zfma
v75xftjsD7vde0Mq7RgrW5KXUGu4hWfFh2whecFTL+Hq9/eaL8V5dw0AAABMaW5lAAAAFQAAAAAAAAAAAAAABAAAAAEAAAAAMQAAAFR5cGUAAAAa
AAAAAQAAAAEf/wAAAAAAAAAA//////////8AAA==
"""
)
"""What `erlc +debug_info` of Erlang 25 makes of a module with a function in it, and a date."""


def term(content: bytes, level: int = 6) -> bytes:
    """Write a term as `term_to_binary(Term, [compressed])` does."""
    return b"\x83P" + len(content).to_bytes(4, "big") + zlib.compress(content, level)


def chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "big") + content + bytes(-len(content) % 4)


def module(date: bytes, *, code: bytes = b"code", version: bytes | None = None, unique: int | None = None) -> bytes:
    """Write a module with one function in it, and a date among its literals and in its debugging information."""
    literals = len(date).to_bytes(4, "big") + zlib.compress(date)
    function, meta = bytes(range(20)), b"\x83j"
    table = (1).to_bytes(4, "big") + function
    digest = hashlib.md5(
        b"atoms" + code + b"imports" + b"exports" + table + bytes(4) + literals + meta, usedforsecurity=False
    ).digest()
    number = int.from_bytes(digest, "big") >> 101 if unique is None else unique
    integer = (version or digest)[::-1].rstrip(b"\0")
    attributes = b"\x83l\0\0\0\x01h\x02d\0\x03vsnl\0\0\0\x01n" + bytes([len(integer)]) + b"\0" + integer + b"jj"
    form = b"BEAM" + b"".join(
        (
            chunk(b"AtU8", b"atoms"),
            chunk(b"Code", code),
            chunk(b"StrT", b""),
            chunk(b"ImpT", b"imports"),
            chunk(b"ExpT", b"exports"),
            chunk(b"FunT", table + number.to_bytes(4, "big")),
            chunk(b"LitT", literals),
            chunk(b"Meta", meta),
            chunk(b"Attr", attributes),
            chunk(b"Dbgi", term(b"abstract code: " + date + b"!")),
        )
    )
    return b"FOR1" + len(form).to_bytes(4, "big") + form


def pair(**second: bytes | int) -> list[str]:
    dates = (at(moment, "%Y-%m-%dT%H:%M:%SZ") for moment in (FIRST + 4, SECOND + 49))
    return causes(explain_contents(module(next(dates)), module(next(dates), **second), "ebin/x.beam"))  # type: ignore[arg-type]


def derived(data: bytes) -> set[str]:
    return {part.name for part in unfold(data).parts if isinstance(part, Field) and part.derived}


def test_a_real_module() -> None:
    assert unfold(REAL).format == "beam"
    assert derived(REAL) >= {"size", "LitT: checksum", "LitT: size of the content", "FunT: number", "Attr: version"}
    damaged = REAL.replace(b"ExpT", b"ExpU")
    assert "Attr: version" not in derived(damaged)


def test_a_date_among_the_literals() -> None:
    assert pair() == ["embedded-timestamp"]


@pytest.mark.parametrize(
    "second", [{"code": b"edoc"}, {"version": b"another version!"}, {"unique": 5}], ids=["code", "version", "function"]
)
def test_what_does_not_follow_is_left(second: dict[str, bytes | int]) -> None:
    assert pair(**second)[-1] == "residue"


def test_a_chunk_that_is_cut_off_is_no_module() -> None:
    assert unfold(REAL[:-40]).format == "bytes"
    assert unfold(b"FOR1\0\0\0\x04BEAM").format == "beam"


def test_a_compressed_term() -> None:
    first, second = (term(at(moment, "x" * 50 + "%Y-%m-%d %H:%M:%S\0")) for moment in (FIRST + 4, SECOND + 49))
    assert is_compressed_term(first)
    assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
    assert causes(explain_contents(first, second + b"y"))[-1] == "residue"
