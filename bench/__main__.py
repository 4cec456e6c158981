"""Measure how fast two images are compared, against this machine's own limit and against diffoscope.

`python -m bench` prints a Markdown table. Every figure is the median of interleaved runs on this machine, in one go:
ratios are what counts, a machine's own seconds are not.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.data import Pair, find_pair
from bench.measure import Cost, median, run
from bench.pairs import PAIRS

TOOL = (sys.executable, "-m", "verifier.cli.main")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured of one pair."""

    title: str
    pair: Pair
    ours: Cost
    explained: Cost
    limit: Cost
    diffoscope: Cost | None


def main() -> int:
    """Make the pairs, measure each, print the table."""
    options = _options()
    options.cache.mkdir(parents=True, exist_ok=True)
    chosen = [(title, make) for title, make in PAIRS if not options.only or make.__name__ in options.only]
    rows, missing = [], []
    for title, make in chosen:
        print(f"{title} …", file=sys.stderr)
        pair = made_pair(make.__name__, options.cache, "0.1" if options.quick else "1")
        if isinstance(pair, str):
            missing.append(f"{title}: not measured, {pair}")
            continue
        rows.append(_measure(title, pair, options.runs, options.diffoscope_limit))
    start_up = median([run([*TOOL, "--help"], limit=60) for _ in range(5)])
    print(_report(rows, start_up, options.runs, options.diffoscope_limit))
    for line in missing:
        print(f"\n{line}")
    return 0


def made_pair(name: str, cache: Path, scale: str) -> Pair | str:
    """Make a pair, in another process; a text says why there is none."""
    command = [sys.executable, "-m", "bench.pairs", name, cache, scale]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=3600)
    return find_pair(cache, f"{name}-{scale}") or done.stderr.strip().splitlines()[-1]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="pairs of a tenth of the size")
    parser.add_argument("--runs", type=int, default=5, help="runs of each program (default 5)")
    parser.add_argument("--only", action="append", choices=[make.__name__ for _, make in PAIRS], help="this pair alone")
    parser.add_argument("--cache", type=Path, default=Path(".cache/bench"), help="where the pairs are kept")
    parser.add_argument(
        "--diffoscope-limit", type=float, default=600, help="seconds that diffoscope gets for a pair; 0 leaves it out"
    )
    return parser.parse_args()


def _measure(title: str, pair: Pair, runs: int, diffoscope_limit: float) -> Row:
    blobs = [_layer_blob(side) for side in (pair.first, pair.second)]
    for blob in blobs:  # the page cache is warm for everyone
        with blob.open("rb") as handle:
            while handle.read(1024 * 1024):
                pass
    ours, explained, limit = [], [], []
    compare = [*TOOL, "compare", f"oci:{pair.first}", f"oci:{pair.second}"]
    for _ in range(runs):
        limit.append(run([sys.executable, "-m", "bench.limit", *blobs], limit=600))
        ours.append(run([*compare, "--no-explain"], limit=600))
        explained.append(run(compare, limit=600))
        if ours[-1].code not in (0, 1):
            raise SystemExit(f"comparing {pair.name} ended with code {ours[-1].code}")
    diffoscope = None
    if diffoscope_limit > 0 and shutil.which("diffoscope") and pair.name.split("-")[0] != "equal":
        diffoscope = _run_diffoscope(blobs, diffoscope_limit)
    return Row(
        title=title,
        pair=pair,
        ours=median(ours),
        explained=median(explained),
        limit=median(limit),
        diffoscope=diffoscope,
    )


def _layer_blob(layout: Path) -> Path:
    return max((layout / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)


def _run_diffoscope(blobs: list[Path], limit: float) -> Cost:
    """Give it the two layers alone, gzip tars by name; what it unpacks goes to a folder that is removed."""
    with tempfile.TemporaryDirectory(prefix="diffoscope-", dir=blobs[0].parents[4]) as scratch:
        folder = Path(scratch)
        for name, blob in zip(("first", "second"), blobs, strict=True):
            (folder / f"{name}.tar.gz").hardlink_to(blob)  # of a symbolic link it would compare the target's name
        command = ["diffoscope", "--text", folder / "report", folder / "first.tar.gz", folder / "second.tar.gz"]
        return run(command, limit=limit, environment={"TMPDIR": str(folder)})


def _report(rows: list[Row], start_up: Cost, runs: int, diffoscope_limit: float) -> str:
    lines = [
        _introduction(runs, diffoscope_limit),
        "",
        (
            "| pair | entries | tar | comparing | of the limit | processor time | explaining, too | peak "
            "| diffoscope | ours is faster |"
        ),
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [_line(row, start_up) for row in rows]
    lines += ["", f"`verify-build --help`: {start_up.seconds * 1000:.0f} ms."]
    return "\n".join(lines)


def _introduction(runs: int, diffoscope_limit: float) -> str:
    told = ""
    if diffoscope_limit > 0:
        told = (
            f" diffoscope {_version_of('diffoscope')} is given the two layers' files, once, and at most "
            f"{diffoscope_limit:.0f} s; a > says that it had not finished by then."
        )
    return (
        f"{_machine()}. Medians of {runs} interleaved runs, page cache warm; sizes are of one side. The limit is what "
        "this machine needs to read, inflate (igzip) and digest (SHA-256 of blob and tar) both layers on its cores "
        f"and nothing else.{told}"
    )


def _line(row: Row, start_up: Cost) -> str:
    pair, ours, limit, other = row.pair, row.ours, row.limit, row.diffoscope
    size = f"{pair.entries:,} | {pair.tar_bytes / 1e6:,.0f} MB"
    if pair.name.startswith("equal"):
        beyond = max(0.0, ours.seconds - start_up.seconds)
        return (
            f"| {row.title} | {size} | {beyond:.2f} s beyond start-up | - | - | - | {ours.peak_mib:.0f} MiB | - | - |"
        )
    diffoscope, ratio = "-", "-"
    if other is not None:
        sign = "" if other.finished else "> "
        diffoscope = f"{sign}{other.seconds:,.0f} s, {other.peak_mib:,.0f} MiB"
        ratio = f"{sign}{other.seconds / ours.seconds:,.0f} times"
    peak = max(ours.peak_mib, row.explained.peak_mib)
    return (
        f"| {row.title} | {size} | {ours.seconds:.2f} s, {2 * pair.tar_bytes / 1e6 / ours.seconds:,.0f} MB/s "
        f"| {limit.seconds / ours.seconds:.0%} | {limit.processor_seconds / ours.processor_seconds:.0%} "
        f"| {row.explained.seconds:.2f} s | {peak:.0f} MiB | {diffoscope} | {ratio} |"
    )


def _machine() -> str:
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    kernel = platform.release().partition("-")[0]
    return (
        f"{model}, {os.cpu_count()} cores, Linux {kernel}, Python {platform.python_version()}, "
        f"isal {importlib.metadata.version('isal')}"
    )


def _version_of(program: str) -> str:
    if shutil.which(program) is None:
        return "(not installed)"
    done = subprocess.run([program, "--version"], check=False, capture_output=True, text=True, timeout=60)
    return done.stdout.strip().rpartition(" ")[2]


if __name__ == "__main__":
    sys.exit(main())
