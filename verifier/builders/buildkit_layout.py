"""Image layouts that BuildKit fills: blob by blob, without those that an earlier build of the same run gave already.

An archive comes through buildx as one stream, several times slower than blobs do, and whole for every build: a base of
half a gigabyte takes ten seconds, twice. A blob's name is its digest, checked when it is written and when it is read.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_BLOBS: Final = Path("blobs", "sha256")
_INDEX: Final = "index.json"


def prepare_layout(folder: Path, earlier: Iterable[Path]) -> None:
    """Make the folder of a layout, and put there by hard links what `earlier` layouts of the same file system hold.

    What cannot be linked, or is no longer there, is sent once more.
    """
    (folder / _BLOBS).mkdir(parents=True)
    for layout in earlier:
        with contextlib.suppress(OSError):
            for blob in (layout / _BLOBS).iterdir():
                with contextlib.suppress(FileExistsError):
                    os.link(blob, folder / _BLOBS / blob.name)


def pack_layout(folder: Path) -> Path:
    """Write a layout as an archive beside it, as engines load it, without the name "latest" that buildx gives.

    Raises OSError, and ValueError where the table of contents is none.
    """
    contents = json.loads((folder / _INDEX).read_bytes())
    for descriptor in contents["manifests"]:
        descriptor.pop("annotations", None)
    table = json.dumps(contents).encode()
    archive = folder.with_suffix(".tar")
    with tarfile.open(archive, "w") as packed:
        for name in ("oci-layout", "blobs"):
            packed.add(folder / name, name)
        entry = tarfile.TarInfo(_INDEX)
        entry.size = len(table)
        packed.addfile(entry, io.BytesIO(table))
    return archive
