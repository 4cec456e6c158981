#!/usr/bin/env python3
"""Make the fixtures' base images where no hub gives the originals, and load them under the originals' names.

usage: base_images.py docker|containers|archive [IMAGE…]
       base_images.py named DOCKERFILE

`docker` loads into the engine that DOCKER_HOST names, `containers` into containers-storage, `archive` only makes the
archives and prints their paths, `named` prints those bases that a Dockerfile names. An image that the store has already
is left alone; one that can be pulled is pulled. Each archive is at once a docker archive (of the old shape too, for
engine 20.10) and an OCI archive.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from base_recipes import EPOCH, RECIPES, Recipe, RecipeError, busybox_binary, debian_rootfs, ingredients

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("VERIFY_BUILD_CACHE", ROOT / ".cache")) / "bases"
DROPPED = re.compile(r"dev/.|var/cache/apt/[^/]*\.bin$|var/lib/apt/lists/lock$|var/cache/apt/archives/lock$")
PULL_SECONDS = 300
"""One try at the hub takes no longer than this."""


def entry(name: str, kind: bytes = tarfile.REGTYPE, *, mode: int = 0o644, size: int = 0) -> tarfile.TarInfo:
    """Describe a tar entry of root's with the fixed time."""
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.mtime = kind, mode, size, EPOCH
    return info


def busybox_rootfs(target: Path) -> None:
    """Write BusyBox with its applets, laid out as the original image is."""
    with tempfile.TemporaryDirectory(prefix="verify-build-busybox-") as folder:
        binary = busybox_binary(Path(folder))
        listed = subprocess.run([binary, "--list"], check=True, capture_output=True, text=True).stdout.split()
        content = binary.read_bytes()
    texts = {
        "etc/group": "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n",
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
        "www-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
    }
    folders = ("bin", "dev", "etc", "home", "root", "tmp", "usr", "usr/bin", "usr/sbin", "var", "var/spool", "var/www")
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in folders:
            mode = {"tmp": 0o1777, "root": 0o700}.get(name, 0o755)
            archive.addfile(entry(f"{name}/", tarfile.DIRTYPE, mode=mode))
        archive.addfile(entry("bin/busybox", mode=0o755, size=len(content)), io.BytesIO(content))
        for applet in sorted(set(listed) - {"busybox"}):
            link = entry(f"bin/{applet}", tarfile.LNKTYPE, mode=0o755)
            link.linkname = "bin/busybox"
            archive.addfile(link)
        for name, text in texts.items():
            archive.addfile(entry(name, size=len(text)), io.BytesIO(text.encode()))
        env = entry("usr/bin/env", tarfile.SYMTYPE, mode=0o777)
        env.linkname = "../../bin/env"
        archive.addfile(env)


def tidy(source: Path, target: Path) -> None:
    """Copy a root file system's tar with plain names: no device nodes (a container brings them), no apt caches."""
    with tarfile.open(source) as first, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as second:
        for member in first:
            member.name = member.name.removeprefix("./")
            if member.islnk():
                member.linkname = member.linkname.removeprefix("./")
            if member.name in {"", "."} or DROPPED.match(member.name):
                continue
            member.mtime = min(int(member.mtime), EPOCH)
            member.pax_headers = {k: v for k, v in member.pax_headers.items() if k.startswith("SCHILY.xattr.")}
            second.addfile(member, first.extractfile(member) if member.isreg() else None)


def digest_of(path: Path) -> str:
    """Give a file's SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def documents(recipe: Recipe, layer: str, size: int) -> Iterator[tuple[str, bytes]]:
    """Yield the archive's JSON documents by name: config, manifest, index, layout and the engine's own list."""
    machine = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout
    created = datetime.fromtimestamp(EPOCH, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = encode(
        {
            "architecture": machine.strip(),
            "config": {"Cmd": list(recipe.command), "Env": list(recipe.env)},
            "created": created,
            "history": [{"created": created, "created_by": f"base_images.py {recipe.reference}"}],
            "os": "linux",
            "rootfs": {"diff_ids": [f"sha256:{layer}"], "type": "layers"},
        }
    )
    manifest = encode(
        {
            "config": descriptor("config.v1+json", hashlib.sha256(config).hexdigest(), len(config)),
            "layers": [descriptor("layer.v1.tar", layer, size)],
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "schemaVersion": 2,
        }
    )
    blob = "blobs/sha256/" + hashlib.sha256(config).hexdigest()
    name = {
        "io.containerd.image.name": f"docker.io/library/{recipe.reference}",
        "org.opencontainers.image.ref.name": recipe.reference.split(":")[1],
    }
    described = descriptor("manifest.v1+json", hashlib.sha256(manifest).hexdigest(), len(manifest))
    yield blob, config
    yield "blobs/sha256/" + hashlib.sha256(manifest).hexdigest(), manifest
    yield (
        "index.json",
        encode(
            {
                "manifests": [{**described, "annotations": name}],
                "mediaType": "application/vnd.oci.image.index.v1+json",
                "schemaVersion": 2,
            }
        ),
    )
    yield "oci-layout", encode({"imageLayoutVersion": "1.0.0"})
    listed = {
        "Config": blob,
        "Layers": [f"blobs/sha256/{layer}"],
        "RepoTags": [f"docker.io/library/{recipe.reference}"],
    }
    yield "manifest.json", encode([listed])


def encode(value: object) -> bytes:
    """Encode JSON in one stable form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def descriptor(kind: str, digest: str, size: int) -> dict[str, object]:
    """Describe an OCI blob."""
    return {"digest": f"sha256:{digest}", "mediaType": f"application/vnd.oci.image.{kind}", "size": size}


def make(recipe: Recipe) -> Path:
    """Make the image's archive, or give the one made before from the same ingredients."""
    programs = [Path(__file__).with_name(name).read_text("utf-8") for name in ("base_images.py", "base_recipes.py")]
    key = hashlib.sha256("\n".join([*programs, ingredients(recipe)]).encode()).hexdigest()[:12]
    archive = CACHE / f"{recipe.reference.replace(':', '-')}-{key}.tar"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if archive.exists():
            return archive
        print(f"making {recipe.reference}", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            layer = Path(folder, "layer.tar")
            if recipe.packages is None:
                busybox_rootfs(layer)
            else:
                debian_rootfs(recipe, Path(folder, "rootfs.tar"))
                tidy(Path(folder, "rootfs.tar"), layer)
            write_archive(recipe, layer, Path(folder, "archive.tar"))
            Path(folder, "archive.tar").rename(archive)
    return archive


def write_archive(recipe: Recipe, layer: Path, target: Path) -> None:
    """Write the layer and the documents that name it."""
    digest, size = digest_of(layer), layer.stat().st_size
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("blobs/", "blobs/sha256/"):
            archive.addfile(entry(name, tarfile.DIRTYPE, mode=0o755))
        with layer.open("rb") as stream:
            archive.addfile(entry(f"blobs/sha256/{digest}", size=size), stream)
        for name, document in documents(recipe, digest, size):
            archive.addfile(entry(name, size=len(document)), io.BytesIO(document))


class Store:
    """A place that builders take bases from: the commands that look, pull and load there."""

    def __init__(self, look: list[str], pull: list[str], load: list[str]) -> None:
        self.look, self.pull, self.load = look, pull, load
        self.hub_answers = True

    @classmethod
    def named(cls, name: str) -> Store:
        """Give the store by its name on the command line. Raises RecipeError when no program serves it."""
        if name == "docker":
            return cls(["docker", "image", "inspect"], ["docker", "pull", "-q"], ["docker", "load", "-q", "-i"])
        if shutil.which("buildah"):
            load = ["buildah", "pull", "-q", "--policy", "always"]
            return cls(["buildah", "inspect", "--type", "image"], ["buildah", "pull", "-q"], load)
        if shutil.which("podman"):
            return cls(["podman", "image", "inspect"], ["podman", "pull", "-q"], ["podman", "load", "-q", "-i"])
        raise RecipeError("neither buildah nor podman is installed")

    def provide(self, recipe: Recipe) -> str:
        """See to it that the store has the image, and say where it came from."""
        name = recipe.reference
        if self.load[0] != "docker":
            name = f"docker.io/library/{name}"
        if subprocess.run([*self.look, name], check=False, capture_output=True).returncode == 0:
            return "there already"
        if self.hub_answers:
            try:
                pulled = subprocess.run([*self.pull, name], check=False, capture_output=True, timeout=PULL_SECONDS)
            except subprocess.TimeoutExpired:
                self.hub_answers = False
            else:
                self.hub_answers = pulled.returncode == 0
            if self.hub_answers:
                return "pulled"
        source = str(make(recipe))
        if self.load[0] == "buildah":
            source = f"docker-archive:{source}"
        done = subprocess.run([*self.load, source], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise RecipeError(f"{' '.join(self.load)} failed for {recipe.reference}: {done.stderr.strip()[-400:]}")
        return "made here"


def main(arguments: list[str]) -> int:
    """Run the command line: 0 done, 1 an image could not be provided, 2 bad usage."""
    known = {recipe.reference: recipe for recipe in RECIPES}
    if arguments[:1] == ["named"] and len(arguments) == 2:
        text = Path(arguments[1]).read_text("utf-8", "replace")
        print(" ".join(name for name in known if re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w.@-])", text)))
        return 0
    unknown = [name for name in arguments[1:] if name not in known]
    if not arguments or arguments[0] not in {"docker", "containers", "archive"} or unknown:
        print(f"{__doc__}\nimages: {', '.join(known)}", file=sys.stderr)
        return 2
    try:
        store = None if arguments[0] == "archive" else Store.named(arguments[0])
        for name in arguments[1:] or known:
            if store is None:
                print(make(known[name]))
            else:
                print(f"{name}: {store.provide(known[name])}", file=sys.stderr)
    except (RecipeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
