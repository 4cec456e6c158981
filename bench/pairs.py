"""The pairs that are compared, each made once and kept in the cache folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO

from bench.data import (
    MIB,
    Pair,
    make_pair,
    make_pool,
    synthetic_files,
    with_changed_contents,
    with_changed_mtimes,
    write_layout,
    write_synthetic,
)

CREATED = "2024-01-01T00:00:00Z"
PACKAGES = "ca-certificates,curl,git,python3-minimal,gcc"

pool = cache(make_pool)


def large(folder: Path, scale: float) -> Pair:
    """20,000 files of 1.1 GB, in one of a hundred of them eight bytes differ."""
    files = synthetic_files(int(20_000 * scale), int(1_100_000_000 * scale), 1)
    return make_pair(
        folder,
        f"large-{scale:g}",
        lambda first, second: write_synthetic(first, second, files, with_changed_contents(files, 100), pool()),
    )


def small(folder: Path, scale: float) -> Pair:
    """100,000 files of 200 MB, in one of a hundred of them eight bytes differ."""
    files = synthetic_files(int(100_000 * scale), int(200_000_000 * scale), 2)
    return make_pair(
        folder,
        f"small-{scale:g}",
        lambda first, second: write_synthetic(first, second, files, with_changed_contents(files, 100), pool()),
    )


def mtimes(folder: Path, scale: float) -> Pair:
    """20,000 files of 400 MB, every mtime differs."""
    files = synthetic_files(int(20_000 * scale), int(400_000_000 * scale), 3)
    return make_pair(
        folder,
        f"mtimes-{scale:g}",
        lambda first, second: write_synthetic(first, second, files, with_changed_mtimes(files), pool()),
    )


def equal(folder: Path, scale: float) -> Pair:
    """The first side of the large pair twice, in two layouts."""
    original = large(folder, scale)

    def write(first: Path, second: Path) -> tuple[int, int, int]:
        for side in (first, second):
            shutil.copytree(original.first, side, copy_function=_link)
        return original.tar_bytes, original.blob_bytes, original.entries

    return make_pair(folder, f"equal-{scale:g}", write)


def million(folder: Path, scale: float) -> Pair:
    """A million empty files in one directory, in one of a thousand the mtime differs."""
    count = int(1_000_000 * scale)

    def write(first: Path, second: Path) -> tuple[int, int, int]:
        write_layout(second, _crowded(count, 60), CREATED)
        return write_layout(first, _crowded(count, 0), CREATED)

    return make_pair(folder, f"million-{scale:g}", write)


def debian(folder: Path, scale: float) -> Pair:
    """Two runs of mmdebstrap with some packages. Raises RuntimeError where they cannot be made here."""
    if shutil.which("mmdebstrap") is None:
        raise RuntimeError("mmdebstrap is not installed")
    variant = ["--variant=minbase", *([f"--include={PACKAGES}"] if scale >= 1 else [])]

    def fill(handle: IO[bytes]) -> int:
        archive = folder / "debian.tar"
        done = subprocess.run(
            ["mmdebstrap", *variant, "bookworm", archive], check=False, capture_output=True, text=True, timeout=1200
        )
        if done.returncode != 0:
            raise RuntimeError(f"mmdebstrap failed: {done.stderr.strip().splitlines()[-1:]}")
        with archive.open("rb") as made:
            shutil.copyfileobj(made, handle, MIB)
        handle.flush()
        with tarfile.open(archive) as made_tar:
            entries = sum(1 for _ in made_tar)
        archive.unlink()
        return entries

    def write(first: Path, second: Path) -> tuple[int, int, int]:
        facts = write_layout(first, fill, CREATED)
        write_layout(second, fill, CREATED)
        return facts

    return make_pair(folder, f"debian-{scale:g}", write)


PAIRS: tuple[tuple[str, Callable[[Path, float], Pair]], ...] = (
    ("1 % of the contents differ", large),
    ("small files, 1 % differ", small),
    ("only mtimes differ", mtimes),
    ("a million in one directory", million),
    ("Debian with packages, two runs", debian),
    ("equal", equal),
)


def main() -> int:
    """Make one pair, in a process of its own: a program inherits the peak of the memory of what starts it."""
    name, folder, scale = sys.argv[1:]
    make = next(make for _, make in PAIRS if make.__name__ == name)
    try:
        make(Path(folder), float(scale))
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _crowded(count: int, moved: int) -> Callable[[IO[bytes]], int]:
    def fill(handle: IO[bytes]) -> int:
        for number in range(count):
            info = tarfile.TarInfo(f"var/spool/queue/message-{number * 7_919 % count:07d}")
            info.mtime = 1_700_000_000 + (moved if number % 1000 == 0 else 0)
            handle.write(info.tobuf(tarfile.USTAR_FORMAT))
        handle.write(bytes(1024))
        handle.flush()
        return count

    return fill


if __name__ == "__main__":
    sys.exit(main())
