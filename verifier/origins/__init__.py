"""Which line really made a file: through `COPY --from=STAGE`, and to the earlier instruction whose result it is.

1. A difference begins at the instruction that made its layer.
2. A COPY out of a stage is followed: its sources and destination say which path of the stage became the file. What
   stands there must have the value that differs, on each side by itself; then the last layer of the stage's image that
   holds the path says which instruction made it, and so on from there.
3. A content that is the same pair of bytes as a file of an earlier instruction is that instruction's, where the later
   one names the file. Times and folders prove nothing in this way. So are values inside a content, where such a file
   holds all of them.
4. Where any of this cannot be shown, the answer is the last line that was: the COPY's, and a note says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from verifier.dockerfile.copies import Copies, StageCopy
from verifier.errors import NoVerdictError
from verifier.model.difference import Difference, FieldValue
from verifier.model.instruction import Instruction
from verifier.model.report import PlatformPair, instruction_of
from verifier.oci.digest import digest_bytes
from verifier.origins.naming import Naming
from verifier.origins.pairs import ImagePair, Wanted, is_kept_time, made_by_in, same_contents, sources_of, text_of
from verifier.origins.stages import OpenedImage, StageOpener, Stages, paired
from verifier.origins.values import Candidate, Source, Values, candidates_before, is_telling, read_sources

__all__ = ["OpenedImage", "Origins", "StageOpener"]

_TRACED: Final = frozenset({"content", "entry", "mode", "uid", "gid", "uname", "gname", "mtime", "linkname", "type"})
_MAX_STEPS: Final = 64
"""From one instruction to an earlier one, for one file."""


_Place = tuple[Instruction, str, ImagePair]
"""The instruction that made a path, and the image that it is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    """An instruction as a COPY out of a stage, or as a command: what it names, and which stages it mounts."""

    copy: StageCopy | None
    naming: Naming | None
    mounted: tuple[int, ...]


class Origins:
    """Answers for each difference of a comparison: which instruction made what differs."""

    def __init__(
        self,
        differences: Sequence[Difference],
        platforms: tuple[PlatformPair, ...],
        targets: tuple[OpenedImage | None, OpenedImage | None] = (None, None),
        openers: tuple[StageOpener | None, StageOpener | None] = (None, None),
        copies: Copies | None = None,
    ) -> None:
        """`targets` are the compared images, None where a side was not built here; so are the `openers`.

        Without `copies` the answer is the instruction that made the layer.
        """
        self._platforms = platforms
        self._copies = copies
        sizes = frozenset(
            size for item in differences if item.content for size in (item.content.size_first, item.content.size_second)
        )
        self._content_items = [item for item in differences if item.field == "content" and item.layer is not None]
        self._contents = _by_content(self._content_items)
        self._items = {(*_entry_of(item), item.field): item for item in differences}
        self._times = _by_time(differences)
        self._target = paired(targets, sizes)
        self._stages = Stages(openers, sizes)
        self._read: dict[tuple[Instruction, int], _About] = {}
        self._known: dict[object, Instruction | None] = {}
        self._ends: dict[object, _Place] = {}
        self._earlier: dict[object, Difference] = {}
        self._sources_of: dict[tuple[Instruction, int], Sequence[Source]] = {}
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what could not be followed to its line, as far as it was asked for."""
        return tuple(self._notes)

    def __call__(self, item: Difference) -> Instruction | None:
        """Give the instruction that made what differs; None outside layers and where it is not known."""
        key = (*_entry_of(item), item.field)
        if key not in self._known:
            self._known[key] = self._find(item)
        return self._known[key]

    def _find(self, item: Difference) -> Instruction | None:
        instruction = instruction_of(item, self._platforms)
        if instruction is None:
            self._note_layer(item)
        if instruction is None or item.path is None or self._copies is None or self._target is None:
            return instruction
        if item.field == "size":
            content = self._items.get((*_entry_of(item), "content"))
            return instruction if content is None else self(content)
        if item.field not in _TRACED and not item.field.startswith("xattr:"):
            return instruction
        earlier = self._earlier_difference(item, instruction, self._target)
        if earlier is not None:
            self._earlier[(*_entry_of(item), item.field)] = earlier
            return self(earlier)
        kind = item.entry_type if item.field in ("mtime", "mode", "content") else None
        wanted = Wanted(field=item.field, first=item.first, second=item.second, type=kind)
        place = self._traced(instruction, text_of(item.path), wanted, self._target, _MAX_STEPS)
        self._ends[(*_entry_of(item), item.field)] = place
        return place[0]

    def behind(self, item: Difference, values: Values) -> Instruction | None:
        """Give the earlier instruction whose file holds these values, both sides' in pairs, of a differing content.

        The instruction that made the content has to name the file, or the file was there before at the same path. None
        where that cannot be shown.
        """
        if item.field == "size":
            item = self._items.get((*_entry_of(item), "content"), item)
        if self(item) is None or not is_telling(values):
            return None
        while (earlier := self._earlier.get((*_entry_of(item), item.field))) is not None:
            item = earlier
        place = self._ends.get((*_entry_of(item), item.field))
        if place is None:
            return None
        try:
            return self._source(item, place, values)
        except NoVerdictError:
            return None

    def _source(self, item: Difference, place: _Place, values: Values) -> Instruction | None:
        instruction, path, pair = place
        naming = self._about(instruction, pair).naming
        if naming is None:
            return None
        for source in self._sources(item, instruction, pair):
            found = source.candidate
            own = text_of(found.path)
            if (own == path or naming.names(own)) and source.holds(pair, values):
                digests: list[FieldValue] = [digest_bytes(content) for content in source.contents]
                first, second = (None if image is None else digests.pop(0) for image in (pair.first, pair.second))
                lengths: list[int | None] = [len(content) for content in source.contents]
                sizes = tuple(None if image is None else lengths.pop(0) for image in (pair.first, pair.second))
                wanted = Wanted(field="content", first=first, second=second, type=None, sizes=(sizes[0], sizes[1]))
                return self._traced(found.instruction, own, wanted, pair, _MAX_STEPS)[0]
        return None

    def _sources(self, item: Difference, instruction: Instruction, pair: ImagePair) -> Sequence[Source]:
        """Read, once for an instruction, the earlier files that it names, or that it makes anew."""
        key = instruction, id(pair)
        if key not in self._sources_of:
            self._sources_of[key] = ()
            naming = self._about(instruction, pair).naming
            if pair is self._target:
                known, made = self._differing_before(item), self._differing_of(instruction)
            else:
                known, made = candidates_before(pair, instruction), pair.sides[0].paths_of(instruction)
            named = [each for each in known if naming is not None and naming.names(text_of(each.path))]
            again = [each for each in known if each.path in made and each not in named]
            self._sources_of[key] = tuple(read_sources(pair, [*named, *again]))
        return self._sources_of[key]

    def _differing_of(self, instruction: Instruction) -> frozenset[bytes | None]:
        return frozenset(
            item.path for item in self._content_items if instruction_of(item, self._platforms) == instruction
        )

    def _differing_before(self, item: Difference) -> list[Candidate]:
        """List the files of lower layers of the image that differ, the lowest layer first; others were not read."""
        assert self._target is not None  # noqa: S101 - asked by the caller
        found = []
        for other in self._content_items:
            instruction = instruction_of(other, self._platforms)
            if instruction is None or other.path is None or other.layer is None or not _is_below(other, item):
                continue
            sides = ((other.layer.first, self._target.first), (other.layer.second, self._target.second))
            layers = tuple(layer for layer, image in sides if image is not None and layer is not None)
            found.append(Candidate(path=other.path, instruction=instruction, layers=layers))
        return sorted(found, key=lambda each: each.layers)

    def _traced(self, instruction: Instruction, path: str, wanted: Wanted, pair: ImagePair, steps: int) -> _Place:
        """Follow what `instruction` made of `path` in `pair` to where it comes from."""
        about = self._about(instruction, pair)
        try:
            if about.copy is not None:
                step = self._through(about.copy, path, wanted, pair)
            elif wanted.field == "content" and about.naming is not None:
                step = self._earlier_file(instruction, path, wanted, pair)
            else:
                step = None
        except NoVerdictError as error:
            step = None
            if about.copy is not None:
                self._stages.give_up(about.copy.stage, error.message)
        if step is None or steps == 0:
            if about.copy is not None and wanted.field in ("content", "entry"):
                self._note(instruction, self._stages.problem(about.copy.stage))
            return instruction, path, pair
        made_by, source, where = step
        return self._traced(made_by, source, wanted, where, steps - 1)

    def _through(self, copy: StageCopy, path: str, wanted: Wanted, pair: ImagePair) -> _Place | None:
        """Step through a COPY into its stage, to the instruction that made the file there."""
        stage = self._stages.pair(copy.stage)
        if stage is None:
            return None
        for source in sources_of(copy, path, pair, stage):
            made_by = made_by_in(stage, source.encode("utf-8", "surrogateescape"), wanted)
            if made_by is not None:
                return made_by, source, stage
        return None

    def _earlier_difference(self, item: Difference, instruction: Instruction, target: ImagePair) -> Difference | None:
        """Find what differs in the same way in a lower layer of the image.

        A content must be that of the same path, or of a file that the instruction names; a time that of the same file
        with the same content, which has another layer only for its mode or owner.
        """
        content = self._items.get((*_entry_of(item), "content")) if item.field in ("content", "mtime") else None
        if content is None:
            return self._earlier_time(item, instruction, target) if item.field == "mtime" else None
        same = self._contents.get((str(content.platform), content.first, content.second), ())
        for other in same:
            if not _is_below(other, item) or instruction_of(other, self._platforms) in (None, instruction):
                continue
            about = self._about(instruction, target)
            if about.naming is None:
                return None
            if item.field == "mtime":
                time = self._items.get((*_entry_of(other), "mtime")) if other.path == item.path else None
                if time is not None and (time.first, time.second) == (item.first, item.second):
                    return time
            elif other.path == item.path or about.naming.names(text_of(other.path)):
                return other
        return None

    def _earlier_time(self, item: Difference, instruction: Instruction, target: ImagePair) -> Difference | None:
        """Find the time of the same file in a lower layer, where the file does not differ but for it."""
        for other in self._times.get(_time_of(item), ()):
            if not _is_below(other, item) or instruction_of(other, self._platforms) in (None, instruction):
                continue
            if item.path is None or item.layer is None or other.layer is None:
                continue
            if self._about(instruction, target).naming is None:
                return None
            try:
                if is_kept_time(target, item.path, item.layer, other.layer):
                    return other
            except NoVerdictError:
                return None
        return None

    def _earlier_file(self, instruction: Instruction, path: str, wanted: Wanted, pair: ImagePair) -> _Place | None:
        """Find the same pair of contents in a lower layer of the stage, or in a stage that the instruction mounts."""
        about = self._about(instruction, pair)
        if about.naming is None:
            return None
        if pair is not self._target:
            for other, made_by in same_contents(pair, wanted, before=instruction):
                if other == path or about.naming.names(other):
                    return made_by, other, pair
        for stage in filter(None, map(self._stages.pair, about.mounted)):
            for other, made_by in same_contents(stage, wanted, before=None):
                if about.naming.names(other):
                    return made_by, other, stage
        return None

    def _about(self, instruction: Instruction, pair: ImagePair) -> _About:
        """Read an instruction as it stands in an image."""
        key = instruction, id(pair)
        if key not in self._read:
            assert self._copies is not None  # noqa: S101 - nothing is followed without
            surrounding = pair.surrounding
            command = self._copies.command(instruction, surrounding)
            self._read[key] = _About(
                copy=self._copies.read(instruction, surrounding),
                naming=None if command is None else Naming(command, self._copies.folder(instruction, surrounding)),
                mounted=() if command is None else self._copies.mounted(instruction, surrounding),
            )
        return self._read[key]

    def _note(self, instruction: Instruction, reason: str) -> None:
        self._notes[f"line {instruction.line} is given for files that it copies from a stage: {reason}"] = None

    def _note_layer(self, item: Difference) -> None:
        """Say why a layer that was built has no line."""
        for pair in self._platforms:
            if item.layer is None or (item.platform is not None and str(item.platform) != pair.platform):
                continue
            for image, number in ((pair.first, item.layer.first), (pair.second, item.layer.second)):
                if image is not None and number is not None and image.layers[number].origin == "built":
                    made_by = " ".join(image.layers[number].created_by.split()) or "its history does not tell"
                    self._notes[
                        f"layer {number} has no line: no instruction of the Dockerfile made it alone ({made_by[:120]})"
                    ] = None
                    return


def _by_content(differences: Sequence[Difference]) -> Mapping[tuple[str, FieldValue, FieldValue], list[Difference]]:
    found: dict[tuple[str, FieldValue, FieldValue], list[Difference]] = {}
    for item in differences:
        if item.field == "content" and isinstance(item.first, str) and isinstance(item.second, str):
            found.setdefault((str(item.platform), item.first, item.second), []).append(item)
    return found


def _by_time(differences: Sequence[Difference]) -> Mapping[tuple[object, ...], list[Difference]]:
    found: dict[tuple[object, ...], list[Difference]] = {}
    for item in differences:
        if item.field == "mtime" and item.layer is not None:
            found.setdefault(_time_of(item), []).append(item)
    return found


def _time_of(item: Difference) -> tuple[object, ...]:
    return str(item.platform), item.path, item.occurrence, item.first, item.second


def _entry_of(item: Difference) -> tuple[object, ...]:
    layer = None if item.layer is None else (item.layer.first, item.layer.second)
    return str(item.platform), item.part, layer, item.path, item.occurrence


def _is_below(item: Difference, other: Difference) -> bool:
    if item.layer is None or other.layer is None or item.layer.first is None or other.layer.first is None:
        return False
    return item.layer.first < other.layer.first
