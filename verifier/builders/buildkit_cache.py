"""Which records of BuildKit's cache a build of ours has made, told from everybody else's.

BuildKit names no owner. A record counts as ours when it was not there before the run, was created while the vertex
ran that must have made it, and says so in its description; a cache mount when it bears our namespace. Of two records
where only one can be ours, neither is touched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from verifier.builders.buildkit_progress import Vertex
from verifier.clients.build_cache import CacheRecord

_BEFORE: Final = timedelta(milliseconds=50)
_AFTER: Final = timedelta(seconds=1)
"""A record is committed a moment after its vertex is done."""

_FLAGS: Final = re.compile(r"\s*--[a-z-]+(?:=\S+)?")
_STEP_PREFIX: Final = re.compile(r"\[[^\]]*\] (RUN\b)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRecords:
    """The records of one build: those that are certainly ours, and those that may be somebody else's."""

    certain: tuple[CacheRecord, ...]
    doubtful: tuple[CacheRecord, ...]


def own_records(
    records: Sequence[CacheRecord],
    known: Iterable[str],
    vertices: Iterable[Vertex],
    namespace: str,
    began: datetime,
) -> OwnRecords:
    """Tell which of `records` a build made.

    `known` are the IDs that were there before the run; `namespace` is the build's cache mount namespace; `began` is
    when the build began, by BuildKit's clock.
    """
    skipped = frozenset(known)
    fresh = [
        record
        for record in records
        if record.id not in skipped and record.created is not None and record.created >= began - _BEFORE
    ]
    seen = [vertex for vertex in vertices if not vertex.cached]
    certain, doubtful = _split({record.id: record for record in fresh if _fits(record, seen, namespace)}, seen)
    # What lies under our own records and is as fresh (an unpacked base layer) was made for them.
    by_id = {record.id: record for record in fresh}
    waiting = [parent for record in certain.values() for parent in record.parents]
    while waiting:
        record = by_id.get(waiting.pop())
        if record is not None and record.id not in certain and record.id not in doubtful and not _speaks(record):
            certain[record.id] = record
            waiting += record.parents
    return OwnRecords(certain=tuple(certain.values()), doubtful=tuple(doubtful.values()))


def _split(
    fitting: Mapping[str, CacheRecord], vertices: Sequence[Vertex]
) -> tuple[dict[str, CacheRecord], dict[str, CacheRecord]]:
    """Put aside what is there more often than our own vertices can have made it."""
    names = Counter(vertex.name for vertex in vertices)
    counts = Counter(record.description for record in fitting.values() if record.description.startswith("["))
    crowded = {name for name, count in counts.items() if count > names[name]}
    certain = {name: record for name, record in fitting.items() if record.description not in crowded}
    doubtful = {name: record for name, record in fitting.items() if record.description in crowded}
    return certain, doubtful


def _fits(record: CacheRecord, vertices: Sequence[Vertex], namespace: str) -> bool:
    if record.kind == "exec.cachemount" and ' with id "' in record.description:
        return f' with id "{namespace}/' in record.description
    return any(_made(vertex, record) for vertex in vertices if _during(vertex, record))


def _made(vertex: Vertex, record: CacheRecord) -> bool:
    """Tell by the description whether this vertex is one that makes such a record."""
    words, name = record.description, vertex.name
    if words.startswith("["):
        return words == name
    if " from exec " in words:
        return vertex.is_step and _squeeze(words).endswith(_squeeze(_command(name)))
    from_base = "] FROM " in name or name.startswith("[context ")
    if words == "fileop target":  # BuildKit before 0.9 says no more of a COPY, ADD or WORKDIR
        return vertex.is_step and not from_base and "] RUN" not in name
    if words.startswith("local source for "):
        return name.startswith("[internal] load ")
    if words.startswith(("http", "git")):
        return not vertex.is_step and not name.startswith("[internal]")
    return from_base and (not words.strip() or words.startswith(("pulled from ", "from local")))


def _during(vertex: Vertex, record: CacheRecord) -> bool:
    if vertex.started is None or record.created is None:
        return vertex.started is None  # plain progress has no times: the build's own window must do
    end = vertex.completed or record.created
    return vertex.started - _BEFORE <= record.created <= end + _AFTER


def _speaks(record: CacheRecord) -> bool:
    """Whether a record says what made it: then that, not its place, decides whose it is."""
    return record.description.startswith("[") or " from exec " in record.description


def _command(name: str) -> str:
    """Cut a RUN's vertex down to its command; of a heredoc only the script's beginning is named."""
    text = _STEP_PREFIX.sub("", name, count=1)
    while match := _FLAGS.match(text):
        text = text[match.end() :]
    return text if "<<" not in text else ""


def _squeeze(text: str) -> str:
    return " ".join(text.replace('"', " ").replace(",", " ").strip("[] ").split())
