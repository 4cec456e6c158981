"""A web server for builds and proxies to fetch from."""

from __future__ import annotations

import contextlib
import http.server
import itertools
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def changing_server(digits: int = 1) -> Iterator[str]:
    """Serve on loopback: /same always the same, anything else a new number of at least `digits` digits each time."""
    numbers = itertools.count()

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"same" if self.path == "/same" else b"%0*d" % (digits, next(numbers))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
