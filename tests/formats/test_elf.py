"""ELF files: every byte in one field, strings where they stand, and nothing that a string moves."""

from __future__ import annotations

import itertools
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.formats.elf_files import (
    LOADED,
    NO_BITS,
    OBJECT,
    RELOCATIONS,
    STRINGS,
    SYMBOLS,
    Part,
    code,
    compressed,
    debugging,
    elf,
    note,
    strings,
)
from verifier.causes.cause import Place, SideContext
from verifier.causes.counterfactual import replace_claims
from verifier.formats.deepen import deepen
from verifier.formats.field import Field, Node
from verifier.formats.unfold import unfold

LAYOUTS = [(wide, order) for wide in (True, False) for order in "<>"]
SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def fields(node: Node) -> dict[str, Field]:
    """Give the fields of a file by their names, those of compressed sections too."""
    found: dict[str, Field] = {}
    for part in node.parts:
        if isinstance(part, Field):
            found[part.name] = part
        else:
            found.update({f"{part.name} > {name}": field for name, field in fields(part).items()})
    return found


def digest(data: bytes, *, deep: bool = False) -> bytes:
    node = unfold(data)
    return replace_claims(
        deepen(node) if deep else node, Place(part="layer", field="content"), SideContext(), ()
    ).digest


@pytest.mark.parametrize(("wide", "order"), LAYOUTS)
def test_sections_are_told_apart(wide: bool, order: str) -> None:
    parts = [note(b"i" * 20, order=order), code(), strings(b"text"), Part(".bss", b"x" * 9, NO_BITS)]
    found = fields(unfold(elf(parts, wide=wide, order=order)))
    assert found[".note.gnu.build-id"].kind == "build-id"
    assert found[".note.gnu.build-id"].value == b"i" * 20
    assert (found[".text"].kind, found[".text"].value) == ("elf", b"\x90\xc3")
    assert (found[".rodata"].kind, found[".rodata"].value) == ("strings", b"text\0")
    assert found[".shstrtab"].kind == "section-names"
    assert ".bss" not in found


@pytest.mark.parametrize(("wide", "order"), LAYOUTS)
def test_a_longer_string_moves_nothing_that_counts(wide: bool, order: str) -> None:
    made = [
        unfold(
            elf(
                [
                    code(),
                    Part(".comment", text, flags=0),
                    Part(".empty", b"", flags=0),
                    Part(".more", b"m", alignment=8),
                ],
                wide=wide,
                order=order,
            )
        )
        for text in (b"short", b"a good deal longer than that")
    ]
    first, second = (
        [(part.name, part.value) for part in node.parts if isinstance(part, Field) and not part.derived]
        for node in made
    )
    assert [name for (name, value), (_, other) in zip(first, second, strict=True) if value != other] == [".comment"]


def test_where_a_section_stands_counts_unless_it_must_stand_there() -> None:
    content = bytearray(elf([code(), strings(b"text")]))
    before = digest(bytes(content))
    table = struct.unpack_from("<Q", content, 40)[0]
    moved = content[:table] + bytes(8) + content[table:]
    struct.pack_into("<Q", moved, 40, table + 8)
    assert digest(bytes(moved)) != before


@pytest.mark.parametrize("lengths", [(16, 15), (15, 16), (16, 16)])
def test_names_with_gccs_random_number(lengths: tuple[int, int]) -> None:
    made = []
    for length in lengths:
        names = [f".gnu.lto_.{name}.{'abcdef0123456789'[:length]}" for name in ("decls", "refs", "opts")]
        made.append(unfold(elf([*(Part(name, b"same", flags=0) for name in names), code()], kind=OBJECT)))
    first, second = ({name: field.value for name, field in fields(node).items()} for node in made)
    assert first["section headers"] == second["section headers"]
    assert set(first) == set(second)
    assert ".gnu.lto_.decls" in first


@pytest.mark.parametrize(("wide", "order"), LAYOUTS)
def test_compressed_sections_are_inflated(wide: bool, order: str) -> None:
    part = compressed(strings(b"/tmp/tmp.abcdefghij" * 9, name=".debug_str"), wide=wide, order=order)
    found = fields(unfold(elf([part], wide=wide, order=order)))
    assert found[".debug_str > "].value.startswith(b"/tmp/tmp.")
    assert found[".debug_str: size"].derived
    assert found[".debug_str: checksum"].derived


def test_a_section_that_says_it_is_compressed_and_is_not() -> None:
    heads = [struct.pack("<I4xQQ", method, 9, 1) for method in (1, 2, 9)]
    for content in (b"", b"\1\0\0\0", *(head + b"no stream at all" for head in heads)):
        node = unfold(elf([Part(".debug_str", content, flags=0x800)]))
        assert node.format == "elf"


def objects(texts: tuple[bytes, ...], layout: tuple[int, ...]) -> bytes:
    """Write an object: its references to strings are in relocations, as addends of the table's own symbol."""
    info, abbreviations, table = debugging(texts, layout)
    offsets = [table.content.index(text + b"\0") for text in texts]
    relocations = b"".join(
        struct.pack("<QQq", 13 + 4 * number, 1 << 32 | 10, offset) for number, offset in enumerate(offsets)
    )
    symbols = bytes(24) + struct.pack("<IBBHQQ", 0, 3, 0, 3, 0, 0)
    parts = [
        Part(".debug_info", info.content.replace(info.content[13:-3], bytes(4 * len(texts))), flags=0),
        abbreviations,
        table,
        Part(".rela.debug_info", relocations, RELOCATIONS, 0, 8, link=5),
        Part(".symtab", symbols, SYMBOLS, 0, 8, link=6),
        Part(".strtab", b"\0", STRINGS, 0),
    ]
    return elf(parts, kind=OBJECT)


TEXTS = (b"/tmp/tmp.abcdefghij", b"main.c", b"GNU C17")


@pytest.mark.parametrize("version", [5, 4])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("layout", list(itertools.permutations(range(3))))
def test_the_order_of_debugging_strings_is_a_field_of_its_own(
    layout: tuple[int, ...], order: str, version: int
) -> None:
    made = [
        fields(deepen(unfold(elf(debugging(TEXTS, places, order=order, version=version), order=order))))
        for places in ((0, 1, 2), layout)
    ]
    table = ".debug_line_str" if version == 5 else ".debug_str"
    assert made[1][table].value == b"\0".join((*TEXTS, b""))
    assert made[1][f"{table}: order"].kind == "strings-order"
    differing = {name for name in made[0] if made[0][name].value != made[1][name].value}
    assert differing <= {f"{table}: order"}


@pytest.mark.parametrize("layout", list(itertools.permutations(range(3))))
def test_references_of_an_object_stand_in_its_relocations(layout: tuple[int, ...]) -> None:
    made = [fields(deepen(unfold(objects(TEXTS, places)))) for places in ((0, 1, 2), layout)]
    differing = {name for name in made[0] if made[0][name].value != made[1][name].value}
    assert differing <= {".debug_line_str: order"}
    assert ".rela.debug_info: references" in made[0]


def test_debugging_information_that_cannot_be_read_stays_as_it_is() -> None:
    parts = debugging(TEXTS, (0, 1, 2))
    broken = Part(".debug_abbrev", b"\x07\x11\x00\0\0\0", flags=0)
    node = unfold(elf([parts[0], broken, parts[2]]))
    assert deepen(node) is node
    twice = unfold(elf([*parts, parts[0]]))
    assert deepen(twice) is twice


SAMPLES = {
    "program": elf([note(b"i" * 20), code(), strings(b"one", b"two"), Part(".bss", b"1234", NO_BITS)]),
    "32 bit, big-endian": elf([note(b"i" * 20, order=">"), code(), strings(b"one")], wide=False, order=">"),
    "compressed": elf([compressed(strings(b"text " * 20, name=".debug_str"))]),
    "debugging": elf(debugging(TEXTS, (2, 0, 1))),
    "object": objects(TEXTS, (1, 0, 2)),
    "seeds": elf([Part(f".gnu.lto_.{name}.abc", b"x", flags=LOADED) for name in "ab"], kind=OBJECT),
    "go": elf([code(b'\xff Go build ID: "a/b"\n \xff' + bytes(40)), note(b"a/b", owner=b"Go\0\0", kind=4)]),
}


@SETTINGS
@given(name=st.sampled_from(sorted(SAMPLES)), position=st.integers(0, 1 << 16), value=st.integers(1, 255))
def test_another_byte_makes_another_tree(name: str, position: int, value: int) -> None:
    changed = bytearray(SAMPLES[name])
    changed[position % len(changed)] ^= value
    for deep in (False, True):
        assert digest(bytes(changed), deep=deep) != digest(SAMPLES[name], deep=deep)


@SETTINGS
@given(name=st.sampled_from(sorted(SAMPLES)), seed=st.integers(0, 1 << 32))
def test_damage_is_no_error_and_never_two_of_one_tree(name: str, seed: int) -> None:
    chance = random.Random(seed)
    trees = {}
    for _ in range(8):
        changed = bytearray(SAMPLES[name])
        for _ in range(chance.randint(1, 3)):
            # what headers are made of: small numbers, and the largest
            changed[chance.randrange(len(changed))] = chance.choice((0, 1, 2, 3, 8, 16, 64, 127, 128, 255))
        for deep in (False, True):
            found = digest(bytes(changed), deep=deep)
            assert trees.setdefault((deep, found), bytes(changed)) == bytes(changed)


def test_cut_off_files_stay_one_field() -> None:
    whole = SAMPLES["program"]
    for size in range(4, len(whole), 7):
        assert sum(len(part.value) for part in unfold(whole[:size]).parts if isinstance(part, Field)) == size


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Compile one source in two folders, in every form of debugging information."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    folders = []
    for name in ("tmp.Ab3dEf9hJk", "tmp.zY8xWv7uTs"):
        folder = tmp_path_factory.mktemp("build") / "tmp" / name
        folder.mkdir(parents=True)
        (folder / "main.c").write_text("const char *where = __FILE__;\nint main(void) { return *where == 0; }\n")
        for options in ("-gdwarf-5", "-gdwarf-4", "-gdwarf-5 -gz=zlib", "-gdwarf-5 -c", "-gdwarf-4 -c"):
            target = options.replace(" ", "") + ".out"
            subprocess.run(["gcc", *options.split(), "-o", target, "main.c"], cwd=folder, check=True)
        folders.append(folder)
    return folders


@pytest.mark.parametrize("name", ["-gdwarf-5", "-gdwarf-4", "-gdwarf-5-gz=zlib", "-gdwarf-5-c", "-gdwarf-4-c"])
def test_what_gcc_makes_differs_in_its_strings_alone(compiled: list[Path], name: str) -> None:
    made = [fields(deepen(unfold((folder / f"{name}.out").read_bytes()))) for folder in compiled]
    assert list(made[0]) == list(made[1])
    differing = {key for key in made[0] if made[0][key].value != made[1][key].value and not made[0][key].derived}
    assert {made[0][key].kind for key in differing} <= {"strings", "strings-order", "build-id"}
    assert any("_str" in key for key in differing)
    for key in differing:
        if made[0][key].kind == "strings":
            assert made[0][key].value.replace(b"Ab3dEf9hJk", b"zY8xWv7uTs") == made[1][key].value.replace(
                compiled[1].parts[-3].encode(), compiled[0].parts[-3].encode()
            )
