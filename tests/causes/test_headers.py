"""Causes in tar headers, and in how a layer is written: each fires, and stays silent on a near miss."""

from __future__ import annotations

import dataclasses
import gzip
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, causes, explain_images, explain_layers
from tests.compare.layer_images import Entry, file, folder, hardlink, image, symlink, tar
from verifier.causes.cause import SideContext
from verifier.model.finding import Explanation

EPOCH = 1_700_000_000
REWRITTEN = tuple(dataclasses.replace(side, epoch=EPOCH, rewritten=True) for side in WINDOWS)
COPY = "COPY f /srv/ # buildkit"
ADD = "ADD f /srv/ # buildkit"
RUN = "RUN /bin/sh -c make # buildkit"


def explained(first: Entry, second: Entry, made_by: str = RUN, sides: tuple[SideContext, ...] = WINDOWS) -> Explanation:
    """Explain two layers of one entry each, made by an instruction that both histories name."""
    return explain_images(*(image(tar([entry]), created_by=[made_by]) for entry in (first, second)), sides)


def timed(first: float, second: float, made_by: str, sides: tuple[SideContext, ...]) -> list[str]:
    return causes(explained(file("f", b"x", mtime=first), file("f", b"x", mtime=second), made_by, sides))


class TestTimesUnderAnEpoch:
    def test_what_was_to_be_rewritten_and_was_not(self) -> None:
        assert timed(FIRST + 1, SECOND + 1, RUN, REWRITTEN) == ["rewrite-not-applied"]
        assert timed(EPOCH + 1, EPOCH + 2, COPY, REWRITTEN) == ["rewrite-not-applied"]

    def test_folders_and_whiteouts_too(self) -> None:
        for entry in (folder("d"), file("d/.wh.x"), folder("proc")):
            pair = (dataclasses.replace(entry, mtime=moment) for moment in (FIRST, SECOND))
            assert causes(explained(*pair, sides=REWRITTEN)) == ["rewrite-not-applied"]

    def test_it_is_proven(self) -> None:
        explanation = explained(file("f", mtime=FIRST), file("f", mtime=SECOND), sides=REWRITTEN)
        assert explanation.findings[0].confidence == "proven"

    def test_where_no_rewriting_was_asked_for(self) -> None:
        sides = tuple(dataclasses.replace(side, rewritten=False) for side in REWRITTEN)
        assert timed(FIRST, SECOND, RUN, sides) == ["file-mtime"]
        assert timed(EPOCH + 1, EPOCH + 2, RUN, sides) == ["residue"]

    def test_a_base_layer_is_never_rewritten(self) -> None:
        sides = tuple(dataclasses.replace(side, base_layers=1) for side in REWRITTEN)
        assert timed(EPOCH + 1, EPOCH + 2, RUN, sides) == ["unpinned-base"]

    def test_one_side_that_was_rewritten_is_not_enough(self) -> None:
        assert timed(EPOCH, SECOND, RUN, REWRITTEN) == ["residue"]

    def test_times_before_the_epoch_stay(self) -> None:
        explanation = explained(file("f", mtime=EPOCH - 100), file("f", mtime=EPOCH - 50), sides=REWRITTEN)
        assert causes(explanation) == ["mtime-before-epoch"]
        assert (explanation.findings[0].confidence, explanation.findings[0].opaque) == ("likely", True)
        assert explanation.findings[0].evidence[0].first == str(EPOCH - 100)

    @pytest.mark.parametrize(
        ("first", "second", "sides"),
        [
            (EPOCH - 2, EPOCH, REWRITTEN),
            (EPOCH - 2, EPOCH - 1, WINDOWS),
            (EPOCH - 2, EPOCH - 1, (REWRITTEN[0], SideContext())),
        ],
    )
    def test_other_times_before_an_epoch(self, first: float, second: float, sides: tuple[SideContext, ...]) -> None:
        assert timed(first, second, RUN, sides) == ["residue"]


class TestContextMtime:
    def test_a_copy_keeps_what_the_context_has(self) -> None:
        sides = tuple(dataclasses.replace(side, base_layers=0) for side in WINDOWS)
        assert timed(EPOCH, EPOCH + 5, ADD, sides) == ["context-mtime"]

    def test_a_history_does_not_tell_whose_files_a_copy_takes(self) -> None:
        assert timed(EPOCH, EPOCH + 5, COPY, WINDOWS) == ["residue"]

    @pytest.mark.parametrize("made_by", [RUN, "WORKDIR /srv", "ADD https://example.org/f /srv/ # buildkit"])
    def test_another_instruction(self, made_by: str) -> None:
        assert timed(EPOCH, EPOCH + 5, made_by, WINDOWS) in (["residue"], ["remote-add"])

    def test_a_time_of_the_build_is_the_builds(self) -> None:
        assert timed(FIRST, SECOND, ADD, WINDOWS) == ["file-mtime"]

    def test_a_folder_of_an_image_that_existed_may_be_the_builds(self) -> None:
        sides = (SideContext(), WINDOWS[1])
        entries = folder("d", mtime=FIRST), folder("d", mtime=SECOND)
        assert causes(explained(*entries, ADD, sides)) == ["directory-mtime"]
        entries = file("d", mtime=FIRST), file("d", mtime=EPOCH)
        assert causes(explained(*entries, ADD, sides)) == ["context-mtime"]


class TestOwnersAndModes:
    @pytest.mark.parametrize("change", [{"uid": 1}, {"gid": 1}, {"uname": "a"}, {"gname": "a"}])
    def test_an_owner_by_itself(self, change: dict[str, Any]) -> None:
        entry = file("f", b"x")
        explanation = explained(entry, dataclasses.replace(entry, **change))
        assert causes(explanation) == ["owner-drift"]
        assert (explanation.findings[0].confidence, explanation.opaque) == ("likely", 1)

    @pytest.mark.parametrize("change", [{"mode": 0o4644}, {"mode": 0o600}, {"content": b"y"}])
    def test_nothing_goes_with_an_owner(self, change: dict[str, Any]) -> None:
        entry = file("f", b"x")
        assert "residue" in causes(explained(entry, dataclasses.replace(entry, uid=5, **change)))

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            (0o644, 0o600, ["mode-umask"]),
            (0o664, 0o644, ["mode-umask"]),
            (0o755, 0o750, ["mode-umask"]),
            (0o644, 0o755, ["context-platform"]),
            (0o600, 0o755, ["mode-umask", "context-platform"]),
            (0o644, 0o444, ["residue"]),
            (0o4755, 0o4750, ["mode-umask"]),
            (0o755, 0o4755, ["residue"]),
            (0o755, 0o2755, ["residue"]),
            (0o755, 0o1750, ["residue"]),
        ],
    )
    def test_modes_of_copied_files(self, first: int, second: int, expected: list[str]) -> None:
        entries = file("f", b"x", mode=first), file("f", b"x", mode=second)
        explanation = explained(*entries, COPY)
        assert causes(explanation) == expected
        assert all(finding.opaque for finding in explanation.findings)
        assert causes(explained(*entries, RUN)) == ["residue"]

    def test_the_mode_of_a_folder_and_of_a_link(self) -> None:
        assert causes(explained(folder("d", mode=0o755), folder("d", mode=0o700), COPY)) == ["mode-umask"]
        assert causes(explained(symlink("l", "x", mode=0o777), symlink("l", "x", mode=0o755), COPY)) == ["residue"]

    def test_line_ends(self) -> None:
        first, second = (file("f", text, mtime=5) for text in (b"#!/bin/sh\necho\n", b"#!/bin/sh\r\necho\r\n"))
        explanation = explained(first, second, COPY)
        assert causes(explanation) == ["context-platform"]
        assert (explanation.findings[0].confidence, explanation.findings[0].opaque) == ("proven", False)
        assert causes(explained(first, second, RUN)) == ["residue"]

    @pytest.mark.parametrize("other", [b"#!/bin/sh\r\nexit\r\n", b"#!/bin/sh\r\necho", b"#!/bin/sh\recho\r"])
    def test_more_than_line_ends(self, other: bytes) -> None:
        first, second = file("f", b"#!/bin/sh\necho\n", mtime=5), file("f", other, mtime=5)
        assert causes(explained(first, second, COPY)) == ["residue"]


class TestAttributes:
    @staticmethod
    def explain(name: str, first: str | None, second: str | None) -> Explanation:
        entries = (
            file("f", b"x", pax=() if value is None else ((f"SCHILY.xattr.{name}", value),))
            for value in (first, second)
        )
        return explained(*entries)

    @pytest.mark.parametrize("name", ["security.selinux", "user.overlay.origin", "trusted.overlay.opaque"])
    @pytest.mark.parametrize(("first", "second"), [("a", "b"), (None, "b"), ("a", None)])
    def test_what_the_host_adds(self, name: str, first: str | None, second: str | None) -> None:
        explanation = self.explain(name, first, second)
        assert causes(explanation) == ["xattr"]
        assert explanation.findings[0].opaque

    @pytest.mark.parametrize("name", ["security.capability", "system.posix_acl_access", "user.mime_type"])
    def test_what_says_more_than_the_host(self, name: str) -> None:
        assert causes(self.explain(name, "a", "b")) == ["residue"]
        assert causes(self.explain(name, None, "b")) == ["residue"]


class TestOrder:
    ENTRIES = tuple(file(name, name.encode()) for name in "abcdef")

    def test_the_same_entries_in_another_order(self) -> None:
        explanation = explain_layers(tar(self.ENTRIES), tar(self.ENTRIES[::-1]))
        assert causes(explanation) == ["entry-order"]
        assert explanation.findings[0].confidence == "proven"

    def test_a_permutation_that_begins_alike(self) -> None:
        a, b, c, d, *_ = self.ENTRIES
        assert causes(explain_layers(tar([a, b, c, d]), tar([a, c, b, d]))) == ["entry-order"]

    @pytest.mark.parametrize(
        "pair", [(file("a", b"x"), hardlink("link", "a")), (symlink("link", "elsewhere"), file("link/a", b"x"))]
    )
    def test_an_order_that_decides_what_is_unpacked_is_no_mere_order(self, pair: tuple[Entry, Entry]) -> None:
        other = file("zzz")
        assert causes(explain_layers(tar([*pair, other]), tar([other, *pair]))) == ["entry-order"]
        assert causes(explain_layers(tar([*pair, other]), tar([other, *pair[::-1]]))) == ["residue"]

    def test_another_entry_is_residue_and_order_is_not(self) -> None:
        explanation = explain_layers(tar(self.ENTRIES), tar([*self.ENTRIES[::-1], file("g", b"g")]))
        assert causes(explanation) == ["entry-order", "residue"]

    def test_what_differs_within_an_entry_is_not_orders(self) -> None:
        changed = [*self.ENTRIES[::-1][:-1], file("a", b"b")]
        explanation = explain_layers(tar(self.ENTRIES), tar(changed))
        assert causes(explanation) == ["entry-order", "residue"]
        assert len(explanation.residue) == 1


class TestHardLinks:
    @staticmethod
    def group(first: str, *others: str, content: bytes = b"x", mode: int = 0o644) -> list[Entry]:
        entries = [file(first, content, mode=mode), *(hardlink(name, first, mode=mode) for name in others)]
        return sorted(entries, key=lambda entry: (entry.type == tarfile.LNKTYPE, entry.name))

    def test_another_name_has_the_content(self) -> None:
        explanation = explain_layers(tar(self.group("a", "b", "c")), tar(self.group("c", "a", "b")))
        assert set(causes(explanation)) == {"hardlink-target", "entry-order"}
        fields = {"linkname", "type", "size", "content"}
        found = next(finding for finding in explanation.findings if finding.cause == "hardlink-target")
        assert found.confidence == "proven"
        assert len(found.differences) > len(fields)

    def test_a_link_to_a_link(self) -> None:
        first = [file("a", b"x"), hardlink("b", "a"), hardlink("c", "a")]
        second = [file("a", b"x"), hardlink("b", "a"), hardlink("c", "b")]
        assert causes(explain_layers(tar(first), tar(second))) == ["hardlink-target"]

    @pytest.mark.parametrize(
        "second",
        [
            [file("c", b"y"), hardlink("a", "c"), hardlink("b", "c")],
            [file("c", b"x"), hardlink("a", "c"), file("b", b"x")],
            [file("c", b"x"), hardlink("a", "c"), hardlink("b", "d"), file("d", b"x")],
            [file("c", b"x", mode=0o4755), hardlink("a", "c"), hardlink("b", "c")],
            [file("c", b"x"), hardlink("a", "c"), symlink("b", "c")],
        ],
        ids=["content", "group", "other group", "mode", "symlink"],
    )
    def test_other_files_are_residue(self, second: list[Entry]) -> None:
        first = [file("a", b"x"), hardlink("b", "a"), hardlink("c", "a")]
        assert "residue" in causes(explain_layers(tar(first), tar(second)))

    def test_a_file_in_a_layer_below_is_not_known(self) -> None:
        first, second = ([hardlink("b", target), hardlink("c", target)] for target in ("x", "y"))
        assert causes(explain_layers(tar(first), tar(second))) == ["residue"]

    def test_a_name_that_comes_twice_is_not_known(self) -> None:
        first = [file("a", b"x"), hardlink("b", "a"), hardlink("c", "a"), file("a", b"y")]
        second = [file("c", b"x"), hardlink("a", "c"), hardlink("b", "c"), file("a", b"y")]
        assert "residue" in causes(explain_layers(tar(first), tar(second)))


LONG = "d/" + "n" * 120


class TestEncoding:
    @pytest.mark.parametrize("name", ["f", "d/" * 40 + "f", LONG])
    def test_one_entry_in_two_formats(self, name: str) -> None:
        first, second = (tar([file(name, b"x")], form) for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
        explanation = explain_layers(first, second)
        assert causes(explanation) == ["tar-encoding"]
        assert explanation.findings[0].confidence == "proven"
        assert "GNU" in (explanation.findings[0].evidence[0].first or "")

    def test_a_long_target(self) -> None:
        first, second = (tar([symlink("l", LONG)], form) for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
        assert causes(explain_layers(first, second)) == ["tar-encoding"]

    def test_buildah_repeats_the_type_in_the_mode(self) -> None:
        for entry in (file("f", b"x", mode=0o644), folder("d"), symlink("l", "x")):
            bits = {tarfile.REGTYPE: 0o100000, tarfile.DIRTYPE: 0o040000, tarfile.SYMTYPE: 0o120000}
            typed, wrong = (self.with_mode(entry, entry.mode | extra) for extra in (bits[entry.type], 0o060000))
            assert causes(explain_layers(tar([entry]), typed)) == ["tar-encoding"]
            assert causes(explain_layers(tar([entry]), wrong)) == ["residue"]

    @staticmethod
    def with_mode(entry: Entry, mode: int) -> bytes:
        stream = bytearray(tar([entry]))
        stream[100:107] = b"%07o" % mode
        stream[148:154] = b"%06o" % (sum(stream[:512]) - sum(stream[148:156]) + 8 * 0x20)
        return bytes(stream)

    @pytest.mark.parametrize("spelled", ["./f", "/f"])
    def test_a_name_that_is_spelled_otherwise(self, spelled: str) -> None:
        assert causes(explain_layers(tar([file("f", b"x")]), tar([file(spelled, b"x")]))) == ["tar-encoding"]

    def test_times_that_only_pax_has(self) -> None:
        entries = (file("f", b"x", pax=(("atime", value), ("ctime", value))) for value in ("5.5", "6.25"))
        first, second = (tar([entry]) for entry in entries)
        assert causes(explain_layers(first, second)) == ["tar-encoding"]
        assert causes(explain_layers(tar([file("f", b"x")]), second)) == ["tar-encoding"]

    @pytest.mark.parametrize("record", [("comment", "hidden"), ("VENDOR.x", "y"), ("atime", "yesterday")])
    def test_other_records_are_residue(self, record: tuple[str, str]) -> None:
        second = tar([file("f", b"x", pax=(record,))])
        assert causes(explain_layers(tar([file("f", b"x")]), second)) == ["residue"]

    def test_how_many_zeros_end_an_archive(self) -> None:
        stream = tar([file("f", b"x")])
        assert causes(explain_layers(stream, stream + bytes(8192))) == ["tar-encoding"]

    @pytest.mark.parametrize(
        "change",
        [
            lambda stream: stream + bytes(5),
            lambda stream: stream + bytes(511) + b"x",
            lambda stream: stream[:-512],
        ],
        ids=["no block", "no zeros", "too few"],
    )
    def test_other_ends_are_residue(self, change: Callable[[bytes], bytes]) -> None:
        stream = tar([file("f", b"x")])
        assert causes(explain_layers(stream, change(stream))) == ["residue"]

    def test_what_fills_a_block_is_residue(self) -> None:
        stream = tar([file("f", b"x")])
        assert causes(explain_layers(stream, stream[:600] + b"x" + stream[601:])) == ["residue"]


class TestGzipHeader:
    LAYER = tar([file("f", b"x" * 1000)])

    def compressed(self, moment: int, level: int = 9) -> Callable[[bytes], bytes]:
        return lambda data: gzip.compress(data, level, mtime=moment)

    def test_a_time_in_the_layers_header(self) -> None:
        sides = (image(self.LAYER, compress=self.compressed(moment)) for moment in (FIRST, SECOND))
        explanation = explain_images(*sides)
        assert causes(explanation) == ["gzip-header-mtime"]
        assert explanation.findings[0].confidence == "proven"

    def test_another_compression_is_not_the_headers(self) -> None:
        sides = (image(self.LAYER, compress=self.compressed(0, level)) for level in (1, 9))
        assert causes(explain_images(*sides)) == ["layer-compression"]

    def test_both(self) -> None:
        sides = (image(self.LAYER, compress=self.compressed(*of)) for of in ((FIRST, 9), (SECOND, 0)))
        assert set(causes(explain_images(*sides))) <= {"gzip-header-mtime", "layer-compression"}


class TestWhatComesFromOutside:
    """Whole values that are taken as given: opaque, each by itself, and never a mode, an owner or an attribute."""

    ARCHIVE = "ADD app.tar.gz /srv/ # buildkit"
    REMOTE = "ADD https://example.org/f /srv/ # buildkit"
    DOWNLOAD = "RUN /bin/sh -c curl -fsSLo /srv/f https://example.org/f # buildkit"
    CHECKED = f"RUN /bin/sh -c curl -fsSLo /srv/f https://example.org/f && echo '{'a' * 64}  /srv/f' | sha256sum -c -"

    @pytest.mark.parametrize(
        ("made_by", "path", "expected"),
        [
            (ARCHIVE, "srv/f", "local-tar-add"),
            (REMOTE, "srv/f", "remote-add"),
            (DOWNLOAD, "srv/f", "network-download"),
            (COPY, "srv/.git/index", "context-leak"),
            (COPY, "srv/app/__pycache__/x", "context-leak"),
            ("COPY /src/doc.log /srv/ # buildkit", "srv/doc.log", "residue"),
            # a stage's: the history leaves out --from=
            ("COPY /opt/venv /opt/venv # buildkit", "opt/venv/x", "residue"),
            ("COPY ./venv /opt/venv # buildkit", "opt/venv/x", "context-leak"),
            (DOWNLOAD, "srv/g", "residue"),
            (CHECKED, "srv/f", "residue"),
            (COPY, "srv/f", "residue"),
            (RUN, "srv/.git/index", "residue"),
            ("ADD f.tar.gz https://example.org/f /srv/ # buildkit", "srv/f", "residue"),
        ],
    )
    def test_a_content(self, made_by: str, path: str, expected: str) -> None:
        explanation = explained(file(path, b"one"), file(path, b"other one"), made_by)
        assert causes(explanation) == [expected]
        if expected != "residue":
            assert (explanation.findings[0].confidence, explanation.findings[0].opaque) == ("likely", True)
            assert explanation.findings[0].evidence
            assert explanation.opaque == explanation.of

    @pytest.mark.parametrize("change", [{"mode": 0o4755}, {"mode": 0o600}, {"type": tarfile.SYMTYPE}])
    def test_nothing_goes_with_it(self, change: dict[str, Any]) -> None:
        second = dataclasses.replace(file("srv/f", b""), **change)
        assert "residue" in causes(explained(file("srv/f", b"x"), second, self.ARCHIVE))

    @pytest.mark.parametrize("more", [{"mode": 0o4755}, {"pax": (("SCHILY.xattr.security.capability", "A"),)}])
    def test_an_entry_that_can_do_more_is_residue(self, more: dict[str, Any]) -> None:
        first = [file("srv/f", b"x")]
        plain, special = file("srv/g", b"x"), file("srv/g", b"x", **more)
        layers = (image(tar(entries), created_by=[self.ARCHIVE]) for entries in (first, [*first, plain]))
        assert causes(explain_images(*layers)) == ["local-tar-add"]
        layers = (image(tar(entries), created_by=[self.ARCHIVE]) for entries in (first, [*first, special]))
        assert causes(explain_images(*layers)) == ["residue"]

    def test_a_base_that_moved(self) -> None:
        sides = (SideContext(), dataclasses.replace(WINDOWS[1], base_layers=1))
        pair = file("etc/os-release", b"12.7\n"), file("etc/os-release", b"12.8\n")
        assert causes(explained(*pair, sides=sides)) == ["unpinned-base"]
        pair = file("bin/su", b"x", mode=0o755), file("bin/su", b"y", mode=0o4755)
        assert causes(explained(*pair, sides=sides)) == ["unpinned-base", "residue"]
        assert causes(explained(*pair, sides=WINDOWS)) == ["residue"]


class TestLayerCount:
    A, B = tar([file("a", b"a")]), tar([file("b", b"b")])

    @staticmethod
    def config(*empty: bool) -> dict[str, Any]:
        steps = [{"created_by": f"step {number}"} for number in range(len(empty))]
        return {
            "history": [
                {**step, "empty_layer": True} if is_empty else step for step, is_empty in zip(steps, empty, strict=True)
            ]
        }

    def test_the_same_files_in_one_layer(self) -> None:
        first = image(self.A, self.B, config=self.config(False, False))
        second = image(tar([file("a", b"a"), file("b", b"b")]), config=self.config(True, False))
        explanation = explain_images(first, second)
        assert causes(explanation) == ["layer-count"]
        assert explanation.findings[0].opaque

    def test_other_files_are_residue(self) -> None:
        first = image(self.A, self.B, config=self.config(False, False))
        second = image(tar([file("a", b"a"), file("b", b"c")]), config=self.config(True, False))
        assert "residue" in causes(explain_images(first, second))
        assert "layer-count" not in causes(explain_images(first, second))

    def test_an_entry_with_more_rights_is_residue(self) -> None:
        special = file("a", b"a", mode=0o4755)
        first = image(tar([special]), self.B, config=self.config(False, False))
        second = image(tar([special, file("b", b"b")]), config=self.config(True, False))
        assert causes(explain_images(first, second)) == ["layer-count", "residue"]
