"""What shows a cause, and what it looks like without: the fixtures, which are part of the package."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final, Literal

Tried = Literal["verify", "vary", "compare", "check"]

BAD: Final = "Dockerfile"
GOOD: Final = "Dockerfile.remedied"
IGNORE: Final = "Dockerfile.remedied.dockerignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One fixture, as a page shows it.

    `shows` is one sentence. `bad` and `good` are Dockerfiles, `ignore` the good one's ignore file; each is None where
    there is none. `options` and `good_options` are what the tool is given besides.
    """

    shows: str
    tried: Tried
    bad: str | None
    options: tuple[str, ...]
    good: str | None
    good_options: tuple[str, ...]
    ignore: str | None

    @property
    def has_remedied_form(self) -> bool:
        """Whether there is anything that shows the remedy."""
        return self.good is not None or bool(self.good_options)


def read_example(slug: str) -> Example | None:
    """Read the fixture of a cause; None where it has none."""
    folder = resources.files("verifier") / "fixtures" / slug
    label = _text(folder / "fixture.toml")
    if label is None:
        return None
    document = tomllib.loads(label)
    cases = document["case"]
    shown = next((case for case in cases if not case.get("remedied")), cases[0])
    remedied = [case for case in cases if case.get("remedied") and _tried(case) == _tried(shown)]
    return Example(
        shows=document["shows"],
        tried=_tried(shown),
        bad=_text(folder / BAD),
        options=tuple(shown.get("options", ())),
        good=_text(folder / GOOD),
        good_options=tuple(remedied[0].get("options", ())) if remedied else (),
        ignore=_text(folder / IGNORE),
    )


def _tried(case: Mapping[str, Any]) -> Tried:
    tried: Tried = case.get("tried", "verify")
    return tried


def _text(path: Traversable) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None
