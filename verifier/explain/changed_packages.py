"""Tell which packages two sides have in different versions, and which came along with these on one side alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifier.causes.inventory import Inventory
from verifier.formats.installed_packages import Package

_Packages = Mapping[str, Package]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPackages:
    """Packages by key: `changed` are on both sides, `alone` on each side that are there because of these."""

    packages: tuple[_Packages, _Packages]
    changed: frozenset[str]
    alone: tuple[frozenset[str], frozenset[str]]

    def of(self, side: int) -> list[Package]:
        """List the packages of one side that the other has not, or not in that version."""
        return [self.packages[side][key] for key in sorted(self.changed | self.alone[side])]


def changed_packages(
    inventory: Inventory, databases: tuple[Mapping[bytes, bytes], Mapping[bytes, bytes]]
) -> ChangedPackages:
    """Read both sides' databases, by their paths."""
    first, second = (_packages(inventory, contents) for contents in databases)
    changed = frozenset(key for key in first.keys() & second.keys() if first[key].version != second[key].version)
    alone = (
        _along(first, first.keys() - second.keys(), changed),
        _along(second, second.keys() - first.keys(), changed),
    )
    return ChangedPackages(packages=(first, second), changed=changed, alone=alone)


def _packages(inventory: Inventory, databases: Mapping[bytes, bytes]) -> _Packages:
    found: dict[str, Package] = {}
    for path, content in databases.items():
        try:
            found |= {package.key: package for package in inventory.packages(path, content)}
        except ValueError:
            continue
    return found


def _along(packages: _Packages, alone: set[str], changed: frozenset[str]) -> frozenset[str]:
    """Find the packages of one side alone that a changed package needs, or one that came along itself."""
    providers: dict[bytes, list[str]] = {}
    for key in alone:
        for name in packages[key].provides:
            providers.setdefault(name, []).append(key)
    found: set[str] = set()
    left = list(changed)
    while left:
        for name in packages[left.pop()].needs:
            for key in providers.pop(name, []):
                if key not in found:
                    found.add(key)
                    left.append(key)
    return frozenset(found)
