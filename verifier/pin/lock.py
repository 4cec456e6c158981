"""The lock file: digests beside the Dockerfile, where they may not be in it; the same as BuildKit's source policy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from verifier.errors import MalformedImageError, UsageError
from verifier.model.pin import Pin
from verifier.oci.digest import Digest, parse_digest
from verifier.oci.reference import parse_reference

LOCK_NAME: Final = "verify-build.lock"
LOCK_VERSION: Final = 1
MAX_LOCK_BYTES: Final = 4 * 1024 * 1024

_IMAGES: Final = frozenset({"from", "copy-from", "mount-from", "syntax"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What is held: images by canonical reference (`docker.io/library/debian:12`), URLs, commits of git URLs."""

    images: Mapping[str, Digest] = field(default_factory=dict)
    downloads: Mapping[str, str] = field(default_factory=dict)
    commits: Mapping[str, str] = field(default_factory=dict)

    def digest_of(self, reference: str) -> Digest | None:
        """Give the digest that a reference is held to; its own where it has one. Raises UsageError."""
        parsed = parse_reference(reference)
        return parsed.digest or self.images.get(parsed.canonical)


def lock_of(pins: Iterable[Pin]) -> Lock:
    """Lock what pins have: their own digest where it is written, else what their tag or URL gives now."""
    images: dict[str, Digest] = {}
    downloads: dict[str, str] = {}
    commits: dict[str, str] = {}
    for pin in pins:
        held = pin.digest or pin.current
        if held is None or pin.reference is None:
            continue
        if pin.kind in _IMAGES:
            images[parse_reference(pin.reference).canonical] = parse_digest(held)
        elif pin.kind == "add-url":
            downloads[pin.reference] = held
        else:
            commits[pin.reference] = held
    return Lock(images=images, downloads=downloads, commits=commits)


def render_lock(lock: Lock) -> str:
    """Render a lock as sorted, indented JSON: it is read by people in a review."""
    value = {
        "version": LOCK_VERSION,
        "images": dict(sorted(lock.images.items())),
        "downloads": dict(sorted(lock.downloads.items())),
        "commits": dict(sorted(lock.commits.items())),
    }
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def read_lock(raw: bytes, path: str) -> Lock:
    """Read a lock file; `path` names it in messages. Raises UsageError."""
    if len(raw) > MAX_LOCK_BYTES:
        raise UsageError(f"{path}: a lock file of more than {MAX_LOCK_BYTES} bytes is none")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise UsageError(f"{path}: is not a lock file: it is not JSON") from None
    if not isinstance(value, dict) or value.get("version") != LOCK_VERSION:
        raise UsageError(f"{path}: is not a lock file of version {LOCK_VERSION}", "write one: verify-build pin --lock")
    images = _strings(value, "images", path)
    try:
        digests = {parse_reference(name).canonical: parse_digest(digest) for name, digest in images.items()}
    except MalformedImageError as error:
        raise UsageError(f"{path}: {error.message}") from None
    return Lock(images=digests, downloads=_strings(value, "downloads", path), commits=_strings(value, "commits", path))


def render_source_policy(lock: Lock) -> str:
    """Render BuildKit's source policy, which holds any `docker buildx build` to the lock.

    Used as EXPERIMENTAL_BUILDKIT_SOURCE_POLICY=FILE (BuildKit's documentation, "Build reproducibility").
    """
    rules: list[dict[str, Any]] = []
    for name, digest in sorted(lock.images.items()):
        if "@" not in name:
            identifier = f"docker-image://{name}"
            rules.append(_convert(identifier, {"identifier": f"{identifier}@{digest}"}))
    for url, checksum in sorted(lock.downloads.items()):
        rules.append(_convert(url, {"attrs": {"http.checksum": checksum}}))
    return json.dumps({"rules": rules}, indent=2, ensure_ascii=True) + "\n"


def _convert(identifier: str, updates: dict[str, Any]) -> dict[str, Any]:
    return {"action": "CONVERT", "selector": {"identifier": identifier}, "updates": updates}


def _strings(value: Mapping[str, Any], key: str, path: str) -> dict[str, str]:
    found = value.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(item, str) for item in found.values()):
        raise UsageError(f"{path}: {key} is not an object of strings")
    return dict(found)
