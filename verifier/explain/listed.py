"""Try contents once more, knowing the digests and sizes of all files that differ: a list of these follows from them.

So does a program's link to its debugging information, and from programs' build IDs those of such information. What an
archive lists follows from its own members.

What is not explained, or is taken as given, is searched for what may be a digest, or is the size of a file that it
names. Only where there is a digest are the files that differ digested; SHA-256 is known from the comparison, whatever
the size.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from verifier.causes.cause import Cause, SideContext
from verifier.causes.trial import Trial, try_causes
from verifier.explain.contents import by_layers, read_both
from verifier.explain.members import unfold_with_members
from verifier.explain.places import Places
from verifier.explain.reader import SIDES, ContentReader, Sides, is_content_of_both
from verifier.formats.elf_sections import BUILD_IDS
from verifier.formats.field import Field, Node
from verifier.formats.unfold import unfold
from verifier.formats.written_digests import ALGORITHMS, digests_in
from verifier.formats.written_sizes import sizes_in
from verifier.model.difference import Difference
from verifier.oci.platform import Platform

Tables = dict[tuple[Platform, int], dict[bytes, str]]
"""Of each platform and side (0 or 1), what its files' digests are digests of."""


SizeTables = dict[tuple[Platform, int], dict[bytes, tuple[bytes, ...]]]
"""Of each platform and side (0 or 1), the paths of the files that have a size, in digits."""


def try_with_digests(
    differences: Sequence[Difference],
    trials: Mapping[int, Trial],
    reader: ContentReader,
    places: Places,
    sides: Sides,
    causes: Sequence[Cause],
) -> dict[int, Trial]:
    """Give new trials to contents that list what differs; `trials` are all. Raises what `reader` raises."""
    contents = [number for number, item in enumerate(differences) if is_content_of_both(item)]
    open_ones = [number for number in contents if _is_open(trials[number])]
    written: dict[int, set[int]] = {}
    identities: Tables = {}
    sizes = size_tables(differences)
    sized: set[int] = set()
    for number, (first, second) in read_both(differences, open_ones, reader):
        if first is None or second is None:
            continue
        nodes = (unfold(first), unfold(second))
        written[number] = {len(value) for node in nodes for value in _written(node)}
        _note_identities(identities, differences[number], nodes)
        of_both = knowing(sides, {}, differences[number].platform, sizes)
        if all(_lists_sizes(node, side) for node, side in zip(nodes, of_both, strict=True)):
            sized.add(number)
    algorithms = {ALGORITHMS[size] for lengths in written.values() for size in lengths if size in ALGORITHMS}
    candidates = [number for number, lengths in written.items() if lengths or number in sized]
    tables = digest_tables(differences, contents, reader, algorithms) if algorithms else {}
    tables = _joined(identities, tables)
    found = {}
    for number, (first, second) in read_both(differences, candidates, reader):
        if first is None or second is None:
            continue
        own = knowing(sides, tables, differences[number].platform, sizes)
        node, side = unfold_with_members(first, own[0], written[number])
        other, other_side = unfold_with_members(second, own[1], written[number])
        nodes, own = (node, other), (side, other_side)
        pairs = tuple(zip(nodes, own, strict=True))
        if number in sized or any(value in side.digests for node, side in pairs for value in _written(node)):
            trial = try_causes(nodes, places.of(differences[number]), own, causes)
            if trial.equal and not (trials[number].equal and trial.opaque):
                found[number] = trial
    return found


def _is_open(trial: Trial) -> bool:
    """Tell whether a content is not explained, or by values that are taken as given; as a whole is for good."""
    return not trial.equal or (trial.opaque and trial.given is None)


def digest_tables(
    differences: Sequence[Difference],
    contents: Collection[int],
    reader: ContentReader,
    algorithms: Collection[str] = frozenset(ALGORITHMS.values()),
) -> Tables:
    """Digest both sides of the `contents` that differ, by their numbers. Raises what `reader` raises."""
    tables: Tables = {}
    others = sorted(set(algorithms) - {"sha256"})
    for (platform, layer), numbers in by_layers(differences, contents).items():
        keys = {(differences[number].path or b"", differences[number].occurrence): number for number in numbers}
        for index, (side, place) in enumerate(zip(SIDES, (layer.first, layer.second), strict=True)):
            table = tables.setdefault((platform, index), {})
            held = reader.entries(side, platform, place, tuple(keys), others) if others and place is not None else {}
            for key, number in keys.items():
                compared = (differences[number].first, differences[number].second)[index]
                for digest in (str(compared), *(held[key].digests if key in held else ())):
                    name, _, digits = digest.partition(":")
                    table.setdefault(bytes.fromhex(digits), f"{name} of {key[0].decode('utf-8', 'backslashreplace')}")
    return tables


def _note_identities(tables: Tables, item: Difference, nodes: tuple[Node, Node]) -> None:
    """Note the build IDs of a program that differs."""
    if item.platform is None:
        return
    told = f"build ID of {(item.path or b'').decode('utf-8', 'backslashreplace')}"
    for index, node in enumerate(nodes):
        for part in node.parts:
            if isinstance(part, Field) and part.kind in BUILD_IDS:
                tables.setdefault((item.platform, index), {}).setdefault(part.value, told)


def _joined(identities: Tables, tables: Tables) -> Tables:
    return {key: identities.get(key, {}) | tables.get(key, {}) for key in identities.keys() | tables.keys()}


def size_tables(differences: Sequence[Difference]) -> SizeTables:
    """Tell of each platform and side which files have which size, of those whose sizes differ."""
    found: dict[tuple[Platform, int], dict[bytes, list[bytes]]] = {}
    for item in differences:
        if item.field == "size" and item.platform is not None and item.path is not None:
            for index, size in enumerate((item.first, item.second)):
                table = found.setdefault((item.platform, index), {})
                table.setdefault(str(size).encode(), []).append(item.path)
    return {key: {size: tuple(sorted(set(paths))) for size, paths in table.items()} for key, table in found.items()}


def knowing(sides: Sides, tables: Tables, platform: Platform | None, sizes: SizeTables) -> Sides:
    """Tell both sides what the digests of one platform's files are digests of, and which have what size."""
    if platform is None:
        return sides
    first, second = (
        replace(side, digests=tables.get((platform, index), {}), sizes=sizes.get((platform, index), {}))
        for index, side in enumerate(sides)
    )
    return first, second


def _lists_sizes(node: Node, side: SideContext) -> bool:
    """Tell whether a content gives the size of a file that it names."""
    return any(
        _lists_sizes(part, side) if isinstance(part, Node) else next(sizes_in(part, side.sizes), None) is not None
        for part in node.parts
    )


def _written(node: Node) -> Iterator[bytes]:
    """Yield what may be digests in a content's fields."""
    for part in node.parts:
        if isinstance(part, Node):
            yield from _written(part)
        else:
            yield from (value for *_, value in digests_in(part))
