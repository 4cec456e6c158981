"""Render the catalogue of causes, and the page of one."""

from __future__ import annotations

import difflib

from tabulate import tabulate

from verifier.causes import CAUSES, cause_of
from verifier.errors import UsageError


def render_catalogue() -> str:
    """List every cause with its title, in the order in which they are tried."""
    rows = [(cause.slug, cause.title) for cause in CAUSES]
    return tabulate(rows, headers=["cause", "what varies"], tablefmt="simple", disable_numparse=True) + "\n"


def render_cause(slug: str) -> str:
    """Show one cause's page. Raises UsageError for one that is not known."""
    try:
        cause = cause_of(slug)
    except KeyError:
        near = difflib.get_close_matches(slug, [each.slug for each in CAUSES], n=1)
        hint = f"did you mean {near[0]}?" if near else "verify-build causes lists them"
        raise UsageError(f"there is no cause {slug!r}", hint) from None
    return f"{cause.slug}\n\n{cause.page.strip()}\n"
