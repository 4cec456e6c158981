"""What `verify-build digests` says: each image's digests, and which references are one image."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tabulate import tabulate

from verifier.model.digests import DigestReport, ImageDigests
from verifier.reports.escape import escape

DIGESTS_SCHEMA_VERSION: Final = 1


def digests_object(report: DigestReport) -> dict[str, Any]:
    """Give the report as JSON values, by `schemas/digests-v1.schema.json`."""
    return {
        "schema_version": DIGESTS_SCHEMA_VERSION,
        "kind": "digests",
        "tool": {"name": "verify-build", "version": report.tool_version},
        "images": [
            {
                "reference": image.reference,
                "tag_digest": image.tag_digest,
                "index_digest": image.index,
                "manifest_digest": image.manifest,
                "config_digest": image.config,
                "platform": image.platform,
                "size": image.size,
                "layers": image.layers,
                "created": image.created,
            }
            for image in report.images
        ],
        "unread": [{"reference": each.reference, "message": each.message, "hint": each.hint} for each in report.unread],
        "same": [{"by": each.by, "digest": each.digest, "references": list(each.references)} for each in report.same],
    }


def render_digests_json(report: DigestReport) -> str:
    """Render the report as indented ASCII JSON with a final newline."""
    return json.dumps(digests_object(report), indent=2, ensure_ascii=True) + "\n"


def render_digests_text(report: DigestReport) -> str:
    """Render one block an image, digests whole so that they can be copied; then which of them are the same."""
    blocks = ["\n".join(_lines(image)) for image in report.images]
    rows = [
        ("same " + each.by, each.digest, ", ".join(escape(name) for name in each.references)) for each in report.same
    ]
    if rows:
        blocks.append(tabulate(rows, headers=["", "digest", "references"], tablefmt="simple", disable_numparse=True))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _lines(image: ImageDigests) -> Iterator[str]:
    yield f"{escape(image.reference)}  {escape(image.platform)}"
    named = image.index or image.manifest
    if image.tag_digest is not None:
        moved = "" if image.tag_digest == named else "  (not this image: the tag points elsewhere)"
        yield f"    tag now   {image.tag_digest}{moved}"
    yield f"    index     {image.index or '-'}"
    yield f"    manifest  {image.manifest or '- (this store has none before a push)'}"
    yield f"    config    {image.config}"
    layers = f"{image.layers} layer{'' if image.layers == 1 else 's'}"
    yield f"    size      {image.size:,} bytes in {layers}, created {escape(image.created or '-')}"
