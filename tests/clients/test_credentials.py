"""Docker's config.json: which of its entries are a registry's, and that no secret shows."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from verifier.clients.credentials import Credential, find_credential

SECRET = base64.b64encode(b"someone:s3cret").decode()


def write(folder: Path, **config: object) -> dict[str, str]:
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return {"DOCKER_CONFIG": str(folder), "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("key", "registry", "is_found"),
    [
        ("https://index.docker.io/v1/", "docker.io", True),
        ("index.docker.io", "docker.io", True),
        ("registry-1.docker.io", "docker.io", True),
        ("docker.io", "docker.io", True),
        ("r.example", "r.example", True),
        ("https://r.example/v2/", "r.example", True),
        ("r.example:5000", "r.example:5000", True),
        ("r.example:5000", "r.example", False),
        ("r.example", "r.example:5000", False),
        ("evil.r.example", "r.example", False),
        ("r.example.evil", "r.example", False),
        ("https://evil/r.example", "r.example", False),
        ("https://index.docker.io/v1/", "index.docker.io.evil", False),
    ],
)
def test_whose_entry_it_is(tmp_path: Path, key: str, registry: str, is_found: bool) -> None:
    found = find_credential(registry, write(tmp_path, auths={key: {"auth": SECRET}})).credential
    assert found == (Credential(kind="password", username="someone", secret="s3cret") if is_found else None)


def test_home_folder(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    write(tmp_path / ".docker", auths={"r.example": {"auth": SECRET}})
    found = find_credential("r.example", {"HOME": str(tmp_path)}).credential
    assert found is not None
    assert base64.b64decode(found.basic) == b"someone:s3cret"


def test_no_config(tmp_path: Path) -> None:
    lookup = find_credential("r.example", {"DOCKER_CONFIG": str(tmp_path / "nowhere")})
    assert (lookup.credential, lookup.trouble) == (None, None)


def test_config_of_another_size(tmp_path: Path) -> None:
    environment = write(tmp_path, padding=" " * 2_000_000)
    assert "is larger than" in str(find_credential("r.example", environment).trouble)


@pytest.mark.parametrize("auths", [[], {"r.example": []}, {"r.example": {"auth": 5}}, {"r.example": {}}, None])
def test_entries_of_another_shape(tmp_path: Path, auths: object) -> None:
    assert find_credential("r.example", write(tmp_path, auths=auths)).credential is None


def test_file_after_a_helper_that_fails(tmp_path: Path) -> None:
    environment = write(tmp_path, credsStore="is-not-there", auths={"r.example": {"auth": SECRET}})
    lookup = find_credential("r.example", environment)
    assert lookup.credential is not None
    assert lookup.trouble == "docker-credential-is-not-there is not installed"


def test_no_secret_is_shown(tmp_path: Path) -> None:
    lookup = find_credential("r.example", write(tmp_path, auths={"r.example": {"auth": SECRET}}))
    assert lookup.credential is not None
    assert "s3cret" not in repr(lookup)
    assert "someone" not in repr(lookup)
