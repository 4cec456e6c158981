"""`files/v1`: one digest of an image's merged root file system, which anyone can compute again.

**The root.** Layers are applied in order onto an empty root, a directory of mode 0755 owned by 0:0. In one layer all
whiteouts act first, wherever they stand, and only on what the layers below put there: `DIR/.wh.NAME` removes `DIR/NAME`
and all beneath it, `DIR/.wh..wh..opq` removes all beneath `DIR`; names that begin with `.wh..wh.` do nothing else. Then
its entries are applied in their order, the last one of a path winning:

- a name is resolved inside the root: `.` and `..` first, then symbolic links in its parents, absolute ones from the
  root; the last component itself is never followed. Parents that are missing, or are no directory, become directories
  of mode 0755 owned by 0:0. So do the parents of whiteouts;
- a directory over a directory keeps what is in it and takes over mode, owner and xattrs; anything else removes what was
  at its path, and all beneath it;
- a hard link joins the group of what its target's name resolves to at that moment, and sets the group's mode and owner
  (and xattrs where it has any), as a runtime does. A hard link whose target is not there, or is a directory, stays what
  it says;
- holes of sparse files are zeros; symbolic links have mode 0777, as Linux knows no other;
- a global pax header is no entry.

**The digest.** SHA-256 over the line `files/v1` and a newline, then each path of the root in the order of its raw bytes
(the root itself is `/`), each as a sequence of netstrings (`length:bytes,` with the length in decimal) and a newline:

1. the path, with its leading slash;
2. `TYPE MODE UID GID`: a letter (`f` file, `d` directory, `l` symbolic link, `c` and `b` devices, `p` FIFO, `h` hard
   link, `o` any other), the permission bits in octal, at least four digits, and both numbers in decimal;
3. the detail: of `f` the content's SHA-256 in lower-case hexadecimal, of `l` the target, of `c` and `b` `MAJOR:MINOR`,
   of `h` the target's path, of `o` the type flag's name, a space and the content's SHA-256, else nothing;
4. for each extended attribute, in the order of the names' bytes, its name and its value.

A group of hard links is written in full at its smallest path; the others are `h` with the group's mode and owner, that
path as detail, and no attributes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import Final

from verifier.compare.resolve import PathResolver
from verifier.compare.tables import MIB, SpillList, SpillSpace, SpillTable
from verifier.errors import MalformedImageError
from verifier.oci.digest import Digest
from verifier.oci.tar_entry import (
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    DIRECTORY,
    FIFO,
    FILE,
    HARDLINK,
    OPAQUE_WHITEOUT,
    SYMLINK,
    WHITEOUT_META_PREFIX,
    WHITEOUT_PREFIX,
    TarEntry,
    normalise_path,
)

MAX_ROOT_BYTES: Final = 40 * MIB
"""A root file system's table stays in memory up to so many bytes."""

MAX_IMPLIED_PARENTS: Final = 1_000_000
"""Directories that one image may imply without an entry."""

MAX_PATH_BYTES: Final = 4096
"""Of one path; Linux has no longer ones."""

_LETTERS: Final = {
    FILE: b"f",
    DIRECTORY: b"d",
    SYMLINK: b"l",
    HARDLINK: b"h",
    CHARACTER_DEVICE: b"c",
    BLOCK_DEVICE: b"b",
    FIFO: b"p",
}
_WHITEOUT: Final = b"w"
_GROUP: Final = b"g"
_SEQUENCE: Final = struct.Struct(">IQ")
_IMPLIED: Final = b"d10:d 0755 0 0,0:,"


def record_of(entry: TarEntry, content: str) -> bytes:
    """Encode an entry for `Root.apply`: its letter and its netstrings after the path.

    `content` is its content's sha256 in hexadecimal (only files and unknown types have one).
    """
    if entry.is_whiteout:
        return _WHITEOUT
    letter = _LETTERS.get(entry.type, b"o")
    detail = b""
    mode = entry.mode
    if letter == b"f":
        detail = content.encode()
    elif letter == b"l":
        detail, mode = entry.linkname, 0o777
    elif letter == b"h":
        detail = normalise_path(entry.linkname)
    elif entry.device is not None:
        detail = b"%d:%d" % entry.device
    elif letter == b"o":
        detail = f"{entry.type} {content}".encode()
    head = b"%b %04o %d %d" % (letter, mode, entry.uid, entry.gid)
    record = b"%b%d:%b,%d:%b," % (letter, len(head), head, len(detail), detail)
    return record + b"".join(_netstring(part) for pair in entry.xattrs for part in pair) if entry.xattrs else record


def detail_of(record: bytes) -> tuple[bytes, bytes]:
    """Give a record's letter and what says most of it: a file's digest, a link's target; nothing of a whiteout."""
    return (record[:1], b"") if record == _WHITEOUT else (record[:1], _split_netstrings(record[1:])[1])


def _netstring(data: bytes) -> bytes:
    return b"%d:%b," % (len(data), data)


def _split_netstrings(data: bytes) -> list[bytes]:
    parts = []
    position = 0
    while position < len(data):
        colon = data.index(b":", position)
        end = colon + 1 + int(data[position:colon])
        parts.append(data[colon + 1 : end])
        position = end + 1
    return parts


class Root:
    """A root file system that layers are applied to. Its tables go to disk once they outgrow a limit."""

    def __init__(self, space: SpillSpace) -> None:
        self._space = space
        self._records = SpillTable(space, MAX_ROOT_BYTES)
        self._groups = SpillTable(space, MAX_ROOT_BYTES // 8)
        self._replaced = SpillTable(space, MAX_ROOT_BYTES // 8)
        self._implied = 0
        self._next_group = 0
        self._layer = 0
        self._index = 0
        self._resolver = PathResolver(self._link_at, self._imply)
        self._put(b"/", _IMPLIED)

    def apply(self, layer: int, entries: SpillList) -> None:
        """Apply a layer: pairs of path and `record_of`. Raises MalformedImageError where no runtime could.

        `layer` is its position from 0, the same that `layer_at` gives back.
        """
        self._layer, self._index = layer + 1, 0
        self._apply_whiteouts(entries)
        for path, record in entries:
            self._index += 1
            if record != _WHITEOUT:
                self._apply_entry(path, record)
        self._drop_replaced()

    def layer_at(self, path: bytes) -> int | None:
        """Tell which layer put what is at `path` now; None when nothing is there."""
        stored = self._records.get(path)
        if stored is None:
            stored = self._records.get(self._resolver.locate(path, create=False))
        return None if stored is None else _SEQUENCE.unpack_from(stored)[0] - 1

    def digest(self) -> Digest:
        """Compute the `files/v1` digest."""
        hasher = hashlib.sha256(b"files/v1\n")
        smallest = SpillTable(self._space, MAX_ROOT_BYTES // 8)
        for path, stored in self._records.items():
            record = stored[_SEQUENCE.size :]
            if record[:1] == _GROUP:
                record = self._member(record, path, smallest)
            hasher.update(b"%d:%b,%b\n" % (len(path), path, record[1:]))
        smallest.close()
        return Digest(f"sha256:{hasher.hexdigest()}")

    def copy(self) -> Root:
        """Make an independent copy."""
        other = Root(self._space)
        other._records, other._groups = self._records.copy(), self._groups.copy()
        other._implied, other._next_group = self._implied, self._next_group
        other._layer, other._index = self._layer, self._index
        return other

    def _put(self, path: bytes, record: bytes) -> None:
        self._records.put(path, _SEQUENCE.pack(self._layer, self._index) + record)

    def _live(self, path: bytes) -> bytes | None:
        """Look a path up, passing over what a later entry of this layer has removed with its parent."""
        stored = self._records.get(path)
        if stored is None or not self._replaced.any():
            return stored
        return None if self._is_replaced(path, stored) else stored

    def _is_replaced(self, path: bytes, stored: bytes) -> bool:
        end = path.rfind(b"/")
        while end > 0:
            when = self._replaced.get(path[:end])
            if when is not None and stored[: _SEQUENCE.size] < when:
                return True
            end = path.rfind(b"/", 0, end)
        return False

    def _link_at(self, path: bytes) -> tuple[str, bytes]:
        """Tell the resolver what is at a path: `missing`, `directory`, `link` (with its target) or `other`."""
        stored = self._live(path)
        if stored is None:
            return "missing", b""
        record = stored[_SEQUENCE.size :]
        if record[:1] == b"d":
            return "directory", b""
        if record[:1] == _GROUP:
            record = self._groups.get(record[1:]) or record
        return ("link", _split_netstrings(record[1:])[1]) if record[:1] == b"l" else ("other", b"")

    def _imply(self, path: bytes) -> None:
        self._implied += 1
        if self._implied > MAX_IMPLIED_PARENTS:
            raise MalformedImageError(f"layer {self._layer - 1} implies more than {MAX_IMPLIED_PARENTS} directories")
        self._put(path, _IMPLIED)

    def _apply_whiteouts(self, entries: SpillList) -> None:
        hidden = SpillTable(self._space, MAX_ROOT_BYTES // 8)
        for path, record in entries:
            if record != _WHITEOUT:
                continue
            parent, _, name = path.rpartition(b"/")
            parent = self._resolver.resolve(parent or b"/", create=True)
            if name == OPAQUE_WHITEOUT:
                hidden.add(parent.rstrip(b"/") + b"/")
            elif not name.startswith(WHITEOUT_META_PREFIX):
                hidden.add(parent.rstrip(b"/") + b"/" + name.removeprefix(WHITEOUT_PREFIX))
        if hidden.any():
            self._remove(path for path, _ in self._records.items() if path != b"/" and _is_hidden(path, hidden))
            self._resolver.forget()
        hidden.close()

    def _remove(self, paths: Iterable[bytes]) -> None:
        doomed = SpillList(self._space, MAX_ROOT_BYTES // 8)
        for path in paths:
            doomed.append(path, b"")
        for path, _ in doomed:
            self._records.remove(path)
        doomed.close()

    def _apply_entry(self, path: bytes, record: bytes) -> None:
        if len(path) > MAX_PATH_BYTES:
            raise MalformedImageError(
                f"layer {self._layer - 1} has a path of {len(path)} bytes, over the {MAX_PATH_BYTES} that Linux has"
            )
        path = self._resolver.locate(path, create=True)
        before = self._live(path)
        kind = record[:1]
        if before is not None:
            if path == b"/" and kind != b"d":
                raise MalformedImageError(f"layer {self._layer - 1} replaces the root directory")
            kind_before = before[_SEQUENCE.size : _SEQUENCE.size + 1]
            if kind_before == b"d" and kind != b"d":
                self._replaced.put(path, _SEQUENCE.pack(self._layer, self._index))
            if kind_before in (b"l", _GROUP) or (kind_before == b"d" and kind != b"d"):
                self._resolver.forget()
        if kind == b"h":
            record = self._linked(path, record)
        self._put(path, record)

    def _linked(self, path: bytes, record: bytes) -> bytes:
        head, target, *xattrs = _split_netstrings(record[1:])
        target = self._resolver.locate(target, create=False)
        stored = self._live(target)
        if stored is None or stored[_SEQUENCE.size : _SEQUENCE.size + 1] in (b"d", b"h") or target == path:
            return record
        found = stored[_SEQUENCE.size :]
        if found[:1] != _GROUP:
            group = struct.pack(">Q", self._next_group)
            self._next_group += 1
            self._groups.put(group, found)
            self._records.put(target, stored[: _SEQUENCE.size] + _GROUP + group)
        else:
            group = found[1:]
        shared = self._groups.get(group) or b""
        shared_head, detail, *shared_xattrs = _split_netstrings(shared[1:])
        letter, mode, *_ = shared_head.split(b" ")
        _, link_mode, uid, gid = head.split(b" ")
        joined = b" ".join((letter, mode if letter == b"l" else link_mode, uid, gid))
        self._groups.put(group, letter + b"".join(map(_netstring, (joined, detail, *(xattrs or shared_xattrs)))))
        return _GROUP + group

    def _member(self, record: bytes, path: bytes, smallest: SpillTable) -> bytes:
        shared = self._groups.get(record[1:]) or b""
        first = smallest.get(record[1:])
        if first is None:
            smallest.put(record[1:], path)
            return shared
        head = _split_netstrings(shared[1:])[0]
        return b"h" + _netstring(b"h" + head[1:]) + _netstring(first)

    def _drop_replaced(self) -> None:
        if self._replaced.any():
            self._remove(path for path, stored in self._records.items() if self._is_replaced(path, stored))
            self._replaced.close()
            self._replaced = SpillTable(self._space, MAX_ROOT_BYTES // 8)


def _is_hidden(path: bytes, hidden: SpillTable) -> bool:
    if hidden.get(path) is not None:
        return True
    end = path.rfind(b"/")
    while end >= 0:
        if hidden.get(path[: end + 1]) is not None or (end > 0 and hidden.get(path[:end]) is not None):
            return True
        end = path.rfind(b"/", 0, end) if end > 0 else -1
    return False
