"""A Rust program holds the path of the folder where it was built.

What varies: a made-up part of a path: in DWARF, and in the messages of panics; and the linker's build ID.

Why it matters: `cargo build` in `mktemp -d`, or `cargo install` from a source that it unpacks there, makes another
program every time.

How it is recognised: in the strings of an ELF file that rustc made, in any path: a component of a path of the forms
that mktemp and cargo make up. A build ID that alone differs says that something differed which was stripped since. A
made-up name is taken as given: hence this is never called proven.

Remedy: build in a folder with a fixed name (`WORKDIR /src`), or with `RUSTFLAGS=--remap-path-prefix=$PWD=/src`; for
`cargo install` give `--target-dir /target`.

Source: rustc, "Command-line Arguments", --remap-path-prefix.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.temporary_paths import claim_temporary_names
from verifier.formats.elf_strings import RUST_STRINGS, order_of
from verifier.formats.field import Field

__all__ = ["cause"]


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field != "content":
        return
    if field.kind == RUST_STRINGS:
        yield from claim_temporary_names(field.value)
    elif field.kind == order_of(RUST_STRINGS):
        yield Claim(0, len(field.value), "order of strings", follows=True)
    elif field.kind == "rust-build-id":
        yield Claim(0, len(field.value), "build ID", opaque=True, follows=True)


cause = Cause(
    slug="rust-path",
    page=__doc__ or "",
    remedy="build in a folder with a fixed name, or with RUSTFLAGS=--remap-path-prefix=$PWD=/src",
    normalise=_normalise,
)
