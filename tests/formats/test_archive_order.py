"""Archives told by name: another order is one field, and nothing else hides behind it."""

from __future__ import annotations

import gzip
import io
import itertools
import struct
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.causes.sides import FIRST, SECOND, causes, explain_contents
from tests.compare.layer_images import file, hardlink, tar
from verifier.causes import archive_order
from verifier.causes.cause import Cause, Place, SideContext
from verifier.causes.counterfactual import replace_claims
from verifier.formats import member_order
from verifier.formats.deepen import deepen
from verifier.formats.field import Field, Node
from verifier.formats.member_order import MEMBER_ORDER
from verifier.formats.unfold import unfold

Members = Sequence[tuple[str, bytes]]

MEMBERS: Members = (
    ("META-INF/", b""),
    ("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n"),
    ("org/A.class", b"\xca\xfe\xba\xbe" + b"A" * 40),
    ("org/B.class", b"\xca\xfe\xba\xbe" + b"B" * 40),
    ("org/inner.jar", b"PK\5\6" + bytes(18)),
    ("l" * 120 + "/ü.txt", b"a long name\n"),
)
OTHER: Members = tuple(MEMBERS[number] for number in (3, 0, 5, 2, 4, 1))
TWICE: Members = (("a", b"first"), ("b", b"other"), ("a", b"last"))


def zipped(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
    return out.getvalue()


def stored(members: Members) -> bytes:
    return zipped(members, zipfile.ZIP_STORED)


def streamed(members: Members) -> bytes:
    """Write sizes behind the data, as Java does."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise io.UnsupportedOperation

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def tarred(members: Members, form: int = tarfile.PAX_FORMAT, comment: str = "") -> bytes:
    out = io.BytesIO()
    headers = {"comment": comment} if comment else None
    with tarfile.open(fileobj=out, mode="w", format=form, pax_headers=headers) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def gnu(members: Members) -> bytes:
    return tarred(members, tarfile.GNU_FORMAT)


def ustar(members: Members) -> bytes:
    return tarred(members, tarfile.USTAR_FORMAT)


def committed(members: Members) -> bytes:
    """Write a record about all members in front of them, as `git archive` does."""
    return tarred(members, comment="a commit")


ARCHIVERS: tuple[Callable[[Members], bytes], ...] = (zipped, stored, streamed, tarred, gnu, ustar, committed)


def digest(data: bytes, *known: Cause) -> bytes:
    """Digest a content, unfolded as far as it goes, with what `known` claim replaced."""
    return replace_claims(deepen(unfold(data)), Place(part="layer", field="content"), SideContext(), known).digest


def orders(node: Node) -> list[bytes]:
    return [part.value for part in node.parts if isinstance(part, Field) and part.kind == MEMBER_ORDER]


@pytest.mark.parametrize("archiver", ARCHIVERS)
class TestAnotherOrder:
    def test_it_is_the_only_thing_that_differs(self, archiver: Callable[[Members], bytes]) -> None:
        first, second = archiver(MEMBERS), archiver(OTHER)
        assert digest(first) != digest(second)
        assert digest(first, archive_order.cause) == digest(second, archive_order.cause)
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["archive-order"]
        assert explanation.findings[0].confidence == "proven"
        assert explanation.findings[0].evidence[0].first.startswith('["META-INF/", "META-INF/MANIFEST.MF", ')

    def test_any_other_byte_is_not_explained_by_it(self, archiver: Callable[[Members], bytes]) -> None:
        expected, changed = digest(archiver(MEMBERS), archive_order.cause), bytearray(archiver(OTHER))
        # of the zeros that tar archives are full of, some
        for position in (number for number, value in enumerate(changed) if value or number % 61 == 0):
            changed[position] ^= 0x01
            assert digest(bytes(changed), archive_order.cause) != expected, position
            changed[position] ^= 0x01

    def test_a_member_more_or_of_another_content_or_name(self, archiver: Callable[[Members], bytes]) -> None:
        first = archiver(MEMBERS)
        for others in (OTHER[1:], (*OTHER, ("z", b"")), (("org/C.class", OTHER[0][1]), *OTHER[1:])):
            assert causes(explain_contents(first, archiver(others))) == ["residue"]
        assert causes(explain_contents(first, archiver(((OTHER[0][0], b"else"), *OTHER[1:])))) == ["residue"]

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_members_of_one_name_keep_theirs(self, archiver: Callable[[Members], bytes]) -> None:
        first, second, reverse = archiver(TWICE), archiver([TWICE[number] for number in (1, 0, 2)]), TWICE[::-1]
        assert causes(explain_contents(first, second)) == ["archive-order"]
        assert causes(explain_contents(first, archiver(reverse))) == ["residue"]


SAMPLES = tuple(archiver(members) for archiver in ARCHIVERS for members in (MEMBERS, OTHER))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(sample=st.sampled_from(SAMPLES), position=st.integers(0, 1 << 20), value=st.integers(1, 255))
def test_another_byte_makes_another_tree(sample: bytes, position: int, value: int) -> None:
    changed = bytearray(sample)
    changed[position % len(changed)] ^= value
    assert digest(bytes(changed)) != digest(sample)


def test_every_order_makes_a_tree_of_its_own() -> None:
    members = (("a", b"1"), ("b", b"1"), ("a\nb", b"1"), ('a", "b', b"1"))
    for archiver in ARCHIVERS:
        made = [archiver(order) for order in itertools.permutations(members)]
        assert len({digest(data) for data in made}) == len(made) == 24
        assert len({digest(data, archive_order.cause) for data in made}) == 1


def split(archive: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Cut a zip archive into what lies before its directory, the entries of that, and its end record."""
    directory, end = archive.index(b"PK\1\2"), archive.index(b"PK\5\6")
    entries = [b"PK\1\2" + entry for entry in archive[directory:end].split(b"PK\1\2")[1:]]
    return archive[:directory], entries, archive[end:]


class TestDirectory:
    def test_its_order_is_another_field(self) -> None:
        before, entries, end = split(zipped(MEMBERS))
        second = before + b"".join(entries[::-1]) + end
        assert orders(deepen(unfold(second)))[1] == b"[5, 4, 3, 2, 1, 0]"
        explanation = explain_contents(zipped(MEMBERS), second)
        assert causes(explanation) == ["archive-order"]
        assert "central directory" in (explanation.findings[0].evidence[0].inner or "")
        assert causes(explain_contents(zipped(OTHER), second)) == ["archive-order"]

    def test_an_entry_that_means_another_member_is_no_other_order(self) -> None:
        before, entries, end = split(stored([("a", b"same"), ("b", b"same")]))
        offsets = [entry[42:46] for entry in entries]
        crossed = [entry[:42] + offset + entry[46:] for entry, offset in zip(entries, offsets[::-1], strict=True)]
        second = before + b"".join(crossed) + end
        assert causes(explain_contents(before + b"".join(entries) + end, second)) == ["residue"]
        assert causes(explain_contents(before + b"".join(entries) + end, before + b"".join(crossed[::-1]) + end)) == [
            "residue"
        ]

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_members_of_one_name_keep_theirs(self) -> None:
        first = zipped(TWICE)
        before, entries, end = split(first)
        assert causes(explain_contents(first, before + entries[2] + entries[1] + entries[0] + end)) == ["residue"]

    def test_bytes_that_are_no_members_count(self) -> None:
        before, entries, end = split(zipped(OTHER))
        directory = b"".join(entries)
        end = end[:16] + struct.pack("<I", len(before) + 3) + end[20:]
        second = before + b"\0\1\2" + directory + end
        assert zipfile.ZipFile(io.BytesIO(second)).testzip() is None
        assert causes(explain_contents(zipped(MEMBERS), second)) == ["residue"]


class TestTar:
    def test_a_header_in_the_midst_that_means_all_behind_it_forbids_another_order(self) -> None:
        first, second = ustar(MEMBERS[:2]), ustar(OTHER[:2])
        both = [part[: part.rindex(b"\0" * 1024)].rstrip(b"\0") for part in (first, second)]
        blocks = [part + bytes(-len(part) % 512) for part in both]
        header = committed([])[:1024]
        made = [
            header + blocks[0] + header + blocks[1] + bytes(1024),
            header + blocks[1] + header + blocks[0] + bytes(1024),
        ]
        assert all(unfold(data).format == "tar" for data in made)
        assert causes(explain_contents(made[0], made[1])) == ["residue"]

    def test_a_hard_link_stays_behind_the_file_that_it_names(self) -> None:
        entries = (file("a", b"x"), file("b", b"y"), hardlink("link", "a"))
        first, usual, broken = (
            tar([entries[number] for number in order]) for order in ((0, 1, 2), (1, 0, 2), (2, 1, 0))
        )
        assert causes(explain_contents(first, usual)) == ["archive-order"]
        assert causes(explain_contents(first, broken)) == ["residue"]

    def test_what_it_says_of_all_members_counts(self) -> None:
        assert causes(explain_contents(committed(MEMBERS), tarred(OTHER, comment="another"))) == ["residue"]

    def test_gnu_tar_in_the_order_that_it_is_told(self, tmp_path: Path) -> None:
        names = ["b", "a", "d" * 130, "c"]
        for name in names:
            (tmp_path / name).write_text(f"this is {name}\n" * 9)
        made = []
        for order in (names, names[::-1]):
            command = ["tar", "--format=gnu", "--mtime=@1000000000", "--owner=0", "--group=0", "-cf", "-", *order]
            made.append(subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout)
        assert causes(explain_contents(made[0], made[1])) == ["archive-order"]

    def test_in_a_stream_of_an_unknown_compressor_it_is_likely(self) -> None:
        explanation = explain_contents(gzipped_by_hand(gnu(MEMBERS), 100), gzipped_by_hand(gnu(OTHER), 100))
        assert causes(explanation) == ["archive-order"]
        assert (explanation.findings[0].confidence, explanation.opaque) == ("likely", 1)

    def test_another_stream_over_one_order_is_not_put_down_to_it(self) -> None:
        # there is something in it that may stand in any order, and does not: a list of words
        first, second = (gzipped_by_hand(gnu(MEMBERS), size) for size in (100, 101))
        assert causes(explain_contents(first, second)) == ["residue"]
        first, second = (gzipped_by_hand(gnu(MEMBERS[:2]), size) for size in (100, 101))
        assert causes(explain_contents(first, second)) == ["residue"]


def gzipped_by_hand(data: bytes, size: int) -> bytes:
    """Deflate in stored blocks of `size` bytes, as no compressor does."""
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    stream = b"".join(
        bytes((number == len(blocks) - 1,)) + struct.pack("<HH", len(block), 0xFFFF - len(block)) + block
        for number, block in enumerate(blocks)
    )
    made = gzip.compress(b"", mtime=0)[:10] + stream + struct.pack("<II", zlib.crc32(data), len(data))
    assert gzip.decompress(made) == data
    return made


def test_times_and_order_together() -> None:
    def jar(moment: int, members: Members) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for name, content in members:
                info = tarfile.TarInfo(name)
                info.size, info.mtime = len(content), moment
                archive.addfile(info, io.BytesIO(content))
        return gzip.compress(out.getvalue(), mtime=moment)

    explanation = explain_contents(jar(FIRST + 4, MEMBERS), jar(SECOND + 4, OTHER))
    assert causes(explanation) == ["archive-in-run", "archive-order"]


def test_an_archive_in_an_archive() -> None:
    first, second = (zipped([("a.jar", zipped(order)), ("b.tar", gnu(order[::-1]))]) for order in (MEMBERS, OTHER))
    assert causes(explain_contents(first, second)) == ["archive-order"]


def test_one_order_needs_no_cause() -> None:
    names = sorted(MEMBERS)
    assert explain_contents(zipped(names), zipped(sorted(OTHER))).of == 0


def test_names_beyond_the_limit_keep_the_archives_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_order, "MAX_NAME_CHARACTERS", 100)
    node = unfold(zipped(MEMBERS))
    assert not orders(deepen(node))
    assert causes(explain_contents(zipped(MEMBERS), zipped(OTHER))) == ["residue"]
