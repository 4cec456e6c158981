"""Pushing to a registry that misbehaves: a blob is whole in the end, or the error says why it is not there."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.stores.conftest import Pauses
from tests.stores.registry_server import Handler, RegistryServer, Seen, serve
from tests.stores.store_images import Layout, digest_of, to_json
from verifier.errors import DigestMismatchError, MalformedImageError, StoreError, UnauthorizedError, UnreachableError
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest
from verifier.oci.media_types import OCI_INDEX, OCI_MANIFEST
from verifier.stores.registry import Repository
from verifier.stores.registry_lists import fallback_tag

pytestmark = pytest.mark.timeout(60)

CHUNK = 2 * 1024 * 1024
DATA = os.urandom(3 * CHUNK + 100)
BLOB = Descriptor(media_type="x", digest=Digest(digest_of(DATA)), size=len(DATA))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.stores.registry_upload.CHUNK_BYTES", CHUNK)


@pytest.fixture
def other() -> Iterator[RegistryServer]:
    with serve(host="127.0.0.2") as registry:
        yield registry


def test_in_chunks(server: RegistryServer, repository: Repository) -> None:
    assert repository.push_bytes(DATA, "x") == BLOB
    assert server.blobs[BLOB.digest] == DATA
    sent = [(item.method, len(item.body)) for item in server.seen if item.method in ("PATCH", "PUT")]
    assert sent == [("PATCH", CHUNK)] * 3 + [("PUT", 100)]
    repository.push_bytes(DATA, "x")
    assert len([item for item in server.seen if item.method == "POST"]) == 1


@pytest.mark.parametrize("size", [0, 1, CHUNK])
def test_at_once(server: RegistryServer, repository: Repository, size: int) -> None:
    blob = repository.push_bytes(DATA[:size], "x")
    assert server.blobs[blob.digest] == DATA[:size]
    assert server.paths("PATCH") == []


def test_busy_in_the_middle(server: RegistryServer, repository: Repository, pauses: Pauses) -> None:
    left = [2]

    def busy(handler: Handler, seen: Seen) -> bool:
        if seen.method != "PATCH" or not left[0]:
            return False
        left[0] -= 1
        handler.send(503)
        return True

    server.faults.append(busy)
    repository.push_bytes(DATA, "x")
    assert server.blobs[BLOB.digest] == DATA
    assert len(server.paths("PATCH")) == 3 + 2
    assert len(pauses) == 2


@pytest.mark.parametrize("at", ["PATCH", "PUT"])
@pytest.mark.parametrize("is_taken", [True, False])
def test_cut_in_the_middle(server: RegistryServer, repository: Repository, at: str, is_taken: bool) -> None:
    """Nobody knows whether a chunk arrived: the upload is begun again, unless the blob is there after all."""
    left = [1]

    def cut(handler: Handler, seen: Seen) -> bool:
        if seen.method != at or not left[0]:
            return False
        left[0] -= 1
        if is_taken:
            server.answer(Silent(), seen)  # type: ignore[arg-type]
        handler.close_connection = True
        return True

    server.faults.append(cut)
    repository.push_bytes(DATA, "x")
    assert server.blobs[BLOB.digest] == DATA
    assert len(server.paths("POST")) == (1 if at == "PUT" and is_taken else 2)


class Silent:
    """Takes an answer that never arrives."""

    def send(self, *_: object, **__: str) -> None:
        pass


def test_lost_place(server: RegistryServer, repository: Repository) -> None:
    left = [1]

    def lose(handler: Handler, seen: Seen) -> bool:
        if seen.method != "PATCH" or not left[0] or not seen.headers["content-range"].startswith(str(CHUNK)):
            return False
        left[0] -= 1
        handler.send(416)
        return True

    server.faults.append(lose)
    repository.push_bytes(DATA, "x")
    assert server.blobs[BLOB.digest] == DATA
    assert server.uploads == {}  # the one that was given up is told so


def test_never_taken(server: RegistryServer, repository: Repository, pauses: Pauses) -> None:
    def cut(handler: Handler, seen: Seen) -> bool:
        handler.close_connection = True
        return seen.method == "PATCH"

    server.faults.append(cut)
    with pytest.raises(UnreachableError, match="broke off the connection"):
        repository.push_bytes(DATA, "x")
    assert len(pauses) >= 4
    assert BLOB.digest not in server.blobs


@pytest.mark.parametrize(("status", "kind"), [(403, UnauthorizedError), (404, UnauthorizedError), (400, StoreError)])
def test_not_allowed(server: RegistryServer, repository: Repository, status: int, kind: type[StoreError]) -> None:
    def refuse(handler: Handler, seen: Seen) -> bool:
        if seen.method != "POST":
            return False
        handler.send(status)
        return True

    server.faults.append(refuse)
    with pytest.raises(kind):
        repository.push_bytes(DATA, "x")
    with pytest.raises(kind):
        repository.check_push()
    assert len(server.paths("POST")) == 2


def test_trying_leaves_nothing(server: RegistryServer, repository: Repository) -> None:
    repository.check_push()
    assert server.uploads == server.blobs == {}
    assert len(server.paths("DELETE")) == 1


def test_upload_to_another_host(server: RegistryServer, other: RegistryServer, repository: Repository) -> None:
    def send_away(handler: Handler, seen: Seen) -> bool:
        if seen.method != "POST":
            return False
        other.uploads["here"] = b""
        handler.send(202, Location=f"http://{other.address}/v2/x/blobs/uploads/here")
        return True

    server.faults.append(send_away)
    repository.transport().auth.token = "Basic held"
    repository.push_bytes(b"small", "x")
    assert other.blobs[digest_of(b"small")] == b"small"
    assert all("authorization" not in item.headers for item in other.seen)


@pytest.mark.parametrize("location", ["", "http://registry.invalid/upload"])
def test_upload_to_nowhere(server: RegistryServer, repository: Repository, location: str) -> None:
    def send_away(handler: Handler, seen: Seen) -> bool:
        handler.send(202, Location=location)
        return True

    server.faults.append(lambda handler, seen: seen.method == "POST" and send_away(handler, seen))
    with pytest.raises(UnreachableError, match="does not say where|address without TLS"):  # noqa: RUF043
        repository.push_bytes(b"small", "x")


def test_manifest_as_it_is(server: RegistryServer, repository: Repository) -> None:
    raw = b'{ "schemaVersion":2,\n"layers": [] }'
    assert repository.push_manifest(raw, OCI_MANIFEST, "one") == digest_of(raw)
    assert server.manifests["one"] == (raw, OCI_MANIFEST)


def test_registry_that_changes_a_manifest(server: RegistryServer, repository: Repository) -> None:
    def change(handler: Handler, seen: Seen) -> bool:
        if seen.method != "PUT":
            return False
        handler.send(201, Docker_Content_Digest=digest_of(b"other"))
        return True

    server.faults.append(change)
    with pytest.raises(DigestMismatchError, match="the registry answers with"):
        repository.push_manifest(b"{}", OCI_MANIFEST, "one")


def test_registry_that_tells_no_digest(server: RegistryServer, repository: Repository) -> None:
    def quiet(handler: Handler, seen: Seen) -> bool:
        if seen.method != "PUT":
            return False
        server.put(seen.body, OCI_MANIFEST, "one")
        handler.send(201)
        return True

    server.faults.append(quiet)
    assert repository.push_manifest(b"{}", OCI_MANIFEST, "one") == digest_of(b"{}")


def referrer(subject: str, kind: str) -> bytes:
    empty = {"mediaType": "x", "digest": digest_of(b"{}"), "size": 2}
    about = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 5}
    value = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": kind, "config": empty, "layers": []}
    return to_json({**value, "subject": about})


def test_referrers_by_the_api(server: RegistryServer, repository: Repository) -> None:
    """Where the registry answers that it knows the subject, no tag is written; the list comes in pages."""
    subject = Digest(digest_of(b"subject"))
    layout = Layout()
    entries = [{**layout.blob(referrer(subject, kind), OCI_MANIFEST), "artifactType": kind} for kind in ("a/b", "c/d")]

    def knows(handler: Handler, seen: Seen) -> bool:
        if seen.method == "PUT":
            handler.send(201, Docker_Content_Digest=digest_of(seen.body), OCI_Subject=subject)
            return True
        if "/referrers/" not in seen.path:
            return False
        number = 1 if "page=2" in seen.path else 0
        more = {} if number else {"Link": f'</v2/x/referrers/{subject}?page=2>; rel="next"'}
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries[number : number + 1]}
        handler.send(200, to_json(index), Content_Type=OCI_INDEX, **more)
        return True

    server.faults.append(knows)
    repository.push_referrer(referrer(subject, "a/b"), OCI_MANIFEST)
    assert len(server.paths("PUT")) == 1
    assert [item.artifact_type for item in repository.referrers(subject)] == ["a/b", "c/d"]
    assert [item.digest for item in repository.referrers(subject, "c/d")] == [entries[1]["digest"]]


def test_referrers_of_two_writers(server: RegistryServer, repository: Repository) -> None:
    """Another writer puts its own list over ours once: ours is written again."""
    subject = Digest(digest_of(b"subject"))
    tag = fallback_tag(subject)
    left = [1]

    def overwrite(handler: Handler, seen: Seen) -> bool:
        if seen.method != "PUT" or not seen.path.endswith(tag) or not left[0]:
            return False
        left[0] -= 1
        others = {**Layout().blob(referrer(subject, "e/f"), OCI_MANIFEST), "artifactType": "e/f"}
        server.put(to_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [others]}), OCI_INDEX, tag)
        handler.send(201, Docker_Content_Digest=digest_of(seen.body))
        return True

    server.faults.append(overwrite)
    repository.push_referrer(referrer(subject, "a/b"), OCI_MANIFEST)
    assert [item.artifact_type for item in repository.referrers(subject)] == ["e/f", "a/b"]


def test_no_subject(repository: Repository) -> None:
    raw = to_json({"schemaVersion": 2, "config": {"mediaType": "x", "digest": digest_of(b""), "size": 0}, "layers": []})
    with pytest.raises(MalformedImageError, match="without a subject"):
        repository.push_referrer(raw, OCI_MANIFEST)


@pytest.mark.parametrize(("status", "removed"), [(202, True), (405, False), (404, False)])
def test_removing_a_tag(server: RegistryServer, repository: Repository, status: int, removed: bool) -> None:
    def answer(handler: Handler, seen: Seen) -> bool:
        if seen.method != "DELETE":
            return False
        handler.send(status)
        return True

    server.faults.append(answer)
    assert repository.delete_tag("one") is removed
