"""Named limits on what is unfolded: contents come out of foreign images."""

from __future__ import annotations

from typing import Final

MIB: Final = 1024 * 1024

MAX_CONTENT_BYTES: Final = 64 * MIB
"""Of one content that is looked into, in bytes; what is larger is one field."""

MAX_UNFOLDED_BYTES: Final = 256 * MIB
"""What one content may inflate to, all that is nested in it together, in bytes."""

MAX_DEPTH: Final = 4
"""Containers in containers: a tar in a gzip in a deb in a tar."""

MAX_MEMBERS: Final = 50_000
"""Of one archive; what has more is one field."""

MAX_CELLS: Final = 1_000_000
"""Values in the rows and index entries of one database; what has more is one field."""
