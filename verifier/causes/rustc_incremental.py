"""rustc made up names for the objects that it compiled incrementally.

What varies: seven letters and figures in the name of each member of a static library (`.rlib`, `.a`):
`acme.09xpootcu2h08f5kspv33yas7.0ut7xcn.rcgu.o`. What is in the members may be the same.

Why it matters: `cargo build` without `--release` compiles incrementally unless it is told not to, as does a release
profile with `incremental = true`: each build gives another library.

How it is recognised: in the table of long names of an ar archive, in any path: behind the digest that names a unit of
incremental compilation (25 figures in base 36) a number of 32 bits in base 36, seven figures wide, and `.rcgu.o`. It is
taken as given: hence this is never called proven.

Remedy: `CARGO_INCREMENTAL=0`, or `incremental = false` in the profile; nobody compiles twice in one image.

Source: cargo, "Profiles", incremental; rustc, `make_invocation_temp` and `OutputFilenames::temp_path_ext_for_cgu`.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.ar_archive import INCREMENTAL, LONG_NAMES
from verifier.formats.field import Field

__all__ = ["cause"]

_LARGEST = 2**32


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field != "content" or field.kind != LONG_NAMES:
        return
    for match in INCREMENTAL.finditer(field.value):
        if int(match[1], 36) < _LARGEST:
            yield Claim(match.start(1), match.end(1), "name of an invocation", opaque=True)


cause = Cause(
    slug="rustc-incremental",
    page=__doc__ or "",
    remedy="build with CARGO_INCREMENTAL=0, or with incremental = false in the profile",
    opaque=True,
    normalise=_normalise,
)
