"""Tell text from other bytes."""

from __future__ import annotations

import codecs
from typing import Final

# what programs write into logs and terminals, beside printable characters: tab, newlines, form feed, bell, escape
_CONTROLS: Final = bytes(set(range(0x20)) - {0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1B})


def is_text(data: bytes) -> bool:
    """Tell whether `data` is UTF-8 without control characters that text has no use for."""
    if data.translate(None, _CONTROLS) != data:
        return False
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), 1 << 20):
            decoder.decode(data[start : start + (1 << 20)])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
