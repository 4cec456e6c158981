"""How a registry is reached: proxies, private certificate authorities, TLS or not."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.stores.registry_server import Handler, RegistryServer, Seen, serve
from tests.stores.store_images import Layout
from verifier.errors import UnreachableError
from verifier.oci.reference import parse_reference
from verifier.stores.registry import Access, Repository
from verifier.stores.registry_network import address_of, authorities, is_loopback, may_be_plain, proxy_for

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a private authority, `ca.pem`, and a certificate of it for loopback, `server.pem`."""
    folder = tmp_path_factory.mktemp("authority")
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(folder, "req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=tests", "-days", "2")
    openssl(folder, "req", *new, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost", encoding="ascii")
    signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1", "-extfile", "names"]
    openssl(folder, "x509", "-req", "-in", "server.csr", *signing, "-out", "server.pem")
    openssl(folder, "req", *new, "-keyout", "client.key", "-out", "client.csr", "-subj", "/CN=client")
    openssl(folder, "x509", "-req", "-in", "client.csr", *signing[:-2], "-out", "client.cert")
    return folder


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture
def secure(authority: Path) -> Iterator[RegistryServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    with serve(context) as registry:
        layout = Layout()
        registry.take(layout, layout.image(), "one")
        yield registry


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_private_authority(
    secure: RegistryServer, authority: Path, access: Access, environment: dict[str, str], variable: str
) -> None:
    environment[variable] = str(authority / "ca.pem")
    with Repository(parse_reference(f"{secure.address}/x:one"), access) as repository:
        assert repository.manifest().raw == secure.manifests["one"][0]


@pytest.mark.parametrize("place", [".config/docker", ".config/containers"])
def test_the_authority_of_one_registry(
    secure: RegistryServer, authority: Path, access: Access, tmp_path: Path, place: str
) -> None:
    keep(tmp_path / place, secure.address, authority, "ca.pem", "authority.crt")
    with Repository(parse_reference(f"{secure.address}/x:one"), access) as repository:
        assert repository.manifest().raw == secure.manifests["one"][0]


def test_the_authority_of_one_registry_is_not_another_s(
    secure: RegistryServer, authority: Path, access: Access, tmp_path: Path
) -> None:
    keep(tmp_path / ".config/docker", f"localhost:{secure.address.rpartition(':')[2]}", authority, "ca.pem", "ca.crt")
    repository = Repository(parse_reference(f"{secure.address}/x:one"), access)
    with repository, pytest.raises(UnreachableError, match="has no certificate that is trusted"):
        repository.manifest()


@pytest.mark.parametrize("shows", [True, False])
def test_a_registry_that_wants_to_know_who_asks(
    authority: Path, access: Access, tmp_path: Path, *, shows: bool
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    context.load_verify_locations(authority / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with serve(context) as registry:
        layout = Layout()
        registry.take(layout, layout.image(), "one")
        folder = tmp_path / ".config/containers"
        keep(folder, registry.address, authority, "ca.pem", "ca.crt")
        if shows:
            keep(folder, registry.address, authority, "client.cert", "client.cert")
            keep(folder, registry.address, authority, "client.key", "client.key")
        with Repository(parse_reference(f"{registry.address}/x:one"), access) as repository:
            if shows:
                assert repository.manifest().raw == registry.manifests["one"][0]
            else:
                with pytest.raises(UnreachableError):
                    repository.manifest()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ca.crt", "no certificate", r"ca\.crt: "),
        ("client.cert", None, r"client\.cert: "),
    ],
)
def test_certificates_that_cannot_be_used(
    secure: RegistryServer,
    authority: Path,
    access: Access,
    tmp_path: Path,
    name: str,
    content: str | None,
    message: str,
) -> None:
    folder = keep(tmp_path / ".config/docker", secure.address, authority, "client.cert", name)
    if content is not None:
        (folder / name).write_text(content, encoding="ascii")
    repository = Repository(parse_reference(f"{secure.address}/x:one"), access)
    with repository, pytest.raises(UnreachableError, match=f"cannot be used: {message}"):
        repository.manifest()


def keep(root: Path, host: str, authority: Path, source: str, name: str) -> Path:
    """Put a certificate where the tools keep those of one registry."""
    folder = root / "certs.d" / host
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes((authority / source).read_bytes())
    return folder


def test_authority_that_is_not_known(secure: RegistryServer, access: Access) -> None:
    repository = Repository(parse_reference(f"{secure.address}/x:one"), access)
    with repository, pytest.raises(UnreachableError, match="has no certificate that is trusted") as caught:
        repository.manifest()
    assert "SSL_CERT_FILE" in str(caught.value.hint)


def test_authority_that_is_not_there(server: RegistryServer, access: Access, environment: dict[str, str]) -> None:
    environment["SSL_CERT_FILE"] = "/nowhere/ca.pem"
    repository = Repository(parse_reference(f"{server.address}/x:one"), access)
    with repository, pytest.raises(UnreachableError, match="SSL_CERT_FILE names /nowhere"):
        repository.manifest()


def test_system_authorities() -> None:
    found = authorities({})
    assert found is True or Path(str(found)).is_file()


def as_proxy(handler: Handler, seen: Seen) -> bool:
    """Turn what a proxy is asked into what a registry is asked."""
    seen.path = urlsplit(seen.path).path
    return False


def test_proxy(server: RegistryServer, access: Access, environment: dict[str, str]) -> None:
    layout = Layout()
    server.take(layout, layout.image(), "one")
    server.faults.append(as_proxy)
    environment["http_proxy"] = f"someone:s3cret@{server.address}"
    environment["VERIFY_BUILD_HTTP_REGISTRIES"] = "other.invalid, registry.invalid:5000"
    with Repository(parse_reference("registry.invalid:5000/x:one"), access) as repository:
        assert repository.manifest().raw == server.manifests["one"][0]
    assert server.seen[0].headers["host"] == "registry.invalid:5000"
    assert server.seen[0].headers["proxy-authorization"].startswith("Basic ")


def test_proxy_that_does_not_answer(access: Access, environment: dict[str, str]) -> None:
    environment["HTTPS_PROXY"] = "http://someone:s3cret@127.0.0.1:1"
    repository = Repository(parse_reference("registry.invalid/x:one"), access)
    with repository, pytest.raises(UnreachableError, match=r"the proxy for the registry registry\.invalid") as caught:
        repository.manifest()
    assert "s3cret" not in str(caught.value) + str(caught.value.hint)


def test_proxy_of_another_kind(access: Access, environment: dict[str, str]) -> None:
    environment["ALL_PROXY"] = "gopher://127.0.0.1:1"
    repository = Repository(parse_reference("registry.invalid/x:one"), access)
    with repository, pytest.raises(UnreachableError, match="registry"):
        repository.manifest()


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("https://r.example/v2/", {}, None),
        ("https://r.example/v2/", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://r.example/v2/", {"https_proxy": "p:1", "HTTPS_PROXY": "q:1"}, "http://p:1"),
        ("https://r.example/v2/", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://r.example/v2/", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("https://r.example/v2/", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("https://r.example/v2/", {"HTTPS_PROXY": "p", "NO_PROXY": "*"}, None),
        ("https://r.example/v2/", {"HTTPS_PROXY": "p", "NO_PROXY": "a, example"}, None),
        ("https://r.example/v2/", {"HTTPS_PROXY": "p", "NO_PROXY": "r.example"}, None),
        ("https://r.example/v2/", {"HTTPS_PROXY": "p", "NO_PROXY": ".r.example"}, "http://p"),
        ("https://r.example/v2/", {"HTTPS_PROXY": "p", "NO_PROXY": "*.example"}, None),
        ("https://r.example/v2/", {"HTTPS_PROXY": "p", "NO_PROXY": "ample"}, "http://p"),
        ("https://r.example:5000/v2/", {"HTTPS_PROXY": "p", "NO_PROXY": "r.example:5000"}, None),
        ("https://r.example:5001/v2/", {"HTTPS_PROXY": "p", "no_proxy": "r.example:5000"}, "http://p"),
        ("https://10.1.2.3/v2/", {"HTTPS_PROXY": "p", "NO_PROXY": "10.0.0.0/8"}, None),
        ("https://10.1.2.3/v2/", {"HTTPS_PROXY": "p", "NO_PROXY": "10.1.2.4,r.example"}, "http://p"),
        ("https://[2001:db8::1]/v2/", {"HTTPS_PROXY": "p", "NO_PROXY": "2001:db8::/32"}, None),
        ("http://127.0.0.1:5000/v2/", {"HTTP_PROXY": "p", "ALL_PROXY": "p"}, None),
        ("http://[::1]:5000/v2/", {"HTTP_PROXY": "p"}, None),
    ],
)
def test_which_proxy(url: str, environment: dict[str, str], proxy: str | None) -> None:
    assert proxy_for(url, environment) == proxy


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("registry.localhost:5000", True),
        ("127.0.0.1", True),
        ("127.1.2.3:5000", True),
        ("[::1]:5000", True),
        ("[::2]:5000", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("10.0.0.1:5000", False),
        ("docker.io", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
    assert may_be_plain(host, {}) is loopback
    assert may_be_plain(host, {"VERIFY_BUILD_HTTP_REGISTRIES": f"x, {host}"})


def test_docker_hub_answers_elsewhere() -> None:
    assert address_of("docker.io") == "registry-1.docker.io"
    assert address_of("127.0.0.1:5000") == "127.0.0.1:5000"
