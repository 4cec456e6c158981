"""Small images in a real registry, put there without a builder."""

from __future__ import annotations

from collections.abc import Mapping

from tests.stores.store_images import config_json, tar_of, to_json
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest
from verifier.oci.media_types import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST
from verifier.oci.reference import parse_reference
from verifier.stores.registry import Repository


def publish(name: str, files: Mapping[str, bytes], **more: object) -> Digest:
    """Push an image of one layer under its tag and give its manifest's digest; `more` goes into the config."""
    layer = tar_of(files)
    with Repository(parse_reference(name)) as repository:
        history = [{"created": "2020-01-01T00:00:00Z", "created_by": "made by hand"}]
        config = repository.push_bytes(config_json([layer], **{"history": history, **more}), OCI_CONFIG)
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _json(config),
            "layers": [_json(repository.push_bytes(layer, OCI_LAYER))],
        }
        return repository.push_manifest(to_json(manifest), OCI_MANIFEST, repository.reference.tag)


def release(version: str) -> dict[str, bytes]:
    """Give the files of an Ubuntu of this version, as far as a pin's audit looks at them."""
    return {"etc/os-release": f'ID=ubuntu\nVERSION_ID="{version}"\nPRETTY_NAME="Ubuntu {version}"\n'.encode()}


def _json(descriptor: Descriptor) -> dict[str, object]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}
