from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.dockerfile import Dockerfile, parse_dockerfile, read_dockerfile
from verifier.dockerfile.parse import MAX_DOCKERFILE_BYTES, MAX_LINE_BYTES
from verifier.errors import DockerfileError


def parse(text: str | bytes) -> Dockerfile:
    return parse_dockerfile(text.encode() if isinstance(text, str) else text, "Dockerfile")


def refusal(text: str | bytes) -> DockerfileError:
    with pytest.raises(DockerfileError) as caught:
        parse(text)
    return caught.value


def test_stages_and_lines() -> None:
    dockerfile = parse(
        "# syntax=docker/dockerfile:1\n"
        "# check=skip=JSONArgsRecommended\n"
        "ARG TAG=12\n"
        "FROM --platform=$BUILDPLATFORM debian:${TAG} AS Build\n"
        "RUN apt-get update \\\n"
        "  # a comment in between\n"
        "  && apt-get install -y gcc\n"
        "\n"
        "from scratch\n"
        "COPY --from=build --chown=0:0 /a /b\n"
    )
    assert (dockerfile.syntax, dockerfile.check) == ("docker/dockerfile:1", "skip=JSONArgsRecommended")
    assert [(stage.index, stage.name, stage.base, stage.platform) for stage in dockerfile.stages] == [
        (0, "build", "debian:${TAG}", "$BUILDPLATFORM"),
        (1, None, "scratch", None),
    ]
    run, copy = dockerfile.stages[0].statements[0], dockerfile.stages[1].statements[0]
    assert (run.instruction.line, run.instruction.end_line) == (5, 7)
    assert run.instruction.text == "RUN apt-get update   && apt-get install -y gcc"
    assert run.arguments == ("apt-get update   && apt-get install -y gcc",)
    assert copy.flags == (("from", "build"), ("chown", "0:0"))
    assert copy.flag("from") == "build"
    assert copy.rest == "/a /b"
    assert copy.instruction.stage.index == 1
    assert [instruction.line for instruction in dockerfile.instructions] == [3, 4, 5, 9, 10]


def test_directives_end_where_anything_else_begins() -> None:
    assert parse("# hello\n# syntax=x\nFROM scratch\n").syntax is None
    assert parse("\n# syntax=x\nFROM scratch\n").syntax is None
    assert parse("#!/usr/bin/docker build\n# syntax = x \nFROM scratch\n").syntax == "x"
    assert parse("#SYNTAX=x\nFROM scratch\n").syntax == "x"


def test_carriage_returns_byte_order_mark_and_escape() -> None:
    dockerfile = parse(b"\xef\xbb\xbf# escape=`\r\nFROM scratch\r\nRUN one `\r\n  two\\\r\nCOPY a C:\\b\\\r\n")
    run, copy = dockerfile.stages[0].statements
    assert dockerfile.escape == "`"
    assert run.instruction.text == "RUN one   two\\"
    assert copy.arguments == ("a", "C:\\b\\")


def test_heredocs_belong_to_their_instruction() -> None:
    dockerfile = parse("FROM scratch\nRUN <<-'ONE' <<TWO\n\techo FROM\n\tONE\nb\nTWO\nCOPY <<f /f\nx\nf\nUSER me\n")
    run, copy, user = dockerfile.stages[0].statements
    assert [(doc.name, doc.content, doc.strip_tabs, doc.expand) for doc in run.heredocs] == [
        ("ONE", "\techo FROM\n", True, False),
        ("TWO", "b\n", False, True),
    ]
    assert (run.instruction.line, run.instruction.end_line) == (2, 6)
    assert (copy.instruction.line, copy.instruction.end_line) == (7, 9)
    assert user.instruction.line == 10


def test_json_form_and_shell_form() -> None:
    shell, exec_form, broken = parse('FROM scratch\nRUN a "b"\nRUN ["a", "b c"]\nRUN [a]\n').stages[0].statements
    assert (shell.json, shell.arguments) == (False, ('a "b"',))
    assert (exec_form.json, exec_form.arguments) == (True, ("a", "b c"))
    assert (broken.json, broken.arguments) == (False, ("[a]",))


def test_env_and_label_are_pairs() -> None:
    old, new = parse("FROM scratch\nENV A b c\nLABEL x=1 y='2 3'\n").stages[0].statements
    assert old.arguments == ("A", "b c")
    assert new.arguments == ("x", "1", "y", "'2 3'")


def test_onbuild_keeps_its_trigger() -> None:
    (onbuild,) = parse("FROM scratch\nONBUILD COPY --chown=1 a b\n").stages[0].statements
    assert onbuild.keyword == "ONBUILD"
    assert onbuild.trigger is not None
    assert (onbuild.trigger.keyword, onbuild.trigger.arguments) == ("COPY", ("a", "b"))
    assert onbuild.trigger.instruction.line == 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("FROM scratch\nRUNN x\n", 2, "unknown instruction 'RUNN'"),
        ("FROM scratch\n\n\x1b[31mX y\n", 3, "unknown instruction"),
        ("RUN x\nFROM scratch\n", 1, "RUN stands before the first FROM"),
        ("FROM\n", 1, "FROM needs one argument or three"),
        ("FROM a b c\n", 1, "FROM needs one argument or three"),
        ("FROM a AS 1x\n", 1, "is no name for a stage"),
        ("FROM scratch\nCOPY a\n", 2, "COPY needs at least two arguments"),
        ("FROM scratch\nWORKDIR\n", 2, "WORKDIR needs exactly one argument"),
        ("FROM scratch\nENV A\n", 2, "must have two arguments"),
        ("FROM scratch\nENV A=1 b\n", 2, "can't find = in"),
        ("FROM scratch\nENV =1\n", 2, "ENV needs a name"),
        ("FROM scratch\nCOPY --form=x a b\n", 2, "no flag --form, perhaps --from"),
        ("FROM scratch\nCOPY --from=x --from=y a b\n", 2, "--from is given twice"),
        ("FROM scratch\nSHELL /bin/bash\n", 2, "SHELL needs its arguments in JSON form"),
        ("FROM scratch\nHEALTHCHECK NOPE x\n", 2, "HEALTHCHECK knows CMD and NONE"),
        ("FROM scratch\nHEALTHCHECK CMD\n", 2, "HEALTHCHECK CMD needs a command"),
        ("FROM scratch\nONBUILD FROM x\n", 2, "ONBUILD FROM is not allowed"),
        ("FROM scratch\nONBUILD ONBUILD RUN x\n", 2, "ONBUILD ONBUILD is not allowed"),
        ("FROM scratch\nONBUILD NOPE\n", 2, "unknown instruction 'NOPE'"),
        ("FROM scratch\nONBUILD\n", 2, "ONBUILD needs at least one argument"),
        ("FROM scratch\nRUN <<EOF\necho\n", 2, "unterminated heredoc"),
        ("FROM scratch\nRUN\n", 2, "RUN needs a command"),
        ("# escape=x\nFROM scratch\n", 1, "escape"),
        ("# syntax=a\n# syntax=b\nFROM scratch\n", 2, "only one syntax"),
        ("FROM scratch\nRUN [1]\n", 2, "strings"),
        ("FROM scratch\nRUN " + "x" * (MAX_LINE_BYTES + 1), 2, "line is longer"),
        ("# x=" + " " * 5_000 + "y\nFROM scratch\n", 1, "directive is longer"),
    ],
)
def test_refusals_name_the_line(text: str, line: int, words: str) -> None:
    error = refusal(text)
    assert error.line == line
    assert error.message.startswith(f"Dockerfile:{line}: ")
    assert words in error.message
    assert "\x1b" not in error.message
    assert error.exit_code == 2


def test_an_unknown_instruction_gets_the_nearest_one_as_hint() -> None:
    assert refusal("FROM scratch\nRUNN x\n").hint == "perhaps RUN was meant"
    assert refusal("FROM scratch\nzzz x\n").hint is None


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is empty"),
        (b" \r\n\t\n", "is empty"),
        (b"# only\n# comments\n", "has no instruction"),
        (b"\x7fELF\x00\x00", "binary"),
        ("FROM scratch\n".encode("utf-16"), "binary"),
        (b"ARG A=1\n", "has no FROM"),
        (b"#" * (MAX_DOCKERFILE_BYTES + 1), "larger than"),
        (b"FROM scratch\nRUN " + b"[" * 60_000, ""),
    ],
)
def test_refusals_without_a_line(raw: bytes, words: str) -> None:
    assert words in refusal(raw).message


def test_what_builders_take() -> None:
    parse("FROM scratch\nCMD []\nRUN --mount=type=cache,target=/a --mount=type=tmpfs,target=/b --network=none x\n")
    parse("FROM scratch AS a\nFROM a AS a\nHEALTHCHECK --start-interval=5s CMD x\nHEALTHCHECK NONE\n")
    parse("FROM scratch\nCOPY --exclude=a --exclude=b --parents --link x y\nADD --checksum=sha256:a u v\nENTRYPOINT\n")
    parse(b"FROM scratch\nLABEL a=\xff\xfe\n")


@given(st.text(alphabet="FROMARGUNCPYscratch \\\n\t#<>=\"'`$[]{}-:|&\x00é", max_size=120))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        dockerfile = parse(text.encode())
    except DockerfileError:
        return
    lines = [instruction.line for instruction in dockerfile.instructions]
    assert lines == sorted(set(lines))


def test_missing_directory_and_special_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DockerfileError, match="no such Dockerfile"):
        read_dockerfile(tmp_path / "nothing")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(DockerfileError, match="is a directory") as caught:
        read_dockerfile(tmp_path)
    assert caught.value.hint == f"name the file in it: {tmp_path / 'Dockerfile'}"
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(DockerfileError, match="not a regular file"):
        read_dockerfile(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(DockerfileError, match="cannot be read"):
            read_dockerfile(tmp_path / "socket")
    with pytest.raises(DockerfileError, match="cannot be read"):
        read_dockerfile(Path("/proc/self/mem"))
    with pytest.raises(DockerfileError, match="cannot be read"):
        read_dockerfile(tmp_path / "Dockerfile" / "below")
    assert read_dockerfile(tmp_path / "Dockerfile") == b"FROM scratch\n"


def test_a_dockerfile_past_the_limit_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "Dockerfile").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(DockerfileError, match="larger than"):
        read_dockerfile(tmp_path / "Dockerfile")
