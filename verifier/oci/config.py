"""Image configs (OCI image specification, "Image Configuration"), with the bytes they were parsed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verifier.errors import MalformedImageError
from verifier.oci.digest import Digest, digest_bytes, parse_digest
from verifier.oci.fields import list_at, object_at, optional_string_at
from verifier.oci.limits import MAX_CONFIG_BYTES, MAX_LAYERS
from verifier.oci.platform import Platform, platform_from
from verifier.oci.strict_json import parse_object

_MAX_HISTORY = 4 * MAX_LAYERS


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One entry of `history`; the k-th without `empty_layer` made the k-th layer."""

    created: str | None
    created_by: str
    comment: str
    empty_layer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """One image config; `digest` is that of `raw`, and is the image ID of an engine with the old image store."""

    raw: bytes
    digest: Digest
    platform: Platform
    created: str | None
    diff_ids: tuple[Digest, ...]
    history: tuple[History, ...]


def parse_config(raw: bytes) -> ImageConfig:
    """Parse an image config. Raises MalformedImageError with the path of what is wrong."""
    value = parse_object(raw, "config", max_bytes=MAX_CONFIG_BYTES)
    rootfs = object_at(value, "rootfs", "config")
    diff_ids = [] if rootfs.get("diff_ids") is None else list_at(rootfs, "diff_ids", "config.rootfs", limit=MAX_LAYERS)
    history = [] if value.get("history") is None else list_at(value, "history", "config", limit=_MAX_HISTORY)
    return ImageConfig(
        raw=raw,
        digest=digest_bytes(raw),
        platform=platform_from(value, "config"),
        created=optional_string_at(value, "created", "config"),
        diff_ids=tuple(parse_digest(item, f"config.rootfs.diff_ids[{number}]") for number, item in enumerate(diff_ids)),
        history=tuple(_history_from(item, f"config.history[{number}]") for number, item in enumerate(history)),
    )


def _history_from(value: Any, where: str) -> History:
    if not isinstance(value, dict):
        raise MalformedImageError(f"{where}: an object is needed")
    return History(
        created=optional_string_at(value, "created", where),
        created_by=optional_string_at(value, "created_by", where) or "",
        comment=optional_string_at(value, "comment", where) or "",
        empty_layer=value.get("empty_layer") is True,
    )
