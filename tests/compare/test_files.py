"""`files/v1` on cases computed by hand, from the encoding that its module documents."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import pytest

from tests.compare.layer_images import Entry, compare_layers_of, file, folder, hardlink, symlink, tar
from verifier.errors import MalformedImageError

ROOT = "/|d 0755 0 0|"


def netstring(part: bytes) -> bytes:
    return str(len(part)).encode() + b":" + part + b","


def by_hand(*lines: str) -> str:
    """Digest lines of `path|head|detail|name|value…`; a detail `=x` stands for the sha256 of x."""
    stream = b"files/v1\n"
    for line in lines:
        parts = [part.encode("utf-8", "surrogateescape") for part in line.split("|")]
        parts = [hashlib.sha256(part[1:]).hexdigest().encode() if part.startswith(b"=") else part for part in parts]
        stream += b"".join(netstring(part) for part in parts) + b"\n"
    return "sha256:" + hashlib.sha256(stream).hexdigest()


def files_of(workspace: Path, *layers: list[Entry]) -> str | None:
    return compare_layers_of([tar(layer) for layer in layers], [tar([file("other")])], workspace).images[0].first.files


def check(workspace: Path, layers: list[list[Entry]], *lines: str) -> None:
    assert files_of(workspace, *layers) == by_hand(*lines)


def test_one_of_each_type(tmp_path: Path) -> None:
    check(
        tmp_path,
        [
            [
                folder("etc/", mode=0o700, uid=3),
                file("etc/conf", b"x", uid=1, gid=2, mode=0o4755, mtime=5, uname="ignored"),
                symlink("etc/link", "conf", mode=0),
                Entry("dev/null", type=tarfile.CHRTYPE, device=(1, 3), mode=0o666),
                Entry("dev/sda", type=tarfile.BLKTYPE, device=(8, 0), mode=0o660),
                Entry("fifo", type=tarfile.FIFOTYPE, mode=0o600),
            ]
        ],
        ROOT,
        "/dev|d 0755 0 0|",
        "/dev/null|c 0666 0 0|1:3",
        "/dev/sda|b 0660 0 0|8:0",
        "/etc|d 0700 3 0|",
        "/etc/conf|f 4755 1 2|=x",
        "/etc/link|l 0777 0 0|conf",
        "/fifo|p 0600 0 0|",
    )


def test_paths_are_sorted_as_raw_bytes(tmp_path: Path) -> None:
    check(
        tmp_path,
        [[file("a/b"), file("a-b"), file("\udcff")]],
        ROOT,
        "/a|d 0755 0 0|",
        "/a-b|f 0644 0 0|=",
        "/a/b|f 0644 0 0|=",
        "/\udcff|f 0644 0 0|=",
    )


def test_xattrs_in_order(tmp_path: Path) -> None:
    pax = (("SCHILY.xattr.user.b", "2"), ("SCHILY.xattr.user.a", "1"))
    check(tmp_path, [[file("x", pax=pax)]], ROOT, "/x|f 0644 0 0|=|user.a|1|user.b|2")


def test_root_entry_and_order_do_not_matter_twice(tmp_path: Path) -> None:
    check(
        tmp_path,
        [[file("a/x"), folder("a", mode=0o711), folder("./", mode=0o700)]],
        "/|d 0700 0 0|",
        "/a|d 0711 0 0|",
        "/a/x|f 0644 0 0|=",
    )


def test_last_duplicate_wins(tmp_path: Path) -> None:
    check(tmp_path, [[file("x", b"1"), file("x", b"2", mode=0o600)]], ROOT, "/x|f 0600 0 0|=2")


def test_whiteouts_act_on_lower_layers_only_wherever_they_stand(tmp_path: Path) -> None:
    lower = [file("d/old"), file("d/sub/x"), file("keep")]
    for upper in ([file("d/.wh.old"), file("d/old2")], [file("d/old2"), file("d/.wh.old")]):
        check(
            tmp_path,
            [lower, upper],
            ROOT,
            "/d|d 0755 0 0|",
            "/d/old2|f 0644 0 0|=",
            "/d/sub|d 0755 0 0|",
            "/d/sub/x|f 0644 0 0|=",
            "/keep|f 0644 0 0|=",
        )
    again = [file("d/old", b"new"), file("d/.wh.old")]
    check(
        tmp_path,
        [lower, again],
        ROOT,
        "/d|d 0755 0 0|",
        "/d/old|f 0644 0 0|=new",
        "/d/sub|d 0755 0 0|",
        "/d/sub/x|f 0644 0 0|=",
        "/keep|f 0644 0 0|=",
    )


def test_opaque_whiteout_empties_the_directory_below(tmp_path: Path) -> None:
    lower = [folder("d", mode=0o700), file("d/old"), file("d/sub/x"), file("d2")]
    upper = [file("d/new"), file("d/.wh..wh..opq")]
    check(tmp_path, [lower, upper], ROOT, "/d|d 0700 0 0|", "/d/new|f 0644 0 0|=", "/d2|f 0644 0 0|=")


def test_whiteout_of_a_directory_and_of_nothing(tmp_path: Path) -> None:
    lower = [file("d/sub/x"), file("d-x")]
    check(tmp_path, [lower, [file(".wh.d"), file("n/.wh.nothing")]], ROOT, "/d-x|f 0644 0 0|=", "/n|d 0755 0 0|")


def test_aufs_files_are_passed_over(tmp_path: Path) -> None:
    check(tmp_path, [[file("x"), file(".wh..wh.plnk"), file(".wh..wh.aufs")]], ROOT, "/x|f 0644 0 0|=")


def test_directory_over_directory_keeps_content_and_anything_else_removes_it(tmp_path: Path) -> None:
    check(
        tmp_path, [[folder("d"), file("d/x")], [folder("d", mode=0o700)]], ROOT, "/d|d 0700 0 0|", "/d/x|f 0644 0 0|="
    )
    check(tmp_path, [[folder("d"), file("d/x"), file("d-")], [file("d")]], ROOT, "/d|f 0644 0 0|=", "/d-|f 0644 0 0|=")
    check(
        tmp_path,
        [[folder("d"), file("d/x"), file("d"), folder("d"), file("d/y")]],
        ROOT,
        "/d|d 0755 0 0|",
        "/d/y|f 0644 0 0|=",
    )


def test_file_as_a_parent_becomes_a_directory(tmp_path: Path) -> None:
    check(tmp_path, [[file("d")], [file("d/x")]], ROOT, "/d|d 0755 0 0|", "/d/x|f 0644 0 0|=")


def test_symlinked_parents_are_resolved_inside_the_root(tmp_path: Path) -> None:
    lower = [folder("usr/bin"), symlink("bin", "usr/bin"), symlink("abs", "/usr/./bin/"), symlink("up", "../../usr")]
    check(
        tmp_path,
        [lower, [file("bin/a"), file("abs/b"), file("up/c"), file("up/new/d")]],
        ROOT,
        "/abs|l 0777 0 0|/usr/./bin/",
        "/bin|l 0777 0 0|usr/bin",
        "/up|l 0777 0 0|../../usr",
        "/usr|d 0755 0 0|",
        "/usr/bin|d 0755 0 0|",
        "/usr/bin/a|f 0644 0 0|=",
        "/usr/bin/b|f 0644 0 0|=",
        "/usr/c|f 0644 0 0|=",
        "/usr/new|d 0755 0 0|",
        "/usr/new/d|f 0644 0 0|=",
    )


def test_link_that_is_replaced_no_longer_leads_anywhere(tmp_path: Path) -> None:
    check(
        tmp_path,
        [[folder("t"), symlink("l", "t"), file("l/1"), folder("l"), file("l/2")]],
        ROOT,
        "/l|d 0755 0 0|",
        "/l/2|f 0644 0 0|=",
        "/t|d 0755 0 0|",
        "/t/1|f 0644 0 0|=",
    )


def test_hard_links_are_named_by_their_smallest_path(tmp_path: Path) -> None:
    layer = [
        file("m", b"x", mode=0o600),
        hardlink("z", "m", mode=0o640, uid=7),
        hardlink("a", "./z", mode=0o640, uid=7),
    ]
    check(tmp_path, [layer], ROOT, "/a|f 0640 7 0|=x", "/m|h 0640 7 0|/a", "/z|h 0640 7 0|/a")


def test_hard_link_group_loses_members(tmp_path: Path) -> None:
    lower = [file("a", b"x"), hardlink("b", "a"), hardlink("c", "a")]
    check(tmp_path, [lower, [file(".wh.a"), file("b", b"y")]], ROOT, "/b|f 0644 0 0|=y", "/c|f 0644 0 0|=x")


def test_hard_link_through_links_and_to_nowhere(tmp_path: Path) -> None:
    check(
        tmp_path,
        [[folder("t"), symlink("l", "t"), file("t/x", b"x"), hardlink("h", "l/x"), hardlink("gone", "no/where")]],
        ROOT,
        "/gone|h 0644 0 0|/no/where",
        "/h|f 0644 0 0|=x",
        "/l|l 0777 0 0|t",
        "/t|d 0755 0 0|",
        "/t/x|h 0644 0 0|/h",
    )


def test_names_that_escape_stay_inside(tmp_path: Path) -> None:
    check(
        tmp_path,
        [[file("../../etc/x"), file("/abs")]],
        ROOT,
        "/abs|f 0644 0 0|=",
        "/etc|d 0755 0 0|",
        "/etc/x|f 0644 0 0|=",
    )
    assert list(tmp_path.iterdir()) == []


def test_how_layers_are_cut_does_not_matter(tmp_path: Path) -> None:
    entries = [folder("d"), file("d/x", b"1"), symlink("l", "d"), file("l/y", b"2"), hardlink("z", "d/x")]
    whole = files_of(tmp_path, entries)
    assert whole == files_of(tmp_path, *[[entry] for entry in entries])


@pytest.mark.parametrize(
    "entries",
    [
        [symlink("a", "b"), symlink("b", "a"), file("a/x")],
        [symlink("a", "a"), file("a/x")],
        [symlink("a", "b/c"), symlink("b", "a/d"), hardlink("h", "a/x")],
    ],
)
def test_cyclic_links_are_refused_only_when_something_leads_through_them(tmp_path: Path, entries: list[Entry]) -> None:
    files_of(tmp_path, [entry for entry in entries if entry.type == tarfile.SYMTYPE])
    with pytest.raises(MalformedImageError, match="too many symbolic links"):
        files_of(tmp_path, entries)


def test_deep_paths(tmp_path: Path) -> None:
    assert files_of(tmp_path, [file("a/" * 2000 + "x")])
    with pytest.raises(MalformedImageError, match="over the 4096 that Linux has"):
        files_of(tmp_path, [file("a/" * 3000 + "x")])
    with pytest.raises(MalformedImageError, match="replaces the root directory"):
        files_of(tmp_path, [file("./")])
