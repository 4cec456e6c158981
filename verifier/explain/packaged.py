"""Put files down to the packages that they came with, where the two sides have these in different versions.

In these steps, for each pair of layers in which a package manager's database differs:

1. each side's database is read: packages whose versions differ are changed; one that a side alone has is, too, where
   a changed package of that side depends on it;
2. each side's records of the changed packages say which paths are theirs, and what digest each file has;
3. what differs at such a path is taken as given where each side that has it holds what its own records say: a file by
   its digest, a link by its target. So is bytecode beside a source that does, and a link that one side alone has to
   such a file of that side alone;
4. what is made of many packages, such as a list of them, is tried once more without these.

What is not as recorded stays as it is. Nothing of this is ever called proven: what a version should hold is not known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

from verifier.causes.cause import Cause, Place
from verifier.causes.inventory import Inventory
from verifier.causes.trial import Trial, try_causes
from verifier.explain.changed_packages import ChangedPackages, changed_packages
from verifier.explain.ownership import Entries, Ownership, target_of
from verifier.explain.places import Places
from verifier.explain.reader import SIDES, ContentReader, SideName, Sides
from verifier.formats.installed_packages import Away
from verifier.formats.limits import MAX_CONTENT_BYTES
from verifier.formats.unfold import unfold
from verifier.model.difference import Difference
from verifier.oci.platform import Platform
from verifier.oci.tar_entry import SYMLINK

_FIELDS: Final = frozenset({"content", "size", "mtime", "linkname", "entry"})
"""What comes with a package and can be checked, or follows from what is. Modes, owners and attributes never do."""

_Numbered = tuple[int, Difference]
_Contents = Mapping[bytes, bytes]


def take_with_packages(
    differences: Sequence[Difference],
    trials: Mapping[int, Trial],
    reader: ContentReader,
    places: Places,
    sides: Sides,
    causes: Sequence[Cause],
) -> dict[int, Trial]:
    """Give new trials to what came with packages of another version. Raises what `reader` raises."""
    found: dict[int, Trial] = {}
    for where, items in _by_layers(differences).items():
        layers = _Layers(reader, *where)
        for cause in causes:
            if cause.inventory is None or not any(cause.inventory.is_database(item.path or b"") for _, item in items):
                continue
            left = [pair for pair in items if not trials[pair[0]].equal and pair[0] not in found]
            if not left:
                break
            packages = changed_packages(cause.inventory, layers.databases(cause.inventory, items))
            if packages.changed:
                owners = _owners(cause.inventory, packages, layers)
                numbers = _as_recorded(owners, layers, left)
                away = [Away(packages.alone[side], packages.changed, owners[side].files) for side in (0, 1)]
                numbers |= {
                    number
                    for number, item in left
                    if number not in numbers
                    and _is_same_without(item, cause, away, layers, _Trier(places.of(item), sides, causes))
                }
                paths = {item.path for number, item in left if number in numbers and item.field == "content"}
                numbers |= {number for number, item in left if item.field == "size" and item.path in paths}
                found |= dict.fromkeys(numbers, _given(cause))
    return found


class _Trier(NamedTuple):
    """What a trial needs besides the values."""

    place: Place
    sides: Sides
    causes: Sequence[Cause]


def _given(cause: Cause) -> Trial:
    digest = hashlib.sha256(b"given " + cause.slug.encode()).digest()
    return Trial(first=digest, second=digest, substitutes={cause.slug: None}, given=cause)


def _by_layers(differences: Sequence[Difference]) -> dict[tuple[Platform, int, int], list[_Numbered]]:
    groups: dict[tuple[Platform, int, int], list[_Numbered]] = {}
    for number, item in enumerate(differences):
        if item.part != "layer" or item.platform is None or item.layer is None or item.occurrence:
            continue
        if item.layer.first is not None and item.layer.second is not None and item.field in _FIELDS:
            groups.setdefault((item.platform, item.layer.first, item.layer.second), []).append((number, item))
    return groups


class _Layers:
    """One pair of layers, read again."""

    def __init__(self, reader: ContentReader, platform: Platform, first: int, second: int) -> None:
        self._reader = reader
        self._platform = platform
        self._numbers: Mapping[SideName, int] = {"first": first, "second": second}

    def databases(self, inventory: Inventory, items: Sequence[_Numbered]) -> tuple[_Contents, _Contents]:
        """Read both sides' databases that are not the same."""
        paths: tuple[set[bytes], set[bytes]] = (set(), set())
        for _, item in items:
            if item.path is not None and item.field in ("content", "entry") and inventory.is_database(item.path):
                for side, value in enumerate((item.first, item.second)):
                    if value is not None:
                        paths[side].add(item.path)
        return self.contents(*paths)

    def contents(self, *paths: set[bytes]) -> tuple[_Contents, _Contents]:
        """Read files of both sides; what is too large, or not in these layers, is left out."""

        def read(side: SideName, wanted: set[bytes]) -> _Contents:
            keys = [(path, 0) for path in sorted(wanted)]
            number = self._numbers[side]
            found = self._reader.contents(side, self._platform, number, keys, MAX_CONTENT_BYTES) if keys else {}
            return {path: content for (path, _), content in found.items()}

        return _on_both(read, *paths)

    def entries(self, paths: tuple[set[bytes], set[bytes]], algorithms: frozenset[str]) -> tuple[Entries, Entries]:
        """Read what entries of both sides hold."""

        def read(side: SideName, wanted: set[bytes]) -> Entries:
            keys = [(path, 0) for path in sorted(wanted)]
            return self._reader.entries(side, self._platform, self._numbers[side], keys, algorithms)

        return _on_both(read, *paths)


_Reads = Callable[[SideName, set[bytes]], Mapping[Any, Any]]


def _on_both(read: _Reads, first: set[bytes], second: set[bytes]) -> tuple[Mapping[Any, Any], Mapping[Any, Any]]:
    # inflating and digesting leave the interpreter to the other side
    with ThreadPoolExecutor(max_workers=2) as pool:
        both = list(pool.map(read, SIDES, (first, second)))
    return both[0], both[1]


def _owners(inventory: Inventory, packages: ChangedPackages, layers: _Layers) -> tuple[Ownership, Ownership]:
    """Read each side's records of its changed packages."""
    wanted = [{path for package in packages.of(side) for path in package.records} for side in (0, 1)]
    records = layers.contents(wanted[0], wanted[1])
    first, second = (Ownership(inventory, packages.of(side), records[side]) for side in (0, 1))
    return first, second


def _as_recorded(owners: Sequence[Ownership], layers: _Layers, items: Sequence[_Numbered]) -> set[int]:
    """Find what differs where each side that has it holds what its own records say, and the links to such files."""
    asked: tuple[set[bytes], set[bytes]] = (set(), set())
    candidates, links = [], []
    for number, item in items:
        path, having = item.path or b"", _having(item)
        paths = [list(owners[side].asked_for(path)) for side in having]
        if item.alone is not None and item.alone.plain and item.entry_type == SYMLINK and not all(paths):
            links.append((number, item))
            asked[having[0]].add(path)
        elif all(paths) and (item.alone is None or item.alone.plain):
            candidates.append((number, item))
            for side, needed in zip(having, paths, strict=True):
                asked[side].update(needed)
    entries = layers.entries(asked, owners[0].algorithms | owners[1].algorithms)
    found = {number for number, item in candidates if _is_recorded(item, owners, entries)}
    return found | _links_to([item for number, item in candidates if number in found], links, entries)


def _links_to(targets: Sequence[Difference], links: Sequence[_Numbered], entries: tuple[Entries, Entries]) -> set[int]:
    """Find links that one side alone has to what that side alone has, be it another such link."""
    found: set[int] = set()
    for side in (0, 1):
        reached = {item.path for item in targets if item.alone is not None and _having(item) == (side,)}
        pointing: dict[bytes, list[_Numbered]] = {}
        for number, item in links:
            held = entries[side].get((item.path or b"", 0)) if _having(item) == (side,) else None
            if held is not None:
                pointing.setdefault(target_of(item.path or b"", held), []).append((number, item))
        left = list(reached)
        while left:
            for number, item in pointing.pop(left.pop() or b"", []):
                found.add(number)
                left.append(item.path)
    return found


def _having(item: Difference) -> tuple[int, ...]:
    """Name the sides that have an entry."""
    if item.field != "entry":
        return (0, 1)
    return (0,) if item.second is None else (1,)


def _is_recorded(item: Difference, owners: Sequence[Ownership], entries: tuple[Entries, Entries]) -> bool:
    path = item.path or b""
    for side in _having(item):
        if not owners[side].holds(path, entries[side]):
            return False
        if item.field == "mtime" and not owners[side].gives_time(path, entries[side]):
            return False
    return True


def _is_same_without(item: Difference, cause: Cause, away: Sequence[Away], layers: _Layers, trier: _Trier) -> bool:
    """Tell whether a file that is made of many packages differs by nothing else, once the changed ones are left out."""
    path, inventory = item.path, cause.inventory
    if inventory is None or path is None or item.field != "content" or not inventory.is_list(path):
        return False
    contents = [found.get(path) for found in layers.contents({path}, {path})]
    rest = []
    for content, digest, packages in zip(contents, (item.first, item.second), away, strict=True):
        if content is None or f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            return False
        rest.append(unfold(inventory.without(path, content, packages)))
    trial = try_causes((rest[0], rest[1]), trier.place, trier.sides, trier.causes)
    return trial.equal and trial.causes <= {cause.slug}
