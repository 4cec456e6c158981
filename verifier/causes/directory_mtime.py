"""Folders carry the time when the build last changed what is in them.

What varies: the mtime in the tar header of directories: parents that COPY, ADD or WORKDIR made, and parents of
whatever a RUN wrote or removed.

Why it matters: a COPY of unchanged files differs all the same, because of the folders above them.

How it is recognised: the mtime lies within its own build's window, by the builder's clock.

Remedy: BuildKit 0.13 with SOURCE_DATE_EPOCH and `rewrite-timestamp=true`, or `--timestamp` of Buildah and Podman.

Source: BuildKit, docs/build-repro.md, and its threads 2884, 3843, 6348 on parents made by COPY and ADD.
"""

from __future__ import annotations

from verifier.causes.cause import HEADERS, Cause, Place
from verifier.causes.entry_times import claim_entry_time, is_mount_point
from verifier.oci.tar_entry import DIRECTORY

__all__ = ["cause"]


def _is_directory(place: Place) -> bool:
    return place.type == DIRECTORY and not is_mount_point(place)


cause = Cause(
    slug="directory-mtime",
    page=__doc__ or "",
    remedy="build with SOURCE_DATE_EPOCH and rewrite-timestamp=true (BuildKit), or --timestamp (Buildah, Podman)",
    timed=True,
    reach=HEADERS,
    normalise=claim_entry_time(_is_directory),
)
