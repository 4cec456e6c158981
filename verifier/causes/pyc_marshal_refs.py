"""Python's bytecode notes which objects were shared in memory when it was written.

What varies: bit 0x80 of a marshalled object's type byte (FLAG_REF), and with it whether an equal object further on is
written again or referred to by number.

Why it matters: the bit follows from reference counts, and so from what else the compiling process had in memory:
compiling in parallel, after other modules, or by an import gives other bytes for the same code.

How it is recognised: by the format, in any path, for Python 3.8 to 3.14: the code's objects are read with every
reference replaced by what it refers to; constants, names and instructions must be the same, only sharing differs.

Remedy: compile once and serially in a process of its own, `python -m compileall -j 1`, with PYTHONHASHSEED=0.

Source: CPython, Python/marshal.c, `w_ref`; https://github.com/python/cpython/issues/78274.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if field.kind == "marshal-sharing":
        yield Claim(0, len(field.value), "sharing of objects")


cause = Cause(
    slug="pyc-marshal-refs",
    page=__doc__ or "",
    remedy="compile once and serially in a process of its own (python -m compileall -j 1) with PYTHONHASHSEED=0",
    normalise=_normalise,
)
