"""What Buildah and Podman share: one image store (containers-storage), one option syntax, one build engine.

A build runs in a private storage of its own, which borrows images from the user's storage read-only ("additional image
store"). So nothing is ever written where the user's images are, no cache of an earlier build can be reached, and
removing what a build made is removing one folder.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from verifier.clients.containers_layout import arrange_layout
from verifier.clients.process import Finished, run, stream
from verifier.errors import BuilderUnavailableError, MalformedImageError, StoreError
from verifier.oci.digest import Digest
from verifier.oci.limits import MAX_JSON_BYTES
from verifier.oci.manifest import Index, parse_manifest_or_index
from verifier.oci.platform import Platform

ASK_SECONDS: Final = 60.0
"""For a question that needs no network and moves no layers."""

COPY_SECONDS: Final = 3600.0
"""For a pull or an export of one image."""

MAX_RUN_ROOT: Final = 50
"""Characters of a run root's path: Podman refuses a longer one, because sockets are made under it."""

SHORT_FOLDER: Final = Path("/tmp")  # noqa: S108 # mkdtemp makes a private folder in it
"""Where a run root goes when the workspace's path is too long for it."""

LENDING_DRIVERS: Final = frozenset({"overlay", "vfs"})
"""Storage drivers that can read another storage's images."""

RUNTIMES: Final = ("crun", "runc")
"""Programs that make containers for a build; the user's configuration may name another."""

_FLAG: Final = re.compile(r"--([a-z][a-z0-9-]*)")
_VERSION: Final = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserStorage:
    """The user's own storage as the tool reports it, and the rest of what `info` tells.

    `buildah_version` is the build engine's: Podman has Buildah built in.
    """

    driver: str
    options: tuple[str, ...]
    graph_root: Path
    rootless: bool
    runtime: str
    buildah_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateStorage:
    """A storage of our own under `home`; `lenders` are graph roots that it reads and never writes.

    `runtimes` are the programs that may have made containers in it.
    """

    home: Path
    run_root: Path
    driver: str
    options: tuple[str, ...]
    lenders: tuple[Path, ...]
    runtimes: tuple[str, ...]

    @property
    def graph_root(self) -> Path:
        """Where its images and layers are."""
        return self.home / "root"

    @property
    def temporary(self) -> Path:
        """Its TMPDIR: cache mounts are kept there, so that no build sees the user's or another build's."""
        return self.home / "tmp"

    @property
    def flags(self) -> tuple[str, ...]:
        """The global options that make a command work here."""
        borrowed = [f"{self.driver}.imagestore={lender}" for lender in self.lenders]
        given = [part for option in (*self.options, *borrowed) for part in ("--storage-opt", option)]
        return (
            "--root", str(self.graph_root), "--runroot", str(self.run_root), "--storage-driver", self.driver, *given,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image in containers-storage: `id` is the config digest's hexadecimal part, `digest` what it was stored under.

    Newer versions tell the platform's manifest where an index was pulled, older ones the index.
    """

    id: str
    names: tuple[str, ...]
    digest: Digest
    diff_ids: tuple[Digest, ...]
    platform: Platform


class ContainersCli:
    """One of the two programs; subclasses know where they differ."""

    program: ClassVar[str]
    compress: ClassVar[tuple[str, ...]] = ()
    """Makes `push dir:` compress layers, where it does not by itself."""
    plain: ClassVar[tuple[str, ...]] = ()
    """Makes `push dir:` leave layers as they are, where it does not by itself."""
    force: ClassVar[tuple[str, ...]] = ()
    """Makes `rm` remove a build's container."""

    def version(self) -> str:
        """Give the program's version, such as `1.28.2`. Raises BuilderUnavailableError."""
        finished = run([self.program, "--version"], timeout=ASK_SECONDS)
        found = _VERSION.search(finished.text)
        if finished.status or found is None:
            raise BuilderUnavailableError(f"{self.program} does not tell its version: {finished.complaint}")
        return found[0]

    def build_flags(self) -> frozenset[str]:
        """Give the names of the options of `build`, without dashes."""
        finished = run([self.program, "build", "--help"], timeout=ASK_SECONDS)
        return frozenset(_FLAG.findall(finished.text))

    def user_storage(self) -> UserStorage:
        """Ask where the user's images are. Raises BuilderUnavailableError when the program cannot open them."""
        raise NotImplementedError

    def resolve(self, name: str, storage: PrivateStorage | None = None) -> str | None:
        """Look up the ID of what a name stands for; None when it is not there. Raises StoreError."""
        raise NotImplementedError

    def inspect(self, name: str, storage: PrivateStorage) -> StoredImage | None:
        """Look an image up by name, digest or ID; None when it is not there. Raises StoreError."""
        raise NotImplementedError

    def build_argv(
        self, arguments: Sequence[str], storage: PrivateStorage, runtime: str | None, isolation: str | None
    ) -> list[str]:
        """Put a build's command line together; `arguments` are build's own, the context last."""
        raise NotImplementedError

    def working_containers(self, storage: PrivateStorage) -> tuple[str, ...]:
        """Name the containers that builds left in a storage."""
        raise NotImplementedError

    def build(
        self, argv: Sequence[str], on_line: Callable[[str, bytes], None], storage: PrivateStorage, timeout: float | None
    ) -> int:
        """Run a build's command line and hand on its lines; give the exit status."""
        return stream(argv, on_line, timeout=timeout, environment=_environment(storage))

    def pull(self, source: str, storage: PrivateStorage | None = None, platform: Platform | None = None) -> Finished:
        """Copy an image into a storage, from a registry or from `transport:place`; the status is the caller's."""
        chosen = ["--platform", str(platform)] if platform else []
        return self.call(["pull", "--quiet", *chosen, source], storage, timeout=COPY_SECONDS)

    def load_layout(self, layout: Path) -> Finished:
        """Copy an OCI layout's image into the user's storage, under the folder's name; standard output is its ID."""
        return self.call(["pull", "--quiet", f"oci:{layout.name}"], None, timeout=COPY_SECONDS, cwd=layout.parent)

    def tag(self, image: str, names: Sequence[str], storage: PrivateStorage | None = None) -> None:
        """Give an image more names. Raises StoreError."""
        _check(self.call(["tag", image, *names], storage), f"{image} could not be tagged")

    def untag(self, name: str) -> None:
        """Take one of several names from an image in the user's storage; the image stays. Raises StoreError."""
        _check(self.call(["rmi", name], None), f"{name} could not be untagged")

    def push(self, image: str, layout: Path, storage: PrivateStorage, *, plain: bool = False) -> None:
        """Write an image as an OCI layout, layers compressed as a push to a registry has them, or `plain`.

        Raises StoreError.
        """
        argv = ["push", "--quiet", *(self.plain if plain else self.compress), image, f"dir:{layout}"]
        _check(self.call(argv, storage, timeout=COPY_SECONDS), f"{image} could not be exported")
        arrange_layout(layout)

    def opens(self, storage: PrivateStorage) -> str | None:
        """Try a storage out; None, or the complaint."""
        finished = self.call(["images", "--quiet"], storage)
        return finished.complaint if finished.status else None

    def remove_containers(self, storage: PrivateStorage) -> None:
        """Remove the containers that builds left in a storage, and with them their mounts."""
        for name in self.working_containers(storage):
            self.call(["rm", *self.force, name], storage)

    def unshare(self, argv: Sequence[str]) -> Finished:
        """Run a program in the user namespace that owns a rootless storage's files."""
        return run([self.program, "unshare", *argv], timeout=COPY_SECONDS)

    def call(
        self,
        arguments: Sequence[str],
        storage: PrivateStorage | None,
        *,
        timeout: float = ASK_SECONDS,
        cwd: Path | None = None,
    ) -> Finished:
        """Run one command of the program, in a private storage or in the user's."""
        flags = storage.flags if storage else ()
        return run([self.program, *flags, *arguments], timeout=timeout, environment=_environment(storage), cwd=cwd)


def private_storage(home: Path, user: UserStorage, lenders: Sequence[Path]) -> PrivateStorage:
    """Lay out a storage under `home`, which must not exist, with the user's driver and its options."""
    home.mkdir(mode=0o700, parents=True)
    run_root = home / "run"
    if len(str(run_root)) > MAX_RUN_ROOT:
        run_root = Path(tempfile.mkdtemp(prefix="verify-build-", dir=SHORT_FOLDER))
    storage = PrivateStorage(
        home=home,
        run_root=run_root,
        driver=user.driver,
        options=user.options,
        lenders=tuple(lenders),
        runtimes=tuple(filter(None, map(shutil.which, dict.fromkeys((user.runtime, *RUNTIMES))))),
    )
    storage.temporary.mkdir()
    return storage


def is_stored_index(storage: PrivateStorage, image_id: str, digest: str) -> bool:
    """Tell whether what an image was stored under is an index, one platform of which was pulled.

    No command tells, so the stored document is looked at: a file beside the image's record, named in base64.
    """
    name = "=" + base64.b64encode(f"manifest-{digest}".encode()).decode("ascii")
    for root in (storage.graph_root, *storage.lenders):
        with contextlib.suppress(OSError, MalformedImageError):
            with (root / f"{storage.driver}-images" / image_id / name).open("rb") as file:
                raw = file.read(MAX_JSON_BYTES + 1)
            return isinstance(parse_manifest_or_index(raw), Index)
    return False


def export_from_storage(name: str, layout: Path) -> None:
    """Write an image of the user's containers-storage as an OCI layout, by whichever of three programs is here.

    Raises StoreError when none is, or when there is no such image.
    """
    attempts = (
        ["buildah", "push", "--quiet", name, f"dir:{layout}"],
        ["podman", "push", "--quiet", "--compress", name, f"dir:{layout}"],
        ["skopeo", "copy", "--quiet", "--dest-compress", f"containers-storage:{name}", f"dir:{layout}"],
    )
    for argv in attempts:
        try:
            finished = run(argv, timeout=COPY_SECONDS)
        except BuilderUnavailableError:
            continue
        if finished.status and _is_unknown(finished):
            raise StoreError(f"containers-storage has no image {name}", f"`{argv[0]} images` lists those that it has")
        _check(finished, f"containers-storage:{name} could not be exported by {argv[0]}")
        return arrange_layout(layout)
    raise StoreError(
        f"containers-storage:{name} cannot be read: none of buildah, podman and skopeo is installed",
        "apt-get install --no-install-recommends buildah",
    )


def parse_answer(finished: Finished, what: str) -> Any:
    """Parse a program's JSON answer. Raises StoreError when it is none."""
    try:
        return json.loads(finished.stdout)
    except ValueError:
        raise StoreError(f"{what} gave no JSON: {finished.complaint}") from None


def found(finished: Finished, name: str) -> bool:
    """Tell whether a look-up found its image. Raises StoreError when it failed otherwise."""
    if finished.status and not _is_unknown(finished):
        raise StoreError(f"{name} could not be inspected: {finished.complaint}")
    return finished.status == 0


def _is_unknown(finished: Finished) -> bool:
    said = finished.stderr.decode("utf-8", "replace").lower()
    return "image not known" in said or "no such image" in said or "does not resolve to an image" in said


def _environment(storage: PrivateStorage | None) -> dict[str, str]:
    environment = {"TMPDIR": str(storage.temporary)} if storage else {}
    docker_config = os.environ.get("DOCKER_CONFIG")
    if docker_config and not Path(docker_config, "config.json").is_file():
        # Docker takes this for "no logins"; these programs stop at it. An empty value counts as none.
        environment["DOCKER_CONFIG"] = ""
    return environment


def _check(finished: Finished, failure: str) -> None:
    if finished.status:
        raise StoreError(f"{failure}: {finished.complaint}")
