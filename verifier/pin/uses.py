"""List what a Dockerfile takes from outside: images in FROM, `COPY --from=` and `--mount=from=`, syntax, ADD's URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from verifier.dockerfile import Dockerfile, ImageUse, Statement, image_uses
from verifier.dockerfile.arguments import BuildArgs
from verifier.model.pin import PinKind
from verifier.oci.platform import Platform

_IMAGE_KINDS: Final[Mapping[str, PinKind]] = {"FROM": "from", "COPY": "copy-from", "RUN": "mount-from"}
_SYNTAX_LINE: Final = re.compile(r"#\s*syntax\s*=", re.IGNORECASE)
_GIT_URL: Final = re.compile(r"(?:git://|git@|ssh://git@|https?://\S+?\.git(?:[#?]|$))")
_URL: Final = re.compile(r"https?://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One thing that is taken from outside: `word` as written, `meaning` expanded, None where `problem` says why not.

    `statement` is None for the syntax directive. `checksum` is ADD's.
    """

    kind: PinKind
    line: int
    word: str
    meaning: str | None
    problem: str | None = None
    statement: Statement | None = None
    platform: Platform | None = None
    checksum: str | None = None


def uses_of(
    dockerfile: Dockerfile,
    build_args: BuildArgs = (),
    platform: Platform | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> tuple[Use, ...]:
    """List every use in the order of the lines, all stages included. Raises DockerfileError."""
    found = [*_syntax(dockerfile), *_additions(dockerfile)]
    found += [_image(use) for use in image_uses(dockerfile, build_args, platform, environment=environment)]
    return tuple(sorted(found, key=lambda use: use.line))


def _image(use: ImageUse) -> Use:
    return Use(
        kind=_IMAGE_KINDS[use.statement.keyword],
        line=use.statement.instruction.line,
        word=use.word,
        meaning=use.reference,
        problem=use.problem,
        statement=use.statement,
        platform=use.platform,
    )


def _syntax(dockerfile: Dockerfile) -> Iterator[Use]:
    if dockerfile.syntax is None:
        return
    lines = dockerfile.text.split("\n")
    line = next((number for number, text in enumerate(lines, start=1) if _SYNTAX_LINE.match(text.strip())), 1)
    word = dockerfile.syntax.split()[0]
    yield Use(kind="syntax", line=line, word=word, meaning=word)


def _additions(dockerfile: Dockerfile) -> Iterator[Use]:
    for statement in dockerfile.statements():
        if statement.keyword != "ADD":
            continue
        for word in statement.arguments[:-1]:
            kind: PinKind | None = "add-git" if _GIT_URL.match(word) else "add-url" if _URL.match(word) else None
            if kind is None:
                continue
            open_variable = "$" in word
            yield Use(
                kind=kind,
                line=statement.instruction.line,
                word=word,
                meaning=None if open_variable else word,
                problem="the URL depends on a variable" if open_variable else None,
                statement=statement,
                checksum=statement.flag("checksum"),
            )
