"""One ledger in a real registry, which two machines append to at the same time: no record is lost.

Each machine is a process in a network namespace of its own. Where nobody may make one, it is a process alone: it still
shares no memory, no connection and no lock with the other, which threads would.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.machine import INPUTS, RECORDS, UnixServer, forwarder, forwarding, records_of, to_address
from tests.ledger.records import record
from tests.machine import ROOT
from verifier.ledger import ArtifactLedger
from verifier.oci.media_types import OCI_MANIFEST
from verifier.oci.reference import parse_reference
from verifier.stores.registry import Repository

pytestmark = [pytest.mark.registry, pytest.mark.timeout(300)]

MACHINES = ("one", "two")
ALONE = ["unshare", "--net", "--uts", "--"]


def may_be_alone() -> bool:
    tried = subprocess.run([*ALONE, "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    return tried.returncode == 0


@contextlib.contextmanager
def way_to(registry: str) -> Iterator[Path]:
    """Give a Unix socket that leads to the registry: it is reached from any network namespace."""
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        path = Path(folder) / "socket"
        with forwarding(UnixServer(str(path), forwarder(lambda: to_address(registry)))):
            yield path


def test_two_machines_append_at_once(registry: str) -> None:
    name = f"{registry}/{os.urandom(4).hex()}/ledger"
    command = [sys.executable, "-m", "tests.ledger.machine", name]
    with way_to(registry) as path:
        alone = may_be_alone()
        machines = [
            subprocess.Popen([*ALONE, *command, machine, path] if alone else [*command, machine], cwd=ROOT)
            for machine in MACHINES
        ]
        assert [machine.wait(200) for machine in machines] == [0, 0]
    wanted = {each for machine in MACHINES for each in records_of(machine)}
    assert len(wanted) == 2 * RECORDS
    with Repository(parse_reference(name)) as opened:
        found = ArtifactLedger(opened).records()
        assert len(found) == 2 * RECORDS
        assert set(found) == wanted
        assert [each.recorded for each in found] == sorted(each.recorded for each in found)
        assert set(ArtifactLedger(opened).records(INPUTS[0])) == {each for each in wanted if each.inputs == INPUTS[0]}


def test_a_record_is_appended_once_and_strangers_are_left_out(registry: str) -> None:
    name = f"{registry}/{os.urandom(4).hex()}/ledger"
    with Repository(parse_reference(name)) as opened:
        ledger = ArtifactLedger(opened)
        assert ledger.records() == ()
        for _ in range(2):
            ledger.append(record())
        layer = opened.push_bytes(b"hello", "text/plain")
        described = {"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size}
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described, "layers": []}
        opened.push_manifest(json.dumps(manifest).encode(), OCI_MANIFEST, "ledger-stranger")
        assert ledger.records() == (record(),)
