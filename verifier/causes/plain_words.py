"""Tell what somebody named from what a program made up: `Settings` and `config2` from `BhVcNk2p`."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = re.compile(rb"[A-Z]?[a-z]{2,}(?:[A-Z][a-z]{2,})*[A-Z]?[0-9]{0,3}")
_UNSPOKEN: Final = re.compile(rb"[bcdfghjklmnpqrstvwxz]{4}|[aeiouy]{4}|[^aeiouyAEIOUY]{5}")
"""Runs that words of European languages hardly have."""

_KINDS: Final = tuple(re.compile(kind) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]"))


def is_plain_word(value: bytes) -> bool:
    """Tell whether a value reads as words, with a letter or a number behind them at most.

    Of eight letters and digits drawn by chance about one in a hundred does, of six one in thirty.
    """
    return _WORDS.fullmatch(value) is not None and _UNSPOKEN.search(value.rstrip(b"0123456789")) is None


def is_made_up(value: bytes, *, mixed_case: bool = False) -> bool:
    """Tell whether letters and digits mix as in what is drawn by chance; `mixed_case` asks for capitals and small ones.

    Of six letters and digits drawn by chance about one in twenty does not: judge both sides' values, not one.
    """
    kinds = [kind.search(value) is not None for kind in _KINDS]
    return sum(kinds) >= 2 and (all(kinds[:2]) or not mixed_case) and not is_plain_word(value)
