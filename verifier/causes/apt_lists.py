"""apt's lists of what the archive holds stay in the image.

What varies: `/var/lib/apt/lists/*`: the archive's index files of the day, with their date.

Why it matters: the archive changes several times a day, and its lists with it; they are of no use in an image.

How it is recognised: in the Dockerfile, by `apt-get update` in an instruction that does not remove the lists.

Remedy: end the same RUN with `rm -rf /var/lib/apt/lists/*`; a later one does not take them out of the layer.

Source: Docker documentation, "Building best practices", "apt-get".
"""

from __future__ import annotations

from verifier.causes.cause import Cause
from verifier.causes.rules.leftovers import apt_list_risks

__all__ = ["cause"]

cause = Cause(
    slug="apt-lists",
    page=__doc__ or "",
    remedy="remove the lists in the same RUN: rm -rf /var/lib/apt/lists/*",
    risk=apt_list_risks,
)
