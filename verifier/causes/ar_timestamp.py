"""Static libraries record a time for every member.

What varies: bytes 16 to 27 of each member's header in an ar archive.

Why it matters: the same objects in the same order give another `.a` each second.

How it is recognised: by the format, in any path; the time, decimal seconds, lies within its own build's window.

Remedy: `ar D` (deterministic mode: time, owner and mode are left out), the default of most distributions' binutils.

Source: ar(5); GNU binutils, ar(1), modifier `D`.
"""

from __future__ import annotations

from verifier.causes.cause import Cause
from verifier.causes.moments import claim_number

__all__ = ["cause"]


def _seconds(value: bytes) -> float | None:
    text = value.rstrip(b" ")
    return float(text) if text.isdigit() else None


cause = Cause(
    slug="ar-timestamp",
    page=__doc__ or "",
    remedy="use ar in deterministic mode (ar D, as in ar rcsD)",
    timed=True,
    normalise=claim_number("ar-time", _seconds, "seconds"),
)
