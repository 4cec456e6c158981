"""Hold what a Dockerfile takes from outside to digests, and find out whether the digests that are there tell the truth.

`uses` lists what is taken, `audit` judges each against what the registry has now, `claims` compares what an image says
of itself with what its tag promises, `rewrite` writes digests into the Dockerfile, `lock` into a file beside it.
"""

from verifier.pin.audit import audit
from verifier.pin.lock import LOCK_NAME, Lock, lock_of, read_lock, render_lock, render_source_policy
from verifier.pin.outside import Outside
from verifier.pin.rewrite import rewrite
from verifier.pin.uses import Use, uses_of

__all__ = [
    "LOCK_NAME",
    "Lock",
    "Outside",
    "Use",
    "audit",
    "lock_of",
    "read_lock",
    "render_lock",
    "render_source_policy",
    "rewrite",
    "uses_of",
]
