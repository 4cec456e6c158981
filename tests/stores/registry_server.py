"""A registry over real HTTP, in memory, that misbehaves as it is told: what no real registry can be made to do."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.stores.store_images import Layout, digest_of, to_json
from verifier.oci.media_types import OCI_MANIFEST

Json = dict[str, Any]


@dataclass
class Seen:
    """One request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 20

    def _any(self) -> None:
        registry = self.server.registry
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, body)
        with registry.lock:
            registry.seen.append(seen)
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            for fault in registry.faults:
                if fault(self, seen):
                    return
            registry.answer(self, seen)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._any
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        pass

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer; names of headers are written with underscores. HEAD gets the length alone."""
        self.send_response(status)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        names.setdefault("Content-Length", str(len(body)))
        for name, value in names.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def cut(self, status: int, body: bytes, at: int, **headers: str) -> None:
        """Promise a whole body, send a part of it, and hang up."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body[:at])
        self.wfile.flush()
        self.close_connection = True

    def start_body(self, data: bytes, offset: int) -> tuple[int, bytes, dict[str, str]]:
        """Say how a range of a blob is answered."""
        if not offset:
            return 200, data, {}
        return 206, data[offset:], {"Content_Range": f"bytes {offset}-{len(data) - 1}/{len(data)}"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    registry: RegistryServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


Fault = Callable[[Handler, Seen], bool]


@dataclass
class RegistryServer:
    """What the registry has, what it has seen, and what goes wrong: `faults`, in order; True ends a request."""

    address: str = ""
    scheme: str = "http"
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, layout: Layout, root: Json, tag: str) -> None:
        """Take all of a layout, its `root` under a tag."""
        for digest, data in layout.blobs.items():
            self.blobs[digest] = data
            with contextlib.suppress(ValueError):
                value = json.loads(data)
                if isinstance(value, dict) and "schemaVersion" in value:
                    self.put(data, value.get("mediaType", OCI_MANIFEST))
        self.manifests[tag] = self.manifests[root["digest"]]
        self.tags.append(tag)

    def put(self, raw: bytes, media_type: str, *names: str) -> str:
        for name in (digest_of(raw), *names):
            self.manifests[name] = (raw, media_type)
        return digest_of(raw)

    def paths(self, method: str = "GET") -> list[str]:
        return [item.path for item in self.seen if item.method == method]

    def answer(self, handler: Handler, seen: Seen) -> None:
        path = urlsplit(seen.path).path
        if path == "/v2/":
            handler.send(200, b"{}")
        elif match := re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path):
            if seen.method == "PUT":
                digest = self.put(seen.body, seen.headers["content-type"], match[2])
                handler.send(201, Docker_Content_Digest=digest)
            else:
                self._manifest(handler, match[2])
        elif match := re.fullmatch(r"/v2/(.+)/blobs/(sha256:[0-9a-f]+)", path):
            self._blob(handler, seen, match[2])
        elif re.fullmatch(r"/v2/(.+)/tags/list", path):
            self._tags(handler, seen)
        elif re.fullmatch(r"/v2/(.+)/blobs/uploads/.*", path):
            self._upload(handler, seen)
        else:
            handler.send(404, to_json({"errors": [{"code": "NAME_UNKNOWN"}]}), Content_Type="application/json")

    def _manifest(self, handler: Handler, name: str) -> None:
        if name not in self.manifests:
            handler.send(404, to_json({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "no"}]}))
            return
        raw, media_type = self.manifests[name]
        handler.send(200, raw, Content_Type=media_type, Docker_Content_Digest=digest_of(raw))

    def _blob(self, handler: Handler, seen: Seen, digest: str) -> None:
        if digest not in self.blobs:
            handler.send(404, to_json({"errors": [{"code": "BLOB_UNKNOWN"}]}))
            return
        status, data, headers = handler.start_body(self.blobs[digest], offset_of(seen) if self.ranges else 0)
        handler.send(status, data, **headers)

    def _upload(self, handler: Handler, seen: Seen) -> None:
        """Take a blob in chunks, and refuse one that does not follow on the last."""
        session = seen.path.partition("?")[0].rpartition("/")[2]
        if seen.method == "POST":
            session = f"session-{len(self.seen)}"
            self.uploads[session] = b""
        elif session not in self.uploads:
            handler.send(404)
            return
        told = seen.headers.get("content-range")
        if told is not None and int(told.partition("-")[0]) != len(self.uploads[session]):
            handler.send(416)
            return
        self.uploads[session] += seen.body
        if seen.method == "PUT":
            digest = parse_qs(urlsplit(seen.path).query)["digest"][0]
            self.blobs[digest] = self.uploads.pop(session)
            handler.send(201 if digest_of(self.blobs[digest]) == digest else 400, Docker_Content_Digest=digest)
        elif seen.method == "DELETE":
            del self.uploads[session]
            handler.send(204)
        else:
            handler.send(202, Location=f"/v2/x/blobs/uploads/{session}?state=a")

    def _tags(self, handler: Handler, seen: Seen) -> None:
        query = parse_qs(urlsplit(seen.path).query)
        count = min(int(query.get("n", ["100"])[0]), 2)
        start = self.tags.index(query["last"][0]) + 1 if "last" in query else 0
        page = self.tags[start : start + count]
        more = {}
        if start + count < len(self.tags):
            more["Link"] = f'</v2/x/tags/list?n={count}&last={page[-1]}>; rel="next"'
        handler.send(200, to_json({"name": "x", "tags": page}), Content_Type="application/json", **more)


def offset_of(seen: Seen) -> int:
    """Give where a request's range begins."""
    match = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
    return int(match[1]) if match else 0


@contextlib.contextmanager
def serve(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[RegistryServer]:
    """Run a registry on a free port of loopback."""
    server = _Server((host, 0), Handler)
    registry = RegistryServer(address=f"{host}:{server.server_address[1]}", scheme="https" if tls else "http")
    server.registry = registry
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
