"""The labelled cases: every `fixtures/<cause>/fixture.toml`, read into one value a case and builder.

shows       one sentence: what the fixture shows
[[case]]    once for each way of trying it:
tried       how, see `Tried`; "verify" unless given
builders    for "verify" and "vary", and them alone
options     more options of the command; one may be the whole remedy
remedied    true: this is the remedied form, from which the cause must be gone
line        where the cause must be found; 0 or none: at no line of the Dockerfile
along       causes that may come along, besides those of every build with the builder
confidence  "likely" where nobody can be sure: an order, say, may have been meant
level       the level that must be reached
status      for "check": the risk's status, "latent" unless given
leaves      for "check": "note" where the remedied form may leave a note, because nothing pins everything
heavy       true: it takes long, and is tried only where every builder is
"""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

ROOT: Final = Path(__file__).resolve().parent.parent
FIXTURES: Final = ROOT / "fixtures"

Tried = Literal["verify", "vary", "compare", "check"]
"""`verify` builds twice; `vary` too, and the second build differs on purpose; `compare` takes two images that
`images.py` of the folder writes; `check` judges the Dockerfile's text alone."""

BUILDERS: Final = ("buildkit", "docker", "buildah", "podman")

AMBIENT: Final[Mapping[str | None, frozenset[str]]] = {
    "buildkit": frozenset({"config-created", "mount-point-entry", "index-created-annotation", "attestation-manifest"}),
    "docker": frozenset({"config-created", "builder-identity"}),
    "buildah": frozenset({"config-created", "builder-identity", "mount-point-entry", "directory-mtime", "file-mtime"}),
    "podman": frozenset({"config-created", "builder-identity", "mount-point-entry", "directory-mtime", "file-mtime"}),
    None: frozenset(),
}
"""What every build with a builder brings along, whatever the Dockerfile says."""

_KEYS: Final = frozenset(
    {"tried", "builders", "options", "remedied", "line", "along", "confidence", "level", "status", "leaves", "heavy"}
)


class LabelError(Exception):
    """A fixture's label cannot be meant as it is written; the message names the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fixture, tried in one way with one builder of those that its label names.

    `builder` is None where nothing is built; `line` is 0 for no line of the Dockerfile.
    """

    cause: str
    tried: Tried
    builder: str | None
    builders: tuple[str, ...]
    options: tuple[str, ...]
    remedied: bool
    line: int
    along: frozenset[str]
    confidence: str | None
    level: str | None
    status: str
    leaves: str | None
    heavy: bool

    @property
    def name(self) -> str:
        """What a person calls it."""
        how = self.builder if self.tried == "verify" else "-".join(filter(None, [self.tried, self.builder]))
        return "-".join([self.cause, str(how), *(["remedied"] if self.remedied else [])])

    @property
    def folder(self) -> Path:
        """The fixture's folder."""
        return FIXTURES / self.cause

    @property
    def dockerfile(self) -> Path:
        """The form to try: an option may be the whole remedy."""
        remedied = self.folder / "Dockerfile.remedied"
        return remedied if self.remedied and remedied.is_file() else self.folder / "Dockerfile"

    @property
    def expected(self) -> frozenset[str]:
        """The causes that may be found beside the one that is shown."""
        return self.along | AMBIENT[self.builder]


def read_cases(fixtures: Path = FIXTURES) -> tuple[Case, ...]:
    """Read every case with every builder that its label names, by cause. Raises LabelError."""
    return tuple(case for path in sorted(fixtures.glob("*/fixture.toml")) for case in _cases(path))


def lean(case: Case) -> bool:
    """Tell whether the case belongs to the short run: each cause with one builder, its remedied form with another.

    Which ones is a matter of the cause's name, so that every builder gets its share and a new fixture moves no other.
    The two are of different stores, which the tests' two workers use side by side.
    """
    if case.builder is None:
        return True
    if case.heavy:
        return False
    number = zlib.crc32(case.cause.encode())
    order = [BUILDERS[(number + 2 * case.remedied + step) % 4] for step in (0, 1, 2, 3)]
    return case.builder == next(name for name in order if name in case.builders)


def _cases(path: Path) -> Iterator[Case]:
    tables = tomllib.loads(path.read_text("utf-8"))["case"]
    for table in tables:
        if unknown := table.keys() - _KEYS:
            raise LabelError(f"{path}: unknown {', '.join(sorted(unknown))}")
        builds = table.get("tried", "verify") in {"verify", "vary"}
        if builds is not bool(table.get("builders")):
            raise LabelError(f"{path}: {'a case that is built' if builds else 'no other case'} names builders")
        for builder in table.get("builders", (None,)):
            yield _case(path, table, builder)
    checked = [table for table in tables if table.get("tried") == "check"]
    if checked and not any(table.get("remedied") for table in checked):
        # The text alone is judged here: its remedied form needs no label of its own.
        yield _case(path, {"tried": "check", "remedied": True, "options": checked[0].get("options", ())}, None)


def _case(path: Path, table: Mapping[str, Any], builder: str | None) -> Case:
    case = Case(
        cause=path.parent.name,
        tried=table.get("tried", "verify"),
        builder=builder,
        builders=tuple(table.get("builders", ())),
        options=tuple(table.get("options", ())),
        remedied=table.get("remedied", False),
        line=table.get("line", 0),
        along=frozenset(table.get("along", ())),
        confidence=table.get("confidence"),
        level=table.get("level"),
        status=table.get("status", "latent"),
        leaves=table.get("leaves"),
        heavy=table.get("heavy", False),
    )
    if case.tried not in get_args(Tried) or builder not in {*BUILDERS, None}:
        raise LabelError(f"{path}: nothing is tried by {case.tried} with {builder}")
    return case
