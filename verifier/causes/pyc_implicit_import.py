"""An import wrote bytecode with a time in it, though SOURCE_DATE_EPOCH was given.

What varies: bytes 8 to 11 of a `.pyc` whose flags word is 0: the source's modification time.

Why it matters: `py_compile` and pip heed SOURCE_DATE_EPOCH and write hash-based files; the import system never does.
Every RUN that imports what the build wrote leaves such files.

How it is recognised: as `pyc-mtime`, where the build was given an epoch, and for files outside of `site-packages` and
`dist-packages`: what stands there pip compiled as a rule, and then `ARG SOURCE_DATE_EPOCH` is missing.

Remedy: `PYTHONDONTWRITEBYTECODE=1` where a RUN imports; or compile beforehand, `python -m compileall
--invalidation-mode unchecked-hash`: an import leaves files alone that are there.

Source: PEP 552; importlib's `SourceLoader.get_code`; py_compile, "PycInvalidationMode".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import claim_number, little_endian
from verifier.formats.field import Field

__all__ = ["cause"]

_INSTALLED: Final = re.compile(rb"/(?:site|dist)-packages/")
_claim_time: Final = claim_number("pyc-mtime", little_endian, "source mtime")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if side.epoch is not None and not _INSTALLED.search(place.path or b""):
        yield from _claim_time(field, place, side)


cause = Cause(
    slug="pyc-implicit-import",
    page=__doc__ or "",
    remedy="set PYTHONDONTWRITEBYTECODE=1 where a RUN imports, or compile with --invalidation-mode unchecked-hash",
    timed=True,
    normalise=_normalise,
)
