"""Files carry the time when the build wrote them.

What varies: the mtime in the tar header of files, links and devices whose content and everything else is the same.

Why it matters: a layer's `diff_id` covers its tar headers, so one second is another layer.

How it is recognised: the mtime lies within its own build's window, by the builder's clock. An mtime from before the
build (of a base, an archive, the context) is not this cause.

Remedy: BuildKit 0.13 with SOURCE_DATE_EPOCH and `rewrite-timestamp=true`, or `--timestamp` of Buildah and Podman.
SOURCE_DATE_EPOCH alone leaves the times in layers as they are.

Source: BuildKit, docs/build-repro.md; buildah-build(1), `--timestamp`, `--rewrite-timestamp`.
"""

from __future__ import annotations

from verifier.causes.cause import HEADERS, Cause, Place
from verifier.causes.entry_times import claim_entry_time, is_mount_point, is_whiteout
from verifier.oci.tar_entry import DIRECTORY

__all__ = ["cause"]


def _is_file(place: Place) -> bool:
    return place.type not in (None, DIRECTORY) and not is_whiteout(place) and not is_mount_point(place)


cause = Cause(
    slug="file-mtime",
    page=__doc__ or "",
    remedy="build with SOURCE_DATE_EPOCH and rewrite-timestamp=true (BuildKit), or --timestamp (Buildah, Podman)",
    timed=True,
    reach=HEADERS,
    normalise=claim_entry_time(_is_file),
)
