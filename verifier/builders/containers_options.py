"""The options of one Buildah or Podman build: what is built, how RUN is isolated, what may be shown."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from verifier.builders.containers_refusals import reproducible_arguments
from verifier.clients.containers import RUNTIMES, UserStorage
from verifier.model.plan import Plan

ImageFormat = Literal["oci", "docker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """How RUN is isolated: as the tool is configured (both None), by another runtime, or by chroot alone."""

    runtime: str | None = None
    isolation: str | None = None

    @property
    def option(self) -> str | None:
        """The option as the user would write it."""
        if self.runtime:
            return f"--runtime {self.runtime}"
        return f"--isolation {self.isolation}" if self.isolation else None


def isolations(user: UserStorage) -> list[Isolation]:
    """List what may be tried, the user's own configuration first."""
    others = [name for name in RUNTIMES if name != Path(user.runtime).name and shutil.which(name)]
    return [
        Isolation(),
        *(Isolation(runtime=shutil.which(name)) for name in others),
        Isolation(isolation="chroot"),
    ]


def allows_network(isolation: Isolation, network: str | None) -> bool:
    """Tell whether a build may have this network: by chroot alone there is the host's and no other."""
    return isolation.isolation != "chroot" or network in (None, "default", "host")


def cpu_options(plan: Plan, isolation: Isolation, *, rootless: bool) -> list[str]:
    """Give the option that limits RUN to some CPUs, where cgroups can: a new runtime undoes what it inherited."""
    if plan.options.cpuset is None or rootless or isolation.isolation == "chroot":
        return []
    return ["--cpuset-cpus", plan.options.cpuset]


def private_options(plan: Plan) -> list[str]:
    """Give the options whose values are not shown."""
    options = plan.options
    arguments = [name if value is None else f"{name}={value}" for name, value in options.build_args]
    labels = [f"{key}={value}" for key, value in options.labels]
    given = [
        ("--build-arg", arguments),
        ("--label", labels),
        ("--secret", options.secrets),
        ("--ssh", options.ssh),
    ]
    return [part for flag, values in given for value in values for part in (flag, value)]


def inputs(plan: Plan) -> list[str]:
    """Name the frozen inputs; the ignore file once more, because the mtime of a directory hangs on it."""
    context = plan.context
    ignore = [] if context.ignore_copy is None else ["--ignorefile", str(context.ignore_copy)]
    return ["--file", str(plan.dockerfile.copy), *ignore, str(context.directory)]


def words(options: Sequence[str]) -> list[str]:
    """Join options and their values, as a user would write them."""
    joined: list[str] = []
    for option in options:
        if option.startswith("--") or not joined:
            joined.append(option)
        else:
            joined[-1] += f" {option}"
    return joined


def shown_options(plan: Plan, flags: frozenset[str], image_format: ImageFormat) -> list[str]:
    """Give the options that change what is built and may be shown in a report."""
    options = plan.options
    chosen = ["--layers", "--no-cache", "--pull=never", "--format", image_format]
    chosen += reproducible_arguments(options, flags)
    chosen += ["--target", options.target] if options.target else []
    chosen += ["--platform", str(options.platform)] if options.platform else []
    chosen += ["--network", options.network] if options.network else []
    return chosen
