"""A Java keystore records when each certificate was put in.

What varies: an 8-byte time, in milliseconds, for each entry of a keystore of type JKS, and the digest at its end.

Why it matters: Debian's ca-certificates-java makes `/etc/ssl/certs/java/cacerts` anew at installation.
SOURCE_DATE_EPOCH does not help.

How it is recognised: by the format, in any path; each date lies within its own build's window, and the digest at the
end is the right one for the rest (under the password that Java's own stores have).

Remedy: remove the store in the same RUN, or put one in its place that was made once.

Source: OpenJDK, sun.security.provider.JavaKeyStore.
"""

from __future__ import annotations

from verifier.causes.cause import Cause
from verifier.causes.moments import claim_number
from verifier.causes.rules.leftovers import java_store_risks

__all__ = ["cause"]


def _milliseconds(value: bytes) -> float | None:
    return int.from_bytes(value, "big") / 1000


cause = Cause(
    slug="java-cacerts",
    page=__doc__ or "",
    remedy="replace the store in the same RUN by one that was made once",
    timed=True,
    normalise=claim_number("milliseconds", _milliseconds, "milliseconds", 0.001),
    risk=java_store_risks,
)
