"""Java's archive of loaded classes is dumped while the image is built.

What varies: the archive for class data sharing (`classes.jsa`, `app.jsa`): a copy of what the virtual machine holds in
memory, with identity hashes, addresses and its own checksum.

Why it matters: a step that was meant to make starting faster makes the layer another one in every build.

How it is recognised: by the magic number at its start, in any path, static archives and dynamic ones. The memory is
taken as given: hence this is never called proven. In the Dockerfile, by `java -Xshare:dump` and
`-XX:ArchiveClassesAtExit`.

Remedy: leave it out, or dump it when the container starts first (`-XX:+AutoCreateSharedArchive`, from Java 19 on).

Source: java(1), "Class Data Sharing"; HotSpot, src/hotspot/share/include/cds.h.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.rules.wording import latent
from verifier.dockerfile.recipe import Recipe
from verifier.formats.field import Field
from verifier.model.finding import Risk

__all__ = ["cause"]

_MAGICS: Final = {0xF00BABA2: "static", 0xF00BABA8: "dynamic"}
"""Written as the processor keeps numbers."""

_MIN_BYTES: Final = 4096
"""An archive's header alone is larger."""


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field != "content" or field.kind != "bytes" or field.name or len(field.value) < _MIN_BYTES:
        return
    numbers = (int.from_bytes(field.value[:4], "little"), int.from_bytes(field.value[:4], "big"))
    kind = next((_MAGICS[number] for number in numbers if number in _MAGICS), None)
    if kind is not None:
        yield Claim(0, len(field.value), f"{kind} archive of classes")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        word = next((word for word in command.arguments if _dumps(word)), None)
        if command.name == "java" and word is not None:
            yield latent("java-class-archive", step, f"`java {word}` dumps the machine's memory", command=command)


def _dumps(word: str) -> bool:
    return word == "-Xshare:dump" or word.startswith("-XX:ArchiveClassesAtExit=")


cause = Cause(
    slug="java-class-archive",
    page=__doc__ or "",
    remedy="leave the dump out, or make it when the container starts first",
    opaque=True,
    normalise=_normalise,
    risk=_risks,
)
