"""Python's bytecode records when its source was written.

What varies: bytes 8 to 11 of a `.pyc` whose flags word is 0: the source's modification time.

Why it matters: every pip install compiles what it unpacks, and every first import does.

How it is recognised: by the format, in any path: magic number, flags word, code object; the time lies within its own
build's window.

Remedy: `ARG SOURCE_DATE_EPOCH` in the stage makes pip write hash-based files. Else `pip install --no-compile` (pip
compiles whatever PYTHONDONTWRITEBYTECODE says) together with PYTHONDONTWRITEBYTECODE=1 (for what is imported in a RUN),
or `python -m compileall --invalidation-mode unchecked-hash`.

Source: PEP 552; py_compile's documentation, `PycInvalidationMode`.
"""

from __future__ import annotations

from verifier.causes.cause import Cause
from verifier.causes.moments import claim_number, little_endian
from verifier.causes.rules.leftovers import byte_code_risks

__all__ = ["cause"]

cause = Cause(
    slug="pyc-mtime",
    page=__doc__ or "",
    remedy="declare ARG SOURCE_DATE_EPOCH in the stage, or pip install --no-compile with PYTHONDONTWRITEBYTECODE=1",
    timed=True,
    normalise=claim_number("pyc-mtime", little_endian, "source mtime"),
    risk=byte_code_risks,
)
