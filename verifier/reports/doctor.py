"""Render the table of builders for `verify-build doctor`."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate

from verifier.model.build import BuilderStatus
from verifier.reports.escape import escape

_YES_NO = {True: "yes", False: "no"}


def render_doctor(rows: Sequence[BuilderStatus]) -> str:
    """Render one row a builder, then what each cannot do here and what would mend the missing ones."""
    table = tabulate(
        [_cells(row) for row in rows],
        headers=["builder", "answers", "version", "reproducible mode", "manifest digest"],
        tablefmt="simple",
        disable_numparse=True,
    )
    remarks = [remark for row in rows for remark in _remarks(row)]
    return "\n".join([table, *([""] if remarks else []), *remarks]) + "\n"


def _cells(row: BuilderStatus) -> tuple[str, ...]:
    if row.identity is None:
        return row.name, "no", "-", "-", "-"
    identity = row.identity
    shown = "yes" if identity.shows_manifest else "after a push"
    return row.name, "yes", escape(identity.version), _YES_NO[identity.reproducible], shown


def _remarks(row: BuilderStatus) -> list[str]:
    if row.identity is None:
        mend = f"\n    mend: {escape(row.remedy)}" if row.remedy else ""
        return [f"{row.name}: {escape(row.problem or 'does not answer')}{mend}"]
    return [f"{row.name}: {escape(limit)}" for limit in row.identity.limits]
