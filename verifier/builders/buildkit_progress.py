"""BuildKit's progress, raw JSON or plain, as vertices with their output."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from verifier.clients.timestamps import parse_timestamp
from verifier.model.request import BuildListener

LAST_LINES: Final = 20
"""Lines of output kept of each vertex, and of what buildx says itself, for a failure."""

_OWN_STEP: Final = re.compile(r"\[(?:[^\]]+ )?\s*\d+/\d+\] ")
_PLAIN: Final = re.compile(r"#(\d+) (.*)")
_PLAIN_OUTPUT: Final = re.compile(r"\d+\.\d+ (.*)")
_PLAIN_DONE: Final = re.compile(r"DONE (\d+(?:\.\d+)?)s")


@dataclass(slots=True)
class Vertex:
    """One vertex of the build graph; times are by BuildKit's clock, None where the progress has none."""

    name: str
    started: datetime | None = None
    completed: datetime | None = None
    seconds: float | None = None
    cached: bool = False
    error: str = ""
    announced: bool = False
    log: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    partial: str = ""

    @property
    def is_step(self) -> bool:
        """Whether this is an instruction of the Dockerfile, not something of BuildKit's own."""
        return _OWN_STEP.match(self.name) is not None


class Progress(Protocol):
    """What is known of a build so far."""

    vertices: dict[str, Vertex]
    complaints: deque[str]
    warnings: list[str]

    def take(self, line: str) -> None:
        """Take one line that buildx wrote."""

    def finish(self) -> None:
        """Take note that buildx has ended."""


class RawProgress:
    """Decode `--progress=rawjson`: objects on one line each, or (buildx 0.13) spread over indented lines."""

    def __init__(self, listener: BuildListener) -> None:
        self._listener = listener
        self._object: list[str] = []
        self.vertices: dict[str, Vertex] = {}
        self.complaints: deque[str] = deque(maxlen=LAST_LINES)
        self.warnings: list[str] = []

    def take(self, line: str) -> None:
        """Take one line; what is no JSON is buildx's own word, kept as a complaint."""
        if self._object:
            self._object.append(line)
            if line == "}":
                self._decode("\n".join(self._object))
                self._object.clear()
        elif line == "{":
            self._object.append(line)
        elif line.startswith("{"):
            self._decode(line)
        elif line.strip():
            self.complaints.append(line)
            self._listener.output(line)

    def finish(self) -> None:
        """Hand on what was written without a newline."""
        self._object.clear()
        for vertex in self.vertices.values():
            if vertex.partial:
                self._log(vertex, "\n")

    def _decode(self, text: str) -> None:
        try:
            status = json.loads(text)
        except (ValueError, RecursionError):
            self.complaints.append(text[:1_000])
            return
        for item in _objects(status, "vertexes"):
            self._vertex(item)
        for item in _objects(status, "logs"):
            vertex = self.vertices.get(str(item.get("vertex")))
            if vertex is not None:
                self._log(vertex, _base64_text(item.get("data")))
        for item in _objects(status, "warnings"):
            words = _base64_text(item.get("short"))
            if words and words not in self.warnings:
                self.warnings.append(words)

    def _vertex(self, item: dict[str, Any]) -> None:
        vertex = self.vertices.setdefault(str(item.get("digest")), Vertex(name=str(item.get("name", ""))))
        started, completed = parse_timestamp(item.get("started")), parse_timestamp(item.get("completed"))
        vertex.started = min(filter(None, (vertex.started, started)), default=None)
        if completed is not None:
            vertex.completed = max(completed, vertex.completed or completed)
            vertex.seconds = (vertex.completed - vertex.started).total_seconds() if vertex.started else None
        vertex.cached = vertex.cached or item.get("cached") is True
        vertex.error = str(item.get("error") or vertex.error)
        if vertex.started is not None:
            announce(vertex, self.vertices, self._listener)

    def _log(self, vertex: Vertex, text: str) -> None:
        *lines, vertex.partial = (vertex.partial + text).split("\n")
        for line in lines:
            vertex.log.append(line.removesuffix("\r"))
            self._listener.output(line.removesuffix("\r"))


class PlainProgress:
    """Decode `--progress=plain`, for a buildx without raw JSON: names, output and what was cached, no times."""

    def __init__(self, listener: BuildListener) -> None:
        self._listener = listener
        self.vertices: dict[str, Vertex] = {}
        self.complaints: deque[str] = deque(maxlen=LAST_LINES)
        self.warnings: list[str] = []

    def take(self, line: str) -> None:
        """Take one line: `#n NAME`, `#n CACHED`, `#n DONE 0.1s`, `#n ERROR: …`, `#n 0.123 output`."""
        if not line.strip():
            return
        match = _PLAIN.fullmatch(line)
        if match is None:
            self.complaints.append(line)
        else:
            self._numbered(match[1], match[2])
        self._listener.output(line)

    def finish(self) -> None:
        """Nothing is held back."""

    def _numbered(self, number: str, text: str) -> None:
        vertex = self.vertices.get(number)
        if vertex is None:
            vertex = self.vertices[number] = Vertex(name=text)
            announce(vertex, self.vertices, self._listener)
        elif text == "CACHED":
            vertex.cached = True
        elif match := _PLAIN_DONE.fullmatch(text):
            vertex.seconds = float(match[1])
        elif text.startswith("ERROR: "):
            vertex.error = text.removeprefix("ERROR: ")
        elif match := _PLAIN_OUTPUT.fullmatch(text):
            vertex.log.append(match[1])
        elif text.startswith("WARNING: "):
            self.warnings.append(text.removeprefix("WARNING: "))


def announce(vertex: Vertex, vertices: dict[str, Vertex], listener: BuildListener) -> None:
    """Tell the listener, once, that a step has begun; steps are counted as they begin."""
    if vertex.announced or not vertex.is_step:
        return
    vertex.announced = True
    steps = [item for item in vertices.values() if item.is_step]
    listener.step(sum(item.announced for item in steps), len(steps), vertex.name)


def _objects(status: Any, key: str) -> list[dict[str, Any]]:
    value = status.get(key) if isinstance(status, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _base64_text(value: Any) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace") if isinstance(value, str) else ""
    except (binascii.Error, ValueError):
        return ""
