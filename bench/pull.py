"""Pull one image into a layout, as `python -m bench.pull REFERENCE DIR`: what reading costs, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

from verifier.oci.reference import parse_image_name
from verifier.stores import open_store, write_layout


def main() -> None:
    """Copy what the reference names."""
    name, target = sys.argv[1], Path(sys.argv[2])
    store = open_store(parse_image_name(name), target.parent)
    try:
        write_layout(store.load(None), target)
    finally:
        store.close()


if __name__ == "__main__":
    main()
