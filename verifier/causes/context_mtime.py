"""COPY keeps the times that files have in the working copy.

What varies: the mtimes of copied files: when they were checked out, unpacked or edited.

Why it matters: git keeps no times, so that two checkouts of one commit give two images.

How it is recognised: a COPY or ADD of the build context made the entry, and it is a file, or its time lies outside of
the build's window. What the time should be is not known: hence this is never called proven.

Remedy: BuildKit 0.13 with SOURCE_DATE_EPOCH and `rewrite-timestamp=true`, `--timestamp` of Buildah and Podman, or a git
URL as context, whose files have the commit's time from buildx 0.29 on. With BuildKit the epoch must not be later than
the files' times: it rewrites the later ones alone, and an earlier one stays as the working copy has it.

Source: Dockerfile reference, "COPY"; BuildKit, docs/build-repro.md.
"""

from __future__ import annotations

from verifier.causes.cause import HEADERS, Cause, Place, SideContext
from verifier.causes.entry_times import claim_time_if
from verifier.causes.made_by import is_from_context
from verifier.causes.moments import is_of_build
from verifier.oci.tar_entry import DIRECTORY

__all__ = ["cause"]


def _is_the_contexts(moment: float, place: Place, side: SideContext) -> bool:
    if not is_from_context(place) or place.is_base or place.type is None:
        return False
    # builders keep the times of files; a folder may as well have been made by the build
    is_file = place.type != DIRECTORY and (side.window is None or not place.recorded)
    return is_file or (side.window is not None and not is_of_build(side, moment))


cause = Cause(
    slug="context-mtime",
    page=__doc__ or "",
    remedy="build with SOURCE_DATE_EPOCH and rewrite-timestamp=true (BuildKit), or --timestamp (Buildah, Podman)",
    opaque=True,
    reach=HEADERS,
    normalise=claim_time_if(_is_the_contexts),
)
