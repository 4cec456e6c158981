"""The running kernel's state is recorded.

What varies: the kernel's release, how long it has been running, its load, memory and processors.

Why it matters: none of it belongs to the image: it describes the machine that built it.

How it is recognised: in the Dockerfile, by `uname -r`, `-v` and `-a`, and by files of `/proc` and `/sys` whose
content is kept. `uname -m` and `-s` name the platform, and count as fixed.

Remedy: do not record it; name the kernel release that is meant, where one is.

Source: uname(1); proc(5).
"""

from __future__ import annotations

from verifier.causes.cause import Cause
from verifier.causes.rules.build_facts import kernel_risks

__all__ = ["cause"]

cause = Cause(
    slug="kernel-state",
    page=__doc__ or "",
    remedy="do not record what the kernel says of itself; name the release that is meant",
    risk=kernel_risks,
)
