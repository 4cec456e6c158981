"""Digests as they are written in lists: hexadecimal digits or base64, by the sizes of the algorithms in use.

Programs refer to the file with their debugging information by its CRC-32, and that one to its program by the build ID.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final

from verifier.formats.elf_sections import COPIED_BUILD_ID, DEBUG_LINKS
from verifier.formats.field import Field

ALGORITHMS: Final = {4: "crc32", 16: "md5", 20: "sha1", 32: "sha256", 48: "sha384", 64: "sha512"}
"""Digest algorithms, as hashlib has them, by the size of their digests in bytes."""

_HEX: Final = re.compile(rb"(?<![0-9A-Za-z])[0-9a-fA-F]{32,128}(?![0-9A-Za-z])")
_BASE64: Final = re.compile(rb"(?<![0-9A-Za-z+/])(?:sha(?:1|256|384|512)-)?([0-9A-Za-z+/_-]{22,86})(?![0-9A-Za-z+/_-])")
_STANDARD: Final = frozenset(b"+/")
_TRANSLATED: Final = bytes.maketrans(b"-_", b"+/")
_ENCODED: Final = {(8 * size + 5) // 6: size for size in ALGORITHMS}
"""Sizes of digests by the number of their base64 letters, without padding."""


def written_digests(text: bytes) -> Iterator[tuple[int, int, str, bytes]]:
    """Yield what may be a digest, in no order: where it begins and ends, how it is written, and its bytes."""
    for match in _HEX.finditer(text):
        digits = match[0]
        if len(digits) // 2 in ALGORITHMS and len(digits) % 2 == 0 and digits in (digits.lower(), digits.upper()):
            form = "hexadecimal" if digits == digits.lower() else "capital hexadecimal"
            yield match.start(), match.end(), form, bytes.fromhex(digits.decode())
    for match in _BASE64.finditer(text):
        value = _decoded(match[1]) if len(match[1]) in _ENCODED else None
        if value is not None:
            yield match.start(1), match.end(1), "base64", value


def digests_in(field: Field) -> Iterator[tuple[int, int, str, bytes]]:
    """Yield what may be a digest in a field, in no order: where it begins and ends, how it is written, its bytes."""
    if field.kind in DEBUG_LINKS:
        yield 0, len(field.value), "CRC-32", field.value[:: 1 if DEBUG_LINKS[field.kind] == "big" else -1]
    elif field.kind == COPIED_BUILD_ID:
        yield 0, len(field.value), "build ID", field.value
    else:
        yield from written_digests(field.value)


def _decoded(letters: bytes) -> bytes | None:
    """Decode base64 of either alphabet, without padding; None where no encoder writes it so."""
    standard = letters.translate(_TRANSLATED)
    padded = standard + b"=" * (-len(letters) % 4)
    value = base64.b64decode(padded)
    is_mixed = standard != letters and not _STANDARD.isdisjoint(letters)
    return value if base64.b64encode(value) == padded and not is_mixed else None
