"""A machine of its own that appends to a registry's ledger: `python -m tests.ledger.machine REPOSITORY NAME [SOCKET]`.

In a network namespace there is no way to the registry but a Unix socket: what comes to the registry's own address on
this machine's loopback goes through SOCKET, and on the other side on to the registry.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.images import digest
from tests.ledger.records import record
from verifier.ledger import ArtifactLedger
from verifier.model.ledger import Record
from verifier.oci.reference import parse_reference
from verifier.stores.registry import Repository

RECORDS = 500
"""Of each machine."""

INPUTS = tuple(digest(f"inputs {number}") for number in range(7))
"""Every machine verifies the same things, so that their tags stand close to one another."""


def records_of(machine: str) -> Iterator[Record]:
    """Give what a machine has to tell."""
    for number in range(RECORDS):
        recorded = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        yield record(inputs=INPUTS[number % len(INPUTS)], recorded=recorded, machine=machine)


def to_address(address: str) -> socket.socket:
    """Connect to HOST:PORT."""
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def to_socket(path: Path) -> socket.socket:
    """Connect to a Unix socket."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return connection


@contextlib.contextmanager
def forwarding(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve in the background, until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def forwarder(connect: Callable[[], socket.socket]) -> type[socketserver.BaseRequestHandler]:
    """Make what hands each connection on to another one, both ways."""

    class Forwarder(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with connect() as other:
                back = threading.Thread(target=_pump, args=(other, self.request))
                back.start()
                _pump(self.request, other)
                back.join()

    return Forwarder


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Many connections at once."""

    daemon_threads = True


class AddressServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Many connections at once."""

    allow_reuse_address = True
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept a connection that waits for no more to send, so that small answers come at once."""
        connection, address = self.socket.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(64 * 1024):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _append(repository: str, name: str) -> None:
    with Repository(parse_reference(repository)) as opened:
        ledger = ArtifactLedger(opened)
        for each in records_of(name):
            ledger.append(each)


def _main(repository: str, name: str, through: str | None = None) -> None:
    if through is None:
        _append(repository, name)
        return
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    host, _, port = repository.partition("/")[0].rpartition(":")
    with forwarding(AddressServer((host, int(port)), forwarder(lambda: to_socket(Path(through))))):
        _append(repository, name)


if __name__ == "__main__":
    _main(*sys.argv[1:])
