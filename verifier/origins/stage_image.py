"""One image of one build, by path: which layers hold it, by which instructions, and with what in it."""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from verifier.dockerfile.copies import Surrounding
from verifier.errors import ResourceError
from verifier.model.difference import FieldValue
from verifier.model.instruction import Instruction
from verifier.oci.blob import expansion_limit, stream_layer
from verifier.oci.digest import Digest
from verifier.oci.image import Image, Layer
from verifier.oci.tar import TarReader, read_content
from verifier.oci.tar_entry import (
    DIRECTORY,
    HARDLINK,
    OPAQUE_WHITEOUT,
    SYMLINK,
    WHITEOUT_PREFIX,
    TarEntry,
    has_data,
    normalise_path,
)

MAX_ENTRIES: Final = 400_000
"""Entries of one image that are held in memory; past it nothing is said of what made them."""

MAX_FILE_BYTES: Final = 1024 * 1024
"""Of a file that is looked into for values that came from it."""

_MAX_LINKS: Final = 40
"""Symlinks on the way to one path, as in Linux."""

_WILDCARD: Final = re.compile(r"(?<!\\)[*?\[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One path in one layer: the instruction that made the layer (None where that is not known) and the entry.

    `digest` is the content's, None for what has none and for sizes that nobody asked for.
    """

    layer: int
    instruction: Instruction | None
    entry: TarEntry
    digest: str | None

    def value(self, field: str) -> FieldValue:
        """Give the value of a difference's field, as it stands in the report."""
        entry = self.entry
        if field == "content":
            return self.digest
        if field == "mode":
            return f"{entry.mode:04o}"
        if field.startswith("xattr:"):
            name = field.removeprefix("xattr:").encode()
            return next((base64.b64encode(value).decode() for key, value in entry.xattrs if key == name), None)
        value = getattr(entry, "type" if field == "entry" else field)
        return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value


def has_wildcard(pattern: str) -> bool:
    """Tell whether a COPY's source is a pattern."""
    return _WILDCARD.search(pattern) is not None


class StageImage:
    """The image of a stage, or of the target, as one build made it; layers are read when they are asked for.

    `instructions` are those of its layers. `equal` are the `diff_ids` that the other side's image has too: nothing in
    them can differ, so they are not read but for their links. `sizes` are the contents' sizes that count.
    """

    def __init__(
        self,
        image: Image,
        instructions: Sequence[Instruction | None],
        equal: Collection[Digest],
        sizes: Collection[int],
    ) -> None:
        self._image = image
        self._instructions = instructions
        self._equal = equal
        self._sizes = sizes
        self._layers: dict[int, dict[bytes, Held]] | None = None
        self._contents: dict[str, list[tuple[bytes, Held]]] | None = None
        self._links: dict[bytes, bytes] | None = None
        self._left = MAX_ENTRIES

    @property
    def surrounding(self) -> Surrounding:
        """What the image's config tells of the base that it stands on."""
        inner = json.loads(self._image.config.raw).get("config")
        settings = inner if isinstance(inner, dict) else {}
        pairs = (str(item).partition("=") for item in settings.get("Env") or ())
        return Surrounding(
            environment={name: value for name, _, value in pairs}, folder=str(settings.get("WorkingDir") or "/")
        )

    def count_size(self, size: int | None) -> None:
        """Let the contents of one more size count; layers that were read already are read again then."""
        if size is not None and size not in self._sizes:
            self._sizes = {*self._sizes, size}
            self._layers = self._contents = None
            self._left = MAX_ENTRIES

    def holders(self, path: bytes) -> list[Held]:
        """List the layers that hold a path, the one that counts first, down to one that hides what is below.

        Raises NoVerdictError as reading a layer does.
        """
        found: list[Held] = []
        layers = self._read()
        if not any(path in entries for entries in layers.values()):
            return found
        for layer in sorted(layers, reverse=True):
            entries = layers[layer]
            if path in entries:
                found.append(entries[path])
            elif _is_hidden(path, entries):
                break
        return found

    def contents(self, digest: str) -> list[tuple[bytes, Held]]:
        """List every path that holds this content in some layer, the lowest layer first."""
        if self._contents is None:
            self._contents = {}
            for _, entries in sorted(self._read().items()):
                for path, held in entries.items():
                    if held.digest is not None:
                        self._contents.setdefault(held.digest, []).append((path, held))
        return self._contents.get(digest, [])

    def matching(self, pattern: str) -> dict[str, bool]:
        """Find the paths that a COPY's source with wildcards stands for, and tell of each whether it is a folder.

        The pattern is Go's (path/filepath, "Match"). Raises NoVerdictError as reading a layer does.
        """
        try:
            expression = re.compile(_translated(pattern.rstrip("/")), re.DOTALL)
        except re.error:
            return {}  # a range that ends before it begins
        depth = pattern.rstrip("/").count("/") + 1
        found: dict[str, bool] = {}
        for entries in self._read().values():
            for path, held in entries.items():
                # a folder that a pattern means may have no entry of its own in these layers
                parts = path.decode("utf-8", "surrogateescape").split("/")
                name = "/".join(parts[:depth])
                if len(parts) >= depth and expression.fullmatch(name):
                    is_folder = len(parts) > depth or held.entry.type == DIRECTORY
                    found[name] = found.get(name, False) or is_folder
        return found

    def files_before(self, instruction: Instruction) -> dict[tuple[bytes, Instruction], int]:
        """List the files that may be read of the layers of earlier instructions, each with its layer's number."""
        return {
            (path, held.instruction): number
            for number, entries in sorted(self._read().items())
            for path, held in entries.items()
            if held.instruction is not None
            and held.instruction < instruction
            and has_data(held.entry.type)
            and held.entry.size <= MAX_FILE_BYTES
        }

    def paths_of(self, instruction: Instruction) -> frozenset[bytes | None]:
        """List what stands in the layers of one instruction."""
        return frozenset(
            path
            for entries in self._read().values()
            for path, held in entries.items()
            if held.instruction == instruction
        )

    def read_files(self, layer: int, paths: Collection[bytes]) -> dict[bytes, bytes]:
        """Read files of one layer, each at most MAX_FILE_BYTES. Raises NoVerdictError as reading a layer does."""
        found: dict[bytes, bytes] = {}
        for entry, reader in self._walk(self._image.layers[layer]):
            if entry.path in paths and has_data(entry.type) and entry.size <= MAX_FILE_BYTES:
                pieces: list[bytes] = []
                read_content(reader, pieces.append)
                found[entry.path] = b"".join(pieces)
        return found

    def resolve(self, path: str) -> str:
        """Follow every symlink in a path, the last part's too. Raises NoVerdictError as reading a layer does."""
        links = self._all_links()
        done, waiting = "/", [part for part in path.split("/") if part]
        for _ in range(_MAX_LINKS + len(waiting) * _MAX_LINKS):
            if not waiting:
                break
            step = posixpath.normpath(posixpath.join(done, waiting.pop(0)))
            link = links.get(step.encode("utf-8", "surrogateescape"))
            if link is None:
                done = step
                continue
            target = link.decode("utf-8", "surrogateescape")
            waiting[:0] = [part for part in target.split("/") if part]
            done = "/" if target.startswith("/") else done
        return done

    def _read(self) -> dict[int, dict[bytes, Held]]:
        if self._layers is None:
            self._layers = {
                number: self._entries(number, layer)
                for number, layer in enumerate(self._image.layers)
                if layer.diff_id not in self._equal
            }
        return self._layers

    def _entries(self, number: int, layer: Layer) -> dict[bytes, Held]:
        found: dict[bytes, Held] = {}
        for entry, reader in self._walk(layer):
            self._left -= 1
            if self._left < 0:
                raise ResourceError(f"it has more than {MAX_ENTRIES:,} entries that may differ")
            digest = None
            if has_data(entry.type) and entry.size in self._sizes:
                hasher = hashlib.sha256()
                read_content(reader, hasher.update)
                digest = f"sha256:{hasher.hexdigest()}"
            # a hardlink is the file that it names, in the same layer
            meant = found.get(normalise_path(entry.linkname)) if entry.type == HARDLINK else None
            found[entry.path] = meant or Held(
                layer=number, instruction=self._instructions[number], entry=entry, digest=digest
            )
        return found

    def _all_links(self) -> Mapping[bytes, bytes]:
        if self._links is None:
            self._links = {}
            for layer in self._image.layers:
                for entry, _ in self._walk(layer):
                    if entry.type == SYMLINK:
                        self._links[entry.path] = entry.linkname
                    else:
                        self._links.pop(entry.path, None)
        return self._links

    def _walk(self, layer: Layer) -> Iterator[tuple[TarEntry, TarReader]]:
        """Yield the entries of a layer, and read it to its end, for its digests."""
        what = f"{self._image.reference}: layer {layer.descriptor.digest}"
        pieces = stream_layer(self._image.blobs, layer)
        reader = TarReader(pieces, what, hole_limit=expansion_limit(layer.descriptor))
        while (raw := reader.next_header()) is not None:
            entry = reader.parse(raw)
            reader.begin(entry)
            yield entry, reader
            reader.end()
        reader.trailer()


def _is_hidden(path: bytes, entries: Mapping[bytes, Held]) -> bool:
    """Tell whether a layer hides what lower layers have at a path, or at a folder above it."""
    while path not in (b"/", b""):
        folder, _, name = path.rpartition(b"/")
        if folder + b"/" + WHITEOUT_PREFIX + name in entries or folder + b"/" + OPAQUE_WHITEOUT in entries:
            return True
        path = folder
    return False


def _translated(pattern: str) -> str:
    """Write Go's pattern as a regular expression; what is malformed matches itself alone."""
    parts = []
    for match in re.finditer(r"\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|(\*)|(\?)|(.)", pattern, re.DOTALL):
        escaped, negated, members, star, any_one, plain = match.groups()
        if members is not None:
            parts.append(f"[{negated}{members.replace('[', chr(92) + '[')}]")
        elif star or any_one:
            parts.append("[^/]*" if star else "[^/]")
        else:
            parts.append(re.escape(escaped or plain or ""))
    return "".join(parts)
