"""What is attached is what cosign 2 and cosign 3 find and verify: a real registry, real cosigns, no log."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import verify_build
from tests.machine import run_setup
from tests.sign_off.made import inputs_of, make_keys, make_report, write_report
from verifier.model.sign_off import SIGN_OFF_TYPE, SUMMARY_TYPE
from verifier.oci.digest import Digest
from verifier.oci.media_types import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST
from verifier.oci.reference import parse_reference
from verifier.sign_off.envelope import BUNDLE_TYPE
from verifier.stores.registry import Repository

pytestmark = pytest.mark.registry
PASSPHRASE = "open sesame"


def push(target: str, text: bytes) -> Digest:
    """Push a small image under the tag of `target`."""
    with Repository(parse_reference(target)) as repository:
        layer = repository.push_bytes(text, OCI_LAYER)
        raw = {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
        }
        config = repository.push_bytes(json.dumps(raw).encode(), OCI_CONFIG)
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": config.digest, "size": config.size},
            "layers": [{"mediaType": OCI_LAYER, "digest": layer.digest, "size": layer.size}],
        }
        return repository.push_manifest(json.dumps(manifest).encode(), OCI_MANIFEST, parse_reference(target).tag)


@pytest.fixture
def target(registry: str) -> str:
    """An image's name in a repository of this test's own."""
    return f"{registry}/signed/{os.urandom(4).hex()}:one"


def cosign(version: str, home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "COSIGN_PASSWORD": PASSPHRASE,
        "DOCKER_CONFIG": str(home),
        "TUF_ROOT": str(home / "tuf"),
    }
    program = run_setup("cosign.sh", version).strip()
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, timeout=120, env=environment, cwd=home
    )


def remove_form_of(version: str, target: str, image: Digest) -> None:
    """Remove what the other cosign looks for, so that neither is verified by the other's form."""
    tag = image.replace(":", "-") + (".att" if version == "2" else "")
    with Repository(parse_reference(target)) as repository:
        found = repository.resolve(tag)
        assert found is not None, tag
        assert repository.ask(f"manifests/{found.digest}", "DELETE").status_code == 202
        assert repository.resolve(tag) is None


def verify(version: str, home: Path, key: Path, kind: str, target: str) -> subprocess.CompletedProcess[str]:
    options = ["--insecure-ignore-tlog=true", "--allow-insecure-registry=true", "--allow-http-registry=true"]
    options += ["--key", str(key), "--type", kind]
    return cosign(version, home, "verify-attestation", *options, target)


def statement(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(base64.b64decode(json.loads(done.stdout.splitlines()[0])["payload"]))


def attach(dockerfile: Path, tmp_path: Path, target: str, key: Path, digest: Digest) -> Path:
    report = make_report(inputs_of(dockerfile, tmp_path / "copied"), digest)
    path = write_report(report, tmp_path / "report.json")
    options = ["--key", key, "--attach", target, "--signer", "Somebody", "--out", tmp_path / "out"]
    done = verify_build("sign-off", path, *options, environment={**os.environ, "COSIGN_PASSWORD": PASSPHRASE})
    assert done.returncode == 0, done.stderr + done.stdout
    return path


@pytest.mark.parametrize("version", ["2", "3"])
@pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])
def test_cosign_verifies_what_is_attached(
    version: str, kind: str, dockerfile: Path, tmp_path: Path, target: str
) -> None:
    digest = push(target, b"one")
    keys, other = make_keys(tmp_path, kind, PASSPHRASE.encode()), make_keys(tmp_path, kind, name="other")
    attach(dockerfile, tmp_path, target, keys.private, digest)
    remove_form_of({"2": "3", "3": "2"}[version], target, digest)
    for predicate_type in (SUMMARY_TYPE, SIGN_OFF_TYPE):
        found = statement(verify(version, tmp_path, keys.public, predicate_type, target))
        assert found["predicateType"] == predicate_type
        assert found["subject"][0]["digest"] == {"sha256": digest.removeprefix("sha256:")}
    refused = verify(version, tmp_path, other.public, SUMMARY_TYPE, target)
    assert refused.returncode != 0, refused.stdout
    push(target, b"another image under the same name")
    refused = verify(version, tmp_path, keys.public, SUMMARY_TYPE, target)
    assert refused.returncode != 0, refused.stdout


def test_cosigns_own_key_signs(dockerfile: Path, tmp_path: Path, target: str) -> None:
    made = cosign("2", tmp_path, "generate-key-pair")
    assert made.returncode == 0, made.stderr
    attach(dockerfile, tmp_path, target, tmp_path / "cosign.key", push(target, b"one"))
    statement(verify("2", tmp_path, tmp_path / "cosign.pub", SUMMARY_TYPE, target))


def test_what_others_attached_stays(dockerfile: Path, tmp_path: Path, target: str) -> None:
    """Two release managers sign one image: each is found by his key, in both forms."""
    digest = push(target, b"one")
    both = [make_keys(tmp_path, kind, PASSPHRASE.encode(), name=kind) for kind in ("ecdsa", "ed25519")]
    for number, keys in enumerate(both):
        (tmp_path / str(number)).mkdir()
        attach(dockerfile, tmp_path / str(number), target, keys.private, digest)
    tag = digest.replace(":", "-") + ".att"
    with Repository(parse_reference(target)) as repository:
        assert len(json.loads(repository.manifest(tag).raw)["layers"]) == 4
        assert len(repository.referrers(digest, BUNDLE_TYPE)) == 4
    for keys in both:
        statement(verify("2", tmp_path, keys.public, SIGN_OFF_TYPE, target))
        statement(verify("3", tmp_path, keys.public, SIGN_OFF_TYPE, target))


def test_an_image_without_a_manifest_is_signed_for_once_it_is_pushed(
    dockerfile: Path, tmp_path: Path, target: str
) -> None:
    """The classic engine shows a config digest before a push; what is pushed has to be that image."""
    digest = push(target, b"one")
    with Repository(parse_reference(target)) as repository:
        config = json.loads(repository.manifest().raw)["config"]["digest"]
    made = make_report(inputs_of(dockerfile, tmp_path / "copied"))
    pair = made.platforms[0]
    assert pair.first is not None
    image = replace(pair.first, manifest_digest=None, config_digest=config)
    made = replace(made, platforms=(replace(pair, first=image, second=image),))
    path, keys = write_report(made, tmp_path / "report.json"), make_keys(tmp_path, "ed25519")
    options = ["--key", keys.private, "--attach", target, "--signer", "Somebody"]
    done = verify_build("sign-off", path, *options)
    assert done.returncode == 0, done.stderr
    assert f"@{digest} (manifest)" in done.stdout
    push(target, b"another")
    done = verify_build("sign-off", path, *options)
    assert done.returncode == 2
    assert "is no image of this report" in done.stderr


def test_the_image_in_the_registry_is_looked_at(dockerfile: Path, tmp_path: Path, target: str) -> None:
    keys = make_keys(tmp_path, "ed25519")
    made = make_report(inputs_of(dockerfile, tmp_path / "copied"), push(target, b"one"))
    path = write_report(made, tmp_path / "report.json")
    done = verify_build("sign-off", path, "--key", keys.private, "--out", tmp_path / "out", "--signer", "Somebody")
    assert done.returncode == 0, done.stderr
    options = ["--verify", tmp_path / "out" / "verification-summary.dsse.json", "--key", keys.public]
    assert verify_build("sign-off", *options, "--image", target).returncode == 0
    assert verify_build("sign-off", *options, "--image", target.replace(":one", ":nothing")).returncode == 3
    push(target, b"another image under the same name")
    done = verify_build("sign-off", *options, "--image", target)
    assert done.returncode == 1
    assert "image      refused" in done.stdout
