"""Which of several images in one archive or layout is meant: by tag, by digest, or by what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from verifier.errors import StoreError, UsageError
from verifier.oci.digest import Digest
from verifier.oci.reference import ImageName, parse_reference

_LISTED: Final = 10
_NAME_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One image, or one index, that a name may mean; `digest` is the manifest's, the index's or the config's."""

    digest: Digest
    names: tuple[str, ...]


def named(candidates: Sequence[Candidate], tag: str) -> list[Candidate]:
    """Find what a tag means: a name that is written the same, else an equal reference, else an equal tag."""
    for matches in (_same_text, _same_reference, _same_tag):
        found = [candidate for candidate in candidates if any(matches(name, tag) for name in candidate.names)]
        if found:
            return found
    return []


def not_found(name: ImageName, candidates: Sequence[Candidate]) -> StoreError:
    """Say that the image that was asked for is not there, and what is."""
    wanted = f"tagged {name.tag}" if name.digest is None else f"with the digest {name.digest}"
    return StoreError(f"{name.location} has no image {wanted}", f"it has: {_listed(name, candidates)}")


def several(name: ImageName, candidates: Sequence[Candidate]) -> StoreError:
    """Say that more than one image may be meant, and how each is named."""
    return StoreError(
        f"{name.text} may mean {len(candidates)} images", f"choose one, or a platform: {_listed(name, candidates)}"
    )


def printable(text: str, limit: int = _NAME_SHOWN) -> str:
    """Make a name from an image fit for a message: bounded, on one line, without control characters."""
    short = text if len(text) <= limit else text[:limit] + "…"
    return short if short.isprintable() else repr(short)


def _listed(name: ImageName, candidates: Sequence[Candidate]) -> str:
    if not candidates:
        return "none"
    whole = f"{name.transport}:{name.location}"
    shown = [
        f"{whole}:{printable(candidate.names[0])}" if candidate.names else f"{whole}@{candidate.digest}"
        for candidate in candidates[:_LISTED]
    ]
    more = len(candidates) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _same_text(name: str, tag: str) -> bool:
    return name == tag


def _same_reference(name: str, tag: str) -> bool:
    first, second = _canonical(name), _canonical(tag)
    return first is not None and first == second


def _same_tag(name: str, tag: str) -> bool:
    return "/" not in tag and ":" not in tag and name.rpartition(":")[2] == tag and ":" in name


def _canonical(name: str) -> str | None:
    try:
        return parse_reference(name).canonical
    except UsageError:
        return None
