"""A program wrote where something lay in its memory.

What varies: an address: Python's `<object object at 0x7f1c…>`, Perl's `HASH(0x55d…)`, a pointer that C printed, the
identity of a thread in a log.

Why it matters: the kernel puts every process's heap, libraries and stacks elsewhere (ASLR), so that what was meant to
describe a thing describes where it happened to be.

How it is recognised: in text, where words before it say what it is: `at 0x…`, as Python's `repr` prints one; a kind of
reference with the address in brackets, as Perl and Ruby do. Else by the value alone: where Linux puts programs with
their heaps, libraries and stacks on 64-bit processors, in hexadecimal digits behind `0x`; in figures, a thread's
identity there, which is a multiple of 64. What it should be is not known: hence this is never called proven.

Remedy: write what the thing is and not where it is: give the class a `__repr__`, print the reference's content, leave
the thread out of the log's format. `setarch -R` runs a program without such chance.

Source: proc(5), `randomize_va_space`; personality(2), ADDR_NO_RANDOMIZE; Python, `object.__repr__`; perlref, "Using
References"; pthread_self(3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_REFERENCES: Final = rb"(?:SCALAR|ARRAY|HASH|CODE|REF|GLOB|LVALUE|FORMAT|IO|VSTRING|Regexp)"
_ADDRESS: Final = re.compile(
    # Python, in a page as well; Perl; Ruby
    rb"(?<=[\w>)\]\"'] at 0x)(?P<said>[0-9a-f]{7,16}|[0-9A-F]{7,16})(?=[>)\]\"',.;:&\s]|\Z)"
    rb"|(?<![A-Za-z0-9_])" + _REFERENCES + rb"\(0x(?P<perl>[0-9a-f]{7,16})(?=\))"
    rb"|#<[A-Z]\w*(?:::[A-Z]\w*)*:0x(?P<ruby>[0-9a-f]{16})(?=[ >])"
    # where 64-bit Linux puts things: x86-64's mappings and programs, arm64's
    rb"|(?<!\w)0x(?P<placed>(?:0000)?(?:7[ef]|5[56])[0-9a-f]{10}|(?:0000)?(?:ffff|aaaa)[0-9a-f]{8})(?!\w)"
    rb"|(?<![\w.])(?P<thread>1[34]\d{13})(?![\w.]|:\d)"
)
_MAPPINGS: Final = range(0x7E00_0000_0000, 0x8000_0000_0000)
_THREAD_STEP: Final = 64


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field != "content" or field.kind != "text":
        return
    for match in _ADDRESS.finditer(field.value):
        kind = next(name for name, found in match.groupdict().items() if found is not None)
        if kind == "thread" and not _is_thread(int(match[kind])):
            continue
        # how many digits there are is chance where the first ones are zero
        yield Claim(match.start(kind), match.end(kind), f"address ({kind})")


def _is_thread(value: int) -> bool:
    """Tell where glibc puts what describes a thread: in a mapping, aligned."""
    return value in _MAPPINGS and value % _THREAD_STEP == 0


cause = Cause(
    slug="memory-address",
    page=__doc__ or "",
    remedy="print what the thing is and not where it lies: give it a __repr__, leave threads out of the log's format",
    opaque=True,
    normalise=_normalise,
)
