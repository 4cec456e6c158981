"""Measure a registry on loopback against the disk: comparing the large pair, and pulling one of its images.

`python -m bench.registry` starts the registry of `setup/registry.sh` (and leaves it running where it ran), pushes the
pair to it once, and prints a Markdown table. Figures are medians of interleaved runs; ratios are what counts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.__main__ import TOOL, made_pair
from bench.data import Pair
from bench.measure import Cost, median, run
from verifier.oci.reference import parse_image_name, parse_reference
from verifier.stores import open_store
from verifier.stores.registry import Repository
from verifier.stores.registry_push import push_image

SCRIPT = Path(__file__).resolve().parent.parent / "setup" / "registry.sh"


def main() -> int:
    """Push the pair, measure, print the table."""
    options = _options()
    options.cache.mkdir(parents=True, exist_ok=True)
    pair = made_pair("large", options.cache, options.scale)
    if isinstance(pair, str):
        print(f"not measured, {pair}", file=sys.stderr)
        return 1
    was_running = _script("status") == "running"
    _script("start")
    try:
        address = _script("url").removeprefix("http://")
        place = f"{address}/bench/{os.urandom(4).hex()}"
        for tag, layout in (("first", pair.first), ("second", pair.second)):
            _push(layout, f"{place}:{tag}")
        print(_report(pair, *_measure(pair, place, options.runs)))
    finally:
        if not was_running:
            _script("stop")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.registry", description=__doc__)
    parser.add_argument("--scale", default="1", help="the pair's size: 1 is 1.1 GB of tar a side (default 1)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each program (default 5)")
    parser.add_argument("--cache", type=Path, default=Path(".cache/bench"), help="where the pairs are kept")
    return parser.parse_args()


def _script(command: str) -> str:
    done = subprocess.run([SCRIPT, command], check=True, capture_output=True, text=True, timeout=300)
    return done.stdout.strip()


def _push(layout: Path, name: str) -> None:
    reference = parse_reference(name)
    store = open_store(parse_image_name(f"oci:{layout}"), layout)
    with Repository(reference) as repository:
        push_image(store.load(None), repository, reference.tag)
    store.close()


def _measure(pair: Pair, place: str, runs: int) -> tuple[list[Cost], list[Cost], list[Cost], list[Cost]]:
    disk, registry, pull, skopeo = [], [], [], []
    for _ in range(runs):
        disk.append(run([*TOOL, "compare", f"oci:{pair.first}", f"oci:{pair.second}", "--no-explain"], limit=600))
        registry.append(run([*TOOL, "compare", f"{place}:first", f"{place}:second", "--no-explain"], limit=600))
        with tempfile.TemporaryDirectory(prefix="pull-", dir=pair.first.parent) as folder:
            target = f"{folder}/ours"
            pull.append(run([sys.executable, "-m", "bench.pull", f"docker://{place}:first", target], limit=600))
            if shutil.which("skopeo"):
                source = ["--src-tls-verify=false", f"docker://{place}:first"]
                copy = ["skopeo", "--insecure-policy", "copy", "--quiet", *source, f"oci:{folder}/skopeo"]
                skopeo.append(run(copy, limit=600))
    for cost in (*disk, *registry, *pull, *skopeo):
        if cost.code not in (0, 1):
            raise SystemExit(f"a run ended with code {cost.code}")
    return disk, registry, pull, skopeo


def _report(pair: Pair, disk: list[Cost], registry: list[Cost], pull: list[Cost], skopeo: list[Cost]) -> str:
    rows = [("comparing from disk", disk, disk), ("comparing from the registry", registry, disk)]
    rows += [("pulling one image", pull, skopeo), ("skopeo, pulling it", skopeo, skopeo)]
    sizes = f"{pair.tar_bytes / 1e6:,.0f} MB of tar in {pair.blob_bytes / 1e6:,.0f} MB of gzip"
    lines = [
        f"{sizes} on each side; the registry runs on the same cores.",
        "",
        "| | seconds | ratio | processor time, ours alone | peak |",
        "|---|--:|--:|--:|--:|",
    ]
    for title, costs, base in rows:
        if not costs:
            continue
        cost = median(costs)
        ratio = f"{cost.seconds / median(base).seconds:.2f}" if base else "-"
        lines.append(
            f"| {title} | {cost.seconds:.2f} s | {ratio} | {cost.processor_seconds:.2f} s | {cost.peak_mib:.0f} MiB |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
