"""One digest over everything that a build is made from: the "inputs" of the claim."""

from __future__ import annotations

import json

from verifier.dockerfile.arguments import given_values, host_platform
from verifier.model.plan import Plan
from verifier.oci.digest import Digest, digest_bytes

IDENTITY_VERSION = 1


def inputs_digest(plan: Plan, environment: dict[str, str] | None = None) -> Digest:
    """Digest the Dockerfile, the context (without times), the bases, the arguments and what else was asked for.

    Build arguments count with their values, and a digest tells nothing of them. The builder is no input: that two of
    them make two images of one input is what a ledger is there to show.
    """
    options = plan.options
    value = {
        "version": IDENTITY_VERSION,
        "dockerfile": plan.dockerfile.digest,
        "context": plan.context.digest,
        "bases": sorted([held.base.reference, held.digest] for held in plan.bases),
        "arguments": given_values(options.build_args, environment or {}),
        "target": options.target,
        "platform": str(options.platform or host_platform()),
        "network": options.network,
        "reproducible": options.reproducible,
        "epoch": options.epoch,
        **({"labels": options.labels} if options.labels else {}),
    }
    return digest_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())
