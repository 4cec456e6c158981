"""Name the type of a file by its first bytes, for people and for the causes that look inside."""

from __future__ import annotations

from typing import Final

HEAD_BYTES: Final = 512
"""How much of a file's beginning is looked at, in bytes."""

_MAGICS: Final = (
    (b"\x7fELF", "elf"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"!<arch>\ndebian-binary", "deb"),
    (b"!<arch>\n", "ar"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"SQLite format 3\0", "sqlite"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"%PDF-", "pdf"),
    (b"\xca\xfe\xba\xbe", "class"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"\xde\x12\x04\x95", "gettext"),
    (b"\x95\x04\x12\xde", "gettext"),
    (b"-----BEGIN ", "pem"),
    (b"wOFF", "font"),
    (b"wOF2", "font"),
    (b"\0asm", "wasm"),
    (b"TZif", "tzif"),
    (b"MZ", "pe"),
)
_TEXT_CONTROLS: Final = frozenset(b"\t\n\x0b\x0c\r\x1b\x08")
_PYC_MAGIC_END: Final = b"\r\n"


def file_type(head: bytes, path: bytes = b"") -> str:
    """Tell what a file is by its first HEAD_BYTES bytes; the path only tells a .pyc from other binary data."""
    if not head:
        return "empty"
    for magic, name in _MAGICS:
        if head.startswith(magic):
            return name
    if head[2:4] == _PYC_MAGIC_END and path.endswith((b".pyc", b".pyo")):
        return "pyc"
    if head[257:262] == b"ustar":
        return "tar"
    if head.startswith(b"#!"):
        return "script"
    return "text" if _is_text(head[:HEAD_BYTES]) else "data"


def _is_text(head: bytes) -> bool:
    if any(byte < 0x20 and byte not in _TEXT_CONTROLS for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # a character that the head cuts in two is no fault
        return error.start > len(head) - 4 and len(head) == HEAD_BYTES
    return True
