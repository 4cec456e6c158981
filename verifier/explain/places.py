"""Tell causes where a difference stands: which instruction made it, and whether it is the base image's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from verifier.causes.cause import Place
from verifier.errors import MalformedImageError
from verifier.explain.reader import SIDES, ContentReader, Instructions, SideName, Sides
from verifier.model.difference import Comparison, Difference, ImageComparison
from verifier.oci.config import History, parse_config
from verifier.oci.platform import Platform

_BUILDKIT: Final = " # buildkit"
_NO_COMMAND: Final = "/bin/sh -c #(nop)"


class Places:
    """The places of a comparison's differences."""

    def __init__(self, comparison: Comparison, reader: ContentReader, sides: Sides, instructions: Instructions) -> None:
        self._reader = reader
        self._bases = {name: side.base_layers for name, side in zip(SIDES, sides, strict=True)}
        self._instructions = instructions
        self._cut = frozenset(image.platform for image in comparison.images if is_cut(image))
        self._histories: dict[tuple[SideName, Platform | None], tuple[str, ...]] = {}

    def of(self, item: Difference) -> Place:
        """Give the place of a difference."""
        instruction = None if item.layer is None else self._instructions(item)
        made_by = self._recorded(item) if instruction is None else instruction.text
        return Place(
            part=item.part,
            field=item.field,
            path=item.path,
            type=item.entry_type,
            made_by=made_by,
            recorded=instruction is None and bool(made_by),
            is_cut=item.platform in self._cut,
            is_base=any(number < self._bases[name] for name, number in _numbers(item).items()),
        )

    def _recorded(self, item: Difference) -> str:
        """Give what both sides' histories say of a layer; nothing where they do not agree."""
        found = set()
        for name, number in _numbers(item).items():
            history = self._history(name, item.platform)
            found.add(history[number] if number < len(history) else "")
        return found.pop() if len(found) == 1 else ""

    def _history(self, name: SideName, platform: Platform | None) -> tuple[str, ...]:
        key = name, platform
        if key not in self._histories:
            raw = self._reader.document(name, "config", platform)
            self._histories[key] = () if raw is None else _made_by(raw)
        return self._histories[key]


def is_cut(image: ImageComparison) -> bool:
    """Tell whether both sides merge to the same files out of another number of layers."""
    first, second = image.first, image.second
    return len(first.layers) != len(second.layers) and first.files is not None and first.files == second.files


def _numbers(item: Difference) -> Mapping[SideName, int]:
    if item.layer is None:
        return {}
    pairs = zip(SIDES, (item.layer.first, item.layer.second), strict=True)
    return {name: number for name, number in pairs if number is not None}


@lru_cache(maxsize=8)
def _made_by(raw: bytes) -> tuple[str, ...]:
    """Read which instruction made each layer; none where the history tells of more or fewer layers."""
    try:
        config = parse_config(raw)
    except MalformedImageError:
        return ()
    made = [_instruction(entry) for entry in config.history if not entry.empty_layer]
    return tuple(made) if len(made) == len(config.diff_ids) else ()


def _instruction(entry: History) -> str:
    """Write a history entry as a Dockerfile has it, as far as the builders' words allow."""
    text = entry.created_by.removesuffix(_BUILDKIT)
    if text.startswith(_NO_COMMAND):
        return text.removeprefix(_NO_COMMAND).strip()
    return f"RUN {text}" if text.startswith(("/bin/sh -c ", "|")) else text
