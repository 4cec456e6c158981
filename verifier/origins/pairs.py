"""One image of both builds, and what both sides of it must say before a file is put down to a line."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from verifier.dockerfile.copies import StageCopy, origins_of
from verifier.model.difference import FieldValue, LayerPair
from verifier.model.instruction import Instruction
from verifier.origins.stage_image import Held, StageImage, has_wildcard


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What differs: the field, both sides' values (None where a side has no such entry), the type where it is one.

    `sizes` are the contents' where these were not among the sizes that the images were read for.
    """

    field: str
    first: FieldValue
    second: FieldValue
    type: str | None
    sizes: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What a source with wildcards stands for: files and folders by their own names, and the folders once more."""

    by_name: Mapping[str, Sequence[str]]
    folders: Sequence[str]


class ImagePair:
    """The same image of both builds; None where a side was not built here, but not on both."""

    def __init__(self, first: StageImage | None, second: StageImage | None) -> None:
        self.first = first
        self.second = second
        self.sides = tuple(image for image in (first, second) if image is not None)
        self.surrounding = self.sides[0].surrounding
        self._matches: dict[str, Matches] = {}
        self._resolved: dict[str, str] = {}

    def resolve(self, path: str) -> str:
        """Follow every symlink in a path, as one of the sides has them. Raises NoVerdictError."""
        if path not in self._resolved:
            self._resolved[path] = self.sides[0].resolve(path)
        return self._resolved[path]

    def matching(self, pattern: str) -> Matches:
        """List what a pattern stands for in one side or the other."""
        if pattern not in self._matches:
            found = {name: is_folder for side in self.sides for name, is_folder in side.matching(pattern).items()}
            by_name: dict[str, list[str]] = {}
            for name in sorted(found):
                by_name.setdefault(posixpath.basename(name), []).append(name)
            folders = [name for name in sorted(found) if found[name]]
            self._matches[pattern] = Matches(by_name=by_name, folders=folders)
        return self._matches[pattern]


def text_of(path: bytes | None) -> str:
    """Give an entry's path as the Dockerfile's paths are given; what is not UTF-8 stays what it is."""
    return (path or b"").decode("utf-8", "surrogateescape")


def sources_of(copy: StageCopy, path: str, pair: ImagePair, stage: ImagePair) -> Iterator[str]:
    """Yield what in the stage may have become `path`, the last source first: it is the one that stayed."""
    tried = dict.fromkeys(candidate for _, candidate in _candidates(copy, path, copy.destination, stage))
    yield from reversed(tried)
    # links on the way, in the image or in the stage: the layers below have to be read for them
    target = copy.destination.rstrip("/") or "/"
    folder, _, name = target.rpartition("/")
    destinations = (target, pair.resolve(target), pair.resolve(folder or "/").rstrip("/") + "/" + name)
    for destination in dict.fromkeys(destinations):
        for source, candidate in reversed(list(_candidates(copy, path, destination, stage))):
            # links below a folder that is copied are copied as links
            behind_links = stage.resolve(source) + candidate.removeprefix(source)
            if behind_links not in tried:
                tried[behind_links] = None
                yield behind_links


def _candidates(copy: StageCopy, path: str, destination: str, stage: ImagePair) -> Iterator[tuple[str, str]]:
    """Yield each source and what of it may have become `path`."""
    for pattern in copy.sources:
        if not has_wildcard(pattern):
            found = [pattern.rstrip("/") or "/"]
        else:
            matches = stage.matching(pattern)
            named = matches.by_name.values() if copy.parents else [matches.by_name.get(posixpath.basename(path), ())]
            found = list(dict.fromkeys((*(source for group in named for source in group), *matches.folders)))
        for source in found:
            for candidate in origins_of(copy, source, path, destination):
                yield source, candidate


def made_by_in(stage: ImagePair, path: bytes, wanted: Wanted) -> Instruction | None:
    """Give the instruction of the layer that holds a path with the wanted values on both sides."""
    answers = set()
    sides = ((stage.first, wanted.first), (stage.second, wanted.second))
    for (image, value), size in zip(sides, wanted.sizes, strict=True):
        if image is None:
            continue
        image.count_size(size)
        holders = image.holders(path)
        if value is None and wanted.field == "entry":
            if holders:
                return None
            continue
        if not holders or holders[0].value(wanted.field) != value or not _is_type(holders[0], wanted.type):
            return None
        answers.add(_first_like(holders, wanted.field).instruction)
    return answers.pop() if len(answers) == 1 else None


def _first_like(holders: Sequence[Held], field: str) -> Held:
    """Go down to the layer that gave a file its time: a new mode or owner puts the whole file into one more layer."""
    found = holders[0]
    for held in holders[1:] if field == "mtime" else ():
        if not _is_same_file(found, held):
            break
        found = held
    return found


def _is_same_file(upper: Held, lower: Held) -> bool:
    """Tell whether a layer has a file only for its mode or owner, which puts it there whole with the time it had.

    A content that nobody digested counts as the same where type and size are, and mode, owner or an attribute is not:
    that is then what the layer has it for.
    """
    above, below = upper.entry, lower.entry
    if (above.type, above.size, above.mtime) != (below.type, below.size, below.mtime):
        return False
    if upper.digest is not None or lower.digest is not None:
        return upper.digest == lower.digest
    return (above.mode, above.uid, above.gid, above.xattrs) != (below.mode, below.uid, below.gid, below.xattrs)


def is_kept_time(pair: ImagePair, path: bytes, upper: LayerPair, lower: LayerPair) -> bool:
    """Tell whether a path's time in one layer is that of a lower layer's, on both sides. Raises NoVerdictError."""
    for image, above, below in (
        (pair.first, upper.first, lower.first),
        (pair.second, upper.second, lower.second),
    ):
        held = {} if image is None else {each.layer: each for each in image.holders(path)}
        if image is not None and not (above in held and below in held and _is_same_file(held[above], held[below])):
            return False
    return True


def _is_type(held: Held, kind: str | None) -> bool:
    return kind is None or held.entry.type == kind or "hardlink" in (held.entry.type, kind)


def same_contents(stage: ImagePair, wanted: Wanted, before: Instruction | None) -> Iterator[tuple[str, Instruction]]:
    """Yield where both sides have the wanted contents, in one file by one instruction, the earliest first."""
    sides = []
    pairs = ((stage.first, wanted.first), (stage.second, wanted.second))
    for (image, value), size in zip(pairs, wanted.sizes, strict=True):
        if image is not None and isinstance(value, str):
            image.count_size(size)
            sides.append(dict.fromkeys((path, held.instruction) for path, held in image.contents(value)))
    if not sides:
        return
    for path, instruction in sides[0]:
        if instruction is None or (before is not None and not instruction < before):
            continue
        if all((path, instruction) in side for side in sides):
            yield text_of(path), instruction
