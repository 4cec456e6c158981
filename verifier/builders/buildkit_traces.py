"""What a run leaves in BuildKit beside images: cache records and records of builds, and their removal by ID."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from verifier.builders.buildkit_cache import own_records
from verifier.builders.buildkit_progress import Vertex
from verifier.clients.build_cache import CacheRecord
from verifier.clients.buildx import Buildx, state_folder
from verifier.clients.engine_endpoint import config_folder
from verifier.errors import NoVerdictError

if TYPE_CHECKING:
    from verifier.clients.engine_client import Engine

_MAX_STATE: Final = 64 * 1024
_LET_GO_SECONDS: Final = 8.0
_SETTLE_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.25
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class BuildTraces:
    """The cache records and build records of one run; `began` is a file time (seconds) from before its first build.

    `forgets` says that pruning anything makes this BuildKit forget every cached step that stands on an image (engines
    with the containerd store, seen with 26.1 and 28.5). Where there is a cache of others already, nothing is pruned.
    """

    def __init__(
        self, buildx: Buildx, builder: str, engine: Engine | None, began: float, *, forgets: bool, history: bool
    ) -> None:
        self._began = began
        self._history = history
        self._buildx = buildx
        self._builder = builder
        self._engine = engine if engine is not None and engine.has_cache_api else None
        there = self._records()
        self._known = frozenset(record.id for record in there)
        self._others_workdir = any("] WORKDIR" in record.description for record in there)
        self.prunes = not (forgets and any(record.kind == "regular" and record.parents for record in there))
        self._pending: dict[str, CacheRecord] = {}
        self._doubtful: dict[str, CacheRecord] = {}

    def may_have_workdir(self, ordinal: int) -> bool:
        """Whether a WORKDIR of build `ordinal` may come from the cache: somebody's, or one that we have to leave."""
        return self._others_workdir or (ordinal > 1 and not self.prunes)

    def sweep(self, vertices: Iterable[Vertex], namespace: str, *, cut_off: bool) -> None:
        """Remove what one build left in the cache, so that the next build finds nothing of it. Raises NoVerdictError.

        BuildKit lets go of a record, and of a build that was `cut_off`, some moments later: so it is asked again.
        """
        seen = tuple(vertices)
        began = min((vertex.started for vertex in seen if vertex.started is not None), default=_LONG_AGO)
        deadline = time.monotonic() + (_LET_GO_SECONDS if cut_off else _SETTLE_SECONDS)
        if cut_off:
            time.sleep(_PAUSE_SECONDS)
        while True:
            own = own_records(self._records(), self._known, seen, namespace, began)
            self._doubtful.update({record.id: record for record in own.doubtful})
            self._pending.update({record.id: record for record in own.certain})
            found = bool(self._pending)
            self._prune()
            if not self.prunes or (not self._pending and not (cut_off and found)):
                return
            if time.monotonic() > deadline:
                return
            time.sleep(_PAUSE_SECONDS)

    def remove(self, contexts: Iterable[Path]) -> tuple[str, ...]:
        """Remove what is left and name what cannot be removed; `contexts` are the folders that were built from."""
        left: list[str] = []
        self._note(left, "build cache", self._prune)
        if self.prunes:
            left += [f"cache record {name} ({record.description[:60]})" for name, record in self._pending.items()]
            left += [f"cache record {name} (perhaps another build's)" for name in self._doubtful]
        elif self._pending:
            left.append(
                f"{len(self._pending)} cache records of builder {self._builder}, left to BuildKit's own collection: "
                "pruning them would make it forget the other cached steps"
            )
        self._note(left, "build records", lambda: self._remove_history(frozenset(map(str, contexts))))
        return tuple(left)

    def _records(self) -> tuple[CacheRecord, ...]:
        if self._engine is not None:
            return self._engine.cache_records()
        return self._buildx.cache_records(self._builder)

    def _prune(self) -> None:
        if not self._pending or not self.prunes:
            return
        if self._engine is not None:
            self._engine.prune_cache(self._pending)
        else:
            self._buildx.prune(self._builder, self._pending)
        there = {record.id for record in self._records()}
        self._pending = {name: record for name, record in self._pending.items() if name in there}

    def _remove_history(self, contexts: frozenset[str]) -> None:
        """Remove the client's notes on builds of these folders, and BuildKit's own records where buildx can."""
        notes = [note for note in self._notes() if _local_path(note) in contexts]
        if notes and self._history:
            self._buildx.remove_history(self._builder, [note.name for note in notes])
        for note in notes:
            note.unlink(missing_ok=True)

    def _notes(self) -> list[Path]:
        folder = state_folder(config_folder(), os.environ.get("BUILDX_CONFIG")) / "refs" / self._builder
        try:
            found = [note for node in folder.iterdir() for note in node.iterdir()]
            return [note for note in found if note.stat().st_mtime >= self._began]
        except OSError:
            return []

    def _note(self, left: list[str], what: str, work: Callable[[], None]) -> None:
        try:
            work()
        except NoVerdictError as error:
            left.append(f"{what} of builder {self._builder}: {error.message}")


def _local_path(note: Path) -> str:
    try:
        with note.open("rb") as file:
            content = json.loads(file.read(_MAX_STATE))
    except (OSError, ValueError):
        return ""
    return str(content.get("LocalPath", "")) if isinstance(content, dict) else ""
