"""Named limits on everything that is read from an image: a store is hostile until proven otherwise."""

from __future__ import annotations

from typing import Final

MIB: Final = 1024 * 1024

MAX_JSON_BYTES: Final = 4 * MIB
"""Of one manifest or index, in bytes: what registries accept (distribution specification, "pushing manifests")."""

MAX_CONFIG_BYTES: Final = 8 * MIB
"""Of one image config, in bytes."""

MAX_JSON_DEPTH: Final = 64
"""Of nested JSON arrays and objects; real manifests nest five deep."""

MAX_MANIFESTS: Final = 1_000
"""Descriptors in one index."""

MAX_LAYERS: Final = 1_000
"""Layers in one image; builders stop at 127."""

MAX_INDEX_DEPTH: Final = 4
"""Indexes nested in indexes; also ends cycles."""

MAX_ENTRY_NAME_BYTES: Final = 64 * 1024
"""Of one path or link target in a layer, in bytes; Linux stops at 4,096."""

MAX_ENTRY_METADATA_BYTES: Final = 4 * MIB
"""Of one entry's pax records or GNU long names together, in bytes."""

MAX_LAYER_ENTRIES: Final = 20_000_000
"""Entries in one layer."""

MAX_EXPANSION: Final = 1_200
"""A layer may expand to so many times its compressed size (deflate's own limit is 1,032) …"""

MAX_EXPANSION_FLOOR: Final = 64 * MIB
"""… once it is larger than this, in bytes."""
