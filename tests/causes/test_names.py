"""temporary-name, hostname, and the links of certificates: names that vary."""

from __future__ import annotations

import dataclasses

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, at, causes, explain_contents, explain_layers
from tests.compare.layer_images import Entry, file, folder, symlink, tar
from verifier.causes.cause import SideContext
from verifier.model.build import BuilderName
from verifier.model.finding import Explanation


def explain_entries(first: Entry, second: Entry) -> Explanation:
    layers = (tar([dataclasses.replace(entry, mtime=moment)]) for entry, moment in ((first, FIRST), (second, SECOND)))
    return explain_layers(*layers)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("t.Xy12Zw", "t.aB3dE9"),
        ("tmp/tmp.Ab3dEf9hJk", "tmp/tmp.q1W2e3R4t5"),
        ("tmp/tmpa8k2_x1q", "tmp/tmpzz0_9q2b"),
        ("var/x-1aB2cD3e/y", "var/x-9zY8xW7v/y"),
    ],
)
def test_a_random_name_over_the_same_content(first: str, second: str) -> None:
    explanation = explain_entries(file(first, b"same"), file(second, b"same"))
    assert causes(explanation) == ["temporary-name"]
    assert explanation.of == 2
    assert explanation.findings[0].confidence == "likely"
    assert explanation.minimal == ("temporary-name",)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (file("t.Xy12Zw", b"same"), file("t.aB3dE9", b"other")),
        (file("t.Xy12Zw", b"same"), file("t.aB3dE9", b"same", mode=0o4755)),
        (file("t.Xy12Zw", b"same"), file("t.aB3dE9", b"same", uid=1)),
        (file("t.Xy12Zw", b""), folder("t.aB3dE9")),
        (file("t.Xy12Zw", b"same"), file("u.aB3dE9", b"same")),
        (file("t.Xy12Zw", b"same"), file("t.aB3dE", b"same")),
        (file("a.config", b"same"), file("a.backup", b"same")),
        (file("log-20261118", b"same"), file("log-20261119", b"same")),
        (file("t.Xy12Zw", b"x"), file("t.aB3dE9", b"x", pax=(("SCHILY.xattr.security.capability", "A"),))),
    ],
)
def test_other_names_and_other_entries_are_residue(first: Entry, second: Entry) -> None:
    assert causes(explain_entries(first, second)) == ["residue"]


def test_as_many_on_both_sides() -> None:
    entries = [file(f"t.{name}", b"same", mtime=FIRST) for name in ("Xy12Zw", "aB3dE9")]
    others = [file("t.q1W2e3", b"same", mtime=SECOND)]
    assert causes(explain_layers(tar(entries), tar(others))) == ["residue"]
    others.append(file("t.Q9w8E7", b"same", mtime=SECOND))
    assert causes(explain_layers(tar(entries), tar(others))) == ["temporary-name"]


def test_a_time_that_is_not_the_builds_must_agree() -> None:
    first, second = (tar([file(name, b"", mtime=moment)]) for name, moment in (("t.Xy12Zw", 5), ("t.aB3dE9", 6)))
    assert causes(explain_layers(first, second)) == ["residue"]


def test_something_behind_a_name_is_no_part_of_it() -> None:
    first, second = (
        bytearray(tar([file(name, b"", mtime=moment)])) for name, moment in (("t.Xy12Zw", FIRST), ("t.aB3dE9", SECOND))
    )
    second[50] = 1
    second[148:154] = b"%06o" % (sum(second[:512]) - sum(second[148:156]) + 8 * 0x20)
    assert causes(explain_layers(bytes(first), bytes(second))) == ["residue"]


def left_by_cpanm(moment: int, process: int, log: str = "cpanm (App::cpanminus) 1.7046\n{}\n") -> bytes:
    """Make what cpanm leaves behind: a folder named by time and process, a log in it, and links to both."""
    work = f"root/.cpanm/work/{moment}.{process}"
    text = log.format(f"Work directory is /{work}").encode()
    entries = [folder(work), file(f"{work}/build.log", text), symlink("root/.cpanm/latest-build", f"/{work}")]
    return tar([dataclasses.replace(entry, mtime=moment) for entry in entries])


def test_a_name_that_holds_the_builds_time_and_what_is_written_under_it() -> None:
    explanation = explain_layers(left_by_cpanm(FIRST + 5, 7), left_by_cpanm(SECOND + 5, 12))
    assert causes(explanation) == ["file-mtime", "embedded-timestamp"]
    assert explanation.findings[1].confidence == "proven"
    assert [len(finding.paths) for finding in explanation.findings] == [1, 5]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (left_by_cpanm(FIRST - 500, 7), left_by_cpanm(SECOND - 500, 7)),
        (left_by_cpanm(FIRST + 5, 7), left_by_cpanm(SECOND + 5, 7, "cpanm (App::cpanminus) 1.7047\n{}\n")),
    ],
)
def test_another_time_or_another_content_is_residue(first: bytes, second: bytes) -> None:
    assert causes(explain_layers(first, second))[-1] == "residue"


def test_one_random_name_on_each_side_over_contents_that_are_explained() -> None:
    first, second = (at(moment, "%Y-%m-%d %H:%M:%S started\n") for moment in (FIRST, SECOND))
    explanation = explain_entries(file("t.Xy12Zw", first), file("t.aB3dE9", second))
    assert causes(explanation) == ["embedded-timestamp", "temporary-name"]
    assert {finding.opaque for finding in explanation.findings} == {False, True}
    # of two on each side nobody knows which is which
    pairs = [
        [file(name, text + name.encode(), mtime=moment) for name in names]
        for names, text, moment in (
            (("t.Xy12Zw", "t.Xy12Zx"), first, FIRST),
            (("t.aB3dE9", "t.aB3dE8"), second, SECOND),
        )
    ]
    assert causes(explain_layers(*map(tar, pairs))) == ["residue"]
    other = explain_entries(file("t.Xy12Zw", first), file("t.aB3dE9", second, uid=1))
    assert causes(other) == ["residue"]


def test_the_trials_of_cmake_in_its_log() -> None:
    form = (
        "Change Dir: /src/build/CMakeFiles/CMakeScratch/TryCompile-{0}\n"
        "Run Build Command(s):/usr/bin/ninja cmTC_{1} && [1/2] Building C object CMakeFiles/cmTC_{1}.dir/x.c.o\n"
    )
    first, second = (form.format(*names).encode() for names in (("3EveE2", "39503"), ("tUkNwF", "38f0a")))
    assert causes(explain_contents(first, second)) == ["temporary-name"]
    assert causes(explain_contents(first, second.replace(b"cmTC_38f0a", b"cmTC_38f0z"))) == ["residue"]


def test_the_link_of_a_certificates_subject() -> None:
    first, second = (f"etc/ssl/certs/{digits}.0" for digits in ("0f0b8c69", "3432fcc8"))
    assert causes(explain_entries(symlink(first, "a.pem"), symlink(second, "a.pem"))) == ["generated-key"]
    assert causes(explain_entries(symlink(first, "a.pem"), symlink(second, "b.pem"))) == ["residue"]
    assert causes(explain_entries(file(first, b"x"), file(second, b"x"))) == ["residue"]


NAMES = ("0f0b8c693432", "8d1b53f9a7c2")


def explain_names(template: str, builder: BuilderName | None, names: tuple[str, str] = NAMES) -> list[str]:
    sides = tuple(SideContext(window=side.window, builder=builder) for side in WINDOWS)
    first, second = (template.format(name).encode() for name in names)
    return causes(explain_contents(first, second, sides=sides))


TEMPLATES = (
    "{}\n",
    "root@{}\n",
    "HOSTNAME={}\n",
    "myhostname = {}\n",
    "front|front:rm={}:rp=front:\n",
    "x: Could not get FQDN, using '{}'.\n",
)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("builder", ["docker", "buildah", "podman"])
def test_a_containers_name(template: str, builder: BuilderName) -> None:
    assert explain_names(template, builder) == ["hostname"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_builder_that_names_its_containers_otherwise(template: str) -> None:
    assert explain_names(template, "buildkit") == ["residue"]
    assert explain_names(template, None) == ["residue"]


@pytest.mark.parametrize("template", ["commit {}\n", "{}0\n", "a{}\n", "{} /usr/bin/x\n"])
def test_other_twelve_digits(template: str) -> None:
    assert explain_names(template, "docker") == ["residue"]


def test_a_folder_of_mktemps_at_the_end_of_a_line() -> None:
    form = "Build-Path: /build/equivs.{}\nEnvironment:\n"
    first, second = (form.format(name).encode() for name in ("o8VpFv", "Qx1Ta9"))
    assert causes(explain_contents(first, second)) == ["temporary-name"]
    for word, other in (("config", "backup"), ("ebBtb4", "Fedora"), ("config", "o8VpFvv"), ("123456", "123457")):
        contents = (form.format(name).encode() for name in (word, other))
        assert causes(explain_contents(*contents)) == ["residue"]


def test_chance_gives_a_word_now_and_then() -> None:
    form = "Build-Path: /build/equivs.{}\nEnvironment:\n"
    for word, other in (("ebBtb4", "kXMIzD"), ("kXMIzD", "abcdef"), ("o8VpFv", "ebBtb4")):
        assert causes(explain_contents(*(form.format(name).encode() for name in (word, other)))) == ["temporary-name"]
        entries = (file(f"srv.{name}", b"same") for name in (word, other))
        assert causes(explain_entries(*entries)) == ["temporary-name"]


def test_of_two_words_none_is_made_up() -> None:
    names = [file(f"t.{name}", b"same") for name in ("config", "ebBtb4", "Xy12Zw")]
    others = [file(f"t.{name}", b"same") for name in ("backup", "fedora", "aB3dE9")]
    # the two that are sure make a pair; of the others, nothing tells that chance had a hand in them
    assert set(causes(explain_layers(tar(names), tar(others)))) == {"temporary-name", "residue"}
    others[0] = file("t.Qx1Ta9", b"same")
    assert set(causes(explain_layers(tar(names[1:]), tar(others[:2])))) == {"temporary-name"}


def test_where_a_shallow_clone_ends() -> None:
    first, second = (digits * 20 + b"\n" for digits in (b"0f", b"a1"))
    assert causes(explain_contents(first, second, "srv/app/.git/shallow")) == ["git-directory"]
    assert causes(explain_contents(first, second, "srv/app/shallow")) == ["residue"]


def test_the_folder_of_an_r_session() -> None:
    first, second = (b"tempdir: /tmp/%s/file.R\n" % name for name in (b"RtmpaBcdef", b"RtmpQ0x1Zz"))
    assert causes(explain_contents(first, second)) == ["temporary-name"]
    assert causes(explain_contents(first, b"tempdir: /tmp/Rtmp/file.R\n")) == ["residue"]
