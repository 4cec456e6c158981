from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.errors import UsageError
from verifier.model.build import BuilderName
from verifier.plan.ignore import MAX_IGNORE_BYTES, IgnoreRules, load_ignore_rules, reload_ignore_rules, rules_from

BUILDERS: tuple[BuilderName, ...] = ("buildkit", "docker", "buildah", "podman")


def rules(text: str | bytes, builder: BuilderName = "buildkit") -> IgnoreRules:
    return rules_from(text.encode() if isinstance(text, str) else text, Path(".dockerignore"), builder)


@pytest.mark.parametrize(
    ("patterns", "excluded", "kept"),
    [
        ("a", ["a", "a/b", "a/b/c"], ["b", "b/a", "ab"]),
        ("/a\n./b\nc/\n", ["a", "b", "c", "c/x"], ["d/a"]),
        ("*.log", ["x.log", ".log"], ["d/x.log", "x.logs"]),
        ("**/*.log", ["x.log", "d/x.log", "d/e/x.log"], ["x.log.gz"]),
        ("*/temp*", ["d/temp", "d/tempx"], ["temp", "d/e/temp"]),
        ("temp?", ["tempa"], ["temp", "tempab", "temp/"]),
        ("**", ["a", "a/b"], []),
        ("*\n!keep", ["a", "a/keep"], ["keep", "keep/a"]),
        ("!keep\n*", ["keep", "a"], []),
        ("*.md\n!README*.md\nREADME-secret.md", ["x.md", "README-secret.md"], ["README.md", "README-x.md"]),
        ("a\n!a/b", ["a", "a/c"], ["a/b", "a/b/c"]),
        ("a\n!a/b\na/b/c", ["a/b/c", "a/b/c/d"], ["a/b", "a/b/d"]),
        ("# comment\n #not-a-comment", ["#not-a-comment"], ["# comment", "comment"]),
        ("  a  \n\n\r\nb\r\n", ["a", "b"], ["c"]),
        ("a/../b\nc//d", ["b", "c/d"], ["a", "c"]),
        ("[a-c]x\n[^a]y", ["ax", "cx", "by"], ["dx", "ay"]),
        (r"\!a" + "\n" + r"\*", ["!a", "*"], ["a", "b"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a+(b)|{c}$^", ["a+(b)|{c}$^"], ["aab"]),
        ("foo/**/bar", ["foo/bar", "foo/x/bar", "foo/x/y/bar"], ["foo", "bar", "foo/barx"]),
        ("foo/**", ["foo/a", "foo/a/b"], ["foo"]),
        ("**/foo", ["foo", "a/foo", "a/foo/b"], ["afoo"]),
        ("**/.git\n!sub/.git", [".git", "x/.git/y"], ["sub/.git", "sub/.git/HEAD"]),
        (".", [], ["a", ".a"]),
    ],
)
def test_patterns(patterns: str, excluded: list[str], kept: list[str]) -> None:
    found = rules(patterns)
    assert [path for path in excluded if not found.excludes(path.encode())] == []
    assert [path for path in kept if found.excludes(path.encode())] == []


def test_names_that_are_not_utf8() -> None:
    found = rules(b"\xef\xbb\xbf\xff*\n")
    assert found.excludes(b"\xff\xfe")
    assert not found.excludes(b"\xfe")
    assert os.fsencode(found.patterns[0]) == b"\xff*"


@pytest.mark.parametrize("text", ["a[", "!", "a\\", "[]"])
def test_malformed_patterns_are_bad_usage(text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(".dockerignore: ")):
        rules(text)


@pytest.mark.parametrize(
    ("builder", "order"),
    [
        ("buildkit", ["Dockerfile.dockerignore", ".dockerignore"]),
        ("docker", [".dockerignore"]),
        ("buildah", ["Dockerfile.dockerignore", "Dockerfile.containerignore", ".containerignore", ".dockerignore"]),
        ("podman", ["Dockerfile.dockerignore", "Dockerfile.containerignore", ".containerignore", ".dockerignore"]),
    ],
)
def test_the_file_that_counts(tmp_path: Path, builder: BuilderName, order: list[str]) -> None:
    every = {"Dockerfile.dockerignore", "Dockerfile.containerignore", ".containerignore", ".dockerignore"}
    beside, context = tmp_path / "build", tmp_path / "context"
    beside.mkdir()
    context.mkdir()
    places = {name: (beside if name.startswith("Dockerfile") else context) / name for name in every}
    for name, place in places.items():
        place.write_text(f"{name}\n")
    for name in order:
        assert load_ignore_rules(builder, beside / "Dockerfile", context).patterns == (name,)
        places[name].unlink()
    assert load_ignore_rules(builder, beside / "Dockerfile", context).source is None


def test_another_dockerfile_name_has_another_ignore_file(tmp_path: Path) -> None:
    (tmp_path / "prod.Dockerfile.dockerignore").write_text("prod\n")
    (tmp_path / ".dockerignore").write_text("all\n")
    assert load_ignore_rules("buildkit", tmp_path / "prod.Dockerfile", tmp_path).patterns == ("prod",)
    assert load_ignore_rules("buildkit", tmp_path / "Dockerfile", tmp_path).patterns == ("all",)


@pytest.mark.parametrize("builder", BUILDERS)
def test_an_ignore_file_that_is_none(tmp_path: Path, builder: BuilderName) -> None:
    (tmp_path / ".dockerignore").mkdir()
    with pytest.raises(UsageError, match="ignore file"):
        load_ignore_rules(builder, tmp_path / "Dockerfile", tmp_path)
    (tmp_path / ".dockerignore").rmdir()
    os.mkfifo(tmp_path / ".dockerignore")
    with pytest.raises(UsageError, match="not a regular file"):
        load_ignore_rules(builder, tmp_path / "Dockerfile", tmp_path)
    (tmp_path / ".dockerignore").unlink()
    (tmp_path / ".dockerignore").write_bytes(b"#" * (MAX_IGNORE_BYTES + 1))
    with pytest.raises(UsageError, match="larger than"):
        load_ignore_rules(builder, tmp_path / "Dockerfile", tmp_path)


def test_reading_it_again(tmp_path: Path) -> None:
    file = tmp_path / ".dockerignore"
    file.write_text("a\n")
    first = reload_ignore_rules(file, "docker")
    assert first is not None
    assert first.patterns == ("a",)
    file.write_text("a[\n")
    assert reload_ignore_rules(file, "docker") is None
    file.unlink()
    assert reload_ignore_rules(file, "docker") is None
    assert reload_ignore_rules(None, "docker") == IgnoreRules(source=None)


SEGMENTS = st.sampled_from(["a", "b", "ab", ".c", "a.b"])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)
PATTERN_SEGMENTS = st.sampled_from(["a", "b", "ab", ".c", "*", "**", "a*", "?b", "*.b"])
PATTERNS = st.lists(
    st.tuples(st.booleans(), st.lists(PATTERN_SEGMENTS, min_size=1, max_size=3)).map(
        lambda item: ("!" if item[0] else "") + "/".join(item[1])
    ),
    max_size=5,
)


def _matches_itself(pattern: str, path: str) -> bool:
    """One pattern against one path, by the documentation: an oracle of its own."""
    parts = []
    for segment in pattern.split("/"):
        if segment == "**":
            parts.append("(?:.*/)?")
        else:
            parts.append(re.escape(segment).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") + "/")
    expression = "".join(parts)
    if pattern.endswith("**"):
        return re.fullmatch(expression.removesuffix("(?:.*/)?") + ".+", path + "/") is not None
    return re.fullmatch(expression.removesuffix("/"), path) is not None


@given(PATTERNS, PATHS)
def test_buildah_takes_the_last_pattern_that_matches_a_path_or_a_parent(patterns: list[str], path: str) -> None:
    excluded = False
    for pattern in patterns:
        if any(_matches_itself(pattern.removeprefix("!"), parent) for parent in _upwards(path)):
            excluded = not pattern.startswith("!")
    assert rules("\n".join(patterns), "buildah").excludes(path.encode()) == excluded


@given(PATTERNS, PATHS)
def test_a_pattern_is_only_asked_where_it_would_change_something(patterns: list[str], path: str) -> None:
    """Moby's way: a pattern that matched a parent goes on matching, and `!` is asked of what is left out already."""
    holds: set[int] = set()
    excluded = False
    for part in reversed(_upwards(path)):
        excluded = False
        now = set()
        for number, pattern in enumerate(patterns):
            brings_back = pattern.startswith("!")
            asked = brings_back == excluded and _matches_itself(pattern.removeprefix("!"), part)
            if number in holds or asked:
                now.add(number)
                excluded = not brings_back
        holds = now
    for builder in ("buildkit", "docker"):
        assert rules("\n".join(patterns), builder).excludes(path.encode()) == excluded  # type: ignore[arg-type]


def _upwards(path: str) -> list[str]:
    """The path itself and its parents, the longest first."""
    segments = path.split("/")
    return ["/".join(segments[:count]) for count in range(len(segments), 0, -1)]


def test_the_builders_differ_in_what_comes_back() -> None:
    text = "**/*.log\n!a\n"
    assert rules(text, "buildkit").excludes(b"a/x.log")
    assert rules(text, "docker").excludes(b"a/x.log")
    assert not rules(text, "buildah").excludes(b"a/x.log")
    assert not rules(text, "podman").excludes(b"a/x.log")


@pytest.mark.parametrize(
    ("text", "directory", "entered"),
    [
        ("*\n!**/a", b"b", {"buildkit"}),
        ("*\n!b/a", b"b", {"buildkit", "docker", "buildah", "podman"}),
        ("*\n!/b/a/", b"b", {"buildkit", "docker", "buildah", "podman"}),
        ("*\n!bb/a", b"b", {"buildah", "podman"}),
        ("*\n!c", b"b", set()),
        ("*", b"b", set()),
    ],
)
def test_the_builders_differ_in_where_they_look(text: str, directory: bytes, entered: set[str]) -> None:
    assert {name for name in BUILDERS if rules(text, name).may_bring_back_under(directory)} == entered


@given(PATTERNS, PATHS)
def test_what_is_not_walked_holds_nothing_that_is_kept(patterns: list[str], path: str) -> None:
    found = rules("\n".join(patterns))
    for part in _upwards(path)[1:]:
        parent = part.encode()
        if found.excludes(parent) and not found.may_bring_back_under(parent):
            assert found.excludes(path.encode())
