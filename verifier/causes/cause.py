"""What a cause is: knowledge about one thing that varies, in a form that can be proven wrong.

A cause claims stretches of values. It sees one value of one side, where that value stands, and what is known of that
side (its build's window of time); it never sees the other side, nor where the two differ. What it claims is replaced,
and what is left over must be equal on both sides, or the difference is not explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from verifier.formats.field import Field
from verifier.model.build import BuilderName
from verifier.model.difference import Part
from verifier.model.finding import Risk, Severity

if TYPE_CHECKING:
    from verifier.dockerfile.recipe import Recipe

CLOCK_SLACK: Final = 1
"""Seconds that a file's time may lie before the build's start: the kernel stamps files with its last tick's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a build ran, by the builder's clock, in seconds since 1970; both ends belong to it."""

    start: float
    end: float

    def holds(self, moment: float, precision: float = 1) -> bool:
        """Tell whether something counted in steps of `precision` seconds may have been made in this window."""
        return self.start - CLOCK_SLACK - precision < moment <= self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class SideContext:
    """What a normaliser may know of its side.

    `window` is None where nothing was built; `epoch` is the SOURCE_DATE_EPOCH that was given to the build, if any.
    """

    window: Window | None = None
    epoch: int | None = None
    builder: BuilderName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a value stands: `field` is the difference's (`mtime`, `content`, a JSON pointer), `path` the entry's.

    `type` is the entry's (a word of `verifier.oci.tar_entry`), None where both sides do not agree or there is none.
    """

    part: Part
    field: str
    path: bytes | None = None
    type: str | None = None


class Claim(NamedTuple):
    """One stretch of a field's value that a cause answers for: offsets from the value's start.

    `form` says how the value was written (`%Y-%m-%d`, `hex`): both sides must have the same. `meaning` is set where
    several spellings mean the same: then it, and not the bytes, tells whether the two sides' values differ.
    """

    start: int
    end: int
    form: str
    meaning: str | None = None


Normaliser = Callable[[Field, Place, SideContext], Iterator[Claim]]
"""Yields claims in ascending order, never overlapping; pure. What does not follow the grammar is not claimed."""

Renamer = Callable[[Place, SideContext], bytes | None]
"""Replaces what varies in the path of an entry that one side alone has; None where nothing in it does; pure."""

StaticRule = Callable[["Recipe"], Iterable[Risk]]
"""Yields what a Dockerfile's text lets expect, without any build; fast and pure. Imports nothing heavy when called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One entry of the catalogue.

    `slug` is the module's name with hyphens; `page` the module's docstring, whose first line is the title. `remedy` is
    one sentence, the shortest thing that helps. `opaque` says that a claim swallows a value without knowing what it
    should be. `timed` says that claims are checked against the build's window: without one they are likely at most.
    """

    slug: str
    page: str
    remedy: str
    severity: Severity = "warning"
    opaque: bool = False
    timed: bool = False
    normalise: Normaliser | None = None
    rename: Renamer | None = None
    risk: StaticRule | None = None

    @property
    def title(self) -> str:
        """The page's first line, without its full stop."""
        return self.page.strip().partition("\n")[0].rstrip(".")
