"""Compare two images that exist already."""

from __future__ import annotations

import contextlib

from verifier import __version__
from verifier.assemble import absent_notes, describe_side, pair_platforms, report_error
from verifier.compare import compare as compare_images
from verifier.compare.kept import KeptContents
from verifier.errors import NoVerdictError, ResourceError
from verifier.judge import judge
from verifier.model.report import Report
from verifier.model.request import CompareRequest, Watcher
from verifier.pipeline.images import explain_comparison, load_images
from verifier.workspace import open_workspace


def compare(request: CompareRequest, watcher: Watcher) -> Report:
    """Compare two images; where no verdict is reached the report says why. Raises UsageError."""
    try:
        with open_workspace() as workspace, contextlib.ExitStack() as stores, KeptContents(workspace) as kept:
            first = load_images(request.first, request.platform, workspace / "first", stores)
            second = load_images(request.second, request.platform, workspace / "second", stores)
            comparison = compare_images(
                first,
                second,
                workspace=workspace,
                verify_blobs=request.verify_blobs,
                progress=watcher.comparing,
                kept=kept if request.explain else None,
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
                explanation=explain_comparison(
                    comparison,
                    (first, second),
                    (None, None),
                    platforms,
                    kept=kept,
                    prove_diff_ids=request.prove_diff_ids,
                )
                if request.explain
                else None,
                notes=(*absent_notes(first), *absent_notes(second)),
            )
    except NoVerdictError as error:
        return report_error(error, request.require, None, ())
    except (OSError, MemoryError) as error:
        return report_error(ResourceError.from_system(error), request.require, None, ())
