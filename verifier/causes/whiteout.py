"""Whiteouts carry the time when the build removed something.

What varies: the mtime in the tar header of `.wh.` entries, which stand for what a layer removed from those below.

Why it matters: a RUN that only removes files makes another layer each time.

How it is recognised: by the entry's name, and an mtime within its own build's window. A whiteout on one side only is
not this cause: that says that the two sides removed different things.

Remedy: BuildKit 0.13 with SOURCE_DATE_EPOCH and `rewrite-timestamp=true`, `--timestamp` of Buildah and Podman, or
remove files in the RUN that made them, so that no whiteout is needed.

Source: OCI image specification, "Whiteouts"; BuildKit's threads 3168 and 3180.
"""

from __future__ import annotations

from verifier.causes.cause import HEADERS, Cause
from verifier.causes.entry_times import claim_entry_time, is_whiteout

__all__ = ["cause"]

cause = Cause(
    slug="whiteout",
    page=__doc__ or "",
    remedy="remove files in the RUN that made them, or build with rewrite-timestamp=true or --timestamp",
    timed=True,
    reach=HEADERS,
    normalise=claim_entry_time(is_whiteout),
)
