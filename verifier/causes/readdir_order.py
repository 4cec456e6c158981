"""A program wrote files in the order in which the file system lists them.

What varies: the order of names of files: a list of sources, an index, a manifest. A file system lists a folder by the
hashes of the names, or in the order in which they were made, each its own way.

Why it matters: two builds on one machine often agree, and another machine's file system has another order.

How it is recognised: in text, by the same members in another order, as `hash-order` is, where each is a path or a
file's name with its suffix. A program that keeps file names in a hash writes the same, and cannot be told from this:
sorting helps against both. Nor can a search path that somebody wrote in another order: hence a list is never called
proven.

Remedy: sort the names: `LC_ALL=C sort`, `sorted(os.listdir(…))`, `$(sort $(wildcard *.c))`, `tar --sort=name`.

Source: readdir(3); https://reproducible-builds.org/docs/stable-inputs/.
"""

from __future__ import annotations

from verifier.causes.cause import Cause
from verifier.causes.permuted import claim_order

__all__ = ["cause"]

cause = Cause(
    slug="readdir-order",
    page=__doc__ or "",
    remedy="sort the names: LC_ALL=C sort, sorted(os.listdir(…)), $(sort $(wildcard *.c)), tar --sort=name",
    normalise=claim_order("readdir"),
)
