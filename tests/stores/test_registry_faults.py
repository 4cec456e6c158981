"""A registry that misbehaves: every fault ends in the right result, or in a clear error within its time limit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.stores.conftest import Pauses
from tests.stores.registry_server import Fault, Handler, RegistryServer, Seen, offset_of, serve
from tests.stores.store_images import Layout, digest_of, to_json, with_platform
from verifier.errors import DigestMismatchError, MalformedImageError, NotFoundError, StoreError, UnreachableError
from verifier.oci.blob import read_blob
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest
from verifier.oci.media_types import OCI_INDEX, OCI_MANIFEST
from verifier.oci.platform import Platform
from verifier.oci.reference import parse_image_name, parse_reference
from verifier.stores import open_store
from verifier.stores.folder import Folder
from verifier.stores.registry import Access, Repository

pytestmark = pytest.mark.timeout(60)

DATA = bytes(range(256)) * 2
BLOB = Descriptor(media_type="application/octet-stream", digest=Digest(digest_of(DATA)), size=len(DATA))


def content(repository: Repository, descriptor: Descriptor = BLOB) -> bytes:
    return repository.blob_bytes(descriptor, limit=10**9)


def times(count: int, fault: Fault) -> Fault:
    """Misbehave so many times."""
    left = [count]

    def limited(handler: Handler, seen: Seen) -> bool:
        if left[0] <= 0 or not fault(handler, seen):
            return False
        left[0] -= 1
        return True

    return limited


def on_get(path: str, act: Fault) -> Fault:
    return lambda handler, seen: seen.method == "GET" and path in seen.path and act(handler, seen)


def with_status(status: int, **headers: str) -> Fault:
    def answer(handler: Handler, seen: Seen) -> bool:
        handler.send(status, b"", **headers)
        return True

    return answer


@pytest.fixture
def filled(server: RegistryServer) -> RegistryServer:
    layout = Layout()
    server.take(layout, layout.image(), "one")
    server.blobs[BLOB.digest] = DATA
    return server


@pytest.mark.parametrize("at", range(0, len(DATA), 10))
def test_cut_at_every_tenth_byte(filled: RegistryServer, repository: Repository, pauses: Pauses, at: int) -> None:
    def cut(handler: Handler, seen: Seen) -> bool:
        handler.cut(200, DATA, at)
        return True

    filled.faults.append(times(1, on_get("/blobs/", cut)))
    assert content(repository) == DATA
    ranges = [item.headers.get("range") for item in filled.seen if item.method == "GET" and "/blobs/" in item.path]
    assert ranges == [None, f"bytes={at}-" if at else None]
    assert len(pauses) == 1


def test_cut_where_there_are_no_ranges(filled: RegistryServer, repository: Repository) -> None:
    filled.ranges = False

    def cut(handler: Handler, seen: Seen) -> bool:
        handler.cut(200, DATA, 100)
        return True

    filled.faults.append(times(2, on_get("/blobs/", cut)))
    # the second time, what was skipped is cut as well
    assert content(repository) == DATA


def test_cut_after_every_tenth_byte_ends(filled: RegistryServer, repository: Repository) -> None:
    def cut(handler: Handler, seen: Seen) -> bool:
        status, data, headers = handler.start_body(DATA, offset_of(seen))
        handler.cut(status, data, 10, **headers)
        return True

    filled.faults.append(on_get("/blobs/", cut))
    with pytest.raises(UnreachableError, match=f"broke off blob {BLOB.digest} at byte 50"):
        content(repository)


def test_resumed_at_another_place(filled: RegistryServer, repository: Repository) -> None:
    def lie(handler: Handler, seen: Seen) -> bool:
        if not offset_of(seen):
            handler.cut(200, DATA, 100)
        else:
            handler.send(206, DATA[50:], Content_Range=f"bytes 50-{len(DATA) - 1}/{len(DATA)}")
        return True

    filled.faults.append(on_get("/blobs/", lie))
    with pytest.raises(UnreachableError, match="sends another part of blob"):
        content(repository)


def test_cut_manifest_is_asked_for_again(filled: RegistryServer, repository: Repository) -> None:
    raw = filled.manifests["one"][0]

    def cut(handler: Handler, seen: Seen) -> bool:
        handler.cut(200, raw, 30, Content_Type=OCI_MANIFEST)
        return True

    filled.faults.append(times(2, on_get("/manifests/", cut)))
    assert repository.manifest().raw == raw


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_asked_again(filled: RegistryServer, repository: Repository, pauses: Pauses, status: int) -> None:
    filled.faults.append(times(3, on_get("/manifests/", with_status(status))))
    assert repository.manifest().raw == filled.manifests["one"][0]
    assert pauses == [0.5, 1, 2]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_not_asked_for_ever(filled: RegistryServer, repository: Repository, pauses: Pauses, status: int) -> None:
    filled.faults.append(on_get("/manifests/", with_status(status)))
    with pytest.raises(UnreachableError, match="too many requests" if status == 429 else f"answers with {status}"):
        repository.manifest()
    assert len(filled.paths()) == 1 + 5  # the first is the question how the registry is spoken to
    assert len(pauses) == 4


@pytest.mark.parametrize(("status", "kind"), [(500, UnreachableError), (501, UnreachableError), (400, StoreError)])
def test_an_answer_at_once(
    filled: RegistryServer, repository: Repository, pauses: Pauses, status: int, kind: type[StoreError]
) -> None:
    filled.faults.append(on_get("/manifests/", with_status(status)))
    with pytest.raises(kind, match=f"answers with {status} when asked for x:one"):
        repository.manifest()
    assert pauses == []


def test_retry_after_is_kept_to(filled: RegistryServer, repository: Repository, pauses: Pauses) -> None:
    filled.faults.append(times(1, on_get("/manifests/", with_status(429, Retry_After="7"))))
    date = formatdate(time.time() + 20, usegmt=True)
    filled.faults.append(times(1, on_get("/manifests/", with_status(503, Retry_After=date))))
    assert repository.manifest().raw
    assert pauses[0] == 7
    assert 17 < pauses[1] <= 20


def test_retry_after_that_is_too_late(filled: RegistryServer, repository: Repository, pauses: Pauses) -> None:
    filled.faults.append(on_get("/manifests/", with_status(429, Retry_After="3600")))
    with pytest.raises(UnreachableError, match="too many requests") as caught:
        repository.manifest()
    assert caught.value.hint == "it asks to come back in 3600 seconds"
    assert pauses == []


def test_wrong_bytes_of_a_blob(filled: RegistryServer, repository: Repository) -> None:
    filled.blobs[BLOB.digest] = bytes(len(DATA))
    with pytest.raises(DigestMismatchError, match="has other bytes"):
        content(repository)


@pytest.mark.parametrize("length", [len(DATA) - 1, len(DATA) + 1])
def test_wrong_size_of_a_blob(filled: RegistryServer, repository: Repository, length: int) -> None:
    filled.blobs[BLOB.digest] = bytes(length)
    with pytest.raises(MalformedImageError, match=f"has {length} bytes where its descriptor says {len(DATA)}"):
        content(repository)


@pytest.mark.parametrize("length", [len(DATA) - 1, len(DATA) + 1])
def test_wrong_length_of_an_answer(filled: RegistryServer, repository: Repository, length: int) -> None:
    def lie(handler: Handler, seen: Seen) -> bool:
        handler.send(200, DATA, Content_Length=str(length))
        handler.close_connection = True
        return True

    filled.faults.append(on_get("/blobs/", lie))
    with pytest.raises(MalformedImageError, match=f"has {length} bytes where its descriptor says {len(DATA)}"):
        content(repository)


def test_blob_that_never_ends(filled: RegistryServer, repository: Repository) -> None:
    def pour(handler: Handler, seen: Seen) -> bool:
        handler.send_response(200)
        handler.end_headers()  # no length: the body ends with the connection
        handler.wfile.write(DATA)
        while True:
            handler.wfile.write(bytes(65536))

    filled.faults.append(on_get("/blobs/", pour))
    assert content(repository) == DATA


def test_blob_that_is_not_there(server: RegistryServer, repository: Repository) -> None:
    assert repository.blob_size(BLOB.digest) is None
    with pytest.raises(StoreError, match="is missing"):
        content(repository)
    with pytest.raises(NotFoundError):
        repository.open_blob(BLOB.digest)


def test_head_is_not_known(filled: RegistryServer, repository: Repository) -> None:
    filled.faults.append(lambda handler, seen: seen.method == "HEAD" and with_status(405)(handler, seen))
    assert content(repository) == DATA
    found = repository.resolve()
    assert found is not None
    assert found.digest == digest_of(filled.manifests["one"][0])


def test_head_without_a_digest(filled: RegistryServer, repository: Repository) -> None:
    filled.faults.append(
        lambda handler, seen: seen.method == "HEAD" and with_status(200, Content_Length="5")(handler, seen)
    )
    found = repository.resolve()
    assert found is not None
    assert found.size == len(filled.manifests["one"][0])


def test_wrong_bytes_of_a_manifest(filled: RegistryServer, repository: Repository) -> None:
    digest = digest_of(filled.manifests["one"][0])
    filled.manifests[digest] = (b"{}", OCI_MANIFEST)
    with pytest.raises(DigestMismatchError, match=f"x@{digest} has other bytes"):
        repository.manifest(digest)


def test_registry_that_contradicts_itself(filled: RegistryServer, repository: Repository) -> None:
    raw = filled.manifests["one"][0]
    lie = with_status(200, Docker_Content_Digest=digest_of(b"other"), Content_Length=str(len(raw)))
    filled.faults.append(lambda handler, seen: seen.method == "HEAD" and lie(handler, seen))
    with pytest.raises(DigestMismatchError, match="the registry answers with"):
        repository.resolve(digest_of(raw))

    def answer(handler: Handler, seen: Seen) -> bool:
        handler.send(200, raw, Docker_Content_Digest=digest_of(b"other"))
        return True

    filled.faults.append(on_get("/manifests/", answer))
    with pytest.raises(DigestMismatchError, match="x:one has other bytes than"):
        repository.manifest()


def test_manifest_of_ten_gigabytes(filled: RegistryServer, repository: Repository) -> None:
    def promise(handler: Handler, seen: Seen) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**10))
        handler.end_headers()
        handler.wfile.write(b"{" * 1000)
        handler.close_connection = True
        return True

    filled.faults.append(on_get("/manifests/", promise))
    with pytest.raises(MalformedImageError, match="has 10000000000 bytes, over the limit"):
        repository.manifest()


def test_manifest_that_never_ends(filled: RegistryServer, repository: Repository) -> None:
    def pour(handler: Handler, seen: Seen) -> bool:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b" " * 65536)

    filled.faults.append(on_get("/manifests/", pour))
    with pytest.raises(MalformedImageError, match="has more than the limit of"):
        repository.manifest()


def test_inflated_manifest(filled: RegistryServer, repository: Repository) -> None:
    """Whatever Content-Encoding says, the bytes that were sent are those that are digested."""

    def label(handler: Handler, seen: Seen) -> bool:
        handler.send(200, filled.manifests["one"][0], Content_Encoding="gzip", Content_Type=OCI_MANIFEST)
        return True

    filled.faults.append(on_get("/manifests/", label))
    assert repository.manifest().raw == filled.manifests["one"][0]
    assert {item.headers["accept-encoding"] for item in filled.seen} == {"identity"}


def test_index_that_lists_itself(server: RegistryServer, access: Access, tmp_path: Path) -> None:
    layout = Layout()
    child = with_platform(layout.image(), Platform(os="linux", architecture="amd64"))
    index = to_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]})
    server.put(index, OCI_INDEX, "one", child["digest"])
    store = open_store(parse_image_name(f"{server.address}/x:one"), tmp_path, access=access)
    with pytest.raises(DigestMismatchError, match="has other bytes"):
        store.load(None)
    store.close()


def test_indexes_without_an_end(server: RegistryServer, access: Access, tmp_path: Path) -> None:
    layout = Layout()
    root = layout.image()
    for _ in range(10):
        root = layout.index(root)
    server.take(layout, root, "one")
    store = open_store(parse_image_name(f"{server.address}/x:one"), tmp_path, access=access)
    with pytest.raises(MalformedImageError, match="nested in more than"):
        store.load(None)
    store.close()


def test_schema_1_is_refused(server: RegistryServer, access: Access, tmp_path: Path) -> None:
    raw = to_json({"schemaVersion": 1, "name": "x", "fsLayers": [], "history": []})
    server.put(raw, "application/vnd.docker.distribution.manifest.v1+prettyjws", "one")
    store = open_store(parse_image_name(f"{server.address}/x:one"), tmp_path, access=access)
    with pytest.raises(MalformedImageError, match="Docker's schema 1"):
        store.load(None)
    store.close()


def dribble(handler: Handler, data: bytes) -> None:
    for byte in data:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.1)


@pytest.mark.parametrize("where", ["head", "body"])
def test_slow_loris(filled: RegistryServer, impatient: Repository, where: str) -> None:
    def drip(handler: Handler, seen: Seen) -> bool:
        if where == "body":
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
        dribble(handler, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200)
        return True

    filled.faults.append(on_get("/x/", drip))
    started = time.monotonic()
    with pytest.raises(UnreachableError, match="answers too slowly"):
        impatient.manifest()
    assert time.monotonic() - started < 5


def test_slow_blob(filled: RegistryServer, impatient: Repository) -> None:
    def drip(handler: Handler, seen: Seen) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.end_headers()
        dribble(handler, DATA)
        return True

    filled.faults.append(on_get("/blobs/", drip))
    started = time.monotonic()
    with pytest.raises(UnreachableError, match="answers too slowly"):
        content(impatient)
    assert time.monotonic() - started < 5


def test_silence(filled: RegistryServer, impatient: Repository) -> None:
    def wait(handler: Handler, seen: Seen) -> bool:
        time.sleep(1)
        handler.close_connection = True
        return True

    filled.faults.append(on_get("/manifests/", wait))
    started = time.monotonic()
    with pytest.raises(UnreachableError, match="does not answer in time"):
        impatient.manifest()
    assert time.monotonic() - started < 10


def test_silence_in_the_middle(filled: RegistryServer, impatient: Repository) -> None:
    def stop(handler: Handler, seen: Seen) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.end_headers()
        handler.wfile.write(DATA[:100])
        handler.wfile.flush()
        time.sleep(1)
        handler.close_connection = True
        return True

    filled.faults.append(times(1, on_get("/blobs/", stop)))
    assert content(impatient) == DATA


def test_refused_connection_is_an_answer(access: Access, pauses: Pauses) -> None:
    with serve() as server:
        address = server.address
    started = time.monotonic()
    repository = Repository(parse_reference(f"{address}/x"), access)
    with repository, pytest.raises(UnreachableError, match=f"the registry {address} refuses the connection"):
        repository.manifest()
    assert time.monotonic() - started < 2
    assert pauses == []


def test_no_such_host(access: Access, pauses: Pauses) -> None:
    repository = Repository(parse_reference("registry.invalid/x"), access)
    with repository, pytest.raises(UnreachableError, match=r"registry registry\.invalid is not known by that name"):
        repository.resolve()
    assert pauses == []


def test_no_http_at_all(filled: RegistryServer, repository: Repository) -> None:
    def babble(handler: Handler, seen: Seen) -> bool:
        handler.wfile.write(b"what?\r\n\r\n")
        handler.close_connection = True
        return True

    filled.faults.append(on_get("/manifests/", babble))
    with pytest.raises(UnreachableError, match="broke off the connection"):
        repository.manifest()


def test_redirects_that_never_end(filled: RegistryServer, repository: Repository) -> None:
    def turn(handler: Handler, seen: Seen) -> bool:
        handler.send(307, Location=seen.path)
        return True

    filled.faults.append(on_get("/manifests/", turn))
    with pytest.raises(UnreachableError, match="redirects more than 5 times"):
        repository.manifest()


@pytest.fixture
def other() -> Iterator[RegistryServer]:
    with serve(host="127.0.0.2") as registry:
        yield registry


def test_tags_on_several_pages(server: RegistryServer, repository: Repository) -> None:
    server.tags = [f"t{number}" for number in range(7)]
    assert repository.tags() == tuple(server.tags)
    with pytest.raises(MalformedImageError, match="more than 3 tags"):
        repository.tags(limit=3)


def test_pages_that_go_round(server: RegistryServer, repository: Repository) -> None:
    def again(handler: Handler, seen: Seen) -> bool:
        handler.send(
            200, to_json({"tags": ["a"]}), Content_Type="application/json", Link='</v2/x/tags/list?n=1>; rel="next"'
        )
        return True

    server.faults.append(on_get("/tags/", again))
    assert repository.tags() == ("a",)


def test_pages_at_another_host(server: RegistryServer, other: RegistryServer, repository: Repository) -> None:
    def elsewhere(handler: Handler, seen: Seen) -> bool:
        link = f'<http://{other.address}/v2/x/tags/list>; rel="next"'
        handler.send(200, to_json({"tags": ["a"]}), Content_Type="application/json", Link=link)
        return True

    server.faults.append(on_get("/tags/", elsewhere))
    with pytest.raises(MalformedImageError, match="goes on at another host"):
        repository.tags()
    assert other.seen == []


def test_no_such_repository(server: RegistryServer, access: Access) -> None:
    server.faults.append(lambda handler, seen: "/x/" in seen.path and with_status(404)(handler, seen))
    with Repository(parse_reference(f"{server.address}/x:one"), access) as repository:
        assert repository.resolve() is None
        assert repository.referrers(BLOB.digest) == ()
        with pytest.raises(NotFoundError, match="has no x:one"):
            repository.manifest()
        with pytest.raises(NotFoundError, match="has no list of the tags"):
            repository.tags()


def test_another_failure_at_the_time_is_not_the_cause(
    filled: RegistryServer, repository: Repository, pauses: Pauses, tmp_path: Path
) -> None:
    """What is asked while an error is handled is asked again as ever."""
    left = [1]

    def hang_up(handler: Handler, seen: Seen) -> bool:
        if not left[0]:
            return False
        left[0] -= 1
        handler.close_connection = True
        return True

    repository.blob_size(Digest(digest_of(b"nothing")))
    filled.faults.append(hang_up)
    try:
        read_blob(Folder(tmp_path), BLOB)
    except StoreError:
        assert repository.manifest().raw
    assert len(pauses) == 1
