"""What a cause is: knowledge about one thing that varies, in a form that can be proven wrong.

A cause claims stretches of values. It sees one value of one side, where that value stands, and what is known of that
side (its build's window of time); it never sees the other side, nor where the two differ. What it claims is replaced,
and what is left over must be equal on both sides, or the difference is not explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from verifier.causes.inventory import Inventory
from verifier.formats.build_identity import Identity
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

    `window` is None where nothing was built; `epoch` is the SOURCE_DATE_EPOCH that was given to the build, if any;
    `host_names` are those that the build's containers are known to have had. `rewritten` says that times in layers were
    to be rewritten to the epoch. `base_layers` counts the lowest layers, which are known to be the base image's.
    `local_times` says that one of the builds was put into another time zone or language on purpose. `digests` tells
    what the digests, in bytes, of files that differ are: `sha256 of /path`; `sizes` which files, by their paths, have
    a size in digits, of those whose sizes differ. Both are empty where nobody asked.
    `identities` are what frameworks made up for this side's build, as its own files tell.
    """

    window: Window | None = None
    epoch: int | None = None
    builder: BuilderName | None = None
    host_names: frozenset[str] = frozenset()
    rewritten: bool = False
    base_layers: int = 0
    local_times: bool = False
    digests: Mapping[bytes, str] = field(default_factory=dict)
    sizes: Mapping[bytes, Sequence[bytes]] = field(default_factory=dict)
    identities: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a value stands: `field` is the difference's (`mtime`, `content`, a JSON pointer), `path` the entry's.

    `type` is the entry's (a word of `verifier.oci.tar_entry`), None where both sides do not agree or there is none.
    `made_by` is the text of the Dockerfile's instruction that made it, empty where that is not known; where there is no
    Dockerfile it is the image's own history that says so, and `recorded` is set: that leaves out the flags of COPY.
    `is_base` says that a side knows the layer for one of its base image's, `is_cut` that both sides merge to the same
    files out of another number of layers.
    """

    part: Part
    field: str
    path: bytes | None = None
    type: str | None = None
    made_by: str = ""
    recorded: bool = False
    is_base: bool = False
    is_cut: bool = False


def reach_of(place: Place) -> Reach:
    """Tell where a value stands."""
    if place.part != "layer":
        return "document"
    return "content" if place.field == "content" else "header"


class Claim(NamedTuple):
    """One stretch of a field's value that a cause answers for: offsets from the value's start.

    `form` says how the value was written (`%Y-%m-%d`, `hex`): both sides must have the same. `meaning` is set where
    several spellings mean the same: then it, and not the bytes, tells whether the two sides' values differ. `opaque`
    says of this claim alone what a cause's says of all: that its value is taken as given. `follows` says that the value
    is a digest of what lies around it, made before some of that was changed or cut off: where something else varies in
    the same container, the difference is put down to that alone. `dependent` says that such a value explains nothing
    by itself: where nothing else varies there, the difference is left. `guessed` says that what varies is told in full
    and that its reason is the most likely one of several: such a finding is never proven. `doubtful` says that somebody
    may have chosen the value: two that differ and are both doubtful explain nothing.
    """

    start: int
    end: int
    form: str
    meaning: str | None = None
    opaque: bool = False
    follows: bool = False
    dependent: bool = False
    guessed: bool = False
    doubtful: bool = False


class NewName(NamedTuple):
    """The path of an entry with what varies in it replaced; `doubtful` is as a claim's."""

    path: bytes
    doubtful: bool = False


Normaliser = Callable[[Field, Place, SideContext], Iterator[Claim]]
"""Yields claims in ascending order, never overlapping; pure. What does not follow the grammar is not claimed."""

Renamer = Callable[[Place, SideContext], NewName | None]
"""Replaces what varies in the path of an entry that one side alone has; None where nothing in it does; pure."""

Giver = Callable[[Place, SideContext], bool]
"""Tells, knowing one side, that a whole value is taken as given there; pure. Of both sides, both must say so."""

Optional = Callable[[Field, Place, SideContext], bool]
"""Tells of a value that one side's document has whether leaving it out would say the same; pure."""

StaticRule = Callable[["Recipe"], Iterable[Risk]]
"""Yields what a Dockerfile's text lets expect, without any build; fast and pure. Imports nothing heavy when called."""


Reach = Literal["content", "header", "document"]
"""Where values stand: inside of files, in tar headers and layers' descriptions, in manifests, configs and indexes."""

CONTENTS: Final[frozenset[Reach]] = frozenset({"content"})
HEADERS: Final[frozenset[Reach]] = frozenset({"header"})
DOCUMENTS: Final[frozenset[Reach]] = frozenset({"document"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One entry of the catalogue.

    `slug` is the module's name with hyphens; `page` the module's docstring, whose first line is the title. `remedy` is
    one sentence, the shortest thing that helps. `opaque` says that a claim swallows a value without knowing what it
    should be. `timed` says that claims are checked against the build's window: without one they are likely at most.
    `reach` says which values `normalise` is asked about: there are tens of thousands of mtimes, and many causes.
    `optional` answers for members of documents that may as well not be there. `given` answers for whole values that
    come from outside: such a finding is opaque, and comes last, where no normaliser explained the difference. The same
    holds for `inventory`, which knows the files of installed packages.
    """

    slug: str
    page: str
    remedy: str
    severity: Severity = "warning"
    opaque: bool = False
    timed: bool = False
    reach: frozenset[Reach] = CONTENTS
    normalise: Normaliser | None = None
    rename: Renamer | None = None
    optional: Optional | None = None
    given: Giver | None = None
    inventory: Inventory | None = None
    risk: StaticRule | None = None

    @property
    def title(self) -> str:
        """The page's first line, without its full stop."""
        return self.page.strip().partition("\n")[0].rstrip(".")
