"""listed-digest: digests that are those of files which differ, computed and not guessed."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, at, causes, explain_contents, explain_images
from tests.compare.layer_images import Entry, file, image, single, tar
from tests.formats.elf_files import EXECUTABLE, LOADED, NO_BITS, Part, code, elf, note, strings
from verifier.compare import compare
from verifier.compare.contents_reader import ImageSetReader
from verifier.explain import explain
from verifier.explain.diff_ids import prove_diff_ids
from verifier.model.finding import Explanation

BUILT = "%Y-%m-%dT%H:%M:%SZ"


def built(moment: float) -> bytes:
    return at(moment, BUILT) + b"\n"


def explain_files(make: Callable[[float], list[Entry]]) -> Explanation:
    first, second = (image(tar(make(moment))) for moment in (FIRST + 4, SECOND + 4))
    return explain_images(first, second)


def listing(name: str, content: Callable[[bytes], bytes]) -> Callable[[float], list[Entry]]:
    return lambda moment: [file("app", built(moment)), file(name, content(built(moment)))]


def hexadecimal(algorithm: str, ending: str = "  app\n") -> Callable[[bytes], bytes]:
    return lambda data: (hashlib.new(algorithm, data).hexdigest() + ending).encode()


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_a_list_of_checksums(algorithm: str) -> None:
    explanation = explain_files(listing("SUMS", hexadecimal(algorithm)))
    assert causes(explanation) == ["listed-digest", "embedded-timestamp"]
    found = {finding.cause: finding for finding in explanation.findings}
    assert found["listed-digest"].paths == (b"/SUMS",)
    assert found["embedded-timestamp"].paths == (b"/app",)
    assert not found["listed-digest"].opaque
    assert explanation.minimal == ("listed-digest", "embedded-timestamp")


@pytest.mark.parametrize(
    "write",
    [
        lambda data: b'{"integrity": "sha512-' + base64.b64encode(hashlib.sha512(data).digest()) + b'"}\n',
        lambda data: b'<script integrity="sha384-' + base64.b64encode(hashlib.sha384(data).digest()) + b'">\n',
        lambda data: b"app,sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=") + b",21\n",
        lambda data: b"Content-MD5: " + base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()) + b"\n",
        lambda data: b"SHA256 (app) = " + hashlib.sha256(data).hexdigest().upper().encode() + b"\n",
        lambda data: b"\x00\x01sum:" + hashlib.sha1(data, usedforsecurity=False).hexdigest().encode() + b"\xff\x00",
    ],
    ids=["sri", "sri-in-a-page", "record", "md5", "capitals", "in-a-program"],
)
def test_every_way_of_writing_it(write: Callable[[bytes], bytes]) -> None:
    assert causes(explain_files(listing("lists", write))) == ["listed-digest", "embedded-timestamp"]


def test_inside_of_an_archive() -> None:
    def packed(data: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(zipfile.ZipInfo("SUMS"), hexadecimal("sha256")(data))
        return out.getvalue()

    assert causes(explain_files(listing("lists.zip", packed))) == ["listed-digest", "embedded-timestamp"]


def wheel(moment: float, *, of: bytes = b"", more: bytes = b"") -> bytes:
    """Pack a wheel as the specification of binary distributions has it; `of` is what the RECORD has the digest of."""
    module = b"built = '" + built(moment) + b"'\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(of or module).digest()).rstrip(b"=")
    record = b"x.py,sha256=%s,%d\nx-1.dist-info/RECORD,,\n" % (digest, len(module))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("x.py"), module)
        archive.writestr(zipfile.ZipInfo("x-1.dist-info/RECORD"), record + more)
    return out.getvalue()


def test_a_wheels_record_of_its_own_members() -> None:
    first, second = (wheel(moment) for moment in (FIRST + 4, SECOND + 4))
    explanation = explain_contents(first, second, "wheels/x-1-py3-none-any.whl")
    assert causes(explanation) == ["listed-digest", "embedded-timestamp"]
    assert {finding.confidence for finding in explanation.findings} == {"proven"}
    assert causes(explain_contents(first, wheel(SECOND + 4, more=b"y,,\n"))) == ["residue"]
    assert causes(explain_contents(*(wheel(moment, of=b"%d" % moment) for moment in (FIRST, SECOND)))) == ["residue"]


def test_a_package_lists_what_is_in_another_member(tmp_path: Path) -> None:
    contents = []
    for number, moment in enumerate((FIRST + 4, SECOND + 4)):
        root = tmp_path / str(number)
        (root / "DEBIAN").mkdir(parents=True)
        (root / "version").write_bytes(built(moment))
        control = "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: x\n"
        (root / "DEBIAN" / "control").write_text(control)
        (root / "DEBIAN" / "md5sums").write_bytes(hexadecimal("md5", "  version\n")(built(moment)))
        packed = tmp_path / f"{number}.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(packed)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1"})
        contents.append(packed.read_bytes())
    assert causes(explain_contents(contents[0], contents[1], "x.deb")) == ["listed-digest", "embedded-timestamp"]


def test_the_diff_ids_where_an_archive_lists_its_members(tmp_path: Path) -> None:
    assert_equal_diff_ids(tmp_path, *([file("x.whl", wheel(moment))] for moment in (FIRST + 4, SECOND + 4)))


def test_in_another_layer_than_the_file() -> None:
    first, second = (
        image(tar([file("app", built(moment))]), tar([file("SUMS", hexadecimal("md5")(built(moment)))]))
        for moment in (FIRST + 4, SECOND + 4)
    )
    assert causes(explain_images(first, second)) == ["listed-digest", "embedded-timestamp"]


def split(moment: float, *, order: str = "<", wide: bool = True, linked: bytes = b"") -> list[Entry]:
    """Write a stripped program and its debugging information, as objcopy does, both with the build ID of the whole."""
    identity = note(hashlib.sha1(built(moment), usedforsecurity=False).digest(), order=order)
    left_out = Part(".text", b"x" * 16, NO_BITS, LOADED | EXECUTABLE, 16)
    debug = elf([identity, left_out, Part(".debug_line", b"lines", flags=0)], order=order, wide=wide)
    link = b"app.debug\0\0\0" + struct.pack(order + "I", zlib.crc32(linked or debug))
    program = elf(
        [identity, code(), strings(built(moment)), Part(".gnu_debuglink", link, flags=0, alignment=4)],
        order=order,
        wide=wide,
    )
    return [file("app", program), file("debug/app.debug", debug)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False])
def test_a_program_and_its_debugging_information(order: str, wide: bool) -> None:
    explanation = explain_files(lambda moment: split(moment, order=order, wide=wide))
    assert causes(explanation) == ["listed-digest", "embedded-timestamp"]
    found = {finding.cause: finding for finding in explanation.findings}
    assert found["listed-digest"].paths == (b"/app", b"/debug/app.debug")
    assert found["embedded-timestamp"].paths == (b"/app",)


def test_a_link_to_what_is_not_in_the_image_is_left() -> None:
    explanation = explain_files(lambda moment: split(moment, linked=built(moment)))
    assert causes(explanation)[-1] == "residue"
    found = {finding.cause: finding.paths for finding in explanation.findings}
    assert found["listed-digest"] == (b"/debug/app.debug",)


def test_debugging_information_without_its_program_is_left() -> None:
    assert causes(explain_files(lambda moment: split(moment)[1:])) == ["residue"]


def test_what_is_no_digest_of_a_file_is_left() -> None:
    explanation = explain_files(listing("SUMS", lambda data: hexadecimal("sha256")(data + b"-")))
    assert causes(explanation) == ["embedded-timestamp", "residue"]


def test_one_more_byte_beside_the_digest_is_left() -> None:
    def listed(data: bytes) -> bytes:
        return hexadecimal("sha256")(data) + hashlib.sha256(data).digest()[:1]

    assert causes(explain_files(listing("SUMS", listed))) == ["embedded-timestamp", "residue"]


def test_the_digest_of_another_file_on_each_side_is_left() -> None:
    def files(moment: float) -> list[Entry]:
        listed = built(moment) if moment < SECOND else b"two " + built(moment)
        return [file("1", built(moment)), file("2", b"two " + built(moment)), file("SUMS", hexadecimal("sha1")(listed))]

    assert causes(explain_files(files)) == ["embedded-timestamp", "residue"]


def test_a_list_is_explained_where_its_file_is_not() -> None:
    def files(moment: float) -> list[Entry]:
        content = b"x" * int(moment % 7 + 1)
        return [file("app", content), file("SUMS", hexadecimal("sha256")(content))]

    explanation = explain_files(files)
    assert causes(explanation) == ["listed-digest", "residue"]
    assert {finding.paths for finding in explanation.findings} == {(b"/SUMS",)}


def test_the_diff_ids_of_what_is_left_are_equal(tmp_path: Path) -> None:
    contents = (built(moment) for moment in (FIRST + 4, SECOND + 4))
    listings = ([file("app", content), file("SUMS", hexadecimal("sha512")(content))] for content in contents)
    assert_equal_diff_ids(tmp_path, *listings)


def assert_equal_diff_ids(workspace: Path, *files: list[Entry]) -> None:
    first, second = (single(image(tar(entries))) for entries in files)
    comparison = compare(first, second, workspace=workspace)
    reader = ImageSetReader(first, second)
    sides = WINDOWS[0], WINDOWS[1]
    told = explain(comparison, first=sides[0], second=sides[1], contents=reader, instructions=lambda _: None)
    proven = prove_diff_ids(comparison, told, sides=sides, layers=reader, instructions=lambda _: None)
    (layer,) = proven.diff_ids
    assert layer.reason is None
    assert layer.first == layer.second


def test_a_list_that_holds_the_digest_of_its_own_beginning() -> None:
    # apt-ftparchive release . > Release: what it had written of the list when it came to it
    def release(moment: float, of: int) -> list[Entry]:
        app, head = built(moment), at(moment, "Date: %a, %d %b %Y %H:%M:%S +0000\n")
        own = hashlib.md5(head[:of], usedforsecurity=False).hexdigest()
        listed = hashlib.md5(app, usedforsecurity=False).hexdigest()
        text = head + f"MD5Sum:\n {listed} {len(app):>16} app\n {own} {len(head):>16} Release\n".encode()
        return [file("app", app), file("Release", text)]

    explanation = explain_files(lambda moment: release(moment, 99))
    assert causes(explanation) == ["listed-digest", "embedded-timestamp"]
    assert not explanation.opaque
    assert causes(explain_files(lambda moment: release(moment, 30)))[-1] == "residue"


def grown(moment: float) -> bytes:
    """Write a content that has another size in each build, and 1,200 bytes or more."""
    return at(moment, BUILT) + b"\n" + b"x" * (1_200 + (0 if moment < SECOND else 31))


def sized(text: str, name: str = "dist/app-1.2.tar.gz") -> Callable[[float], list[Entry]]:
    """Write a file that grows, and a text that holds `text` with its size, and with twice its size."""

    def files(moment: float) -> list[Entry]:
        size = len(grown(moment))
        return [file(name, grown(moment)), file("sizes", text.format(size=size, twice=2 * size).encode())]

    return files


SIZES = (
    "-rw-r--r-- 1 root root {size} Nov 23 2024 app-1.2.tar.gz\n",
    "other 17\napp-1.2.tar.gz {size} 644\n",
    "{size}\tdist/app-1.2.tar.gz\n",
    "Output written on /out/dist/app-1.2.tar.gz (3 pages, {size} bytes).\n",
    '{{"name": "app-1.2.tar.gz", "size": {size}}}\n',
)


@pytest.mark.parametrize("text", SIZES)
def test_a_list_of_sizes(text: str) -> None:
    explanation = explain_files(sized(text))
    found = {finding.cause: finding for finding in explanation.findings}
    assert found["listed-digest"].paths == (b"/sizes",)
    assert not found["listed-digest"].opaque


@pytest.mark.parametrize(
    "text",
    [
        # of nothing that is named, of another file, of a longer name, in another line, of something else, a version
        "size {size}\n",
        "app-1.3.tar.gz {size}\n",
        "app-1.2.tar.gz.sig {size}\n",
        "my-app-1.2.tar.gz {size}\n",
        "app-1.2.tar.gz\n{size}\n",
        "app-1.2.tar.gz {twice}\n",
        "app-1.2.tar.gz 1.{size}\n",
        "app-1.2.tar.gz {size}-1\n",
        "app-1.2.tar.gz 10{size}\n",
    ],
)
def test_a_number_that_is_no_listed_size(text: str) -> None:
    explanation = explain_files(sized(text))
    assert causes(explanation)[-1] == "residue"
    assert "listed-digest" not in causes(explanation)


def test_a_small_size_is_any_number() -> None:
    # `build` may have nine bytes, and be the ninth build
    def files(moment: float) -> list[Entry]:
        content = built(moment) + b"x" * (0 if moment < SECOND else 1)
        return [file("build", content), file("log", b"build %d\n" % len(content))]

    assert "listed-digest" not in causes(explain_files(files))


def test_the_size_of_another_file_on_each_side_is_left() -> None:
    def files(moment: float) -> list[Entry]:
        sizes = len(grown(moment)), len(grown(moment)) + 500
        listed = sizes[0] if moment < SECOND else sizes[1]
        return [
            file("one", grown(moment)),
            file("two", grown(moment) + b"y" * 500),
            file("sizes", b"one and two: %d\n" % listed),
        ]

    assert "listed-digest" not in causes(explain_files(files))


def test_digest_and_size_side_by_side(tmp_path: Path) -> None:
    def files(moment: float) -> list[Entry]:
        content = at(moment, "%Y-%m-%dT%H:%M:%S") + (b".5Z" if moment < SECOND else b".123456Z")
        content = b"#" * 100 + b"\n" + content + b"\n"
        line = f" {hashlib.sha256(content).hexdigest()} {len(content)} main/app\n".encode()
        return [file("app", content), file("Release", line)]

    assert causes(explain_files(files)) == ["listed-digest", "embedded-timestamp"]
    assert_equal_diff_ids(tmp_path, files(FIRST + 4), files(SECOND + 4))
