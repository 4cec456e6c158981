"""`files/v1` of an image against the root that real tools make of it, digested again by a program of twenty lines."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.compare.layer_images import Blobs, Entry, compare_layers_of, file, folder, hardlink, image, symlink, tar

LOWER = [
    folder("./", mode=0o755),
    folder("etc", mode=0o750, uid=5, gid=6),
    file("etc/setuid", b"#!/bin/sh\n", mode=0o4755),
    file("etc/gone", b"x"),
    folder("opaque", mode=0o1777),
    file("opaque/gone", b"x"),
    folder("usr/bin"),
    symlink("bin", "usr/bin"),
    file("usr/bin/tool", b"\x7fELF" + bytes(10_000), mode=0o755, uid=1000),
    hardlink("usr/bin/alias", "usr/bin/tool", mode=0o755, uid=1000),
    hardlink("a-link", "usr/bin/tool", mode=0o755, uid=1000),
    Entry("pipe", type=tarfile.FIFOTYPE, mode=0o600),
    file("replaced/by/file", b"x"),
    file("mode", b"x", mode=0o644),
    file("\udcff\udcfe", b"no utf-8"),
    file("with space\nand newline", b"x"),
]
UPPER = [
    file("etc/.wh.gone"),
    file("opaque/.wh..wh..opq"),
    file("opaque/new", b"y"),
    file("bin/through-link", b"z"),
    file("mode", b"x", mode=0o600, gid=3),
    file("replaced", b"now a file"),
    file("implied/parents/file", b"w"),
]


def digest_of_root(root: Path) -> str:
    """Compute `files/v1` of a directory, from the description alone."""

    def net(data: bytes) -> bytes:
        return b"%d:%b," % (len(data), data)

    base = os.fsencode(root)
    paths = [b"/"]
    for parent, folders, files in os.walk(base):
        paths += [parent[len(base) :] + b"/" + name for name in folders + files]
    digest = hashlib.sha256(b"files/v1\n")
    links: dict[int, bytes] = {}
    for path in sorted(paths):
        full = base + path
        facts = os.lstat(full)
        kind, detail, mode = b"?", b"", stat.S_IMODE(facts.st_mode)
        if stat.S_ISREG(facts.st_mode):
            kind, detail = b"f", hashlib.sha256(Path(os.fsdecode(full)).read_bytes()).hexdigest().encode()
        elif stat.S_ISDIR(facts.st_mode):
            kind = b"d"
        elif stat.S_ISLNK(facts.st_mode):
            kind, detail, mode = b"l", os.fsencode(Path(os.fsdecode(full)).readlink()), 0o777
        elif stat.S_ISFIFO(facts.st_mode):
            kind = b"p"
        elif stat.S_ISCHR(facts.st_mode) or stat.S_ISBLK(facts.st_mode):
            kind = b"c" if stat.S_ISCHR(facts.st_mode) else b"b"
            detail = b"%d:%d" % (os.major(facts.st_rdev), os.minor(facts.st_rdev))
        if kind != b"d" and facts.st_nlink > 1:
            smallest = links.setdefault(facts.st_ino, path)
            if smallest != path:
                kind, detail = b"h", smallest
        head = b"%b %04o %d %d" % (kind, mode, facts.st_uid, facts.st_gid)
        digest.update(net(path) + net(head) + net(detail) + b"\n")
    return f"sha256:{digest.hexdigest()}"


def files_of(workspace: Path, *layers: bytes) -> str | None:
    return compare_layers_of(layers, [tar([file("other")])], workspace).images[0].first.files


@pytest.fixture
def umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
@pytest.mark.skipif(os.geteuid() != 0, reason="owners can only be set by root")
def test_one_layer_agrees_with_tar(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir(mode=0o755)
    subprocess.run(
        ["tar", "-x", "-p", "--numeric-owner", "--same-owner", "-C", root], input=tar(LOWER), check=True, timeout=60
    )
    assert digest_of_root(root) == files_of(tmp_path, tar(LOWER))


@pytest.mark.usefixtures("umask")
@pytest.mark.skipif(os.geteuid() != 0, reason="owners can only be set by root")
@pytest.mark.skipif(shutil.which("umoci") is None, reason="umoci is not installed")
def test_whiteouts_agree_with_umoci(tmp_path: Path) -> None:
    blobs = Blobs()
    layers = [tar(LOWER), tar(UPPER)]
    made = image(*layers, blobs=blobs)
    assert made.manifest is not None
    blobs.put(made.manifest.raw)
    layout = tmp_path / "layout"
    (layout / "blobs" / "sha256").mkdir(parents=True)
    for digest, data in blobs.held.items():
        (layout / "blobs" / "sha256" / digest.removeprefix("sha256:")).write_bytes(data)
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    entry = {
        "mediaType": made.manifest.media_type,
        "digest": made.manifest.digest,
        "size": len(made.manifest.raw),
        "annotations": {"org.opencontainers.image.ref.name": "it"},
    }
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    root = tmp_path / "root"
    subprocess.run(["umoci", "raw", "unpack", "--image", f"{layout}:it", root], check=True, timeout=60)
    assert digest_of_root(root) == files_of(tmp_path, *layers)
