"""Who we are: credentials come from Docker's config, go to the registry alone, and are seen nowhere else."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.stores.registry_server import Handler, RegistryServer, Seen, serve
from tests.stores.store_images import Layout, digest_of, to_json
from verifier.errors import NoVerdictError, UnauthorizedError, UnreachableError
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest
from verifier.oci.reference import parse_reference
from verifier.stores.registry import Access, Repository
from verifier.stores.registry_auth import Challenge, parse_challenges
from verifier.stores.registry_store import RegistryBlobs

pytestmark = pytest.mark.timeout(60)

USER, SECRET = "someone", "s3cret-passw0rd"
DATA = bytes(range(256)) * 8
BLOB = Descriptor(media_type="application/octet-stream", digest=Digest(digest_of(DATA)), size=len(DATA))
BASIC = "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()


@dataclass
class Gate:
    """Lets nobody in without a token, which is good for so many requests."""

    registry: RegistryServer
    realm: str
    good_for: int = 10**6
    credential: str | None = BASIC
    issued: list[dict[str, list[str]]] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)

    def __call__(self, handler: Handler, seen: Seen) -> bool:
        if urlsplit(seen.path).path == "/token":
            self._issue(handler, seen)
            return True
        token = seen.headers.get("authorization", "")
        if self.left.get(token, 0) > 0:
            self.left[token] -= 1
            return False
        scope = f"repository:{seen.path.split('/')[2]}:pull"
        challenge = f'Bearer realm="{self.realm}",service="a service",scope="{scope}"'
        handler.send(401, to_json({"errors": [{"code": "UNAUTHORIZED", "message": token}]}), WWW_Authenticate=challenge)
        return True

    def _issue(self, handler: Handler, seen: Seen) -> None:
        query = parse_qs(seen.body.decode() if seen.method == "POST" else urlsplit(seen.path).query)
        self.issued.append(query)
        told = query.get("refresh_token", [seen.headers.get("authorization")])[0]
        if self.credential is not None and told != self.credential:
            handler.send(401, to_json({"details": told}))
            return
        token = f"token-{len(self.issued)}"
        self.left[f"Bearer {token}"] = self.good_for
        key = "access_token" if seen.method == "POST" else "token"
        handler.send(200, to_json({key: token, "expires_in": 60}))


@pytest.fixture
def configure(environment: dict[str, str]) -> Callable[..., None]:
    """Write Docker's config.json."""

    def write(**config: object) -> None:
        (Path(environment["DOCKER_CONFIG"]) / "config.json").write_text(json.dumps(config), encoding="utf-8")

    return write


@pytest.fixture
def helper(environment: dict[str, str], tmp_path: Path) -> Callable[[str, str], None]:
    """Put a credential helper on the PATH."""

    def write(name: str, script: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        environment["PATH"] = f"{folder}:/usr/bin:/bin"

    return write


@pytest.fixture
def filled(server: RegistryServer) -> RegistryServer:
    layout = Layout()
    server.take(layout, layout.image(), "one")
    server.blobs[BLOB.digest] = DATA
    return server


@pytest.fixture
def gate(filled: RegistryServer) -> Gate:
    """Token authentication, with a realm of the registry's own."""
    made = Gate(filled, f"http://{filled.address}/token")
    filled.faults.append(made)
    return made


@pytest.fixture
def other() -> Iterator[RegistryServer]:
    with serve(host="127.0.0.2") as registry:
        yield registry


def logged_in(server: RegistryServer) -> dict[str, dict[str, str]]:
    return {server.address: {"auth": BASIC.removeprefix("Basic ")}}


def wants_basic(handler: Handler, seen: Seen) -> bool:
    if seen.headers.get("authorization") == BASIC:
        return False
    handler.send(401, b"", WWW_Authenticate='Basic realm="a registry"')
    return True


def test_basic(filled: RegistryServer, repository: Repository, configure: Callable[..., None]) -> None:
    configure(auths=logged_in(filled))
    filled.faults.append(wants_basic)
    assert repository.blob_bytes(BLOB, limit=10**6) == DATA
    assert repository.manifest().raw
    # once asked for, it is sent at once
    assert [item.headers.get("authorization") for item in filled.seen] == [None, None, *[BASIC] * 3]


def test_token_of_one_repository(gate: Gate, repository: Repository, configure: Callable[..., None]) -> None:
    configure(auths=logged_in(gate.registry))
    assert repository.manifest().raw
    assert repository.blob_bytes(BLOB, limit=10**6) == DATA
    assert gate.issued == [{"service": ["a service"], "scope": ["repository:x:pull"]}]


def test_anonymous_token(gate: Gate, repository: Repository) -> None:
    gate.credential = None
    assert repository.manifest().raw
    assert [item.headers.get("authorization") for item in gate.registry.seen if item.path.startswith("/token")] == [
        None
    ]


def test_token_that_expires_in_the_middle(gate: Gate, repository: Repository, configure: Callable[..., None]) -> None:
    configure(auths=logged_in(gate.registry))
    gate.good_for = 1
    cuts = iter(range(100, len(DATA), 500))

    def cut(handler: Handler, seen: Seen) -> bool:
        if seen.method != "GET" or "/blobs/" not in seen.path or (at := next(cuts, None)) is None:
            return False
        offset = int(seen.headers.get("range", "bytes=0-")[6:-1])
        status, data, headers = handler.start_body(DATA, offset)
        handler.cut(status, data, at - offset, **headers)
        return True

    gate.registry.faults.append(cut)
    assert repository.blob_bytes(BLOB, limit=10**6) == DATA
    assert len(gate.issued) > 4


def test_tokens_that_are_never_good(gate: Gate, repository: Repository, configure: Callable[..., None]) -> None:
    configure(auths=logged_in(gate.registry))
    gate.good_for = 0
    with pytest.raises(UnauthorizedError, match="does not take the credential"):
        repository.manifest()
    assert len(gate.issued) == 1


def test_identity_token(gate: Gate, repository: Repository, configure: Callable[..., None]) -> None:
    configure(auths={gate.registry.address: {"auth": BASIC.removeprefix("Basic "), "identitytoken": "an-identity"}})
    gate.credential = "an-identity"
    assert repository.manifest().raw
    assert gate.issued[0]["grant_type"] == ["refresh_token"]
    assert gate.issued[0]["scope"] == ["repository:x:pull"]


def test_registry_token(gate: Gate, repository: Repository, configure: Callable[..., None]) -> None:
    configure(auths={gate.registry.address: {"registrytoken": "of-the-registry"}})
    gate.left["Bearer of-the-registry"] = 100
    assert repository.manifest().raw
    assert gate.issued == []


def test_no_credential(gate: Gate, repository: Repository) -> None:
    with pytest.raises(UnauthorizedError, match="gives no token without a credential") as caught:
        repository.resolve()
    assert caught.value.hint == f"docker login {gate.registry.address}"


def test_wrong_credential(filled: RegistryServer, repository: Repository, configure: Callable[..., None]) -> None:
    configure(auths={filled.address: {"username": USER, "password": "wrong"}})
    filled.faults.append(wants_basic)
    with pytest.raises(UnauthorizedError, match="does not take the credential"):
        repository.manifest()


def test_not_allowed(filled: RegistryServer, repository: Repository) -> None:
    def refuse(handler: Handler, seen: Seen) -> bool:
        handler.send(403, to_json({"errors": [{"code": "DENIED", "message": SECRET}]}))
        return True

    filled.faults.append(refuse)
    with pytest.raises(UnauthorizedError, match=r"does not allow this \(DENIED\)"):
        repository.manifest()


def test_token_server_that_is_busy(gate: Gate, repository: Repository) -> None:
    gate.credential = None
    left = [2]

    def busy(handler: Handler, seen: Seen) -> bool:
        if not seen.path.startswith("/token") or not left[0]:
            return False
        left[0] -= 1
        handler.send(503)
        return True

    gate.registry.faults.insert(0, busy)
    assert repository.manifest().raw


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"token": 5}', b'{"token": "a\\nb"}', b"[" * 100_000, b" " * 10**6])
def test_token_server_that_babbles(gate: Gate, repository: Repository, answer: bytes) -> None:
    def babble(handler: Handler, seen: Seen) -> bool:
        if seen.path.startswith("/token"):
            handler.send(200, answer)
            return True
        return False

    gate.registry.faults.insert(0, babble)
    with pytest.raises(NoVerdictError, match="token server"):
        repository.manifest()


@pytest.mark.parametrize(
    ("realm", "message"),
    [("", "no address"), ("ftp://x/", "no address"), ("http://registry.invalid/token", "address without TLS")],
)
def test_realm_that_is_not_asked(
    gate: Gate, repository: Repository, configure: Callable[..., None], realm: str, message: str
) -> None:
    configure(auths=logged_in(gate.registry))
    gate.realm = realm
    with pytest.raises(UnreachableError, match=message):
        repository.manifest()


def test_redirects_lose_the_credential(
    filled: RegistryServer, other: RegistryServer, repository: Repository, configure: Callable[..., None]
) -> None:
    configure(auths=logged_in(filled))
    other.blobs[BLOB.digest] = DATA

    def elsewhere(handler: Handler, seen: Seen) -> bool:
        if "/blobs/" not in seen.path:
            return False
        handler.send(307, Location=f"http://{other.address}{seen.path}?signature={SECRET}")
        return True

    filled.faults += [wants_basic, elsewhere]
    assert repository.blob_bytes(BLOB, limit=10**6) == DATA
    assert len(other.seen) == 2
    assert all("authorization" not in item.headers for item in other.seen)


def test_storage_that_asks_for_the_credential(
    filled: RegistryServer, other: RegistryServer, repository: Repository, configure: Callable[..., None]
) -> None:
    configure(auths={**logged_in(filled), **logged_in(other)})
    other.faults.append(wants_basic)

    def elsewhere(handler: Handler, seen: Seen) -> bool:
        handler.send(307, Location=f"http://{other.address}{seen.path}?signature={SECRET}")
        return "/blobs/" in seen.path

    filled.faults.append(lambda handler, seen: "/blobs/" in seen.path and elsewhere(handler, seen))
    with pytest.raises(UnauthorizedError, match="the storage that") as caught:
        repository.blob_bytes(BLOB, limit=10**6)
    assert SECRET not in caught.value.message
    assert all("authorization" not in item.headers for item in other.seen)


def test_storage_where_head_is_not_signed(
    filled: RegistryServer, other: RegistryServer, repository: Repository
) -> None:
    other.blobs[BLOB.digest] = DATA

    def head(handler: Handler, seen: Seen) -> bool:
        if seen.method == "HEAD":
            handler.send(403)
        return seen.method == "HEAD"

    def elsewhere(handler: Handler, seen: Seen) -> bool:
        if "/blobs/" not in seen.path:
            return False
        handler.send(307, Location=f"http://{other.address}{seen.path}")
        return True

    other.faults.append(head)
    filled.faults.append(elsewhere)
    assert repository.blob_bytes(BLOB, limit=10**6) == DATA


def test_redirect_to_where_there_is_no_tls(filled: RegistryServer, repository: Repository) -> None:
    def elsewhere(handler: Handler, seen: Seen) -> bool:
        if "/blobs/" not in seen.path:
            return False
        handler.send(307, Location="http://registry.invalid/blob")
        return True

    filled.faults.append(elsewhere)
    with pytest.raises(UnreachableError, match="sends us to an address without TLS"):
        repository.blob_size(BLOB.digest)


def test_netrc_is_not_looked_at(filled: RegistryServer, repository: Repository, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {SECRET}\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert repository.manifest().raw
    assert all("authorization" not in item.headers for item in filled.seen)


def test_helper_of_one_registry(
    filled: RegistryServer, repository: Repository, configure: Callable[..., None], helper: Callable[[str, str], None]
) -> None:
    filled.faults.append(wants_basic)
    configure(credHelpers={filled.address: "own"}, credsStore="everything", auths={filled.address: {}})
    helper(
        "own",
        f'read key; [ "$1 $key" = "get {filled.address}" ] && echo \'{{"Username":"{USER}","Secret":"{SECRET}"}}\'',
    )
    helper("everything", "exit 5")
    assert repository.manifest().raw


def test_store_of_identity_tokens(
    gate: Gate, repository: Repository, configure: Callable[..., None], helper: Callable[[str, str], None]
) -> None:
    gate.credential = "an-identity"
    configure(credsStore="everything")
    helper("everything", """echo '{"Username":"<token>","Secret":"an-identity"}'""")
    assert repository.manifest().raw


@pytest.mark.parametrize(
    ("script", "hint"),
    [
        (f"echo {SECRET}; exit 3", "docker-credential-own failed with exit status 3"),
        (f"echo {SECRET}", "docker-credential-own did not answer as a helper does"),
        (
            """echo '{"Username": 5, "Secret": []}'""",
            "docker-credential-own did not answer as a helper does",
        ),
        ("echo credentials not found in native keychain; exit 1", "docker login ADDRESS"),
        (None, "docker-credential-own is not installed"),
    ],
)
def test_helper_that_does_not_help(
    gate: Gate,
    repository: Repository,
    configure: Callable[..., None],
    helper: Callable[[str, str], None],
    script: str | None,
    hint: str,
) -> None:
    configure(credsStore="own")
    if script is not None:
        helper("own", script)
    with pytest.raises(UnauthorizedError) as caught:
        repository.manifest()
    assert caught.value.hint == hint.replace("ADDRESS", gate.registry.address)
    gate.credential = None
    assert repository.manifest().raw  # where nothing is asked for, nothing is missed


@pytest.mark.parametrize("name", ["../evil", "a b", "/bin/sh", ""])
def test_helper_with_a_name_that_is_none(
    gate: Gate, repository: Repository, configure: Callable[..., None], name: str
) -> None:
    configure(credsStore=name)
    with pytest.raises(UnauthorizedError):
        repository.manifest()


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("{", "is not JSON"),
        ('{"auths": {"ADDRESS": {"auth": "!"}}}', "an `auth` in it is not base64"),
        ("[]", "docker login"),
    ],
)
def test_config_that_is_broken(
    gate: Gate, repository: Repository, environment: dict[str, str], content: str, hint: str
) -> None:
    path = Path(environment["DOCKER_CONFIG"]) / "config.json"
    path.write_text(content.replace("ADDRESS", gate.registry.address), encoding="utf-8")
    with pytest.raises(UnauthorizedError) as caught:
        repository.manifest()
    assert hint in str(caught.value.hint)


def test_mount_asks_for_both_repositories(
    gate: Gate, repository: Repository, configure: Callable[..., None], access: Access
) -> None:
    configure(auths=logged_in(gate.registry))
    uploads: list[str] = []

    def mount(handler: Handler, seen: Seen) -> bool:
        if seen.method != "POST" or "/uploads/" not in seen.path:
            return False
        uploads.append(seen.path)
        handler.send(201, Location="/v2/x/blobs/here")
        return True

    gate.registry.faults.append(mount)
    missing = Descriptor(media_type="x", digest=Digest(digest_of(b"new")), size=3)
    nothing = RegistryBlobs(repository, Path())  # what is mounted is not read
    assert repository.push_blob(nothing, missing, mount_from="y/z") is False
    assert uploads == [f"/v2/x/blobs/uploads/?mount={missing.digest.replace(':', '%3A')}&from=y%2Fz"]
    assert gate.issued[-1]["scope"] == ["repository:x:pull", "repository:y/z:pull"]


def test_nothing_secret_is_said(
    gate: Gate,
    other: RegistryServer,
    access: Access,
    configure: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Whatever goes wrong: neither errors, nor logs at their most talkative, nor what is printed holds a secret."""
    caplog.set_level(logging.DEBUG)
    configure(auths=logged_in(gate.registry))
    encoded = BASIC.removeprefix("Basic ")

    def redirect(handler: Handler, seen: Seen) -> bool:
        handler.send(307, Location=f"http://{USER}:{SECRET}@{other.address}/")
        return True

    def echo(handler: Handler, seen: Seen) -> bool:
        told = seen.headers.get("authorization", "")
        handler.send(500, to_json({"errors": [{"code": f"CODE {SECRET}", "message": f"{told} {SECRET} {encoded}"}]}))
        return True

    def babble(handler: Handler, seen: Seen) -> bool:
        handler.wfile.write(f"{SECRET} {encoded}\r\n\r\n".encode())
        handler.close_connection = True
        return True

    said: list[str] = []
    for credential in (BASIC, "other"):
        gate.credential = credential
        for fault in (redirect, echo, babble):
            gate.registry.faults[1:] = [fault]
            with Repository(parse_reference(f"{gate.registry.address}/x:one"), access) as repository:
                for ask in (repository.manifest, repository.tags, lambda: repository.open_blob(BLOB.digest)):
                    with pytest.raises(NoVerdictError) as caught:
                        ask()
                    said += [str(caught.value), repr(caught.value), str(caught.value.hint)]
                said.append(repr(vars(repository)))
    said += [record.getMessage() for record in caplog.records]
    said += capfd.readouterr()
    everything = "\n".join(said)
    assert "answers with 500" in everything
    for secret in (SECRET, encoded):
        assert secret not in everything


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('Basic realm="x"', [("basic", {"realm": "x"})]),
        ('bearer realm="https://a/b?c=d",service=s', [("bearer", {"realm": "https://a/b?c=d", "service": "s"})]),
        (
            'Bearer realm="r",scope="repository:x:pull,push" , Basic realm="a \\"b\\", Bearer c"',
            [("bearer", {"realm": "r", "scope": "repository:x:pull,push"}), ("basic", {"realm": 'a "b", Bearer c'})],
        ),
        ("Negotiate", []),
        ("", []),
        ('Digest realm="basic"', []),
    ],
)
def test_challenges(header: str, found: list[tuple[str, dict[str, str]]]) -> None:
    assert parse_challenges(header) == tuple(Challenge(scheme=scheme, parameters=values) for scheme, values in found)
