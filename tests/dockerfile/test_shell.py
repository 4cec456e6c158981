from __future__ import annotations

import time

import pytest

from verifier.dockerfile import parse_dockerfile
from verifier.dockerfile.recipe import Recipe, read_recipe
from verifier.dockerfile.shell import Command, Script
from verifier.dockerfile.shell_reader import read_script
from verifier.errors import DockerfileError, UsageError


def script(text: str, **scope: str) -> Script:
    return read_script(text, {name: (value,) for name, value in scope.items()}, lambda offset: offset)


def argvs(text: str, **scope: str) -> list[list[str]]:
    return [[word.text for word in command.argv] for command in script(text, **scope).commands if command.argv]


def recipe(text: str, **options: object) -> Recipe:
    return read_recipe(parse_dockerfile(text.encode(), "Dockerfile"), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b && c; d | e || f & g", [["a", "b"], ["c"], ["d"], ["e"], ["f"], ["g"]]),
        ("(a; b) && { c; d; }", [["a"], ["b"], ["c"], ["d"]]),
        ("if a; then b; elif c; then d; else e; fi", [["a"], ["b"], ["c"], ["d"], ["e"]]),
        ("case $x in a|b) c;; *) d;; esac", [["c"], ["d"]]),
        ("while a; do b; done; until c; do d; done", [["a"], ["b"], ["c"], ["d"]]),
        ("f() { a; }; f b", [["a"], ["f", "b"]]),
        ("! a 'b c' \"d e\" f\\ g h\"i\"'j'", [["a", "b c", "d e", "f g", "hij"]]),
        ("a # b\nc", [["a"], ["c"]]),
        ("a \"$(b 'c d')\" `e`", [["a", "$(b 'c d')", "`e`"], ["b", "c d"], ["e"]]),
        ("a $((1 + $(b)))", [["a", "$((1 + $(b)))"], ["b"]]),
        ("a <(b) > f", [["a", "<(b)"], ["b"]]),
        ("sh -ec 'a; b' x", [["sh", "-ec", "a; b", "x"], ["a"], ["b"]]),
        ("bash -euo pipefail -c 'a'", [["bash", "-euo", "pipefail", "-c", "a"], ["a"]]),
        ("su - u -c 'a b'", [["su", "-", "u", "-c", "a b"], ["a", "b"]]),
        ("eval a b", [["eval", "a", "b"], ["a", "b"]]),
        ("A=1 sudo -u x env -i B=2 nice -n 5 timeout -k 1 9 a -n", [["a", "-n"]]),
        ("command -v a; command b; exec -a n c", [["command", "-v", "a"], ["b"], ["c"]]),
        ("xargs -n 1 -I{} a {}", [["a", "{}"]]),
        ("bash <<E\na b\nE\n", [["bash"], ["a", "b"]]),
        ("cat <<'E' > f && c\n$(a)\nE\n", [["cat"], ["c"]]),
        ("cat <<E > f\n$(a)\nE\n", [["cat"], ["a"]]),
        ("[ -f a ] && b", [["[", "-f", "a"], ["b"]]),
        ("cd /a && ./b", [["cd", "/a"], ["./b"]]),
        ("[[ $a =~ ^x$ ]] && c", [["[", "$a", "^x$"], ["c"]]),
        ("", []),
    ],
)
def test_simple_commands_are_found_where_they_hide(text: str, expected: list[list[str]]) -> None:
    assert argvs(text) == expected


def test_variables_are_replaced_where_they_are_known() -> None:
    assert argvs("a $X \"${X}/b\" ${Y:-d} ${X%1} '$X'", X="1") == [["a", "1", "1/b", "${Y:-d}", "${X%1}", "$X"]]
    assert argvs("Y=v$X-$X.d; a v$X/b-$X.c $Y", X="1") == [["a", "v1/b-1.c", "v1-1.d"]]
    assert argvs("X=2; a $X; X=$(b); c $X", X="1") == [["a", "2"], ["b"], ["c", "$X"]]


def words_of(command: Command) -> list[tuple[str, ...]]:
    return [word.values for word in command.argv[1:]]


def test_a_variable_may_have_several_values() -> None:
    last = script("case x in a) V=1;; b) V=2;; esac; c $V-$V").commands[-1]
    assert words_of(last) == [("1-1", "1-2", "2-1", "2-2")]
    assert words_of(script("for p in a b; do c $p; done").commands[0]) == [("a", "b")]
    assert words_of(script("V=1; if a; then V=$(b); fi; c $V").commands[-1]) == [()]


def kept(text: str) -> list[str]:
    found = script(text)
    return [command.name for command in found.commands if command.name == "x" and found.is_kept(command)]


@pytest.mark.parametrize(
    "text",
    [
        "x > f", "{ x; } > f", "(x; a) >> f", "x | cat > f", "x | tee f", "x | tr a b | a", "a $(x)", "echo $(x) > f",
        "V=$(x); echo $V > f", "V=$(x); a $V", "export V=$(x)", "cat <<E > f\n$(x)\nE\n", "cat <(x) > f", "sh -c x > f",
        "a && x > f", "x &> f", "a -b=$(x)",
    ],
)  # fmt: skip
def test_output_that_goes_into_the_image_is_kept(text: str) -> None:
    assert kept(text)


@pytest.mark.parametrize(
    "text",
    [
        "x", "x > /dev/null", "x >&2", "echo $(x)", "echo $(x) | cat", "x | grep y", "V=$(x)", "V=$(x); echo $V",
        'if [ "$(x)" = y ]; then a; fi', "case $(x) in a) b;; esac", "{ x; } >/dev/null 2>&1", "x 2> f", "x && a > f",
        "for i in $(x); do a; done", "x | tee /dev/stderr",
    ],
)  # fmt: skip
def test_output_for_the_log_is_not_kept(text: str) -> None:
    assert not kept(text)


DOCKERFILE = """\
ARG BASE
FROM $BASE AS one
ARG V=1.2
ENV W=$V/3
RUN --mount=type=cache,target=/x set -e; \\
    # a comment
    a1 && \\

    a2 "b \\
  $W" && \\
  a3 ${V}
RUN <<EOF
b1
  b2
EOF
RUN cat <<-"EOF" > /x && c1 <<P
\thello
\tEOF
$(c2)
P
RUN ["sh", "-c", "d1"]
FROM unused
RUN e1
FROM one
RUN f1
"""


def test_commands_stand_on_their_lines() -> None:
    found = {command.name: command.line for _, command in recipe(DOCKERFILE).runs()}
    assert found == {
        "set": 5,
        "a1": 7,
        "a2": 9,
        "a3": 11,
        "b1": 13,
        "b2": 14,
        "cat": 16,
        "c1": 16,
        "c2": 19,
        "sh": 21,
        "d1": 21,
        "f1": 25,
    }


def test_values_are_those_of_the_stage_and_of_the_build() -> None:
    def text(**options: object) -> list[str]:
        found = recipe(DOCKERFILE, **options)
        return [word.text for _, command in found.runs() if command.name == "a2" for word in command.argv]

    assert text() == ["a2", "b   1.2/3"]
    assert text(build_args=(("V", "9"),)) == ["a2", "b   9/3"]


def test_only_the_stages_that_the_target_needs_are_read() -> None:
    assert [stage.index for stage in recipe(DOCKERFILE).stages] == [0, 2]
    assert [stage.index for stage in recipe(DOCKERFILE, target="1").stages] == [1]
    with pytest.raises(UsageError):
        recipe(DOCKERFILE, target="none")


def test_what_is_shipped_and_what_came_earlier() -> None:
    found = recipe("FROM a AS b\nRUN b1\nFROM a AS c\nRUN c1\nFROM c\nCOPY --from=b /x /\nRUN d1")
    shipped = {step.statement.rest: step.shipped for step in found.steps}
    assert shipped == {"b1": False, "c1": True, "/x /": True, "d1": True}
    last = found.steps[-1]
    assert [step.statement.rest for step in found.earlier(last)] == ["c1", "/x /"]


def test_stages_in_a_circle_are_refused() -> None:
    with pytest.raises(DockerfileError):
        recipe("FROM a AS x\nCOPY --from=y /a /\nFROM x AS y\nRUN true")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 20_000, "$(" * 10_000, '"$(' * 10_000, "<<A\n" * 10_000, "a;" * 15_000, "${" * 10_000, "`" * 20_000,
        "if " * 10_000, "{ " * 10_000, "sh -c '" * 500 + "'" * 500, "eval " * 5_000 + "a", "sudo " * 5_000 + "a",
        "\x00\udcff" * 100, "case " * 5_000, "V=$V$V$V; " * 200, "a | " * 5_000 + "b",
    ],
    ids=range(16),
)  # fmt: skip
def test_hostile_scripts_end_soon(text: str) -> None:
    start = time.monotonic()
    found = script(text)
    for command in found.commands[:50]:
        found.is_kept(command)
    assert time.monotonic() - start < 20


def test_what_was_not_read_is_said() -> None:
    assert not script("(" * 200 + "a" + ")" * 200).complete
    assert not script("a" * 200_000).complete
    assert script("a && b").complete
