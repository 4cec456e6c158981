"""Mount points of the build's containers end up in the layer.

What varies: the mtimes of `/proc`, `/sys`, `/dev`, `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`, over which a
builder mounts its own while a RUN runs, and which it makes where the base has none.

Why it matters: a RUN that writes nothing still makes a layer, another one each time.

How it is recognised: by path, and an mtime within its own build's window.

Remedy: a base image that has these entries, Buildah 1.42 or later, or the builder's timestamp rewriting.

Source: BuildKit's thread 3455; buildah#5592.
"""

from __future__ import annotations

from verifier.causes.cause import HEADERS, Cause
from verifier.causes.entry_times import claim_entry_time, is_mount_point

__all__ = ["cause"]

cause = Cause(
    slug="mount-point-entry",
    page=__doc__ or "",
    remedy="use a base image that has /proc, /sys, /dev and /etc/hosts, or build with --timestamp or rewrite-timestamp",
    severity="note",
    timed=True,
    reach=HEADERS,
    normalise=claim_entry_time(is_mount_point),
)
