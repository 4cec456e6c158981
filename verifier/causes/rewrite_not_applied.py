"""Times were to be rewritten, and were not.

What varies: mtimes in a layer that are later than SOURCE_DATE_EPOCH although the build was asked to rewrite them.

Why it matters: the build looks as if it were reproducible, with the epoch in the config; a rewrite that fails is only a
warning in BuildKit's log.

How it is recognised: the build was run with an epoch and with its rewriting of times, the layer is none of the base
image's, and an entry's time is later than the epoch: rewriting leaves none that is.

Remedy: an exporter that rewrites (`--output type=oci,rewrite-timestamp=true`; `type=image` on the docker driver does
not), BuildKit 0.14 or later where COPY has `--link`; look for the warning in the log.

Source: BuildKit, docs/build-repro.md, its threads 4746 (`--link`) and 4805; buildah-build(1), `--rewrite-timestamp`.
"""

from __future__ import annotations

from verifier.causes.cause import HEADERS, Cause, Place, SideContext
from verifier.causes.entry_times import claim_time_if

__all__ = ["cause"]


def _is_left(moment: float, place: Place, side: SideContext) -> bool:
    return side.rewritten and side.epoch is not None and moment > side.epoch and not place.is_base


cause = Cause(
    slug="rewrite-not-applied",
    page=__doc__ or "",
    remedy="use an exporter and a version of the builder that rewrite every layer, and look for its warning",
    severity="error",
    reach=HEADERS,
    normalise=claim_time_if(_is_left),
)
