"""apt's lists of what the archive holds stay in the image.

What varies: `/var/lib/apt/lists/*`: the archive's index files of the day, with their date.

Why it matters: the archive changes several times a day, and its lists with it; they are of no use in an image.

How it is recognised: by path; what the archive gave is not looked into, and never called proven. In the Dockerfile, by
`apt-get update` in an instruction that does not remove the lists.

Remedy: end the same RUN with `rm -rf /var/lib/apt/lists/*`; a later one does not take them out of the layer.

Source: Docker documentation, "Building best practices", "apt-get".
"""

from __future__ import annotations

import re
from typing import Final

from verifier.causes.cause import Cause, Place, SideContext
from verifier.causes.rules.leftovers import apt_list_risks

__all__ = ["cause"]

_PATH: Final = re.compile(rb"/var/lib/apt/lists/(?:partial/|auxfiles/)?[^/]+")


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    # apt gives a list the time that the archive says
    return place.field in {"content", "size", "mtime", "entry"} and _PATH.fullmatch(place.path or b"") is not None


cause = Cause(
    slug="apt-lists",
    page=__doc__ or "",
    remedy="remove the lists in the same RUN: rm -rf /var/lib/apt/lists/*",
    given=_given,
    risk=apt_list_risks,
)
