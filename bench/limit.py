"""The physical limit: read both blobs, inflate them by igzip, digest blob and tar stream of each; nothing else.

One thread a side, as `python -m bench.limit BLOB BLOB`. No comparison of two verified layers can take less work.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from pathlib import Path

from isal import isal_zlib

READ_BYTES = 2 * 1024 * 1024
PIECE_BYTES = 1024 * 1024


def read(path: Path) -> None:
    blob, tar = hashlib.sha256(), hashlib.sha256()
    inflater = isal_zlib.decompressobj(31)
    with path.open("rb", buffering=0) as handle:
        while data := handle.read(READ_BYTES):
            blob.update(data)
            while data:
                piece = inflater.decompress(data, PIECE_BYTES)
                tar.update(piece)
                data = inflater.unconsumed_tail


def main() -> None:
    threads = [threading.Thread(target=read, args=(Path(path),)) for path in sys.argv[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
