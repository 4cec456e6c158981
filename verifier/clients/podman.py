"""Podman, by its command line; its `build` is Buildah's engine, compiled in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from verifier.clients.containers import (
    ContainersCli,
    PrivateStorage,
    StoredImage,
    UserStorage,
    found,
    parse_answer,
)
from verifier.errors import BuilderUnavailableError
from verifier.oci.digest import parse_digest
from verifier.oci.platform import Platform


class PodmanCli(ContainersCli):
    """Podman 4.3 and later.

    `info` must have run against the user's own storage before a private one is opened: Podman then knows that this
    machine's boot is dealt with, and leaves the locks of the user's containers alone.
    """

    program = "podman"
    compress = ("--compress",)
    force = ("--force",)

    def user_storage(self) -> UserStorage:
        """Ask `podman info`."""
        finished = self.call(["info", "--format", "json"], None)
        if finished.status:
            raise BuilderUnavailableError(f"podman does not answer: {finished.complaint}")
        told = parse_answer(finished, "podman info")
        store, host = told["store"], told["host"]
        return UserStorage(
            driver=store["graphDriverName"],
            options=tuple(_options_from(store.get("graphOptions") or {})),
            graph_root=Path(store["graphRoot"]),
            rootless=bool((host.get("security") or {}).get("rootless")),
            runtime=(host.get("ociRuntime") or {}).get("name") or "",
            buildah_version=host.get("buildahVersion"),
        )

    def resolve(self, name: str, storage: PrivateStorage | None = None) -> str | None:
        """Ask `podman image inspect`."""
        finished = self.call(["image", "inspect", "--format", "{{.Id}}", name], storage)
        return finished.text if found(finished, name) else None

    def inspect(self, name: str, storage: PrivateStorage) -> StoredImage | None:
        """Ask `podman image inspect`, and `podman images` for the names of records that share the ID."""
        finished = self.call(["image", "inspect", name], storage)
        if not found(finished, name):
            return None
        told = parse_answer(finished, "podman image inspect")[0]
        listed = parse_answer(
            self.call(["images", "--all", "--no-trunc", "--format", "json"], storage), "podman images"
        )
        records = [entry for entry in listed if entry["Id"].removeprefix("sha256:") == told["Id"]]
        return StoredImage(
            id=told["Id"],
            names=tuple(dict.fromkeys(name for entry in records for name in entry.get("Names") or ())),
            digest=parse_digest(told["Digest"]),
            diff_ids=tuple(parse_digest(layer) for layer in told["RootFS"].get("Layers") or ()),
            platform=Platform(
                os=told.get("Os") or "unknown",
                architecture=told.get("Architecture") or "unknown",
                variant=told.get("Variant") or None,
            ),
        )

    def build_argv(
        self, arguments: Sequence[str], storage: PrivateStorage, runtime: str | None, isolation: str | None
    ) -> list[str]:
        """The runtime is Podman's own option, the isolation is one of `build`."""
        before = ["--runtime", runtime] if runtime else []
        after = ["--isolation", isolation] if isolation else []
        return [self.program, *before, *storage.flags, "build", *after, *arguments]

    def working_containers(self, storage: PrivateStorage) -> tuple[str, ...]:
        """Ask `podman ps` for the builds' containers, which it calls external."""
        return tuple(self.call(["ps", "--all", "--external", "--quiet", "--no-trunc"], storage).text.split())


def _options_from(told: dict[str, Any]) -> Iterator[str]:
    """Turn `info`'s options back into what `--storage-opt` takes: a program is told with its version and package."""
    for key, value in told.items():
        for item in value if isinstance(value, list) else [value]:
            yield f"{key}={item['Executable'] if isinstance(item, dict) else item}"
