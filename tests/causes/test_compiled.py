"""Causes of compiled things: each fires, stays silent on a near miss, and says no more than it knows."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import marshal
import struct
import subprocess
import sys
import tarfile
from dataclasses import replace
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, at, causes, explain_contents
from tests.compare.layer_images import file, tar
from tests.formats.elf_files import NO_BITS, OBJECT, Part, code, compressed, debugging, elf, note, strings
from verifier.causes.cause import SideContext, Window
from verifier.model.finding import Explanation

IN = (FIRST + 4, SECOND + 4)
OUT = (FIRST - 400_000, SECOND + 4)
PATHS = ("/tmp/tmp.Ab3dEf9hJk", "/tmp/tmp.zY8xWv7uTs")
IDENTITIES = (hashlib.sha1(b"first").digest(), hashlib.sha1(b"second").digest())  # noqa: S324


def confidences(explanation: Explanation) -> set[str]:
    return {finding.confidence for finding in explanation.findings}


class TestCDateMacro:
    DATE, TIME, TIMESTAMP = "Built on %b %e %Y", "at %H:%M:%S", "%a %b %e %H:%M:%S %Y"

    @staticmethod
    def program(moment: float, *forms: str, identity: bytes = b"") -> bytes:
        return elf([note(identity), code(), strings(*(at(moment, form) for form in forms))])

    @pytest.mark.parametrize("form", [TIME, f"{DATE} {TIME}"])
    def test_what_the_macros_stand_for(self, form: str) -> None:
        explanation = explain_contents(*(self.program(moment, form) for moment in IN))
        assert causes(explanation) == ["c-date-macro"]
        assert confidences(explanation) == {"proven"}

    @pytest.mark.parametrize("section", [".rodata", ".data"])
    def test_what_ctime_prints_may_be_of_any_language(self, section: str) -> None:
        first, second = (elf([code(), strings(at(moment, self.TIMESTAMP), name=section)]) for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]

    @pytest.mark.parametrize("form", [TIME, TIMESTAMP])
    def test_other_times_are_residue(self, form: str) -> None:
        assert causes(explain_contents(*(self.program(moment, form) for moment in OUT))) == ["residue"]
        assert causes(explain_contents(self.program(IN[0], form), self.program(IN[0] + 3, form))) == ["residue"]

    def test_a_day_is_one_that_the_build_saw(self) -> None:
        first, second = (self.program(moment, self.DATE) for moment in (FIRST - 3 * 86400, SECOND))
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_a_build_id_goes_with_the_date_and_is_not_known_to(self) -> None:
        first, second = (
            self.program(moment, self.TIME, identity=identity) for moment, identity in zip(IN, IDENTITIES, strict=True)
        )
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["c-date-macro"]
        assert confidences(explanation) == {"likely"}

    def test_instructions_are_not_read(self) -> None:
        first, second = (elf([code(at(moment, self.TIME))]) for moment in IN)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_more_than_the_date_is_residue(self) -> None:
        first, second = (self.program(moment, self.TIME, word) for moment, word in zip(IN, ("a", "b"), strict=True))
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_text_is_not_a_program(self) -> None:
        first, second = (b"\0" + at(moment, self.TIME) for moment in IN)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_in_a_static_library(self) -> None:
        made = []
        for moment in IN:
            content = elf([code(), strings(at(moment, self.TIME))], kind=OBJECT)
            made.append(
                b"!<arch>\n" + b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (b"a.o/", 0, 0, 0, 0o644, len(content)) + content
            )
        assert causes(explain_contents(*made)) == ["c-date-macro"]


class TestCBuildPath:
    @staticmethod
    def program(path: str, identity: bytes = b"", layout: tuple[int, ...] = (0, 1)) -> bytes:
        return elf([note(identity), code(), *debugging((path.encode(), b"main.c"), layout)])

    @pytest.mark.parametrize(
        "names",
        [
            PATHS,
            ("/build/tmp.Ab3dEf9hJk/x", "/build/tmp.zY8xWv7uTs/x"),
            ("/tmp/go-build123456789/b001", "/tmp/go-build98765/b001"),
            ("/tmp/tmpk2x9q_1a", "/tmp/tmpz81_kkqw"),
            ("/tmp/ccAb3dEf.o", "/tmp/cczY8xWv.o"),
            ("/var/tmp/work.Ab3dEf/src", "/var/tmp/work.zY8xWv/src"),
            ("/tmp/d20261118-12-k2x9q1", "/tmp/d20261118-12-z81kkq"),
        ],
    )
    def test_made_up_folders(self, names: tuple[str, str]) -> None:
        explanation = explain_contents(*(self.program(name) for name in names))
        assert causes(explanation) == ["c-build-path"]
        assert confidences(explanation) == {"likely"}

    @pytest.mark.parametrize(
        "names",
        [("/src/app-1.2.3", "/src/app-1.2.4"), ("/src/one", "/src/two"), ("/src/abc-deadbeef", "/src/abc-beefdead")],
    )
    def test_other_paths_are_residue(self, names: tuple[str, str]) -> None:
        assert causes(explain_contents(*(self.program(name) for name in names))) == ["residue"]

    def test_the_order_that_strings_get_by_it(self) -> None:
        first, second = self.program(PATHS[0]), self.program(PATHS[1], layout=(1, 0))
        assert causes(explain_contents(first, second)) == ["c-build-path"]

    def test_compressed(self) -> None:
        first, second = (
            elf([compressed(strings(path.encode() * 9, name=".debug_str"), level=level)])
            for path, level in zip(PATHS, (6, 6), strict=True)
        )
        assert causes(explain_contents(first, second)) == ["c-build-path"]

    def test_a_build_id_alone(self) -> None:
        explanation = explain_contents(*(self.program("/src", identity) for identity in IDENTITIES))
        assert causes(explanation) == ["c-build-path"]
        assert confidences(explanation) == {"likely"}
        assert explanation.opaque == 1

    def test_a_separate_file_s_build_id_is_the_program_s(self) -> None:
        gone = replace(code(), type=NO_BITS)
        first, second = (elf([note(identity), gone, strings(b"/src", name=".debug_str")]) for identity in IDENTITIES)
        assert causes(explain_contents(first, second)) == ["residue"]
        first, second = (
            elf([note(identity), gone, strings(path.encode(), name=".debug_str")])
            for identity, path in zip(IDENTITIES, PATHS, strict=True)
        )
        assert causes(explain_contents(first, second)) == ["c-build-path"]

    def test_a_build_id_that_may_be_made_by_chance(self) -> None:
        first, second = (self.program("/src", identity[:16]) for identity in IDENTITIES)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_a_build_id_does_not_cover_other_code(self) -> None:
        first, second = (
            elf([note(identity), code(text)]) for identity, text in zip(IDENTITIES, (b"a", b"b"), strict=True)
        )
        assert causes(explain_contents(first, second)) == ["residue"]


class TestGccRandomSeed:
    @staticmethod
    def library(seed: str, name: str = ".gnu.lto_.{}.{}") -> bytes:
        parts = [Part(name.format(part, seed), b"same", flags=0) for part in ("decls", "refs")]
        return elf([code(), *parts], kind=OBJECT)

    @pytest.mark.parametrize(
        "seeds", [("b7ae6f47899bff45", "3f75c5d6e569149c"), ("b7ae6f47899bff45", "3f75c5d6e56914")]
    )
    def test_names_of_sections(self, seeds: tuple[str, str]) -> None:
        explanation = explain_contents(*map(self.library, seeds))
        assert causes(explanation) == ["gcc-random-seed"]
        assert confidences(explanation) == {"likely"}

    def test_other_names_are_residue(self) -> None:
        first, second = (self.library(seed, ".other.{}.{}") for seed in ("b7ae6f47", "3f75c5d6"))
        assert causes(explain_contents(first, second)) == ["residue"]
        assert causes(explain_contents(self.library("b7ae"), self.library("not hex"))) == ["residue"]

    def test_names_of_symbols(self) -> None:
        first, second = (
            elf([strings(b"_GLOBAL__sub_I_a.c_3F2A1B00_0x" + seed, name=".strtab")], kind=OBJECT)
            for seed in (b"b7ae6f47899bff45", b"3f75c5d6e569149c")
        )
        assert causes(explain_contents(first, second)) == ["gcc-random-seed"]

    @staticmethod
    def stamp(moment: float) -> int:
        return int(moment * 1000) % 2**32

    @pytest.mark.parametrize(("order", "magic"), [("<", b"oncg*22B"), ("<", b"adcgR12C"), (">", b"gcnoB22*")])
    def test_the_stamp_of_notes_on_coverage(self, order: str, magic: bytes) -> None:
        def notes(moment: float, rest: bytes = b"/src\0\0\0\0") -> bytes:
            return magic + struct.pack(order + "I", self.stamp(moment)) + rest

        assert causes(explain_contents(notes(IN[0]), notes(IN[1]))) == ["gcc-random-seed"]
        assert causes(explain_contents(notes(OUT[0]), notes(OUT[1]))) == ["residue"]
        assert causes(explain_contents(notes(IN[0]), notes(IN[1], b"/other\0\0"))) == ["residue"]
        assert causes(explain_contents(notes(IN[0]), notes(IN[1]), sides=(SideContext(), SideContext()))) == ["residue"]

    @pytest.mark.parametrize(
        ("order", "head"), [("<", b"*22B" + bytes(12)), ("<", b"*22B" + bytes(4)), (">", b"B22*" + bytes(12))]
    )
    def test_the_stamp_in_a_program(self, order: str, head: bytes) -> None:
        def program(moment: float, head: bytes = head) -> bytes:
            information = head + struct.pack(order + "II", self.stamp(moment), 0x8ADF8CB7)
            return elf([code(), Part(".data", b"x" * 8 + information, alignment=8)], order=order)

        assert causes(explain_contents(program(IN[0]), program(IN[1]))) == ["gcc-random-seed"]
        assert causes(explain_contents(program(OUT[0]), program(OUT[1]))) == ["residue"]
        other = b"none" + bytes(12)
        assert causes(explain_contents(program(IN[0], other), program(IN[1], other))) == ["residue"]


class TestGoPathVcs:
    @staticmethod
    def program(path: str, revision: str = "0" * 40, build_id: str = "a" * 20) -> bytes:
        whole = "/".join([build_id] * 4).encode()
        information = f"path\tx\nbuild\tvcs.revision={revision}\nbuild\tvcs.modified=false\n".encode()
        return elf(
            [
                code(b'\xff Go build ID: "' + whole + b'"\n \xff' + bytes(40)),
                Part(".go.buildinfo", b"\xff Go buildinf:" + information),
                strings(path.encode(), name=".gopclntab"),
                note(whole, owner=b"Go\0\0", kind=4),
            ]
        )

    def test_the_path_and_the_build_id_with_it(self) -> None:
        first, second = (
            self.program(path, build_id=letter * 20) for path, letter in zip(PATHS, ("a", "b"), strict=True)
        )
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["go-path-vcs"]
        assert confidences(explanation) == {"likely"}

    def test_the_commit(self) -> None:
        first, second = (self.program("/src", digit * 40) for digit in "12")
        assert causes(explain_contents(first, second)) == ["go-path-vcs"]

    @pytest.mark.parametrize(
        "form", [b'build\t-ldflags="-X main.Commit=%s"\n', b"stringsrunon%szero", b"v1.2.3-4-g%s-dirty\0"]
    )
    def test_the_commit_wherever_it_stands_again(self, form: bytes) -> None:
        revisions = [hashlib.sha256(name).hexdigest()[:40] for name in (b"one", b"other")]
        for size in (7, 8, 12, 40):
            first, second = (
                elf([Part(".data", b"\xff Go buildinf:build\tvcs.revision=%s\n" % name + form % name[:size]), code()])
                for name in (revision.encode() for revision in revisions)
            )
            explanation = explain_contents(first, second)
            assert causes(explanation) == ["go-path-vcs"]
            assert confidences(explanation) == {"likely"}

    def test_another_commit_or_too_few_figures_are_residue(self) -> None:
        names = [hashlib.sha256(name).hexdigest()[:40].encode() for name in (b"one", b"other", b"third")]
        for tails in ((names[0][:6], names[1][:6]), (names[2][:7], names[2][7:14])):
            first, second = (
                elf([Part(".data", b"\xff Go buildinf:build\tvcs.revision=%s\nx %s" % pair), code()])
                for pair in zip(names, tails, strict=False)
            )
            assert causes(explain_contents(first, second)) == ["residue"]

    def test_other_code_is_residue(self) -> None:
        assert causes(explain_contents(self.program("/src/a"), self.program("/src/b"))) == ["residue"]


class TestRustPath:
    @staticmethod
    def program(path: str, identity: bytes = b"") -> bytes:
        return elf([note(identity), code(), strings(b"/rustc/abc/library/core", path.encode())])

    def test_the_path(self) -> None:
        first, second = (self.program(f"{path}/src/main.rs") for path in PATHS)
        assert causes(explain_contents(first, second)) == ["rust-path"]
        first, second = (self.program(f"/tmp/cargo-install{name}/release") for name in ("Ab3dEf", "zY8xWv"))
        assert causes(explain_contents(first, second)) == ["rust-path"]

    def test_a_build_id_alone(self) -> None:
        assert causes(explain_contents(*(self.program("/src", item) for item in IDENTITIES))) == ["rust-path"]

    def test_another_path_is_residue(self) -> None:
        assert causes(explain_contents(self.program("/src/a"), self.program("/src/b"))) == ["residue"]


class TestRustcIncremental:
    UNIT = "09xpootcu2h08f5kspv33yas7"

    @staticmethod
    def library(folder: Path, *members: tuple[str, bytes]) -> bytes:
        folder.mkdir()
        for name, content in members:
            (folder / name).write_bytes(content)
        packed = folder / "lib.a"
        subprocess.run(["ar", "rcD", packed, *(folder / name for name, _ in members)], check=True)
        return packed.read_bytes()

    def pair(self, folder: Path, *names: str, contents: tuple[bytes, bytes] = (b"x", b"x")) -> Explanation:
        first, second = (
            self.library(folder / str(side), *((f"acme.{name}.o", contents[side]) for name in group.split()))
            for side, group in enumerate(names)
        )
        return explain_contents(first, second, "srv/lib.a")

    def test_the_name_of_an_invocation(self, tmp_path: Path) -> None:
        first, second = (
            f"{self.UNIT}.{number}.rcgu 2{self.UNIT[1:]}.{number}.rcgu" for number in ("0ut7xcn", "1z141z3")
        )
        explanation = self.pair(tmp_path, first, second)
        assert causes(explanation) == ["rustc-incremental"]
        assert explanation.opaque
        assert confidences(explanation) == {"likely"}

    def test_what_is_in_a_member_counts(self, tmp_path: Path) -> None:
        first, second = (f"{self.UNIT}.{number}.rcgu" for number in ("0ut7xcn", "03qmhad"))
        explanation = self.pair(tmp_path, first, second, contents=(b"x", b"y"))
        assert causes(explanation)[-1] == "residue"

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            # another unit; more than 32 bits; too few figures; another ending; a unit that is none
            ("09xpootcu2h08f5kspv33yas7.0ut7xcn.rcgu", "09xpootcu2h08f5kspv33yas8.0ut7xcn.rcgu"),
            ("09xpootcu2h08f5kspv33yas7.1ut7xcn.rcgu", "09xpootcu2h08f5kspv33yas7.1zzzzzz.rcgu"),
            ("09xpootcu2h08f5kspv33yas7.2ut7xcn.rcgu", "09xpootcu2h08f5kspv33yas7.3ut7xcn.rcgu"),
            ("09xpootcu2h08f5kspv33yas7.ut7xcn.rcgu", "09xpootcu2h08f5kspv33yas7.qmhadq.rcgu"),
            ("09xpootcu2h08f5kspv33yas7.0ut7xcn.obj", "09xpootcu2h08f5kspv33yas7.03qmhad.obj"),
            ("a-longer-name-of-a-unit-0.0ut7xcn.rcgu", "a-longer-name-of-a-unit-0.03qmhad.rcgu"),
        ],
    )
    def test_another_name_is_residue(self, tmp_path: Path, first: str, second: str) -> None:
        assert causes(self.pair(tmp_path, first, second)) == ["residue"]


class TestSdistCompiledExtension:
    WHERE = "usr/local/lib/python3.11/site-packages/"
    NAMES = (
        "/tmp/pip-install-k2x9q_1a/markupsafe_0123456789abcdef0123456789abcdef/src",
        "/tmp/pip-install-zzz81kkq/markupsafe_fedcba9876543210fedcba9876543210/src",
    )

    def test_pips_folders_in_a_library(self) -> None:
        first, second = (TestCBuildPath.program(name) for name in self.NAMES)
        path = self.WHERE + "markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so"
        assert causes(explain_contents(first, second, path)) == ["sdist-compiled-extension"]
        assert causes(explain_contents(first, second, "usr/bin/app")) == ["c-build-path"]

    def test_a_stripped_library(self) -> None:
        first, second = (TestCBuildPath.program("/src", identity) for identity in IDENTITIES)
        explanation = explain_contents(first, second, self.WHERE + "markupsafe/_speedups.so")
        assert causes(explanation) == ["sdist-compiled-extension"]
        assert confidences(explanation) == {"likely"}

    @staticmethod
    def record(name: str, content: bytes) -> bytes:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        return f"a/__init__.py,sha256=abc,10\n{name},sha256={digest},{len(content)}\na/RECORD,,\n".encode()

    def test_its_line_in_the_record(self) -> None:
        first, second = (self.record("a/_b.so", content) for content in (b"one", b"three"))
        explanation = explain_contents(first, second, self.WHERE + "a-1.dist-info/RECORD")
        assert causes(explanation) == ["sdist-compiled-extension"]
        assert confidences(explanation) == {"likely"}
        assert causes(explain_contents(first, second, "srv/RECORD")) == ["residue"]

    def test_lines_of_other_files(self) -> None:
        first, second = (self.record("a/b.py", content) for content in (b"one", b"two"))
        assert causes(explain_contents(first, second, self.WHERE + "a-1.dist-info/RECORD")) == ["residue"]

    def test_other_code_is_residue(self) -> None:
        first, second = (elf([code(text)]) for text in (b"a", b"b"))
        assert causes(explain_contents(first, second, self.WHERE + "a/_b.so")) == ["residue"]


SOURCE = (
    "def f(a):\n    x = ('alpha beta', 12345678, 'alpha beta')\n    return x\n"
    "class C:\n    text = 'alpha beta'\n    def g(self):\n        return self.text\n"
)


def bytecode(source: str, moment: int, *, kept: bool = False, flags: int = 0) -> bytes:
    """Compile; `kept` holds on to every part, so that the writer sees more references."""
    made = compile(source, "m.py", "exec", dont_inherit=True)
    parts: list[object] = []

    def keep(part: object) -> None:
        parts.append(part)
        if hasattr(part, "co_consts"):
            for inner in (*part.co_consts, part.co_names, part.co_code):
                keep(inner)

    if kept:
        keep(made)
    return MAGIC_NUMBER + struct.pack("<III", flags, moment, len(source)) + marshal.dumps(made)


class TestGemBuildLog:
    LOG = "var/lib/gems/3.1.0/extensions/x86_64-linux/3.1.0/bcrypt-3.1.20/gem_make.out"
    LINE = (
        b"current directory: /var/lib/gems/3.1.0/gems/bcrypt-3.1.20/ext/mri\n"
        b"/usr/bin/ruby -r ./siteconf%b.rb extconf.rb\n"
        b"make DESTDIR\\= sitearchdir\\=./.gem.%b sitelibdir\\=./.gem.%b\n"
    )

    def test_made_up_folders(self) -> None:
        first, second = (self.LINE % ((b"20261118-12-" + name,) * 3) for name in (b"k2x9q1", b"z81kkq"))
        explanation = explain_contents(first, second, self.LOG)
        assert causes(explanation) == ["gem-build-log"]
        assert confidences(explanation) == {"likely"}
        assert causes(explain_contents(first, second, "srv/other.out")) == ["residue"]

    def test_a_gem_and_the_digests_of_its_parts(self) -> None:
        def gem(moment: int, text: bytes = b"puts 1\n") -> bytes:
            """Pack as `gem build` does (Gem::Package): gzip everything with its time, and digest that."""
            packed = {
                name: gzip.compress(content, mtime=moment)
                for name, content in (("metadata.gz", b"--- !ruby/object\n" * 9), ("data.tar.gz", text * 99))
            }
            lines = ["---\n"]
            for algorithm in ("sha256", "sha512"):
                lines.append(f"{algorithm.upper()}:\n")
                lines += [f"  {name}: {hashlib.new(algorithm, part).hexdigest()}\n" for name, part in packed.items()]
            packed["checksums.yaml.gz"] = gzip.compress("".join(lines).encode(), mtime=moment)
            return tar([file(name, content, mtime=moment) for name, content in packed.items()])

        first, second = (gem(moment) for moment in IN)
        explanation = explain_contents(first, second, "srv/x-1.gem")
        assert causes(explanation) == ["archive-in-run", "listed-digest"]
        assert [finding.confidence for finding in explanation.findings] == ["proven", "proven"]
        other = gem(IN[1], b"puts 2\n")
        assert causes(explain_contents(first, other, "srv/x-1.gem")) == ["residue"]

    def test_the_makefile_as_ri_keeps_it(self) -> None:
        path = "var/lib/gems/3.1.0/doc/x-1/ri/ext/x/page-Makefile.ri"
        names = (b"20261123-8-t270jz", b"20261123-7-rnht34")
        first, second = (b'\x04\x08U:RDoc::TopLevel\x06TI"6dir = $(DESTDIR)./.gem.%s \x06;' % name for name in names)
        assert causes(explain_contents(first, second, path)) == ["gem-build-log"]
        assert causes(explain_contents(first, second, "srv/x")) == ["residue"]

    def test_the_makefile_beside(self) -> None:
        first, second = (b"sitearchdir = ./.gem.20261118-12-%b\n" % name for name in (b"k2x9q1", b"z81kkq"))
        path = "var/lib/gems/3.1.0/gems/bcrypt-3.1.20/ext/mri/Makefile"
        assert causes(explain_contents(first, second, path)) == ["gem-build-log"]
        assert causes(explain_contents(first, second, "srv/Makefile")) == ["residue"]

    @pytest.mark.parametrize("name", ["gem_make.out", "mkmf.log"])
    def test_times(self, name: str) -> None:
        first, second = (at(moment, "took from %Y-%m-%d %H:%M:%S\n") for moment in IN)
        explanation = explain_contents(first, second, f"usr/local/bundle/extensions/a/{name}")
        assert causes(explanation) == ["gem-build-log"]
        assert confidences(explanation) == {"proven"}

    def test_another_outcome_is_residue(self) -> None:
        first, second = b"checking for crypt_r()... yes\n", b"checking for crypt_r()... no\n"
        assert causes(explain_contents(first, second, self.LOG)) == ["residue"]

    def test_the_day_that_a_gem_was_built(self) -> None:
        midnight = 86400 * (FIRST // 86400)
        starts = midnight - 60, midnight + 20
        sides = tuple(SideContext(window=Window(start=start, end=start + 30)) for start in starts)
        path = "var/lib/gems/3.1.0/specifications/greeting-1.0.0.gemspec"
        first, second = (at(moment, '  s.date = "%Y-%m-%d"\n') for moment in (midnight - 50, midnight + 30))
        assert causes(explain_contents(first, second, path, sides)) == ["gem-build-log"]
        other = at(midnight - 9 * 86400, '  s.date = "%Y-%m-%d"\n')
        assert causes(explain_contents(other, second, path, sides)) == ["residue"]


class TestDatesInPrograms:
    """A date that a program was given (`-ldflags -X`, `-DBUILD_DATE=`) has the cause of dates in any text."""

    @pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%a %b %d %H:%M:%S UTC %Y", "%s"])
    def test_in_strings(self, form: str) -> None:
        first, second = (
            elf([code(), strings(b"before", str(moment).encode() if form == "%s" else at(moment, form), b"behind")])
            for moment in IN
        )
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["embedded-timestamp"]
        assert confidences(explanation) == {"proven"}

    @pytest.mark.parametrize(
        "form", ["%Y-%m-%dT%H:%M:%S.25+00:00", "%Y-%m-%d %H:%M:%S UTC", "%a, %d %b %Y %H:%M:%S +0000", "%s"]
    )
    def test_among_literals_that_run_on(self, form: str) -> None:
        for mark in (b"rustc version 1.63.0\0", b"\xff Go buildinf:\0"):
            first, second = (
                elf([code(), strings(mark + b"0.1.0%ssrc/main.rs" % date)])
                for date in (b"%d" % moment if form == "%s" else at(moment, form) for moment in IN)
            )
            explanation = explain_contents(first, second)
            assert causes(explanation) == ["embedded-timestamp"]
            assert confidences(explanation) == {"proven"}

    def test_figures_that_are_no_time_run_on(self) -> None:
        first, second = (
            elf([code(), strings(b"rustc version 1.63.0", b"x%dy" % (moment - 86400))]) for moment in (FIRST, SECOND)
        )
        assert causes(explain_contents(first, second)) == ["residue"]

    @pytest.mark.parametrize("size", [64, 1 << 20])
    def test_as_a_constant(self, size: int) -> None:
        first, second = (
            elf([code(), Part(".data.rel.ro", bytes(size) + struct.pack("<Q", moment), alignment=8)]) for moment in IN
        )
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
        first, second = (elf([code(b"\xbe" + struct.pack("<I", moment) + b"\xc3")]) for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
        first, second = (elf([code(b"\xbe" + struct.pack("<I", moment - 9999) + b"\xc3")]) for moment in IN)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_in_bytecode(self) -> None:
        first, second = (bytecode(at(moment, 'MADE = "at %Y-%m-%d %H:%M:%S"\n').decode(), 0) for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]

    @pytest.mark.parametrize(
        "form", ["%a, %d %b %Y %H:%M:%S +0000", "%a %b %d %Y %H:%M:%S GMT+0000", "%Y-%m-%d %H:%M:%S.5"]
    )
    def test_a_part_of_another_form_is_no_macros(self, form: str) -> None:
        first, second = (elf([code(), strings(at(moment, form))]) for moment in IN)
        assert "c-date-macro" not in causes(explain_contents(first, second))

    def test_in_instructions(self) -> None:
        first, second = (elf([code(at(moment, "%Y-%m-%dT%H:%M:%SZ"))]) for moment in IN)
        assert causes(explain_contents(first, second)) == ["residue"]


class TestPycImplicitImport:
    WITH_EPOCH = tuple(SideContext(window=side.window, epoch=1_700_000_000) for side in WINDOWS)

    def test_an_import_does_not_heed_the_epoch(self) -> None:
        first, second = (bytecode(SOURCE, moment) for moment in IN)
        explanation = explain_contents(first, second, "srv/app/__pycache__/m.pyc", self.WITH_EPOCH)
        assert causes(explanation) == ["pyc-implicit-import"]
        assert confidences(explanation) == {"proven"}

    def test_without_an_epoch_there_is_no_telling(self) -> None:
        first, second = (bytecode(SOURCE, moment) for moment in IN)
        assert causes(explain_contents(first, second, "srv/app/__pycache__/m.pyc")) == ["pyc-mtime"]

    def test_what_pip_compiles_lacks_the_epoch(self) -> None:
        first, second = (bytecode(SOURCE, moment) for moment in IN)
        path = "usr/lib/python3/dist-packages/m/__pycache__/m.pyc"
        assert causes(explain_contents(first, second, path, self.WITH_EPOCH)) == ["pyc-mtime"]

    def test_other_times_are_residue(self) -> None:
        first, second = (bytecode(SOURCE, moment) for moment in OUT)
        assert causes(explain_contents(first, second, "srv/m.pyc", self.WITH_EPOCH)) == ["residue"]


@pytest.mark.skipif(sys.version_info >= (3, 15), reason="its bytecode is not read")
class TestPycMarshalRefs:
    def test_sharing_alone(self) -> None:
        first, second = bytecode(SOURCE, IN[0], flags=1), bytecode(SOURCE, IN[0], kept=True, flags=1)
        assert first != second
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["pyc-marshal-refs"]
        assert confidences(explanation) == {"proven"}

    def test_with_the_sources_time(self) -> None:
        first, second = bytecode(SOURCE, IN[0]), bytecode(SOURCE, IN[1], kept=True)
        assert causes(explain_contents(first, second)) == ["pyc-mtime", "pyc-marshal-refs"]

    @pytest.mark.parametrize(
        "change", [("12345678", "12345679"), ("alpha beta'\n ", "alpha bet '\n "), ("def g", "def h")]
    )
    def test_other_code_is_residue(self, change: tuple[str, str]) -> None:
        assert change[0] in SOURCE
        first, second = bytecode(SOURCE, IN[0]), bytecode(SOURCE.replace(*change), IN[0], kept=True)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_an_unknown_version_is_residue(self) -> None:
        first, second = bytecode(SOURCE, IN[0], flags=1), bytecode(SOURCE, IN[0], kept=True, flags=1)
        unknown = struct.pack("<H", 9999)
        assert causes(explain_contents(unknown + first[2:], unknown + second[2:])) == ["residue"]


def test_a_debian_package_is_looked_into() -> None:
    import lzma  # noqa: PLC0415

    made = []
    for moment in IN:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
            content = elf([code(), strings(at(moment, "%H:%M:%S"))])
            info = tarfile.TarInfo("./usr/bin/app")
            info.size, info.mtime = len(content), moment
            archive.addfile(info, io.BytesIO(content))
        package = b"!<arch>\n"
        for name, data in ((b"debian-binary", b"2.0\n"), (b"data.tar.xz", lzma.compress(out.getvalue()))):
            package += b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name, moment, 0, 0, 0o644, len(data)) + data
            package += b"\n" * (len(data) % 2)
        made.append(package)
    assert causes(explain_contents(*made)) == ["ar-timestamp", "archive-in-run", "c-date-macro"]
