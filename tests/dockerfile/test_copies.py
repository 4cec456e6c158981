"""Which stages are copied from, and what of a stage may have become a path of the image."""

from __future__ import annotations

import pytest

from verifier.dockerfile import parse_dockerfile
from verifier.dockerfile.copies import Copies, StageCopy, Surrounding, origins_of

BASE = Surrounding(environment={"GOPATH": "/go", "PATH": "/bin"}, folder="/home")


def copies_of(text: str, *build_args: tuple[str, str | None]) -> tuple[Copies, dict[int, StageCopy | None]]:
    dockerfile = parse_dockerfile(text.encode(), "Dockerfile")
    copies = Copies(dockerfile, build_args, None, {})
    read = {item.line: copies.read(item, BASE) for item in dockerfile.instructions if item.text[:4] == "COPY"}
    return copies, read


def test_stages_are_found_by_name_by_number_and_through_others() -> None:
    copies, _ = copies_of(
        """FROM a AS one
RUN true
FROM a AS unused
FROM one AS two
COPY --from=1 /x /x
FROM a AS three
COPY --from=two /x /x
FROM three
RUN --mount=from=0,target=/m true
COPY --from=busybox:stable /bin/sh /sh
COPY --from=THREE /y /y
"""
    )
    assert sorted(copies.stages_behind(None)) == [0, 1, 2, 3]
    assert sorted(copies.stages_behind("two")) == [1]
    assert copies.stages_behind("one") == ()


def test_paths_are_absolute_with_variables_of_the_file_and_of_the_base() -> None:
    _, read = copies_of(
        """ARG NAME=tool
FROM a AS build
FROM a
ARG NAME
ENV OUT=/opt
COPY --from=build $GOPATH/bin/${NAME} out/../$OUT/bin/
COPY --from=build out .
WORKDIR /srv
WORKDIR app
COPY --from=0 ["/with space", "./x"]
COPY --from=busybox /bin/sh /sh
COPY a b
WORKDIR $UNKNOWN
COPY --from=build /x y
""",
        ("NAME", "other"),
    )
    assert read[6] == StageCopy(stage=0, sources=("/go/bin/other",), destination="/home/opt/bin/", parents=False)
    assert read[7] is not None
    assert (read[7].sources, read[7].destination) == (("/out",), "/home/")
    assert read[10] is not None
    assert (read[10].sources, read[10].destination) == (("/with space",), "/srv/app/x")
    assert (read[11], read[12]) == (None, None)


def test_a_folder_that_cannot_be_told_gives_no_copy() -> None:
    _, read = copies_of("FROM a AS b\nFROM a\nWORKDIR relative\nCOPY --from=b /x y\nCOPY --from=b /x /y\n")
    assert read[4] is None


@pytest.mark.parametrize(
    ("sources", "destination", "path", "expected"),
    [
        (("/out/app",), "/bin/app", "/bin/app", ["/out/app"]),
        (("/out/app",), "/bin/", "/bin/app", ["/out/app/app", "/out/app"]),
        (("/out/app",), "/bin", "/bin/app", ["/out/app/app", "/out/app"]),
        (("/out/app",), "/bin/", "/bin/other", ["/out/app/other"]),
        (("/out",), "/srv", "/srv/d/f", ["/out/d/f"]),
        (("/out",), "/", "/d/f", ["/out/d/f"]),
        (("/",), "/all", "/all/d/f", ["/d/f"]),
        (("/out",), "/srv", "/srvx/f", []),
        (("/out/app",), "/bin/", "/bin", []),
        (("/a/x", "/b/x"), "/bin/", "/bin/x", ["/a/x/x", "/a/x", "/b/x/x", "/b/x"]),
    ],
)
def test_what_may_have_become_a_path(
    sources: tuple[str, ...], destination: str, path: str, expected: list[str]
) -> None:
    copy = StageCopy(stage=0, sources=sources, destination=destination, parents=False)
    assert [found for source in sources for found in origins_of(copy, source, path, destination)] == expected


@pytest.mark.parametrize(
    ("source", "path", "expected"),
    [
        ("/a/b", "/to/a/b/c", ["/a/b/c"]),
        ("/a/b", "/to/b/c", []),
        ("/a/./b", "/to/b/c", ["/a/b/c"]),
        ("/a/./b", "/to/bb", []),
    ],
)
def test_parents_keep_the_folders_above(source: str, path: str, expected: list[str]) -> None:
    copy = StageCopy(stage=0, sources=(source,), destination="/to/", parents=True)
    assert list(origins_of(copy, source, path, "/to/")) == expected


def test_a_command_has_its_here_documents_and_known_variables() -> None:
    text = "FROM a\nENV D=/data\nRUN <<EOF\ncp $D/x ${GOPATH}/y $Z\nEOF\nRUN --mount=from=b,target=/m true\n"
    dockerfile = parse_dockerfile(text.encode(), "Dockerfile")
    copies = Copies(dockerfile, (), None, {})
    command = copies.command(dockerfile.instructions[2], BASE)
    assert command is not None
    assert "cp /data/x /go/y $Z" in command
    assert copies.command(dockerfile.instructions[1], BASE) is None
