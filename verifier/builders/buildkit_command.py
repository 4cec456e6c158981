"""The command line of one BuildKit build, and what of it may be shown in a report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from verifier.model.plan import Plan

NAMESPACE_ARGUMENT = "BUILDKIT_CACHE_MOUNT_NS"


def build_arguments(
    plan: Plan, *, output: str, metadata: Path, namespace: str, contexts: Sequence[str], raw_progress: bool
) -> list[str]:
    """Write the arguments of `docker buildx build`: no cache, a namespace of cache mounts, the frozen inputs."""
    return [
        "--no-cache",
        "--progress=rawjson" if raw_progress else "--progress=plain",
        f"--file={plan.dockerfile.copy}",
        f"--metadata-file={metadata}",
        f"--output={output}",
        f"--build-arg={NAMESPACE_ARGUMENT}={namespace}",
        *contexts,
        *_reproducible(plan),
        *_wished(plan, values=True),
        *(f"--secret={secret}" for secret in plan.options.secrets),
        *(f"--ssh={agent}" for agent in plan.options.ssh),
        str(plan.context.directory),
    ]


def shown_options(plan: Plan, kind: str) -> tuple[str, ...]:
    """List what was asked of the builder, for the report: no value of a build argument, no secret, no path of ours."""
    rewrite = ",rewrite-timestamp=true" if plan.options.reproducible else ""
    return (
        "--no-cache",
        f"--output=type={kind}{rewrite}",
        *_reproducible(plan),
        *_inherited(plan),
        *_wished(plan, values=False),
        *("--secret" for _ in plan.options.secrets),
        *("--ssh" for _ in plan.options.ssh),
    )


def oci_output(target: Path, *, rewrite: bool, unpacked: bool = False) -> str:
    """Write the `--output` for an OCI archive, or for a folder (`unpacked`); the value is one line of CSV."""
    fields = ["type=oci", f"dest={target}", *(["tar=false"] if unpacked else [])]
    fields += ["rewrite-timestamp=true"] if rewrite else []
    return ",".join(_csv(field) for field in fields)


def _csv(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if any(sign in field for sign in ',"\n') else field


def _reproducible(plan: Plan) -> list[str]:
    if not plan.options.reproducible:
        return []
    epoch = [] if plan.options.epoch is None else [f"--build-arg=SOURCE_DATE_EPOCH={plan.options.epoch}"]
    return ["--provenance=false", "--sbom=false", *epoch]


def _inherited(plan: Plan) -> list[str]:
    """Show what buildx takes from the environment by itself."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return [f"SOURCE_DATE_EPOCH={epoch} (environment)"] if epoch and not plan.options.reproducible else []


def _wished(plan: Plan, *, values: bool) -> list[str]:
    options = plan.options
    wished = [
        f"--build-arg={name}={value}" if values and value is not None else f"--build-arg={name}"
        for name, value in options.build_args
    ]
    wished += [f"--label={key}={value}" if values else f"--label={key}" for key, value in options.labels]
    wished += [f"--target={options.target}"] if options.target else []
    wished += [f"--platform={options.platform}"] if options.platform else []
    wished += [f"--network={options.network}"] if options.network else []
    return wished
