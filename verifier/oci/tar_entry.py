"""What one tar entry says; a layer is a sequence of these (OCI image specification, "Image Layer Filesystem")."""

from __future__ import annotations

from typing import Final, NamedTuple

BLOCK: Final = 512
"""The unit of a tar archive, in bytes."""

WHITEOUT_PREFIX: Final = b".wh."
OPAQUE_WHITEOUT: Final = b".wh..wh..opq"
WHITEOUT_META_PREFIX: Final = b".wh..wh."
"""AUFS's own files, which runtimes pass over (all but the opaque whiteout)."""

FILE: Final = "file"
DIRECTORY: Final = "directory"
SYMLINK: Final = "symlink"
HARDLINK: Final = "hardlink"
CHARACTER_DEVICE: Final = "character-device"
BLOCK_DEVICE: Final = "block-device"
FIFO: Final = "fifo"

_TYPES: Final = {
    0x00: FILE,
    0x30: FILE,
    0x31: HARDLINK,
    0x32: SYMLINK,
    0x33: CHARACTER_DEVICE,
    0x34: BLOCK_DEVICE,
    0x35: DIRECTORY,
    0x36: FIFO,
    0x37: FILE,  # "contiguous"
    0x53: FILE,  # GNU sparse
}

_WITHOUT_DATA: Final = frozenset({HARDLINK, SYMLINK, CHARACTER_DEVICE, BLOCK_DEVICE, DIRECTORY, FIFO})


def type_of(typeflag: int) -> str:
    """Name a type flag; `other:X` for one that is in no specification."""
    return _TYPES.get(typeflag) or f"other:{chr(typeflag) if 0x20 < typeflag < 0x7F else hex(typeflag)}"


def has_data(kind: str) -> bool:
    """Tell whether an entry's data follows its header; links, folders and devices have none, whatever their size."""
    return kind not in _WITHOUT_DATA


class TarEntry(NamedTuple):
    """One entry. A tuple and no dataclass: hundreds of thousands are made, and compared field by field at once.

    `path` is that of the root file system: a leading slash, `.` and `..` resolved inside the root. `type` is a word of
    `type_of`, `mode` the permission bits (07777). `mtime` is in seconds, an exact decimal. `size` is the content's in
    bytes, sparse holes included; `stored` is what the archive holds of it, `sparse` where the stored bytes belong
    (offset and length pairs), None when they are the content. `device` is major and minor. `xattrs` is sorted by name.
    """

    path: bytes
    type: str
    mode: int
    uid: int
    gid: int
    uname: bytes
    gname: bytes
    mtime: str
    size: int
    linkname: bytes
    device: tuple[int, int] | None
    xattrs: tuple[tuple[bytes, bytes], ...]
    stored: int
    sparse: tuple[tuple[int, int], ...] | None

    @property
    def is_whiteout(self) -> bool:
        """Tell whether this entry hides something of the layers below (opaque whiteouts included)."""
        return b"/.wh." in self.path and self.path.rpartition(b"/")[2].startswith(WHITEOUT_PREFIX)


def normalise_path(name: bytes) -> bytes:
    """Give the path in the root file system that a runtime would write `name` to: never out of the root."""
    path = name if name.startswith(b"/") else b"/" + name
    if b"/." in path or b"//" in path:
        parts: list[bytes] = []
        for part in path.split(b"/"):
            if part == b"..":
                del parts[-1:]
            elif part not in (b"", b"."):
                parts.append(part)
        return b"/" + b"/".join(parts)
    return path[:-1] if len(path) > 1 and path.endswith(b"/") else path


class HeldEntry(NamedTuple):
    """What one entry holds: a link's target; a file's content by its size in bytes, its digests and its first bytes.

    `digests` are written `ALGORITHM:HEX`.
    """

    type: str
    linkname: bytes
    size: int
    head: bytes
    digests: frozenset[str]
