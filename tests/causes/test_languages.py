"""Causes of languages, documents and the build's surroundings: each fires, and stays silent on a near miss."""

from __future__ import annotations

import base64
import hashlib
import json
import marshal
import os
import pickle
import random
import re
import shutil
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, at, causes, explain_contents, explain_layers
from tests.compare.layer_images import Entry, file, folder, tar
from verifier.causes.cause import Claim, Place, SideContext, Window
from verifier.causes.git_directory import cause as git_directory
from verifier.causes.npm_cache import cause as npm_cache
from verifier.causes.random_value import cause as random_value
from verifier.formats.field import Field

IN = (FIRST + 4, SECOND + 4)
OUT = (FIRST - 400_000, SECOND + 4)


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


class TestOrder:
    FREE = (
        ("{'x', 'y'}", "{'y', 'x'}"),
        ('{"a": 1, "b": {"c": 2, "d": [1, 2]}}', '{"b": {"d": [1, 2], "c": 2}, "a": 1}'),
        ('{\n  "a": 1,\n  "b": 2\n}\n', '{\n  "b": 2,\n  "a": 1\n}\n'),
    )
    GUESSED = (
        ("['a', 'b', 'c']\n", "['c', 'a', 'b']\n"),
        ('{"steps": ["install", "test"]}', '{"steps": ["test", "install"]}'),
        ('{"a": ["x", "y"], "b": 2}', '{"b": 2, "a": ["y", "x"]}'),
        ("int x[] = {1, 2, 3};\n", "int x[] = {3, 2, 1};\n"),
        ("- one\n- two\n", "- two\n- one\n"),
        ("$VAR1 = {\n  'a' => 1,\n  'b' => 2\n};\n", "$VAR1 = {\n  'b' => 2,\n  'a' => 1\n};\n"),
        ("#<Set: {:a, :b}>", "#<Set: {:b, :a}>"),
        ("keys: [a b c]", "keys: [b c a]"),
        ("a=1\nb=2\nc=3\n", "b=2\na=1\nc=3\n"),
        ("a,b,c\n", "c,b,a\n"),
        ("alpha beta gamma\n", "gamma alpha beta\n"),
    )

    @pytest.mark.parametrize(("first", "second"), FREE)
    def test_what_has_no_order_by_its_notation_is_proven(self, first: str, second: str) -> None:
        explanation = explain_contents(first.encode(), second.encode())
        assert causes(explanation) == ["hash-order"]
        assert explanation.findings[0].confidence == "proven"

    @pytest.mark.parametrize(("first", "second"), GUESSED)
    def test_a_list_in_another_order_may_have_been_meant(self, first: str, second: str) -> None:
        explanation = explain_contents(first.encode(), second.encode())
        assert causes(explanation) == ["hash-order"]
        assert (explanation.findings[0].confidence, explanation.findings[0].opaque) == ("likely", False)

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("nameserver 1.1.1.1\nnameserver 8.8.8.8\n", "nameserver 8.8.8.8\nnameserver 1.1.1.1\n"),
            ("auth required pam_a.so\nauth include b\n", "auth include b\nauth required pam_a.so\n"),
            ("[x]\nkey=1\nkey=2\n", "[x]\nkey=2\nkey=1\n"),
            ("#!/bin/sh\nA=1\nB=$A\n", "#!/bin/sh\nB=$A\nA=1\n"),
            ("void f() { a = b; b = c; }\n", "void f() { b = c; a = b; }\n"),
            ("server { allow 10.0.0.0; deny all; }\n", "server { deny all; allow 10.0.0.0; }\n"),
        ],
    )
    def test_steps_and_directives_are_no_set(self, first: str, second: str) -> None:
        assert causes(explain_contents(first.encode(), second.encode())) == ["residue"]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("['a', 'b', 'c']\n", "['c', 'a', 'd']\n"),
            ("['a', 'b', 'c']\n", "['c', 'a',  'b']\n"),
            ("['a', 'b', 'a']\n", "['a', 'a', 'b']\n"),
            ("[1, 2, 3]\n", "[3, 1, 2]\n"),
            ("('a', 'b')\n", "('b', 'a')\n"),
            ('{"a": 1, "b": 2}', '{"a": 2, "b": 1}'),
            ('{"a": [1, 2], "b": 3}', '{"b": 3, "a": [2, 1]}'),
            ('{"a": {"x": 1}, "b": {"y": 2}}', '{"a": {"y": 2}, "b": {"x": 1}}'),
            ("a=1\nb=2\nc=3\n", "b=1\na=2\nc=3\n"),
            ("a=1\na=1\nb=2\n", "b=2\na=1\na=1\n"),
            ("if x; then\n  y || z\nfi\n", "fi\n  y || z\nif x; then\n"),
            ("a,b,c\n", "c;b;a\n"),
        ],
    )
    def test_more_than_order_is_residue(self, first: str, second: str) -> None:
        assert causes(explain_contents(first.encode(), second.encode())) == ["residue"]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("./a.c\n./b.c\n", "./b.c\n./a.c\n"),
            ("a.txt\nb.txt\nc.md\n", "c.md\nb.txt\na.txt\n"),
            ("src/a.o src/b.o src/c.o\n", "src/c.o src/a.o src/b.o\n"),
            ('["lib/a.js", "lib/b.js"]', '["lib/b.js", "lib/a.js"]'),
        ],
    )
    def test_names_of_files_are_the_folders_order(self, first: str, second: str) -> None:
        assert causes(explain_contents(first.encode(), second.encode())) == ["readdir-order"]

    def test_two_rules_of_sorting(self) -> None:
        names = ["alice", "Bob", "carl", "Dora", "eve"]
        first, second = ("\n".join(order).encode() + b"\n" for order in (sorted(names), sorted(names, key=str.lower)))
        assert causes(explain_contents(first, second)) == ["locale-timezone"]
        assert causes(explain_contents(first, second.replace(b"eve", b"eva"))) == ["residue"]

    def test_the_interpreter_itself(self) -> None:
        script = (
            "import json; s = {'alpha', 'beta', 'gamma', 'delta'}; print(list(s)); print(json.dumps(dict.fromkeys(s)))"
        )
        made = []
        for seed in ("1", "2", "1"):
            environment = {**os.environ, "PYTHONHASHSEED": seed}
            done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
            made.append(done.stdout)
        assert causes(explain_contents(made[0], made[1])) == ["hash-order"]
        assert made[0] == made[2]

    def test_perl_itself(self) -> None:
        if shutil.which("perl") is None:
            pytest.skip("perl is not installed")
        script = 'my %h = map {$_ => 1} "a" .. "p"; print join(",", keys %h), "\\n"; print "$_=$h{$_}\\n" for keys %h'
        made: list[bytes] = []
        for seed in ("1", "12345", "0x9abcdef"):
            environment = {**os.environ, "PERL_HASH_SEED": seed, "PERL_PERTURB_KEYS": "0"}
            made.append(subprocess.run(["perl", "-e", script], env=environment, capture_output=True, check=True).stdout)
        other = next(content for content in made[1:] if content != made[0])
        assert causes(explain_contents(made[0], other)) == ["hash-order"]

    def test_a_set_in_a_pickle(self) -> None:
        script = "import pickle, sys; sys.stdout.buffer.write(pickle.dumps({'s': set(sys.argv[1])}, protocol=4))"
        made = []
        for seed, members in (("1", "abcdef"), ("3", "abcdef"), ("3", "abcdeg")):
            command = [sys.executable, "-c", script, members]
            environment = {**os.environ, "PYTHONHASHSEED": seed}
            made.append(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
        assert made[0] != made[1]
        assert causes(explain_contents(made[0], made[1])) == ["hash-order"]
        assert causes(explain_contents(made[0], made[2])) == ["residue"]

    def test_files_of_a_package_that_were_made_later(self) -> None:
        """As virtualenv 20 ends the RECORD of what it seeds."""
        start = b"pip/__init__.py,sha256=_lgs5Mfp0t7AGtI7sTVwxKWquz_vahWWH9kKO1cJusA,353\n"
        lines = [b"pip/%s.cpython-311.pyc,,\n" % name for name in (b"cli/a", b"req/b", b"__init__", b"c")]
        first, second = start + b"".join(lines), start + b"".join(lines[::-1])
        path = "venv/lib/python3.11/site-packages/pip-26.0.1.dist-info/RECORD"
        explanation = explain_contents(first, second, path)
        assert (causes(explanation), explanation.findings[0].confidence) == (["hash-order"], "likely")
        other = start + b"".join([*lines[1:], b"pip/d.cpython-311.pyc,,\n"])
        assert causes(explain_contents(first, other, path)) == ["residue"]
        assert causes(explain_contents(first, second + lines[0], path)) == ["residue"]
        # a line with a digest that moved
        moved = b"".join(lines[:2]) + start + b"".join(lines[2:])
        assert causes(explain_contents(first, moved, path)) == ["residue"]
        # a METADATA of that package that is listed before, and no newline at the end
        metadata = b"pip-26.0.1.dist-info/METADATA,sha256=_lgs5Mfp0t7AGtI7sTVwxKWquz_vahWWH9kKO1cJusA,353\n"
        first, second = (metadata + text.removesuffix(b"\n") for text in (first, second))
        assert causes(explain_contents(first, second, path)) == ["hash-order"]

    def test_a_time_in_a_list_is_the_times_affair(self) -> None:
        for form in ("a=1\nb=2\nbuilt=%Y-%m-%d\nat=%H:%M:%S\n", '{"b": 1, "built": "%Y-%m-%dT%H:%M:%SZ", "a": [1, 2]}'):
            assert causes(explain_contents(at(IN[0], form), at(IN[1], form))) == ["embedded-timestamp"]

    def test_what_is_left_is_not_put_down_to_order(self) -> None:
        left = explain_contents(b"a,b,c\nx = 1 2 3\n", b"a,b,c\nx = 1 2 4\n").residue[0]
        assert not any("hash-order" in phrase for phrase in left.ruled_out)

    def test_a_hostile_nest_of_brackets_ends(self) -> None:
        for filler in (b"[", b"{", b'"', b"a,", b"x", b"/", b"\n", b"secret", b" <", b"Mon "):
            explanation = explain_contents(filler * 20_000 + b"a", filler * 20_000 + b"b")
            assert causes(explanation) == ["residue"]


def _index(seconds: int, inode: int, *, damage: bool = False) -> bytes:
    """Write a git index of one entry by the format's specification."""
    stat = struct.pack(">10I", seconds, 5, seconds, 7, 1, inode, 0o100644, 0, 0, 3)
    name = b"greeting"
    entry = stat + _sha1(b"x") + struct.pack(">H", len(name)) + name
    entry += b"\0" * (8 - len(entry) % 8)
    body = b"DIRC" + struct.pack(">II", 2, 1) + entry
    return body + (bytes(20) if damage else _sha1(body))


class TestGitDirectory:
    PATH = "srv/r/.git/index"

    def test_an_index_by_its_specification(self) -> None:
        explanation = explain_contents(_index(IN[0], 10), _index(IN[1], 77), self.PATH)
        assert causes(explanation) == ["git-directory"]
        assert explanation.findings[0].confidence == "proven"

    def test_other_times_and_a_wrong_digest_are_residue(self) -> None:
        assert causes(explain_contents(_index(OUT[0], 10), _index(OUT[1], 10), self.PATH)) == ["residue"]
        first, second = (_index(moment, 10, damage=True) for moment in IN)
        assert "git-directory" not in causes(explain_contents(first, second, self.PATH))

    def test_another_mode_is_residue(self) -> None:
        first, second = _index(IN[0], 10), bytearray(_index(IN[1], 10))
        second[12 + 24 : 12 + 28] = struct.pack(">I", 0o100755)
        body = bytes(second[:-20])
        assert causes(explain_contents(first, body + _sha1(body), self.PATH)) == ["residue"]

    def test_git_itself(self, tmp_path: Path) -> None:
        if shutil.which("git") is None:
            pytest.skip("git is not installed")
        made = []
        for moment in IN:
            folder = tmp_path / str(moment)
            environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
            subprocess.run(["git", "init", "-q", str(folder)], check=True, env=environment)
            (folder / "a").write_text("a")
            (folder / "long/er").mkdir(parents=True)
            (folder / "long/er/name").write_text("b")
            for name in ("a", "long/er/name"):
                os.utime(folder / name, (moment, moment))
            subprocess.run(["git", "-C", str(folder), "add", "."], check=True, env=environment)
            index = bytearray((folder / ".git/index").read_bytes())
            made.append(_with_ctime(index, moment))
        explanation = explain_contents(made[0], made[1], self.PATH)
        assert causes(explanation) == ["git-directory"]
        assert not explanation.findings[0].opaque

    LOG = "{} {} a <a@b> {} +0000\tclone: from /origin\n"

    def test_a_log(self) -> None:
        first, second = (self.LOG.format("0" * 40, "ab" * 20, moment).encode() for moment in IN)
        assert causes(explain_contents(first, second, "srv/r/.git/logs/HEAD")) == ["git-directory"]
        assert causes(explain_contents(first, second, "srv/other")) == ["embedded-timestamp"]
        first, second = (self.LOG.format("0" * 40, "ab" * 20, moment).encode() for moment in OUT)
        assert causes(explain_contents(first, second, "srv/r/.git/logs/HEAD")) == ["residue"]

    def test_a_branch_is_taken_as_given(self) -> None:
        explanation = explain_contents(b"ab" * 20 + b"\n", b"cd" * 20 + b"\n", "r/.git/refs/heads/main")
        assert causes(explanation) == ["git-directory"]
        assert explanation.findings[0].confidence == "likely"
        assert causes(explain_contents(b"ab" * 20 + b"\n", b"cd" * 20 + b"\n", "r/refs/heads/main")) == ["residue"]

    def test_loose_objects_of_a_run_alone(self) -> None:
        assert git_directory.given is not None
        place = Place(part="layer", field="entry", path=b"/r/.git/objects/ab/" + b"c" * 38, made_by="RUN git commit")
        assert git_directory.given(place, WINDOWS[0])
        assert not git_directory.given(replace(place, made_by="COPY . /r"), WINDOWS[0])
        assert not git_directory.given(
            replace(place, path=b"/r/.git/objects/pack/pack-" + b"c" * 40 + b".idx"), WINDOWS[0]
        )
        assert not git_directory.given(place, SideContext())


def _with_ctime(index: bytearray, moment: int) -> bytes:
    """Put the change times into the test's windows: nobody can set them on a real file."""
    position, size = 12, len(index) - 20
    while position < size and bytes(index[position : position + 4]) not in (b"TREE", b"EOIE"):
        index[position : position + 4] = struct.pack(">I", moment)
        end = index.index(b"\0", position + 62)
        position += (end - position + 8) // 8 * 8
    return bytes(index[:-20]) + _sha1(bytes(index[:-20]))


class TestNode:
    PATH = "root/.npm/_cacache/index-v5/ab/cd/" + "e" * 60

    def entry(self, milliseconds: int, **more: object) -> bytes:
        value = {"key": "make-fetch-happen:request-cache:https://x.org/a", "time": milliseconds, "size": 3, **more}
        line = json.dumps(value, separators=(",", ":")).encode()
        return b"\n" + _sha1(line).hex().encode() + b"\t" + line

    def test_the_caches_index(self) -> None:
        first, second = (self.entry(moment * 1000 + 7) for moment in IN)
        explanation = explain_contents(first, second, self.PATH)
        assert causes(explanation) == ["npm-cache"]
        assert explanation.findings[0].confidence == "proven"

    def test_another_download_is_residue(self) -> None:
        first, second = self.entry(IN[0] * 1000, integrity="sha512-a"), self.entry(IN[1] * 1000, integrity="sha512-b")
        assert causes(explain_contents(first, second, self.PATH)) == ["residue"]
        first, second = (self.entry(moment * 1000) for moment in OUT)
        assert causes(explain_contents(first, second, self.PATH)) == ["residue"]
        wrong = self.entry(IN[1] * 1000).replace(b"\n", b"\n0", 1)[:41] + self.entry(IN[1] * 1000)[41:]
        assert "residue" in causes(explain_contents(self.entry(IN[0] * 1000), wrong, self.PATH))

    def test_a_log_is_known_by_its_path(self) -> None:
        assert npm_cache.given is not None
        place = Place(part="layer", field="entry", path=b"/root/.npm/_logs/2026-11-23T08_29_15_123Z-debug-0.log")
        assert npm_cache.given(place, WINDOWS[0])
        assert not npm_cache.given(replace(place, field="content"), WINDOWS[0])
        assert not npm_cache.given(replace(place, path=b"/root/.npm/_logs/notes.log"), WINDOWS[0])

    def test_npms_logs_are_explained(self) -> None:
        first, second = (
            tar([file(f"r/.npm/_logs/2026-11-18T11_0{number}_44_123Z-debug-0.log", b"%d" % number, mtime=moment)])
            for number, moment in zip((6, 8), IN, strict=True)
        )
        assert causes(explain_layers(first, second)) == ["npm-cache"]

    PNPM = "hoistPattern:\n  - '*'\nprunedAt: {}\nskipped: []\n"

    def test_pnpms_state(self) -> None:
        path = "srv/node_modules/.modules.yaml"
        form = self.PNPM.format("%a, %d %b %Y %H:%M:%S GMT")
        first, second = (at(moment, form) for moment in IN)
        assert causes(explain_contents(first, second, path)) == ["pnpm-state"]
        assert causes(explain_contents(at(OUT[0], form), at(OUT[1], form), path)) == ["residue"]
        state = "srv/node_modules/.pnpm-workspace-state-v1.json"
        first, second = (b'{\n  "lastValidatedTimestamp": %d\n}' % (moment * 1000) for moment in IN)
        assert causes(explain_contents(first, second, state)) == ["pnpm-state"]


class TestComposer:
    DIGITS = ("0123456789abcdef" * 2, "fedcba9876543210" * 2)
    LOADER = "<?php\nreturn ComposerAutoloaderInit{}::getLoader();\n"

    def test_a_loaders_name(self) -> None:
        first, second = (self.LOADER.format(digits).encode() for digits in self.DIGITS)
        explanation = explain_contents(first, second, "srv/vendor/autoload.php")
        assert causes(explanation) == ["composer-autoload"]
        assert explanation.findings[0].confidence == "likely"
        assert causes(explain_contents(first, second, "srv/vendor/other.php")) == ["residue"]
        named = self.LOADER.format("Program").encode()
        assert causes(explain_contents(first, named, "srv/vendor/autoload.php")) == ["residue"]

    INSTALLED = (
        "<?php return array(\n    'root' => array(\n        'name' => '__root__',\n        'reference' => '{}',\n"
        "        'aliases' => array(),\n    ),\n    'versions' => array(\n        'a/b' => array(\n"
        "            'reference' => '{}',\n        ),\n    ),\n);\n"
    )

    def test_the_roots_commit_and_no_other(self) -> None:
        commits = ("ab" * 20, "cd" * 20)
        path = "srv/vendor/composer/installed.php"
        first, second = (self.INSTALLED.format(commit, "0" * 40).encode() for commit in commits)
        assert causes(explain_contents(first, second, path)) == ["composer-autoload"]
        first, second = (self.INSTALLED.format("0" * 40, commit).encode() for commit in commits)
        assert causes(explain_contents(first, second, path)) == ["residue"]


class TestPythonMetadata:
    def test_where_a_package_came_from(self) -> None:
        first, second = (
            b'{"dir_info": {}, "url": "file:///tmp/tmp.%s"}' % name for name in (b"Ab3dEf9hJk", b"q1W2e3R4t5")
        )
        assert causes(explain_contents(first, second, "l/x-1.dist-info/direct_url.json")) == ["pip-metadata"]
        assert causes(explain_contents(first, second.replace(b"{}", b"1 "), "l/x-1.dist-info/direct_url.json")) == [
            "residue"
        ]

    def test_when_uv_looked(self) -> None:
        path = "l/x-1.dist-info/uv_cache.json"
        form = b'{"timestamp":{"secs_since_epoch":%d,"nanos_since_epoch":%d},"commit":null}'
        first, second = (form % (moment, 123 + moment % 7) for moment in IN)
        assert causes(explain_contents(first, second, path)) == ["pip-metadata"]
        first, second = (form % (moment, 123) for moment in OUT)
        assert causes(explain_contents(first, second, path)) == ["residue"]

    def test_the_lines_of_record_that_follow_and_no_others(self) -> None:
        form = b"x/__init__.py,sha256=%s,0\nx-1.dist-info/direct_url.json,sha256=%s,61\n"
        path = "l/x-1.dist-info/RECORD"
        explanation = explain_contents(form % (b"a" * 43, b"b" * 43), form % (b"a" * 43, b"c" * 43), path)
        assert causes(explanation) == ["pip-metadata"]
        assert explanation.findings[0].confidence == "likely"
        assert "residue" in causes(explain_contents(form % (b"a" * 43, b"b" * 43), form % (b"d" * 43, b"b" * 43), path))

    def test_a_version_with_a_date_is_the_dates_and_its_records_follow(self) -> None:
        versions = [at(moment, "1.0.dev%Y%m%d%H%M").decode() for moment in (FIRST, FIRST + 60)]
        sides = tuple(SideContext(window=Window(start=moment - 30, end=moment + 60)) for moment in (FIRST, FIRST + 60))
        first, second = (
            f"app/_fast.so,sha256={letter * 43},9\napp-{version}.dist-info/METADATA,sha256={letter * 43},61\n".encode()
            for letter, version in zip("ab", versions, strict=True)
        )
        for path in ("srv/target/app-1.dist-info/RECORD", "l/site-packages/app-1.dist-info/RECORD"):
            explanation = explain_contents(first, second, path, sides)
            assert causes(explanation) == ["embedded-timestamp"]
            assert explanation.findings[0].confidence == "likely"

    def test_bytecode_under_a_target(self) -> None:
        # as `pip install --target` compiles, in a folder of its own
        def compiled(folder: str, moment: int) -> bytes:
            made = compile("def f():\n    return 1\n", f"{folder}/lib/python/m.py", "exec", dont_inherit=True)
            return MAGIC_NUMBER + struct.pack("<III", 0, moment, 24) + marshal.dumps(made)

        first, second = (compiled(f"/tmp/pip-target-{name}", 5) for name in ("be0va18x", "4gfymth8"))
        assert causes(explain_contents(first, second, "srv/m.pyc")) == ["pip-metadata"]
        first, second = (compiled(f"/tmp/pip-other-{name}", 5) for name in ("be0va18x", "4gfymth8"))
        assert causes(explain_contents(first, second, "srv/m.pyc")) == ["residue"]


class TestDocumentDate:
    FORMS = (
        "=head2 %a %b %d %H:%M:%S %Y: C<Module> L<A|A>\n",
        "Package: a\nBuilt: R 4.2.2; ; %Y-%m-%d %H:%M:%S UTC; unix\n",
        "Packaged: %Y-%m-%d %H:%M:%S UTC; root\n",
        "%%!PS-Adobe-3.0\n%%%%CreationDate: %a %b %d %H:%M:%S %Y\n",
        "This is pdfTeX, Version 3.141592653 (TeX Live 2022) (preloaded format=pdftex)  %d %b %Y %H:%M:%S\nx\n",
        "<!-- Generated by javadoc (17) on %a %b %d %H:%M:%S UTC %Y -->\n",
        "<small>Generated on %a %b %d %Y %H:%M:%S for X by Doxygen</small>\n",
        "Last updated on %b %d, %Y, %H:%M:%S.\nCreated using <a href='https://www.sphinx-doc.org/'>Sphinx</a>\n",
    )

    @pytest.mark.parametrize("form", FORMS)
    def test_a_documents_own_words(self, form: str) -> None:
        explanation = explain_contents(at(IN[0], form), at(IN[1], form))
        assert causes(explanation) == ["document-date"]
        assert explanation.findings[0].confidence == "proven"
        assert causes(explain_contents(at(OUT[0], form), at(OUT[1], form))) == ["residue"]

    @pytest.mark.parametrize("text", ["-- generated on {}\nreturn {{}}\n", "<p>Last updated on {} by cron</p>\n"])
    def test_a_scripts_own_words_heed_no_epoch(self, text: str) -> None:
        form = text.format("%a %b %d %H:%M:%S %Y")
        assert causes(explain_contents(at(IN[0], form), at(IN[1], form))) == ["embedded-timestamp"]

    PDF = "%%PDF-1.5\n%%\xd0\xd4\n1 0 obj\n<< /Producer (x) /CreationDate (D:%Y%m%d%H%M%SZ) >>\nendobj\n"

    def pdf(self, moment: int, digits: str, producer: bytes = b"x") -> bytes:
        head = at(moment, self.PDF).decode().encode("latin-1").replace(b"(x)", b"(" + producer + b")")
        return head + b"trailer\n<< /ID [<%s> <%s>] >>\n%%%%EOF\n" % (digits.encode(), digits.encode())

    def test_a_pdf(self) -> None:
        explanation = explain_contents(self.pdf(IN[0], "AB" * 16), self.pdf(IN[1], "AB" * 16))
        assert causes(explanation) == ["document-date"]
        assert explanation.findings[0].confidence == "proven"

    def test_a_pdfs_identity_is_taken_as_given(self) -> None:
        explanation = explain_contents(self.pdf(IN[0], "AB" * 16), self.pdf(IN[1], "CD" * 16))
        assert causes(explanation) == ["document-date"]
        assert explanation.findings[0].confidence == "likely"
        assert causes(explain_contents(self.pdf(IN[0], "AB" * 16), self.pdf(IN[1], "AB" * 16, b"y"))) == ["residue"]


class TestKernelState:
    PAIRS = (
        ("123.45 678.90\n", "133.45 698.90\n"),
        ("0.10 0.20 0.30 1/234 5678\n", "1.10 0.20 0.30 2/235 5679\n"),
        (
            "MemTotal:       16000000 kB\nMemFree:            1234 kB\n",
            "MemTotal:       16000000 kB\nMemFree:             999 kB\n",
        ),
        (
            "cpu  1 2 3 4 0 0 0 0 0 0\nctxt 99\nbtime 1\nprocesses 3\n",
            "cpu  1 2 3 9 0 0 0 0 0 0\nctxt 98\nbtime 1\nprocesses 4\n",
        ),
        ("nr_free_pages 5\npgfault 7\npgmajfault 9\n", "nr_free_pages 6\npgfault 8\npgmajfault 9\n"),
        ("cpu MHz\t\t: 2400.123\n", "cpu MHz\t\t: 2399.998\n"),
        (
            " 08:29:15 up 1 day,  2:03,  0 users,  load average: 0.00, 0.01, 0.05\n",
            " 08:30:15 up 1 day,  2:04,  0 users,  load average: 0.10, 0.01, 0.05\n",
        ),
        ("overlay          61255492 20342 100 1% /\n", "overlay          61255492 20399 101 1% /\n"),
    )

    @pytest.mark.parametrize(("first", "second"), PAIRS)
    def test_what_the_kernel_prints(self, first: str, second: str) -> None:
        explanation = explain_contents(first.encode(), second.encode())
        assert causes(explanation) == ["kernel-state"]
        assert explanation.findings[0].confidence == "likely"

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("123.45\n", "133.45\n"),
            ("123.451 678.90\n", "133.451 698.90\n"),
            ("MyField:  1234 kB\n", "MyField:  999 kB\n"),
            ("MemFree:  1234 MB\n", "MemFree:  999 MB\n"),
            ("x 0.10 0.20 0.30 1/234 5678\n", "x 1.10 0.20 0.30 2/235 5679\n"),
            # settings and tables of anybody's
            ("processes 4\n", "processes 8\n"),
            ("cpu 4\nmemory 2\n", "cpu 8\nmemory 2\n"),
            ("swap_size 1\ndrop_privileges 1\n", "swap_size 1\ndrop_privileges 0\n"),
            ("Cached: 100 kB\n", "Cached: 200 kB\n"),
            ("0.50 1.50\n0.25 0.75\n", "0.50 1.50\n0.35 0.75\n"),
            ("Total: 12 3\n", "Total: 12 4\n"),
        ],
    )
    def test_other_figures_are_residue(self, first: str, second: str) -> None:
        assert causes(explain_contents(first.encode(), second.encode())) == ["residue"]

    def test_this_machine(self) -> None:
        uptime = Path("/proc/uptime").read_bytes()
        other = b"%.2f %.2f\n" % tuple(float(value) + 1 for value in uptime.split())
        assert causes(explain_contents(uptime, other)) == ["kernel-state"]


def explain_with(first: bytes, second: bytes, names: tuple[str, str]) -> list[str]:
    sides = tuple(replace(side, host_names=frozenset({name})) for side, name in zip(WINDOWS, names, strict=True))
    return causes(explain_contents(first, second, sides=sides))


class TestKnownNames:
    def test_a_name_that_is_known_anywhere(self) -> None:
        first, second = b"built in buildkitsandbox today\n", b"built in varied today\n"
        assert explain_with(first, second, ("buildkitsandbox", "varied")) == ["hostname"]
        assert explain_with(first, second, ("other", "names")) == ["residue"]

    def test_no_part_of_a_word(self) -> None:
        assert explain_with(b"my-buildkitsandbox-x", b"my-varied-x", ("buildkitsandbox", "varied")) == ["residue"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"load ./app.Settings.json\n", b"load ./app.Defaults.json\n"),
        (b"load ./a-UserList.js\n", b"load ./a-UserEdit.js\n"),
        (b"in /tmp/report-Final1.txt\n", b"in /tmp/report-Draft2.txt\n"),
        (b"in /srv/app.Release12/x\n", b"in /srv/app.Release13/x\n"),
        (b"in /opt/tmp.productive\n", b"in /opt/tmp.developers\n"),
        (b"in /.tmpfolder\n", b"in /.tmpsource\n"),
        (b"tokenizer_sha256=%s\n" % (b"3f2a81bc9d4e17ab" * 4), b"tokenizer_sha256=%s\n" % (b"1d2a81bc9d4e17af" * 4)),
        (b"password_file=/etc/A1b2C3d4E5f6G7h8\n", b"password_file=/etc/Z1b2Y3d4X5f6W7h8\n"),
    ],
)
def test_what_somebody_named_was_not_made_up(first: bytes, second: bytes) -> None:
    assert causes(explain_contents(first, second)) == ["residue"]


@pytest.mark.parametrize(
    ("first", "second"), [("opt/app_Version1", "opt/app_Version2"), ("opt/a.Settings.json", "opt/a.Defaults.json")]
)
def test_files_that_somebody_named_are_not_paired(first: str, second: str) -> None:
    assert causes(explain_layers(tar([file(first)]), tar([file(second)]))) == ["residue"]


class TestTemporaryNames:
    def test_a_folder_in_a_text(self) -> None:
        first, second = (b"cc -o x /tmp/tmp.%s/x.c\n" % name for name in (b"Ab3dEf9hJk", b"q1W2e3R4t5"))
        assert causes(explain_contents(first, second)) == ["temporary-name"]
        assert causes(explain_contents(b"cc /tmp/alpha/x.c\n", b"cc /tmp/gamma/x.c\n")) == ["residue"]


class TestRandomValues:
    HEX = ("9f86d081884c7d659a2feaa0c55ad015", "a3bf4f1b2b0b822cd15d6c15b0f00a08")
    BASE64 = ("3q2+7wABAgMEBQYHCAkKCw0OD/8q", "Zm9vYmFyYmF6cXV4MTIzNDU2Nz+/")

    @pytest.mark.parametrize(
        "form",
        ["APP_KEY=base64:{}\n", "SECRET_KEY = '{}'\n", '"session_token": "{}"\n', "define('AUTH_SALT', '{}');\n"],
    )
    def test_the_value_of_a_key(self, form: str) -> None:
        first, second = (form.format(value).encode() for value in self.BASE64)
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["random-value"]
        assert explanation.findings[0].confidence == "likely"
        assert self.BASE64[0] not in str(explanation)

    @pytest.mark.parametrize("quote", ["'", "&#39;"])
    def test_the_nonce_of_a_policy(self, quote: str) -> None:
        form = '<meta content="script-src {q}nonce-{value}{q}"><script nonce="{value}">1</script>'
        values = ("F1/PXftICfEgrjOoK5+Rog==", "rdarzKQHc3FCHwvxymrMyg==")
        first, second = (form.format(q=quote, value=value).encode() for value in values)
        assert causes(explain_contents(first, second)) == ["random-value"]
        # a digest that a policy allows is none, nor is a word
        first, second = (f"script-src {quote}sha256-{value}{quote}".encode() for value in values)
        assert causes(explain_contents(first, second)) == ["residue"]
        first, second = (
            f"{quote}nonce-{value}{quote}".encode() for value in ("aaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbb")
        )
        assert causes(explain_contents(first, second)) == ["residue"]

    @pytest.mark.parametrize("quote", ['"', '\\"'])
    def test_the_identities_of_a_table(self, quote: str) -> None:
        def page(name: str, other: str = "", cell: str = "1") -> bytes:
            style = f"<style>#T_{name}_row0_col0 {{color: red}}</style>"
            text = f"{style}<table id='T_{name}'><td id='T_{name}_row0_col0'>{cell}</td></table><p>{other}"
            return text.replace("'", quote).encode()

        assert causes(explain_contents(page("e1a4d"), page("b46c7"), "srv/a.html")) == ["random-value"]
        assert "residue" in causes(explain_contents(page("e1a4d"), page("b46c7", cell="2"), "srv/a.html"))
        # a name that is no table's
        assert "residue" in causes(explain_contents(page("e1a4d", "#T_abcde"), page("b46c7", "#T_12345"), "srv/a.html"))
        assert causes(explain_contents(b"#T_e1a4d_row0 {}", b"#T_b46c7_row0 {}", "srv/a.css")) == ["residue"]

    def test_whom_a_program_counts(self) -> None:
        first, second = (
            b'{"telemetry.anonymousId": "%s"}' % hashlib.sha256(seed).hexdigest().encode() for seed in (b"1", b"2")
        )
        assert causes(explain_contents(first, second, "root/.config/astro/config.json")) == ["random-value"]

    @pytest.mark.parametrize("form", ["commit {}\n", "digest={}\n", "sha256:{}\n", "{}\n"])
    def test_what_may_be_a_digest_is_residue(self, form: str) -> None:
        first, second = (form.format(value).encode() for value in self.HEX)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_a_word_is_not_random(self) -> None:
        first, second = (
            b"password=%s\n" % word for word in (b"correcthorsebatterystaple", b"correcthorsebatterystapler")
        )
        assert causes(explain_contents(first, second)) == ["residue"]
        assert causes(explain_contents(b"token=aaaaaaaaaaaaaaaaaaaa\n", b"token=aaaaaaaaaaaaaaaaaaab\n")) == ["residue"]

    def test_another_length_is_residue(self) -> None:
        first, second = (f"api_key={value}\n".encode() for value in (self.HEX[0], self.HEX[1] + "0f"))
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_a_file_that_is_named_so(self) -> None:
        first, second = (f"{value}\n".encode() for value in self.HEX)
        assert causes(explain_contents(first, second, "etc/app/secret_key")) == ["random-value"]

    @pytest.mark.parametrize(
        ("path", "first", "second"),
        [
            ("var/lib/rabbitmq/.erlang.cookie", b"QWZLKRTPNBVCXASDFGHJ", b"PLMOKNIJBUHVYGCTFXRD"),
            (
                "opt/app/releases/COOKIE",
                b"AHABFAQXQN335E5MCQ5J77MBWBGMQV52Y7SFD6E27WCE2N3YEYZQ====",
                b"3W6O2MFHDDOK6NV35QYUMPDR6NAXB7DKTS2UQ46VLNX2S3527LMQ====",
            ),
        ],
    )
    def test_erlangs_cookies(self, path: str, first: bytes, second: bytes) -> None:
        assert causes(explain_contents(first, second, path)) == ["random-value"]
        assert causes(explain_contents(first, second, "opt/app/words")) == ["residue"]
        assert causes(explain_contents(first, second + b" more", path)) == ["residue"]
        assert causes(explain_contents(first, second, "etc/app/revision")) == ["residue"]

    def test_the_key_of_a_dump(self) -> None:
        keys = ("P9eiBasQarRTePcZwRlZrglHhAYDdcbxQsAjFEcl9eTwZR6LMmJOEbHyhaOh9G1", "70jK7VCwmQx92MSCTEpyJ" * 3)
        dump = "--\n\\restrict {0}\n\nCREATE TABLE a (b text);\n\n\\unrestrict {0}\n"
        first, second = (dump.format(key).encode() for key in keys)
        assert causes(explain_contents(first, second, "srv/dump.sql")) == ["random-value"]
        assert causes(explain_contents(first, second.replace(b"text", b"int4"), "srv/dump.sql")) == ["residue"]
        # a key that was given may have any length, and is the one that was given
        given = [dump.format(key[:20]).encode() for key in keys]
        assert causes(explain_contents(given[0], given[1], "srv/dump.sql")) == ["residue"]
        assert causes(explain_contents(b"restrict " + keys[0].encode(), b"restrict " + keys[1].encode())) == ["residue"]

    def test_base64_that_no_digest_has(self) -> None:
        assert causes(explain_contents(b"3q2+7wABAgMEBQ==\n", b"AQ+DBAUGBwgJCg==\n")) == ["random-value"]

    def claims(self, text: bytes, made_by: str, kind: str = "text") -> int:
        return len(self.claimed(text, made_by, kind))

    def test_an_instruction_that_asks_a_generator(self) -> None:
        text = self.HEX[0].encode() + b"\n"
        assert self.claims(text, "RUN openssl rand -hex 16 >/x") == 1
        assert self.claims(text, "RUN make") == 0
        assert self.claims(text, 'RUN sqlite3 a.db "INSERT INTO t VALUES (hex(randomblob(16)))"') == 1
        assert self.claims(b"n=12345\n", "RUN echo n=$RANDOM >/x") == 1
        assert self.claims(b"/usr/lib/x86_64-linux-gnu/Perl.d\n", "RUN openssl rand -hex 16") == 0

    def test_bytes_of_a_generator(self) -> None:
        noise = random.Random(3).randbytes(64)
        assert self.claims(noise, "RUN head -c 64 /dev/urandom >/x", "bytes") == 1
        assert self.claims(noise, "RUN make", "bytes") == 0
        assert self.claims(bytes(60) + noise[:4], "RUN head -c 64 /dev/urandom >/x", "bytes") == 0
        # of 256 bytes many fall together: they have the least of what they could have
        for size in (16, 32, 128, 256, 512, 4096):
            assert self.claims(random.Random(size).randbytes(size), "RUN head -c 999 /dev/urandom >/x", "bytes") == 1

    @pytest.mark.parametrize("alphabet", ["a-z0-9", "A-Za-z0-9", "a-zA-Z0-9+/", "0-9a-f"])
    @pytest.mark.parametrize("length", [16, 24, 32, 64])
    def test_whatever_is_drawn(self, alphabet: str, length: int) -> None:
        letters = [chr(code) for code in range(128) if re.fullmatch(f"[{alphabet}]", chr(code))]
        chance, made_by, missed = random.Random(7), f"RUN tr -dc {alphabet} </dev/urandom | head -c {length} >/x", 0
        for _ in range(300):
            drawn = ["".join(chance.choices(letters, k=length)) + "\n" for _ in range(2)]
            claimed = [self.claimed(text.encode(), made_by) for text in drawn if not text.startswith("/")]
            missed += any(not claims for claims in claimed) or all(claims[0].doubtful for claims in claimed)
        assert missed <= 9

    def claimed(self, text: bytes, made_by: str, kind: str = "text") -> list[Claim]:
        assert random_value.normalise is not None
        place = Place(part="layer", field="content", path=b"/x", made_by=made_by)
        return list(random_value.normalise(Field(name="", kind=kind, value=text, offset=0), place, WINDOWS[0]))

    def test_a_uuid_with_a_time(self) -> None:
        first, second = (_uuid1(moment).encode() for moment in IN)
        assert causes(explain_contents(first, second)) == ["random-value"]
        first, second = (_uuid1(moment).encode() for moment in OUT)
        assert causes(explain_contents(first, second)) == ["residue"]


@pytest.mark.parametrize("home", ["root/.composer/cache", "home/a/.cache/composer"])
def test_one_run_in_fifty_composer_clears_its_cache(home: str) -> None:
    common = [file("etc/fixed", b"x")]
    made = [folder(home), folder(f"{home}/files"), folder(f"{home}/vcs")]
    explanation = explain_layers(tar(common), tar(common + made))
    assert causes(explanation) == ["composer-autoload"]
    assert explanation.findings[0].confidence == "likely"
    for other in (file(f"{home}/files", b""), file(f"{home}/files/a.zip", b""), folder(f"{home}/repo")):
        assert causes(explain_layers(tar(common), tar([*common, other]))) == ["residue"]


def npm_stored(moment: float, content: bytes, name: str = "content-v2/sha512") -> list[Entry]:
    """Give what npm 9 keeps of a folder that it packed: its content under its digest, and a line of the index."""
    digest = hashlib.sha512(content).digest()
    stored = f"{name}/{digest.hex()[:2]}/{digest.hex()[2:4]}"
    integrity, time = base64.b64encode(digest).decode(), int(moment) * 1000 + 81
    line = (
        f'{{"key":"pacote:tarball:file:/srv/x","integrity":"sha512-{integrity}","time":{time},"size":{len(content)}}}'
    )
    index = f"\n{hashlib.sha1(line.encode(), usedforsecurity=False).hexdigest()}\t{line}"
    cache = "root/.npm/_cacache"
    return [
        file(f"{cache}/_lastverified", str(time).encode()),
        folder(f"{cache}/{stored.rpartition('/')[0]}"),
        folder(f"{cache}/{stored}"),
        file(f"{cache}/{stored}/{digest.hex()[4:]}", content),
        file(f"{cache}/index-v5/b9/33/{'4d' * 30}", index.encode()),
    ]


def test_what_npm_keeps_under_its_digest() -> None:
    first, second = (npm_stored(moment, at(moment, "built %Y-%m-%d %H:%M:%S")) for moment in IN)
    explanation = explain_layers(tar(first), tar(second))
    assert causes(explanation) == ["npm-cache", "embedded-timestamp"]
    assert explanation.findings[0].opaque
    same = explain_layers(*(tar(npm_stored(moment, b"one")) for moment in IN))
    assert causes(same) == ["npm-cache"]
    assert same.findings[0].confidence == "proven"


def test_what_else_differs_in_what_npm_keeps_is_residue() -> None:
    first, second = (npm_stored(moment, content) for moment, content in zip(IN, (b"one", b"other"), strict=True))
    assert causes(explain_layers(tar(first), tar(second))) == ["npm-cache", "residue"]


def test_another_time_of_the_last_look_at_npms_cache_is_residue() -> None:
    first, second = (str((moment - 10**6) * 1000).encode() for moment in (FIRST, SECOND))
    assert causes(explain_contents(first, second, "root/.npm/_cacache/_lastverified")) == ["residue"]


def test_what_npm_had_no_time_to_move() -> None:
    first, second = (tar([file(f"root/.npm/_cacache/tmp/{name}", b"{}")]) for name in ("5540b10e", "8db8fffc"))
    assert causes(explain_layers(first, second)) == ["npm-cache"]
    named = tar([file("root/.npm/_cacache/tmp/5540b10e.js", b"{}")])
    assert causes(explain_layers(named, second)) == ["npm-cache", "residue"]
    assert causes(explain_layers(tar([folder("root/.npm/_cacache/tmp/5540b10e")]), second))[-1] == "residue"


def _uuid1(moment: int) -> str:
    ticks = (moment + 12_219_292_800) * 10**7 + 5
    low, middle, high = ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0x0FFF
    return f"{low:08x}-{middle:04x}-1{high:03x}-8{moment % 16:x}00-0242ac110002"


class TestModels:
    def test_floats_of_a_pickle(self) -> None:
        first, second = (pickle.dumps({"weights": [x, 2.5], "name": "m"}) for x in (0.25, 0.75))
        explanation = explain_contents(first, second, "srv/m.pkl")
        assert causes(explanation) == ["pickle-or-model"]
        assert explanation.findings[0].confidence == "likely"
        other = pickle.dumps({"weights": [0.75, 2.5], "name": "n"})
        assert "residue" in causes(explain_contents(first, other, "srv/m.pkl"))

    def test_numpys_arrays_by_the_format(self) -> None:
        def array(values: tuple[float, ...], kind: str = "<f8") -> bytes:
            header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': (2,), }}".ljust(117).encode() + b"\n"
            return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack("<2d", *values)

        assert causes(explain_contents(array((1.5, 2.5)), array((1.5, 3.5)))) == ["pickle-or-model"]
        assert causes(explain_contents(array((1.5, 2.5), "<i8"), array((1.5, 3.5), "<i8"))) == ["residue"]

    def test_safetensors(self) -> None:
        header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
        first, second = (struct.pack("<Q", len(header)) + header + struct.pack("<2f", 1, x) for x in (2, 3))
        assert causes(explain_contents(first, second)) == ["pickle-or-model"]

    def test_a_damaged_pickle_is_residue(self) -> None:
        first, second = (b"\x80\x04\x95" + bytes([x]) * 30 + b"." for x in (1, 2))
        assert causes(explain_contents(first, second)) == ["residue"]


class TestLocalTimes:
    def test_another_zone_on_purpose(self) -> None:
        sides = tuple(replace(side, local_times=True) for side in WINDOWS)
        first, second = at(IN[0], "%Y-%m-%d %H:%M:%S\n"), at(IN[1] + 14 * 3600, "%Y-%m-%d %H:%M:%S\n")
        assert causes(explain_contents(first, second, sides=sides)) == ["locale-timezone"]
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_the_builds_own_zone(self) -> None:
        first, second = (at(moment + 2 * 3600, "%Y-%m-%d %H:%M:%S\n") for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
        first, second = (at(moment + 1000, "%Y-%m-%d %H:%M:%S\n") for moment in IN)
        assert causes(explain_contents(first, second)) == ["residue"]


class TestBinaryTimes:
    def test_a_count_in_an_unknown_format(self) -> None:
        for form in ("<I", ">I", "<Q", ">d"):
            first, second = (b"\xfe\xffcache\0" + struct.pack(form, moment) + b"\xfe\0\xff" for moment in IN)
            explanation = explain_contents(first, second)
            assert causes(explanation) == ["embedded-timestamp"]
            assert explanation.findings[0].confidence == "proven"

    def test_another_place_or_order_is_residue(self) -> None:
        orders = zip(("<I", ">I"), IN, strict=True)
        first, second = (b"\xfe\xff" + struct.pack(form, moment) + b"\xfe" for form, moment in orders)
        assert causes(explain_contents(first, second)) == ["residue"]
        first, second = (b"\xfe\xff" + struct.pack("<I", moment) + b"\xfe" for moment in OUT)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_a_printed_time_between_other_bytes(self) -> None:
        first, second = (b"\xfe\0" + at(moment, "%a %b %d %H:%M:%S %Y") + b"\0\xfe" for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]


class TestElapsedTime:
    # as written by PostgreSQL 15, pytest, cargo, webpack, Maven, doxygen, bash, POSIX's time, Ninja's and CMake's kin
    @pytest.mark.parametrize(
        ("form", "values"),
        [
            ("wrote 936 buffers (5.7%); write={} s, sync=0.5 s; sync files=308\n", ("0.015", "0.066")),
            ("===== 3 passed in {}s =====\n", ("0.12", "0.09")),
            ("    Finished release [optimized] target(s) in {}s\n", ("3.02", "12.40")),
            ("webpack 5.89.0 compiled successfully in {} ms\n", ("1523", "998")),
            ("[INFO] Total time:  {} s\n", ("4.220", "3.998")),
            ("Tests run: 1, Failures: 0, Time elapsed: {} sec\n", ("0.011", "0.008")),
            ("real\t{}s\nuser\t0m0.001s\n", ("0m1.204", "0m10.911")),
            ("real {}\nuser 0.01\nsys 0.00\n", ("1.20", "0.91")),
            (
                '<testsuite errors="0" tests="1" time="{}"><testcase name="a" /></testsuite>\n',
                ("0.033891439437866", "0.04"),
            ),
            ("-- Configuring done ({}s)\n", ("0.5", "0.7")),
            ("done in {} µs\n", ("120", "98")),
            # one that took longer is told in another unit
            ("built in {}\n", ("998ms", "1.02s")),
            ("CPU times: user {}, sys: 12 ms, total: 1 s\nWall time: 1.1 s\n", ("988 ms", "1.1 s")),
            ("CPU times: user 1 s, sys: {}, total: 1 s\n", ("998 µs", "1.02 ms")),
            ("<p>page of {} ago</p>\n", ("3 seconds", "4 seconds")),
        ],
    )
    def test_what_programs_say_of_their_speed(self, form: str, values: tuple[str, str]) -> None:
        first, second = (form.replace("{}", value).encode() for value in values)
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["elapsed-time"]
        assert explanation.findings[0].confidence == "likely"
        assert causes(explain_contents(first, second + b"more\n"))[-1] == "residue"
        unknown = (SideContext(), SideContext())
        assert causes(explain_contents(first, second, sides=unknown)) == ["residue"]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("built in 998ms\n", "built in 998px\n"),
            ("a user 3 s, sys: 4 s\n", "a user 5 s, sys: 4 s\n"),
            ("3 seconds agog\n", "4 seconds agog\n"),
        ],
    )
    def test_words_that_look_like_them_are_residue(self, first: str, second: str) -> None:
        assert causes(explain_contents(first.encode(), second.encode())) == ["residue"]

    def test_ninjas_log(self) -> None:
        form = "# ninja log v5\n%d\t%d\t%d\tutil.c.o\tcf62104060cf0f7f\n"
        first = form % (0, 60, IN[0] * 10**9 + 864483831)
        second = form % (1, 113, IN[1] * 10**9 + 506428500)
        assert causes(explain_contents(first.encode(), second.encode())) == ["embedded-timestamp", "elapsed-time"]
        late = form % (1, 61_000, IN[1] * 10**9)  # longer than the build
        assert causes(explain_contents(first.encode(), late.encode()))[-1] == "residue"

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("timeout in 30 s\n", "timeout in 40 s\n"),
            ("max_time=3 s\n", "max_time=4 s\n"),
            ("poll interval: total 5 s\n", "poll interval: total 6 s\n"),
            ("finished in 3 s\n", "finished in 3 kg\n"),
            ("finished in 3 s\n", "finished in 300 s\n"),  # longer than the build
            ("finished in 3 steps\n", "finished in 4 steps\n"),
            ("version 1.2 s\n", "version 1.3 s\n"),
            ("uses 12 ms tables\n", "uses 13 ms tables\n"),
            ("real\t0.5.1\n", "real\t0.5.2\n"),
        ],
    )
    def test_what_was_set_or_counts_something_else_is_residue(self, first: str, second: str) -> None:
        assert causes(explain_contents(first.encode(), second.encode())) == ["residue"]


class TestClassArchive:
    @staticmethod
    def archive(magic: int, content: bytes) -> bytes:
        return struct.pack("<II", magic, zlib.crc32(content)) + b"\x0b\0\0\0" + content

    @pytest.mark.parametrize("magic", [0xF00BABA2, 0xF00BABA8])
    def test_a_dump_by_its_magic_number(self, magic: int) -> None:
        first, second = (self.archive(magic, os.urandom(8192)) for _ in range(2))
        explanation = explain_contents(first, second, "srv/any")
        assert causes(explanation) == ["java-class-archive"]
        assert explanation.findings[0].opaque
        assert explanation.findings[0].confidence == "likely"

    def test_another_magic_another_kind_and_a_fragment_are_residue(self) -> None:
        first, second = (self.archive(0xF00BABA2, os.urandom(8192)) for _ in range(2))
        assert causes(explain_contents(first, self.archive(0xF00BABA8, os.urandom(8192)))) == ["residue"]
        assert causes(explain_contents(b"\0" + first, b"\0" + second)) == ["residue"]
        assert causes(explain_contents(first[:400], second[:400])) == ["residue"]


def test_the_kernels_tables_keep_their_columns() -> None:
    form = "MemFree:  {:>14} kB\nDirty:    {:>14} kB\n"
    first, second = (form.format(*figures).encode() for figures in ((14548220, 1056), (9337388, 956)))
    assert causes(explain_contents(first, second)) == ["kernel-state"]
    form = "overlay  {:>12} {:>12} {:>12}   1% /\n"
    first, second = (form.format(*figures).encode() for figures in ((100000, 9996, 90004), (100000, 10004, 89996)))
    assert causes(explain_contents(first, second)) == ["kernel-state"]
