"""Buildah, by its command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from verifier.clients.containers import (
    ContainersCli,
    PrivateStorage,
    StoredImage,
    UserStorage,
    found,
    parse_answer,
)
from verifier.errors import BuilderUnavailableError
from verifier.oci.config import parse_config
from verifier.oci.digest import parse_digest


class BuildahCli(ContainersCli):
    """Buildah 1.28 and later."""

    program = "buildah"
    plain = ("--disable-compression",)

    def user_storage(self) -> UserStorage:
        """Ask `buildah info`."""
        finished = self.call(["info"], None)
        if finished.status:
            raise BuilderUnavailableError(f"buildah does not answer: {finished.complaint}")
        told = parse_answer(finished, "buildah info")
        store, host = told["store"], told["host"]
        return UserStorage(
            driver=store["GraphDriverName"],
            options=tuple(store.get("GraphOptions") or ()),
            graph_root=Path(store["GraphRoot"]),
            rootless=bool(host.get("rootless")),
            runtime=host.get("OCIRuntime") or "",
            buildah_version=None,
        )

    def resolve(self, name: str, storage: PrivateStorage | None = None) -> str | None:
        """Ask `buildah inspect`."""
        finished = self.call(["inspect", "--type", "image", "--format", "{{.FromImageID}}", name], storage)
        return finished.text if found(finished, name) else None

    def inspect(self, name: str, storage: PrivateStorage) -> StoredImage | None:
        """Ask `buildah inspect` for the image, and `buildah images` for its names and what it was pulled as."""
        finished = self.call(["inspect", "--type", "image", name], storage)
        if not found(finished, name):
            return None
        told = parse_answer(finished, "buildah inspect")
        config = parse_config(told["Config"].encode())
        image_id = told["FromImageID"]
        listed = parse_answer(self.call(["images", "--all", "--no-trunc", "--json"], storage), "buildah images")
        records = [entry for entry in listed if entry["id"].removeprefix("sha256:") == image_id]
        names = dict.fromkeys(known for entry in records for known in entry.get("names") or ())
        named = [entry for entry in records if told["FromImage"] in (entry.get("names") or ())]
        stored = (named or records or [{}])[0].get("digest") or told["FromImageDigest"]
        return StoredImage(
            id=image_id,
            names=tuple(names),
            digest=parse_digest(stored),
            diff_ids=config.diff_ids,
            platform=config.platform,
        )

    def build_argv(
        self, arguments: Sequence[str], storage: PrivateStorage, runtime: str | None, isolation: str | None
    ) -> list[str]:
        """Runtime and isolation are both options of `build`."""
        chosen = [*(["--runtime", runtime] if runtime else []), *(["--isolation", isolation] if isolation else [])]
        return [self.program, *storage.flags, "build", *chosen, *arguments]

    def working_containers(self, storage: PrivateStorage) -> tuple[str, ...]:
        """Ask `buildah containers`."""
        return tuple(self.call(["containers", "--quiet", "--all"], storage).text.split())
