"""Judge a Dockerfile by its text, without any build."""

from __future__ import annotations

from verifier import __version__
from verifier.dockerfile import parse_dockerfile
from verifier.model.request import CheckRequest, Surroundings
from verifier.oci.digest import digest_bytes
from verifier.plan import read_dockerfile
from verifier.plan.context_facts import read_context_facts
from verifier.reports.check_form import CheckReport
from verifier.risks import judge_dockerfile


def check(request: CheckRequest, surroundings: Surroundings) -> CheckReport:
    """Judge a Dockerfile by its text and its context's names, without any build. Raises UsageError."""
    raw = read_dockerfile(request.dockerfile)
    dockerfile = parse_dockerfile(raw, str(request.dockerfile))
    context = request.context or request.dockerfile.parent
    found = judge_dockerfile(
        dockerfile,
        read_context_facts(request.dockerfile, context),
        target=request.target,
        build_args=request.build_args,
        platform=request.platform,
        environment=surroundings.environment,
    )
    return CheckReport(
        tool_version=__version__,
        dockerfile_path=str(request.dockerfile),
        dockerfile_digest=digest_bytes(raw),
        context=str(context),
        target=request.target,
        stages_judged=found.stages_judged,
        stages=len(dockerfile.stages),
        risks=found.risks,
        unread=found.unread,
    )
