"""The benchmark itself, on pairs of a hundredth of their size."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.data import find_pair
from bench.measure import Cost, median, run
from tests.machine import unavailable


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    for name in ("large", "mtimes", "equal"):
        subprocess.run([sys.executable, "-m", "bench.pairs", name, folder, "0.01"], check=True, timeout=120)
    return folder


@pytest.mark.parametrize(("name", "code"), [("large", 1), ("mtimes", 1), ("equal", 0)])
def test_pairs_are_what_they_say(cache: Path, name: str, code: int) -> None:
    pair = find_pair(cache, f"{name}-0.01")
    assert pair is not None
    cost = run(
        [sys.executable, "-m", "verifier.cli.main", "compare", f"oci:{pair.first}", f"oci:{pair.second}"], limit=60
    )
    assert (cost.code, cost.finished) == (code, True)


def test_limit_reads_both_layers(cache: Path) -> None:
    pair = find_pair(cache, "large-0.01")
    assert pair is not None
    blobs = [
        max((side / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
        for side in (pair.first, pair.second)
    ]
    assert run([sys.executable, "-m", "bench.limit", *blobs], limit=60).code == 0


@pytest.mark.registry
def test_registry(cache: Path, registry: str) -> None:
    command = [sys.executable, "-m", "bench.registry", "--scale", "0.01", "--runs", "1", "--cache", cache]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    titles = [line.split("|")[1].strip() for line in done.stdout.splitlines()[4:]]
    assert titles == ["comparing from disk", "comparing from the registry", "pulling one image", "skopeo, pulling it"]


def test_page(cache: Path) -> None:
    if shutil.which("chromium") is None and shutil.which("google-chrome") is None:
        unavailable("there is no browser: chromium or google-chrome")
    command = [sys.executable, "-m", "bench.page", "--scale", "0.01", "--runs", "1", "--cache", cache]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert re.fullmatch(
        r"A page of \d+ differences \(.+ MB\) opens in .+ wide, .+ narrow, median of 1\.\n", done.stdout
    )


def test_time_limit_ends_the_whole_group() -> None:
    cost = run(["sh", "-c", "sleep 30 & wait"], limit=0.2)
    assert (cost.finished, cost.code) == (False, -9)
    assert cost.seconds < 5


def test_median_keeps_the_highest_peak() -> None:
    costs = [
        Cost(seconds=seconds, processor_seconds=1, peak_mib=peak, finished=True, code=0)
        for seconds, peak in ((3, 10), (1, 90), (2, 20))
    ]
    assert (median(costs).seconds, median(costs).peak_mib) == (2, 90)
