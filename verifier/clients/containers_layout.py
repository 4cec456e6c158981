"""Turn what `push dir:FOLDER` writes into an OCI layout.

A push to `oci:` would convert an image in Docker's format, and with it the config and its digest; `dir:` keeps both as
they are, but is a format of its own: a manifest, and blobs named by the encoded part of their digest.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from verifier.errors import StoreError
from verifier.oci.digest import digest_bytes, encoded_of
from verifier.oci.limits import MAX_JSON_BYTES
from verifier.oci.manifest import parse_manifest_or_index

_BLOB: Final = re.compile(r"[0-9a-f]{64}")
_OTHERS: Final = ("manifest.json", "version")


def arrange_layout(folder: Path) -> None:
    """Rearrange `folder` in place (OCI image specification, "Image Layout"). Raises StoreError, MalformedImageError."""
    try:
        with (folder / "manifest.json").open("rb") as file:
            raw = file.read(MAX_JSON_BYTES + 1)
    except FileNotFoundError:
        raise StoreError(f"{folder} has no manifest") from None
    manifest = parse_manifest_or_index(raw)
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for path in tuple(folder.iterdir()):
        if _BLOB.fullmatch(path.name):
            path.rename(blobs / path.name)
    (blobs / encoded_of(manifest.digest)).write_bytes(raw)
    entry = {"mediaType": manifest.media_type, "digest": digest_bytes(raw), "size": len(raw)}
    index = {"schemaVersion": 2, "manifests": [entry]}
    (folder / "index.json").write_text(json.dumps(index), "utf-8")
    (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}), "utf-8")
    for name in _OTHERS:
        (folder / name).unlink(missing_ok=True)
