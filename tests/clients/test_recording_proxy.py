"""The recording proxy between a real client (curl) and a real server, both on loopback."""

from __future__ import annotations

import base64
import hashlib
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from verifier.clients.proxied_client import Exchange
from verifier.clients.recording_proxy import RecordingProxy

BODY = bytes(range(256)) * 4000

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


class Server(http.server.BaseHTTPRequestHandler):
    """Answers with a length, in chunks, or until it closes; echoes what is posted."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.seen.append((self.path, dict(self.headers)))
        self.send_response(404 if self.path.startswith("/none") else 200)
        body = b"" if self.path.startswith("/none") else BODY
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), 100_000):
                piece = body[start : start + 100_000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return
        if self.path == "/until-closed":
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def handler() -> type[Server]:
    return type("Handler", (Server,), {"seen": []})


@pytest.fixture
def url(handler: type[Server]) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def now() -> datetime:
    return datetime.now(UTC)


def curl(proxy: RecordingProxy, *arguments: str) -> bytes:
    environment = {"PATH": os.environ["PATH"], "http_proxy": proxy.url, "https_proxy": proxy.url}
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "20", *arguments],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def facts(exchange: Exchange) -> tuple[str, str, int | None, int, str | None]:
    return exchange.method, exchange.where, exchange.status, exchange.bytes, exchange.digest


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def test_plain_requests_come_through_whole_and_are_recorded(url: str) -> None:
    with RecordingProxy({}, now) as proxy:
        proxy.build = 1
        for path in ("/length", "/chunked", "/until-closed"):
            assert curl(proxy, url + path) == BODY
        assert curl(proxy, "--data-binary", "posted", url + "/echo") == b"posted"
        proxy.build = 2
        curl(proxy, url + "/none?a=b#c")
        curl(proxy, "--head", url + "/length")
        found = proxy.exchanges()
    assert [facts(exchange) for exchange in found] == [
        ("GET", url + "/length", 200, len(BODY), digest(BODY)),
        ("GET", url + "/chunked", 200, len(BODY), digest(BODY)),
        ("GET", url + "/until-closed", 200, len(BODY), digest(BODY)),
        ("POST", url + "/echo", 200, 6, digest(b"posted")),
        ("GET", url + "/none?a=b", 404, 0, digest(b"")),
        ("HEAD", url + "/length", 200, 0, digest(b"")),
    ]
    assert [exchange.build for exchange in found] == [1, 1, 1, 1, 2, 2]


def test_one_connection_carries_several_requests(url: str) -> None:
    with RecordingProxy({}, now) as proxy:
        assert curl(proxy, url + "/length", url + "/chunked") == BODY + BODY
        assert [exchange.where for exchange in proxy.exchanges()] == [url + "/length", url + "/chunked"]


def test_pipelined_requests_are_answered_in_their_order(url: str) -> None:
    with RecordingProxy({}, now) as proxy:
        host, _, port = proxy.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as client:
            request = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
            client.sendall(request % f"{url}/none".encode() + request % f"{url}/length".encode())
            received = b""
            while not received.endswith(BODY):
                piece = client.recv(65536)
                assert piece
                received += piece
        assert received.startswith(b"HTTP/1.1 404")
        assert [exchange.status for exchange in proxy.exchanges()] == [404, 200]


def test_a_server_that_cannot_be_reached_is_a_502(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with RecordingProxy({}, now) as proxy:
        code = curl(proxy, "--output", os.devnull, "--write-out", "%{http_code}", f"http://127.0.0.1:{port}/")
        (exchange,) = proxy.exchanges()
    assert (code, exchange.status, exchange.digest) == (b"502", 502, None)


def test_a_tunnel_is_passed_through_and_counted(handler: type[Server], tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        port = server.server_address[1]
        with RecordingProxy({}, now) as outer, RecordingProxy({"https_proxy": outer.url}, now) as proxy:
            assert curl(proxy, "--cacert", str(certificate), f"https://127.0.0.1:{port}/length") == BODY
            found = proxy.exchanges(), outer.exchanges()
        server.shutdown()
        thread.join()
    for (exchange,) in found:
        assert (exchange.method, exchange.where, exchange.encrypted) == ("CONNECT", f"127.0.0.1:{port}", True)
        assert exchange.bytes > len(BODY)
        assert exchange.digest is None


def test_the_machines_own_proxy_is_gone_through_with_its_password(url: str, handler: type[Server]) -> None:
    """The server plays the proxy: it gets the whole URL, and credentials that the client did not send."""
    behind = url.replace("http://", "http://user:p%40ss@")
    with RecordingProxy({"http_proxy": behind, "no_proxy": "direct.invalid"}, now) as proxy:
        assert curl(proxy, "http://somewhere.invalid/length") == BODY
        (exchange,) = proxy.exchanges()
    path, headers = handler.seen[0]
    assert path == "http://somewhere.invalid/length"
    assert headers["Proxy-Authorization"] == "Basic " + base64.b64encode(b"user:p@ss").decode()
    assert facts(exchange)[:3] == ("GET", "http://somewhere.invalid/length", 200)


def test_passwords_in_urls_are_not_recorded(url: str) -> None:
    with RecordingProxy({}, now) as proxy:
        host, _, port = proxy.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as client:
            target = url.replace("http://", "http://user:secret@") + "/none"
            client.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode())
            while client.recv(65536):
                pass
        (exchange,) = proxy.exchanges()
    assert exchange.where == url + "/none"


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01 not http\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"G" * 200_000]
)
def test_nonsense_ends_one_connection_and_nothing_else(sent: bytes, url: str) -> None:
    with RecordingProxy({}, now) as proxy:
        host, _, port = proxy.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as client:
            try:
                client.sendall(sent)
                while client.recv(65536):
                    pass
            except ConnectionError:
                pass
        assert curl(proxy, url + "/length") == BODY
        assert len(proxy.exchanges()) == 1


def test_nothing_is_left_running_though_a_client_stays() -> None:
    before = threading.active_count()
    with RecordingProxy({}, now) as proxy:
        host, _, port = proxy.url.removeprefix("http://").partition(":")
        client = socket.create_connection((host, int(port)), timeout=20)
        client.sendall(b"GET ")
    assert threading.active_count() == before
    client.close()
