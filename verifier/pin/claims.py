"""Compare what an image says of itself with what its tag promises: a 16.04 under the tag 20.04 is seen.

Only what cannot be read otherwise counts: a version number of a distribution's own repository against os-release, a
code name that this distribution has, a label that speaks of this very repository. Silence contradicts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from verifier.model.pin import ImageFacts
from verifier.oci.reference import Reference

_VERSION: Final = re.compile(r"v?(\d+(?:\.\d+)*)(?![\w.])")
_DATE: Final = re.compile(r"20\d{6}")
"""Tags of snapshots; no version has such a number."""
_WORD: Final = re.compile(r"[a-z]+")

_CODE_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "debian": frozenset(
        {"wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "duke"},
    ),
    "ubuntu": frozenset(
        {"precise", "trusty", "xenial", "bionic", "focal", "jammy", "noble", "plucky", "questing", "resolute"},
    ),
}
"""Names of releases by os-release's ID; `stable` and `latest` name none."""


def contradictions(reference: Reference, facts: ImageFacts) -> Iterator[str]:
    """Yield sentences on where `facts` contradict the tag of `reference`; nothing where it has none."""
    if reference.tag is None:
        return
    repository = reference.repository.rpartition("/")[2]
    release, labels = dict(facts.os_release), dict(facts.labels)
    version = _version(reference.tag)
    if release.get("ID") == repository and version is not None and "VERSION_ID" in release:
        said = _version(release["VERSION_ID"])
        if said is not None and not _agree(version, said):
            yield f"its os-release says {_name(release)}, the tag {reference.tag}"
            return
    names = _CODE_NAMES.get(release.get("ID", ""), frozenset())
    own = release.get("VERSION_CODENAME", "")
    named = [word for word in _WORD.findall(reference.tag) if word in names]
    if own and named and own not in named:
        yield f"its os-release says {_name(release)}, the tag {reference.tag}"
        return
    about = labels.get("org.opencontainers.image.title") or labels.get("org.opencontainers.image.ref.name") or ""
    said = _version(labels.get("org.opencontainers.image.version", ""))
    if (
        about.rpartition("/")[2] == repository
        and version is not None
        and said is not None
        and not _agree(version, said)
    ):
        yield f"its label says version {labels['org.opencontainers.image.version']}, the tag {reference.tag}"


def _version(text: str) -> tuple[int, ...] | None:
    match = _VERSION.match(text)
    if match is None or len(match[1]) > 40 or _DATE.match(match[1]):
        return None
    return tuple(int(part) for part in match[1].split("."))


def _agree(one: tuple[int, ...], two: tuple[int, ...]) -> bool:
    """Tell whether one version is the other or begins it: the tag 3 goes with 3.19.1."""
    shorter = min(len(one), len(two))
    return one[:shorter] == two[:shorter]


def _name(release: Mapping[str, str]) -> str:
    return release.get("PRETTY_NAME") or " ".join(
        release[key] for key in ("ID", "VERSION_ID", "VERSION_CODENAME") if release.get(key)
    )
