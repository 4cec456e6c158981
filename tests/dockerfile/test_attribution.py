from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.dockerfile import attribute, parse_dockerfile
from verifier.oci.config import ImageConfig, parse_config

Entry = tuple[bool, str]
"""Whether the entry made a layer, and its `created_by`."""

ONE = "sha256:" + "1" * 64


def config_of(history: Sequence[Entry], *, layers: int | None = None, declared: list[str] | None = None) -> ImageConfig:
    count = sum(layer for layer, _ in history) if layers is None else layers
    value = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Shell": declared} if declared else {},
        "rootfs": {"type": "layers", "diff_ids": [ONE] * count},
        "history": [{"created_by": text, **({} if layer else {"empty_layer": True})} for layer, text in history],
    }
    return parse_config(json.dumps(value).encode())


def lines(
    text: str,
    history: Sequence[Entry],
    builder: str = "buildkit",
    *,
    base: int = 0,
    target: str | None = None,
    layers: int | None = None,
    declared: list[str] | None = None,
    build_args: tuple[tuple[str, str | None], ...] = (),
) -> list[int | None]:
    dockerfile = parse_dockerfile(text.encode(), "Dockerfile")
    config = config_of(history, layers=layers, declared=declared)
    found = attribute(dockerfile, target, config, base, builder, build_args=build_args)
    return [None if item is None else item.line for item in found]


WHOLE = """\
FROM scratch AS base
COPY busybox /bin/busybox
ADD a.txt d /data/
FROM base AS mid
ARG A="b c"
ENV X=1 DEST=/where
WORKDIR /app
RUN ["/bin/busybox", "ln", "-s", "busybox", "/bin/sh"]
RUN busybox echo hi > /hi \\
  && busybox true
COPY a.txt .
WORKDIR sub
COPY --chown=1:2 a.txt d/e $DEST/
RUN busybox true
ENV Y=2
FROM mid
SHELL ["/bin/sh", "-e", "-c"]
RUN --mount=type=tmpfs,target=/t   busybox  echo   x  > /x
COPY --from=base --link /data/a.txt ./sub2/
COPY ["a.txt", "with space.txt"]
RUN <<EOF
busybox echo 1
busybox echo 2
EOF
COPY <<"ONE" <<TWO /inline/
1
ONE
2
TWO
RUN busybox cat <<X > /y
hello
X
VOLUME /vol
CMD ["/bin/sh"]
"""

# As Docker 28.5.2's BuildKit wrote it.
BUILDKIT: list[Entry] = [
    (True, "COPY busybox /bin/busybox # buildkit"),
    (True, "ADD a.txt d /data/ # buildkit"),
    (False, "ARG A=b c"),
    (False, "ENV X=1 DEST=/where"),
    (True, "WORKDIR /app"),
    (True, "RUN |1 A=b c /bin/busybox ln -s busybox /bin/sh # buildkit"),
    (True, "RUN |1 A=b c /bin/sh -c busybox echo hi > /hi   && busybox true # buildkit"),
    (True, "COPY a.txt . # buildkit"),
    (True, "WORKDIR /app/sub"),
    (True, "COPY --chown=1:2 a.txt d/e /where/ # buildkit"),
    (True, "RUN |1 A=b c /bin/sh -c busybox true # buildkit"),
    (False, "ENV Y=2"),
    (False, "SHELL [/bin/sh -e -c]"),
    (True, "RUN |1 A=b c /bin/sh -e -c busybox  echo   x  > /x # buildkit"),
    (True, "COPY /data/a.txt ./sub2/ # buildkit"),
    (True, "COPY a.txt with space.txt # buildkit"),
    (True, "RUN |1 A=b c /bin/sh -e -c busybox echo 1\nbusybox echo 2\n # buildkit"),
    (True, "COPY <<ONE <<TWO /inline/ # buildkit"),
    (True, "RUN |1 A=b c /bin/sh -e -c busybox cat <<X > /y\nhello\nX # buildkit"),
    (False, "VOLUME [/vol]"),
    (False, 'CMD ["/bin/sh"]'),
]

# As the classic builder of the same engine wrote it; digests shortened.
CLASSIC: list[Entry] = [
    (True, "/bin/sh -c #(nop) COPY file:73e2b2d4 in /bin/busybox "),
    (True, "/bin/sh -c #(nop) ADD multi:333a1f84 in /data/ "),
    (False, "/bin/sh -c #(nop)  ARG A=b c"),
    (False, "/bin/sh -c #(nop)  ENV X=1 DEST=/where"),
    (True, "/bin/sh -c #(nop) WORKDIR /app"),
    (True, "|1 A=b c /bin/busybox ln -s busybox /bin/sh"),
    (True, "|1 A=b c /bin/sh -c busybox echo hi > /hi   && busybox true"),
    (True, "/bin/sh -c #(nop) COPY file:a596f088 in . "),
    (True, "/bin/sh -c #(nop) WORKDIR /app/sub"),
    (True, "/bin/sh -c #(nop) COPY --chown=1:2 multi:9a5f67e7 in /where/ "),
    (False, "|1 A=b c /bin/sh -c busybox true"),
    (False, "/bin/sh -c #(nop)  ENV Y=2"),
    (False, "/bin/sh -e -c #(nop)  SHELL [/bin/sh -e -c]"),
    (True, "/bin/sh -e -c busybox  echo   x  > /x"),
    (True, "/bin/sh -e -c #(nop) COPY file:306112c7 in ./sub2/ "),
    (True, "/bin/sh -e -c #(nop) COPY file:a596f088 in with space.txt "),
]

# As Buildah 1.28.2 wrote it with --layers; digests shortened.
BUILDAH: list[Entry] = [
    (True, "/bin/sh -c #(nop) COPY file:01b0553b in /bin/busybox "),
    (True, "/bin/sh -c #(nop) ADD multi:b028a4dc in /data/ "),
    (False, "/bin/sh -c #(nop) ARG A"),
    (False, "/bin/sh -c #(nop) ENV X=1 DEST=/where"),
    (False, "/bin/sh -c #(nop) WORKDIR /app"),
    (True, '|2 A=b c /bin/sh -c ["/bin/busybox", "ln", "-s", "busybox", "/bin/sh"]'),
    (True, "|2 A=b c /bin/sh -c busybox echo hi > /hi   && busybox true"),
    (True, "/bin/sh -c #(nop) COPY file:3dd26e49 in . "),
    (False, "/bin/sh -c #(nop) WORKDIR sub"),
    (True, "/bin/sh -c #(nop) COPY multi:3dd26e49 in $DEST/ "),
    (True, "|2 A=b c /bin/sh -c busybox true"),
    (False, "/bin/sh -c #(nop) ENV Y=2"),
    (True, "/bin/sh -c   busybox  echo   x  > /x"),
    (True, "/bin/sh -c #(nop) COPY file:3dd26e49 in ./sub2/ "),
]


def test_buildkit_through_the_stages_it_stands_on() -> None:
    assert lines(WHOLE, BUILDKIT) == [2, 3, 7, 8, 9, 11, 12, 13, 14, 18, 19, 20, 21, 25, 30]


def test_classic_engine_with_a_step_that_changed_nothing() -> None:
    assert lines(WHOLE, CLASSIC, "docker") == [2, 3, 7, 8, 9, 11, 12, 13, 18, 19, 20]


def test_buildah_with_layers() -> None:
    assert lines(WHOLE, BUILDAH, "buildah") == [2, 3, 8, 9, 11, 13, 14, 18, 19]


def test_buildah_without_layers_is_not_guessed_at() -> None:
    text = "FROM base\nCOPY a /a\nRUN make\nENV A=1\n"
    merged = [
        (True, "base"),
        (False, "/bin/sh -c #(nop) COPY file:1 in /a "),
        (False, "/bin/sh -c make"),
        (True, "/bin/sh -c #(nop) ENV A=1"),
    ]
    assert lines(text, merged, "buildah", base=1) == [None, None]
    ended_by_run = "FROM base\nCOPY a /a\nRUN make\n"
    assert lines(ended_by_run, [merged[0], merged[1], (True, "/bin/sh -c make")], "podman", base=1) == [None, None]


def test_the_bases_own_history_is_left_out() -> None:
    base: list[Entry] = [
        (True, "/bin/sh -c #(nop) ADD file:1 in / "),
        (True, "RUN /bin/sh -c make # buildkit"),
        (False, '/bin/sh -c #(nop)  CMD ["bash"]'),
    ]
    text = 'FROM base\nRUN make\nCMD ["x"]\n'
    assert lines(text, [*base, base[1], (False, 'CMD ["x"]')], base=2) == [None, None, 2]


def test_a_base_whose_layers_have_no_history() -> None:
    assert lines("FROM base\nRUN a\n", [(True, "RUN /bin/sh -c a # buildkit")], base=2, layers=3) == [None, None, 2]


def test_counts_that_disagree_say_nothing() -> None:
    assert lines("FROM scratch\nCOPY a /\n", [(True, "COPY a / # buildkit")], layers=3) == [None] * 3
    assert lines("FROM scratch\nCOPY a /\n", [], layers=1) == [None]


def test_onbuild_of_the_base_is_nobodys_line() -> None:
    history = [(True, "base"), (True, "RUN /bin/sh -c trigger # buildkit"), (True, "RUN /bin/sh -c a # buildkit")]
    assert lines("FROM base\nRUN a\n", history, base=1) == [None, None, 2]


def test_onbuild_that_reads_like_an_own_line_is_doubtful() -> None:
    history = [(True, "base"), (True, "RUN /bin/sh -c a # buildkit"), (True, "RUN /bin/sh -c a # buildkit")]
    assert lines("FROM base\nRUN a\n", history, base=1) == [None, None, None]


def test_equal_lines_are_told_apart_by_order() -> None:
    run = (True, "RUN /bin/sh -c a # buildkit")
    text = "FROM scratch\nRUN a\nRUN a\nCOPY x /\nRUN a\n"
    assert lines(text, [run, run, (True, "COPY x / # buildkit"), run]) == [2, 3, 4, 5]


def test_the_end_of_another_command_is_no_match() -> None:
    history = [(True, "RUN |1 A=1 /bin/sh -c ./configure && make # buildkit")]
    assert lines("FROM scratch\nRUN make\n", history) == [None]
    assert lines("FROM scratch\nRUN configure && make\n", history) == [None]


def test_a_shell_that_the_base_declares() -> None:
    history = [(True, "RUN |1 A=/bin/x y /bin/bash -o pipefail -c make # buildkit")]
    assert lines("FROM scratch\nRUN make\n", history) == [None]
    assert lines("FROM scratch\nRUN make\n", history, declared=["/bin/bash", "-o", "pipefail", "-c"]) == [2]


def test_variables_in_copy_and_other_targets() -> None:
    text = "FROM scratch\nARG V\nCOPY app-${V}.jar $HOME/${V}/lib.jar\nCOPY app-x.jar /other\n"
    history = [(True, "COPY app-x.jar /other # buildkit")]
    assert lines(text, history) == [4]
    assert lines(text, [(True, "COPY app-7.jar /root/7/lib.jar # buildkit")]) == [3]


def test_a_file_called_in() -> None:
    text = "FROM scratch\nCOPY a in /b\nCOPY c in /b\n"
    assert lines(text, [(True, "COPY c in /b # buildkit")]) == [3]


def test_a_base_stage_chosen_by_a_build_argument() -> None:
    text = "ARG BASE\nFROM scratch AS one\nCOPY a /\nFROM scratch AS two\nCOPY b /\nFROM ${BASE}\nCOPY c /\n"
    history = [(True, "COPY b / # buildkit"), (True, "COPY c / # buildkit")]
    assert lines(text, history, build_args=(("BASE", "two"),)) == [5, 7]
    assert lines(text, history) == [None, 7]


def test_only_the_targets_own_chain_counts() -> None:
    text = "FROM scratch AS a\nRUN x\nFROM scratch AS b\nRUN x\n"
    history = [(True, "RUN /bin/sh -c x # buildkit")]
    assert lines(text, history, target="a") == [2]
    assert lines(text, history) == [4]


@given(
    st.lists(st.sampled_from(["RUN a", "RUN b", "COPY x /x", "COPY y /y", "ENV A=1", "WORKDIR /w"]), max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_every_answer_is_right_where_steps_are_missing(instructions: list[str], present: list[bool]) -> None:
    """What is attributed has the words of its history entry, in rising order; a full history misses nothing."""
    text = "FROM scratch\n" + "\n".join(instructions) + "\n"
    kept = [item for item, there in zip(instructions, present, strict=False) if there]
    history = [(not item.startswith("ENV"), _as_buildkit(item)) for item in kept]
    found = lines(text, history)
    answered = [(line, words) for line, (layer, words) in zip(found, [h for h in history if h[0]], strict=True) if line]
    assert [line for line, _ in answered] == sorted({line for line, _ in answered})
    for line, words in answered:
        assert _as_buildkit(instructions[line - 2]) == words
    if kept == instructions:
        assert None not in found


def _as_buildkit(instruction: str) -> str:
    keyword, _, rest = instruction.partition(" ")
    if keyword == "RUN":
        return f"RUN /bin/sh -c {rest} # buildkit"
    return instruction if keyword in {"ENV", "WORKDIR"} else f"{instruction} # buildkit"


@pytest.mark.buildah
@pytest.mark.skipif(shutil.which("buildah") is None or shutil.which("busybox") is None, reason="needs Buildah, busybox")
@pytest.mark.parametrize("layers", [True, False])
def test_a_real_buildah(tmp_path: Path, layers: bool) -> None:
    text = 'FROM scratch AS one\nCOPY busybox /bin/\nFROM one\nRUN ["/bin/busybox", "true"]\nADD a b /x/\nENV A=1\n'
    text += "COPY busybox /bin/sh\nRUN --mount=type=tmpfs,target=/t \\\n    busybox touch /y\n"
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(text)
    shutil.copy(str(shutil.which("busybox")), context / "busybox")
    (context / "a").write_text("a")
    (context / "b").write_text("b")
    storage = ["--storage-driver", "vfs", "--root", str(tmp_path / "root"), "--runroot", str(tmp_path / "run")]
    build = ["bud", "--isolation", "chroot", f"--layers={str(layers).lower()}", "-t", "t", str(context)]
    subprocess.run(["buildah", *storage, *build], check=True, capture_output=True, timeout=120)
    inspect = ["buildah", *storage, "inspect", "--type", "image", "t"]
    answer = subprocess.run(inspect, check=True, capture_output=True, timeout=60).stdout
    config = parse_config(json.dumps(json.loads(answer)["OCIv1"]).encode())
    found = attribute(parse_dockerfile(text.encode(), "Dockerfile"), None, config, 0, "buildah")
    if layers:
        assert [item and item.line for item in found] == [2, 4, 5, 7, 8]
    else:
        # The first stage is one COPY, and its layer is known; the second merges a RUN and an ADD.
        assert [item and item.line for item in found] == [2, None]
