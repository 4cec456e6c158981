"""One ledger in a real registry, which two machines append to at the same time: no record is lost.

Two processes stand for the machines, each in a network namespace of its own where root may make one; the registry's
loopback is then reached by no address, so what is separate is the hostname (a UTS namespace). A process shares no
memory, no connection and no lock with the other, as a machine does not; threads would share all three.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.images import digest
from tests.ledger.records import record
from verifier.ledger import ArtifactLedger
from verifier.model.ledger import Record
from verifier.oci.reference import parse_reference
from verifier.stores.registry import Repository

pytestmark = [pytest.mark.registry, pytest.mark.timeout(300)]

RECORDS = 500
"""Of each machine."""

INPUTS = tuple(digest(f"inputs {number}") for number in range(7))
"""Both machines verify the same things, so that their tags stand close to one another."""


def records_of(machine: str) -> Iterator[Record]:
    for number in range(RECORDS):
        recorded = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        yield record(inputs=INPUTS[number % len(INPUTS)], recorded=recorded, machine=machine)


def be_a_machine(name: str, repository: str) -> None:
    """Run in a process of its own, under a hostname of its own where that is allowed."""
    try:
        os.unshare(os.CLONE_NEWUTS)
        socket.sethostname(name)
        name = os.uname().nodename
    except (AttributeError, OSError):
        pass  # Python before 3.12 cannot, and neither can anybody but root: then the name alone is another
    with Repository(parse_reference(repository)) as opened:
        ledger = ArtifactLedger(opened)
        for each in records_of(name):
            ledger.append(each)


def test_two_machines_append_at_once(registry: str) -> None:
    name = f"{registry}/{os.urandom(4).hex()}/ledger"
    context = multiprocessing.get_context("spawn")
    machines = [context.Process(target=be_a_machine, args=(machine, name)) for machine in ("one", "two")]
    for machine in machines:
        machine.start()
    for machine in machines:
        machine.join(200)
    assert [machine.exitcode for machine in machines] == [0, 0]
    wanted = {each for machine in ("one", "two") for each in records_of(machine)}
    assert len(wanted) == 2 * RECORDS
    with Repository(parse_reference(name)) as opened:
        ledger = ArtifactLedger(opened)
        found = ledger.records()
        assert len(found) == 2 * RECORDS
        assert set(found) == wanted
        assert [each.recorded for each in found] == sorted(each.recorded for each in found)
        assert set(ledger.records(INPUTS[0])) == {each for each in wanted if each.inputs == INPUTS[0]}


def test_a_record_is_appended_once_and_strangers_are_left_out(registry: str) -> None:
    name = f"{registry}/{os.urandom(4).hex()}/ledger"
    with Repository(parse_reference(name)) as opened:
        ledger = ArtifactLedger(opened)
        assert ledger.records() == ()
        for _ in range(2):
            ledger.append(record())
        layer = opened.push_bytes(b"hello", "text/plain")
        described = {"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size}
        manifest = '{"schemaVersion": 2, "mediaType": "%s", "config": %s, "layers": []}' % (
            "application/vnd.oci.image.manifest.v1+json",
            str(described).replace("'", '"'),
        )
        opened.push_manifest(manifest.encode(), "application/vnd.oci.image.manifest.v1+json", "ledger-stranger")
        assert ledger.records() == (record(),)
