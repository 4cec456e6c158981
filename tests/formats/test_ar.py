"""ar archives of every flavour: GNU and BSD names, tables of symbols, thin archives."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.causes.sides import FIRST, SECOND, causes, explain_contents
from verifier.causes.cause import Place, SideContext
from verifier.causes.counterfactual import replace_claims
from verifier.formats.field import Field, Node
from verifier.formats.unfold import unfold

IN = (FIRST + 4, SECOND + 4)


def member(name: bytes, content: bytes, moment: int = 0) -> bytes:
    head = b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name, moment, 0, 0, 0o100644, len(content))
    return head + content + b"\n" * (len(content) % 2)


def library(first: bytes, second: bytes, moment: int = 0) -> bytes:
    """Make an archive with a table of symbols and a table of long names, as GNU's does."""
    names = member(b"//", b"a-name-that-is-too-long.o/\n")
    contents = [member(b"a.o/", first, moment), member(b"/0", second, moment)]
    start = 8 + 60 + 22 + len(names)
    offsets = struct.pack(">III", 2, start, start + len(contents[0]))
    return b"!<arch>\n" + member(b"/", offsets + b"one\0two\0\0\0", moment) + names + b"".join(contents)


def names(node: Node) -> list[str]:
    return [part.name for part in node.parts]


def told(node: Node) -> dict[str, bytes]:
    return {part.name: part.value for part in node.parts if isinstance(part, Field) and not part.derived}


def digest(data: bytes) -> bytes:
    return replace_claims(unfold(data), Place(part="layer", field="content"), SideContext(), ()).digest


def test_long_names_and_symbols() -> None:
    node = unfold(library(b"one", b"two"))
    assert {"a.o", "a-name-that-is-too-long.o", "symbols"} <= set(names(node))
    assert told(node)["symbols"] == b"2 3\none\0two\0\0\0"


def test_a_member_of_another_size_moves_nothing_that_counts() -> None:
    first, second = (told(unfold(library(content, b"same"))) for content in (b"odd", b"a longer one"))
    assert first == second


def test_symbols_that_point_elsewhere_count() -> None:
    whole = library(b"one", b"two")
    assert digest(whole.replace(struct.pack(">I", 2), struct.pack(">I", 1), 1)) != digest(whole)
    moved = bytearray(whole)
    moved[75] ^= 4
    assert digest(bytes(moved)) != digest(whole)


def test_bsd_names_stand_before_the_data() -> None:
    node = unfold(b"!<arch>\n" + member(b"#1/8", b"long.o\0\0" + b"content"))
    assert "long.o: long name" in names(node)
    assert node.parts[-2].name == "long.o"


def test_thin_archives_hold_names_alone() -> None:
    data = (
        b"!<thin>\n"
        + member(b"//", b"folder/a.o/\n")
        + member(b"/0", b"", FIRST).replace(b"0         `", b"4242      `")
    )
    node = unfold(data)
    assert node.format == "ar"
    assert told(node)["folder/a.o: size"] == b"4242      "


@pytest.mark.parametrize("flags", ["rcsU", "rcSU", "rcsUT"])
def test_the_real_ar(tmp_path: Path, flags: str) -> None:
    if shutil.which("ar") is None or shutil.which("as") is None:
        pytest.skip("binutils are not installed")
    subprocess.run(
        ["as", "-o", "an-object-with-a-long-name.o"], input=b".globl a\na: .long 1\n", cwd=tmp_path, check=True
    )
    made = []
    for moment in IN:
        subprocess.run(["touch", "-d", f"@{moment}", "an-object-with-a-long-name.o"], cwd=tmp_path, check=True)
        (tmp_path / "l.a").unlink(missing_ok=True)
        subprocess.run(["ar", flags, "l.a", "an-object-with-a-long-name.o"], cwd=tmp_path, check=True)
        # the table of symbols carries the time of this very moment
        made.append((tmp_path / "l.a").read_bytes())
    first, second = made
    now = second[24:36] if second[8:10] == b"/ " else b""
    if now:
        first = first[:24] + b"%-12d" % IN[0] + first[36:]
        second = second[:24] + b"%-12d" % IN[1] + second[36:]
    assert causes(explain_contents(first, second)) == ["ar-timestamp"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(position=st.integers(0, 1 << 16), value=st.integers(1, 255))
def test_another_byte_makes_another_tree(position: int, value: int) -> None:
    whole = library(b"one", b"two!", FIRST)
    changed = bytearray(whole)
    changed[position % len(changed)] ^= value
    assert digest(bytes(changed)) != digest(whole)
