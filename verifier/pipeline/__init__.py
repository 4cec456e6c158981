"""The only package that knows every stage: one function a command, in the order of the README's picture.

Dockerfile + context → plan → two builds → two images → differences → findings → verdict → report
"""

from __future__ import annotations

import contextlib

from verifier import __version__
from verifier.assemble import absent_notes, describe_side, pair_platforms, report_error
from verifier.builders.choose import survey
from verifier.compare import compare as compare_images
from verifier.dockerfile import parse_dockerfile
from verifier.errors import NoVerdictError, ResourceError
from verifier.judge import judge
from verifier.model.build import BuilderStatus
from verifier.model.report import Report
from verifier.model.request import CheckRequest, CompareRequest, Surroundings, VerifyRequest, Watcher
from verifier.oci.digest import digest_bytes
from verifier.pipeline.images import explain_comparison, load_images
from verifier.pipeline.verification import Verification
from verifier.plan import read_dockerfile
from verifier.plan.context_facts import read_context_facts
from verifier.redact import redact
from verifier.reports.check_form import CheckReport
from verifier.risks import judge_dockerfile
from verifier.workspace import open_workspace


def verify(request: VerifyRequest, surroundings: Surroundings, watcher: Watcher) -> Report:
    """Build a Dockerfile as often as asked from one frozen set of inputs, compare, and judge.

    Where no verdict is reached the report says why (`error`); bad usage raises UsageError.
    """
    run = Verification(request, surroundings, watcher)
    try:
        with open_workspace() as workspace:
            report = run.report(workspace)
    except NoVerdictError as error:
        report = run.without_verdict(error)
    except (OSError, MemoryError) as error:
        report = run.without_verdict(ResourceError.from_system(error))
    return redact(report, request.build_args, everything=request.redact_build_args)


def compare(request: CompareRequest, watcher: Watcher) -> Report:
    """Compare two images that exist already. Raises as `verify` does."""
    try:
        with open_workspace() as workspace, contextlib.ExitStack() as stores:
            first = load_images(request.first, request.platform, workspace / "first", stores)
            second = load_images(request.second, request.platform, workspace / "second", stores)
            comparison = compare_images(
                first, second, workspace=workspace, verify_blobs=request.verify_blobs, progress=watcher.comparing
            )
            platforms = pair_platforms(first, second, comparison, (None, None))
            return Report(
                tool_version=__version__,
                verdict=judge(comparison, request.require),
                first=describe_side(first, None),
                second=describe_side(second, None),
                platforms=platforms,
                index_equal=comparison.index_equal,
                differences=comparison.all_differences,
                explanation=explain_comparison(comparison, (first, second), (None, None), platforms)
                if request.explain
                else None,
                notes=(*absent_notes(first), *absent_notes(second)),
            )
    except NoVerdictError as error:
        return report_error(error, request.require, None, ())
    except (OSError, MemoryError) as error:
        return report_error(ResourceError.from_system(error), request.require, None, ())


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


def doctor() -> tuple[BuilderStatus, ...]:
    """Ask every builder whether it answers here."""
    return survey()
