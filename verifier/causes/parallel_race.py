"""How many jobs run at once depends on the machine.

What varies: the order in which the jobs of a build end.

Why it matters: where a makefile lacks a dependency, or a tool appends to one file from many jobs, the result depends
on that order. Most builds are not affected: hence only a note.

How it is recognised: in the Dockerfile, by `make -j$(nproc)` and its kin.

Remedy: where results differ from run to run without a pattern, build with `-j1`, or state the dependencies.

Source: GNU Make manual, "Parallel Execution".
"""

from __future__ import annotations

from verifier.causes.cause import Cause
from verifier.causes.rules.build_facts import race_risks

__all__ = ["cause"]

cause = Cause(
    slug="parallel-race",
    page=__doc__ or "",
    remedy="build with `-j1`, or state the dependencies that the makefile lacks",
    severity="note",
    risk=race_risks,
)
