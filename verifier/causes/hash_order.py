"""A program wrote the members of a set or map in the order of their hashes.

What varies: the order of the members of what a program keeps by hash: Python's sets (and everything made from them),
Perl's hashes, Go's maps, Ruby's and Rust's where they are hashed with a new seed in every process.

Why it matters: the same program writes the same things in another order each time it runs.

How it is recognised: in text, by the same members in another order: those of a bracket as Python, JSON, Perl, PHP and
Ruby write one, of a list in one line, or of lines with a name, or a name and its value, each. Everything else about
them, how they are divided and laid out, must agree, and no member may stand there twice. Figures alone are no set of
names. Names that come again with other values are no map's keys but directives, statements and what is in a script
(`#!`) are steps: their order says something, and is not claimed. Where every member looks like a file's name, it is
`readdir-order`; where the members are sorted, by rules that disagree, it is `locale-timezone`. Jobs that write to one
file side by side, or a person who put things in another order, may look the same: this is called proven where the
notation says that there is no order, as of JSON's objects and Python's sets, and nowhere else. What Next.js's jobs are
known to write so (`*.nft.json`, its manifests of pages) is not put down to this. In Python's bytecode from before 3.11
and in a pickle, by the members of a set in another order. In a package's `RECORD`, whose order says nothing, by lines
without digest and size, which virtualenv writes from a set.

Remedy: sort before writing (`sorted(…)`, `sort keys %h`, `json.dumps(…, sort_keys=True)`), or fix the seed:
PYTHONHASHSEED=0, PERL_HASH_SEED=0 with PERL_PERTURB_KEYS=0.

Source: Python, `PYTHONHASHSEED`; perlsec, "Algorithmic Complexity Attacks"; Go specification, "For statements";
https://reproducible-builds.org/docs/stable-outputs/; PyPA, "Recording installed projects", the RECORD file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Normaliser, Place, SideContext
from verifier.causes.permuted import claim_order
from verifier.formats.field import Field

__all__ = ["cause"]

_claim_order: Final[Normaliser] = claim_order("hash")
_RECORD: Final = re.compile(rb".*\.dist-info/RECORD", re.DOTALL)
_UNCHECKED: Final = re.compile(rb"^[^,\"\r\n]{1,999},,(?:\n[^,\"\r\n]{1,999},,)+$", re.MULTILINE)
"""Lines of files that were made after the package was: their digests are not recorded."""


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if field.kind == "marshal-set-order":
        yield Claim(0, len(field.value), "order of the sets")
    elif place.field == "content" and field.kind == "text" and _RECORD.fullmatch(place.path or b""):
        for match in _UNCHECKED.finditer(field.value):
            lines = match[0].split(b"\n")
            if len(set(lines)) == len(lines):
                digest = hashlib.sha256(b"\n".join(sorted(lines))).hexdigest()[:32]
                yield Claim(*match.span(), f"the same {len(lines)} files in some order ({digest})", guessed=True)
    else:
        yield from _claim_order(field, place, side)


cause = Cause(
    slug="hash-order",
    page=__doc__ or "",
    remedy="sort before writing, or fix the seed: PYTHONHASHSEED=0, or PERL_HASH_SEED=0 with PERL_PERTURB_KEYS=0",
    normalise=_normalise,
)
