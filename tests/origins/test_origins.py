"""Which line made a file: images in memory, built as the Dockerfile says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.compare.layer_images import Entry, file, folder, hardlink, image, single, symlink, tar
from verifier.compare import compare
from verifier.dockerfile import Dockerfile, parse_dockerfile
from verifier.dockerfile.copies import Copies
from verifier.errors import StoreError
from verifier.model.difference import Difference
from verifier.model.instruction import Instruction
from verifier.model.report import PlatformPair, ReportedImage, ReportedLayer
from verifier.oci.image import Image
from verifier.origins import OpenedImage, Origins, StageOpener

Layers = Sequence[tuple[int | None, Sequence[Entry], Sequence[Entry]]]
"""Of each layer: the line of its instruction, and its entries on both sides."""

STABLE: Layers = ((None, (folder("bin"),), (folder("bin"),)),)


class World:
    """Two builds of one Dockerfile; what is asked for is counted."""

    def __init__(
        self,
        tmp_path: Path,
        text: str,
        target: Layers,
        stages: Mapping[int, Layers | str | None],
        *,
        only_second: bool = False,
        config: dict[str, Any] | None = None,
    ) -> None:
        self.dockerfile = parse_dockerfile(text.encode(), "Dockerfile")
        self.opened: list[tuple[int, int]] = []
        self._stages = stages
        self._config = config
        first, second = (self._image(target, side) for side in (0, 1))
        comparison = compare(single(first.image), single(second.image), workspace=tmp_path)
        self.differences = comparison.all_differences
        platforms = (
            PlatformPair(
                platform=str(comparison.images[0].platform),
                first=reported(first),
                second=reported(second),
                layers=comparison.images[0].layers,
            ),
        )
        self.origins = Origins(
            self.differences,
            platforms,
            (None if only_second else first, second),
            (None if only_second else self._opener(0), self._opener(1)),
            Copies(self.dockerfile, (), None, {}),
        )

    def lines(self) -> dict[tuple[str, str], int | None]:
        found = {}
        for item in self.differences:
            if item.path is not None:
                made_by = self.origins(item)
                found[item.path.decode("utf-8", "backslashreplace"), item.field] = made_by and made_by.line
        return found

    def _opener(self, side: int) -> StageOpener:
        def opened(index: int) -> OpenedImage | None:
            self.opened.append((side, index))
            layers = self._stages[index]
            if isinstance(layers, str):
                raise StoreError(layers)
            return None if layers is None else self._image(layers, side)

        return opened

    def _image(self, layers: Layers, side: int) -> OpenedImage:
        lines = [line for line, *_ in layers]
        made = image(*(tar(both[side]) for _, *both in layers), config=self._config)
        return OpenedImage(image=made, instructions=tuple(at(self.dockerfile, line) for line in lines))


def at(dockerfile: Dockerfile, line: int | None) -> Instruction | None:
    return next((item for item in dockerfile.instructions if item.line == line), None)


def reported(opened: OpenedImage) -> ReportedImage:
    return ReportedImage(
        platform="linux/amd64",
        manifest_digest=None,
        config_digest=opened.image.config.digest,
        files_digest=None,
        verified=True,
        layers=tuple(described(opened.image, number, made_by) for number, made_by in enumerate(opened.instructions)),
    )


def described(made: Image, number: int, made_by: Instruction | None) -> ReportedLayer:
    layer = made.layers[number]
    return ReportedLayer(
        digest=layer.descriptor.digest,
        diff_id=layer.diff_id,
        size=layer.descriptor.size,
        media_type=layer.descriptor.media_type,
        created_by="RUN x",
        instruction=made_by,
        origin="built",
        rebuilt=True,
    )


def both(name: str, first: bytes = b"11111", second: bytes = b"22222", **more: Any) -> tuple[list[Entry], list[Entry]]:
    """One file with another content on each side."""
    return [file(name, first, **more)], [file(name, second, **more)]


TWO_STAGES = """FROM a AS build
RUN compile
RUN other
FROM a
COPY --from=build /out/app /usr/bin/
"""


def test_a_copied_file_is_the_line_s_that_made_it_in_its_stage(tmp_path: Path) -> None:
    stage: Layers = (*STABLE, (2, *both("out/app")), (3, [file("x", b"1")], [file("x", b"2")]))
    world = World(tmp_path, TWO_STAGES, ((5, *both("usr/bin/app")),), {0: stage})
    assert world.lines() == {("/usr/bin/app", "content"): 2}
    assert world.origins.notes == ()


def test_what_the_stage_has_must_be_what_was_copied_on_both_sides(tmp_path: Path) -> None:
    for other in ((b"11111", b"33333"), (b"33333", b"22222"), (b"22222", b"11111")):
        stage: Layers = ((2, *both("out/app", *other)),)
        world = World(tmp_path, TWO_STAGES, ((5, *both("usr/bin/app")),), {0: stage})
        assert world.lines() == {("/usr/bin/app", "content"): 5}
        (note,) = world.origins.notes
        assert "line 5" in note
        assert "does not show" in note


def test_a_stage_that_cannot_be_had_is_asked_for_once_and_told(tmp_path: Path) -> None:
    target: Layers = (
        (5, [*both("usr/bin/app")[0], *both("usr/bin/b")[0]], [*both("usr/bin/app")[1], *both("usr/bin/b")[1]]),
    )
    for answer in ("the engine has gone", None):
        world = World(tmp_path, TWO_STAGES, target, {0: answer})
        assert set(world.lines().values()) == {5}
        assert len(world.opened) <= 2
        assert (answer or "no image of the stage") in world.origins.notes[0]


def test_nothing_is_asked_for_where_no_copy_differs(tmp_path: Path) -> None:
    world = World(tmp_path, TWO_STAGES, ((None, *both("x")), (5, [file("y")], [file("y")])), {})
    assert world.lines() == {("/x", "content"): None}
    assert world.opened == []


def test_times_are_followed_where_the_stage_has_the_same(tmp_path: Path) -> None:
    def timed(name: str, first: int, second: int) -> tuple[list[Entry], list[Entry]]:
        return [file(name, b"same", mtime=first)], [file(name, b"same", mtime=second)]

    stage: Layers = ((2, *timed("out/app", 100, 200)),)
    kept = World(tmp_path, TWO_STAGES, ((5, *timed("usr/bin/app", 100, 200)),), {0: stage})
    assert kept.lines() == {("/usr/bin/app", "mtime"): 2}
    new = World(tmp_path, TWO_STAGES, ((5, *timed("usr/bin/app", 101, 201)),), {0: stage})
    assert new.lines() == {("/usr/bin/app", "mtime"): 5}
    assert new.origins.notes == ()


def test_a_later_mode_leaves_content_and_time_to_the_line_before(tmp_path: Path) -> None:
    def app(name: str, mode: int) -> tuple[list[Entry], list[Entry]]:
        return [file(name, b"11111", mtime=1, mode=mode)], [file(name, b"22222", mtime=2, mode=mode)]

    stage: Layers = ((2, *app("out/app", 0o644)), (3, *app("out/app", 0o755)))
    world = World(tmp_path, TWO_STAGES, ((5, *app("usr/bin/app", 0o755)),), {0: stage})
    assert world.lines() == {("/usr/bin/app", "content"): 2, ("/usr/bin/app", "mtime"): 2}
    in_target = World(tmp_path, "FROM a\nRUN make\nRUN chmod 1 /app\n", ((2, *app("app", 1)), (3, *app("app", 2))), {})
    assert set(in_target.lines().values()) == {2}


CHANGES_OWNER = "FROM a\nRUN make\nRUN chown -R app /app\n"


def test_a_later_owner_leaves_the_time_of_an_equal_file_to_the_line_before(tmp_path: Path) -> None:
    def same(line: int, mode: int, second: int = 2, content: bytes = b"same") -> tuple[int, list[Entry], list[Entry]]:
        entries = [
            [folder("app", mtime=time, mode=mode), file("app/f", content, mtime=time, mode=mode)]
            for time in (1, second)
        ]
        return line, entries[0], entries[1]

    world = World(tmp_path, CHANGES_OWNER, (same(2, 0o755), same(3, 0o700)), {})
    assert world.lines() == {("/app", "mtime"): 2, ("/app/f", "mtime"): 2}
    # another time, another size, or nothing that the layer would have it for: it was written again
    for later in (same(3, 0o700, second=3), same(3, 0o755)):
        assert World(tmp_path, CHANGES_OWNER, (same(2, 0o755), later), {}).lines() == {
            ("/app", "mtime"): 3,
            ("/app/f", "mtime"): 3,
        }
    grown = World(tmp_path, CHANGES_OWNER, (same(2, 0o755), same(3, 0o700, content=b"longer")), {})
    assert grown.lines()["/app/f", "mtime"] == 3
    copied = World(tmp_path, CHANGES_OWNER.replace("RUN chown -R", "COPY"), (same(2, 0o755), same(3, 0o700)), {})
    assert copied.lines()["/app/f", "mtime"] == 3


def test_names_that_vary_are_followed(tmp_path: Path) -> None:
    stage: Layers = ((2, [file("out/d/x1")], [file("out/d/x2")]),)
    text = TWO_STAGES.replace("/out/app /usr/bin/", "/out/ /usr/")
    world = World(tmp_path, text, ((5, [file("usr/d/x1")], [file("usr/d/x2")]),), {0: stage})
    assert world.lines() == {("/usr/d/x1", "entry"): 2, ("/usr/d/x2", "entry"): 2}


def test_wildcards_links_and_hardlinks(tmp_path: Path) -> None:
    text = """FROM a AS build
RUN make
FROM a
COPY --from=build /out/*.bin /out/d* /bin/
COPY --from=build /link/app /lib/
COPY --from=build /out/hard /hard
"""
    one = [file("out/a.bin", b"1"), file("out/dir/f", b"3"), file("real/app", b"5"), file("out/h", b"7")]
    two = [file("out/a.bin", b"2"), file("out/dir/f", b"4"), file("real/app", b"6"), file("out/h", b"8")]
    links = [symlink("link", "real"), hardlink("out/hard", "out/h"), file("out/e.txt", b"same")]
    stage: Layers = ((2, [*one, *links], [*two, *links]),)
    usr = [folder("usr/lib"), symlink("lib", "usr/lib")]
    target: Layers = (
        (None, usr, usr),
        (4, [file("bin/a.bin", b"1"), file("bin/f", b"3")], [file("bin/a.bin", b"2"), file("bin/f", b"4")]),
        (5, *both("usr/lib/app", b"5", b"6")),
        (6, *both("hard", b"7", b"8")),
    )
    world = World(tmp_path, text, target, {0: stage})
    assert set(world.lines().values()) == {2}


def test_the_last_source_of_a_name_counts(tmp_path: Path) -> None:
    text = "FROM a AS build\nRUN one\nRUN two\nFROM a\nCOPY --from=build /a/x /b/x /to/\n"
    stage: Layers = ((2, *both("a/x")), (3, *both("b/x")))
    world = World(tmp_path, text, ((5, *both("to/x")),), {0: stage})
    assert world.lines() == {("/to/x", "content"): 3}


def test_a_whiteout_hides_what_is_below(tmp_path: Path) -> None:
    gone = [file("out/.wh.app")]
    stage: Layers = ((2, *both("out/app")), (3, [*gone, file("n", b"1")], [*gone, file("n", b"2")]))
    world = World(tmp_path, TWO_STAGES, ((5, *both("usr/bin/app")),), {0: stage})
    assert world.lines() == {("/usr/bin/app", "content"): 5}


CHAIN = """FROM a AS one
RUN date > /stamp
RUN cp /stamp /copy
FROM a AS two
COPY --from=one /copy /in/
RUN tar -cf /x /in
RUN mv /in/copy /moved
FROM a
COPY --from=two /moved /final
RUN cp /final /again
RUN unrelated
"""


def test_the_chain_leads_to_the_first_line_that_had_these_bytes(tmp_path: Path) -> None:
    one: Layers = ((2, *both("stamp")), (3, *both("copy")))
    two: Layers = ((5, *both("in/copy")), (6, *both("x", b"t1", b"t2")), (7, *both("moved")))
    target: Layers = ((9, *both("final")), (10, *both("again")), (11, *both("same")))
    world = World(tmp_path, CHAIN, target, {0: one, 1: two})
    # the last one has the very same bytes and names none of the files: chance is not ruled out
    assert world.lines() == {("/final", "content"): 2, ("/again", "content"): 2, ("/same", "content"): 11}
    assert sorted(world.opened) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_a_mounted_stage_is_looked_into(tmp_path: Path) -> None:
    for command in ("from=one,target=/m cp /m/out/app /app", "from=one,source=/out,target=/m cp /m/app /app"):
        text = f"FROM a AS one\nRUN make\nFROM a\nRUN --mount={command}\n"
        world = World(tmp_path, text, ((4, *both("app")),), {0: ((2, *both("out/app")),)})
        assert world.lines() == {("/app", "content"): 2}


def test_one_side_is_enough_where_the_other_was_not_built_here(tmp_path: Path) -> None:
    stage: Layers = ((2, *both("out/app")),)
    world = World(tmp_path, TWO_STAGES, ((5, *both("usr/bin/app")),), {0: stage}, only_second=True)
    assert world.lines() == {("/usr/bin/app", "content"): 2}
    assert world.opened == [(1, 0)]


def test_a_layer_of_several_instructions_has_no_line_and_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, TWO_STAGES, ((None, *both("x")),), {})
    assert world.lines() == {("/x", "content"): None}
    assert "layer 0 has no line" in world.origins.notes[0]


def test_the_stage_s_layer_without_a_line_leaves_the_copy_s(tmp_path: Path) -> None:
    world = World(tmp_path, TWO_STAGES, ((5, *both("usr/bin/app")),), {0: ((None, *both("out/app")),)})
    assert world.lines() == {("/usr/bin/app", "content"): 5}
    assert world.origins.notes != ()


ONE, TWO = b"2026-01-01 10:00:00", b"2026-01-01 10:00:03"
LATER_ONE, LATER_TWO = b"2026-01-01 10:00:01", b"2026-01-01 10:00:04"


def content_of(world: World, path: bytes) -> Difference:
    return next(item for item in world.differences if (item.path, item.field) == (path, "content"))


def behind(world: World, path: bytes, *values: tuple[bytes, bytes]) -> int | None:
    made_by = world.origins.behind(content_of(world, path), values)
    return None if made_by is None else made_by.line


def test_values_inside_a_result_are_the_line_s_whose_file_has_them(tmp_path: Path) -> None:
    text = "FROM a\nRUN date > /header\nRUN cc -include /header -o /app\nRUN cc -o /other\nRUN date >> /header\n"
    target: Layers = (
        (2, *both("header", b"a" + ONE, b"a" + TWO)),
        (3, *both("app", b"x" + ONE + LATER_ONE, b"x" + TWO + LATER_TWO)),
        (4, *both("other", b"x" + ONE, b"x" + TWO)),
        (5, *both("header", b"a" + ONE + LATER_ONE, b"a" + TWO + LATER_TWO)),
    )
    world = World(tmp_path, text, target, {})
    assert behind(world, b"/app", (ONE, TWO)) == 2
    assert behind(world, b"/app", (TWO, ONE)) is None
    assert behind(world, b"/app", (ONE, TWO), (LATER_ONE, LATER_TWO)) is None
    assert behind(world, b"/app", (ONE[-4:], TWO[-4:])) is None  # too short to tell
    assert behind(world, b"/app") is None
    assert behind(world, b"/other", (ONE, TWO)) is None  # names no earlier file
    again = [item for item in world.differences if (item.path, item.field) == (b"/header", "content")][-1]
    assert world.origins.behind(again, [(ONE, TWO)]) == at(world.dockerfile, 2)
    assert world.origins.behind(again, [(LATER_ONE, LATER_TWO)]) is None


def test_values_inside_a_result_are_followed_through_stages(tmp_path: Path) -> None:
    text = """FROM a AS one
RUN date > /stamp
FROM a AS two
COPY --from=one /stamp /src/stamp
WORKDIR /src
RUN tar -cf /all.tar stamp
FROM a
COPY --from=two /all.tar /all.tar
"""
    stamp = both("stamp", ONE, TWO)
    two: Layers = ((4, *both("src/stamp", ONE, TWO)), (6, *both("all.tar", b"t" + ONE, b"t" + TWO)))
    world = World(tmp_path, text, ((8, *both("all.tar", b"t" + ONE, b"t" + TWO)),), {0: ((2, *stamp),), 1: two})
    assert world.lines() == {("/all.tar", "content"): 6}
    assert behind(world, b"/all.tar", (ONE, TWO)) == 2
