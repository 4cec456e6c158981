"""Measure how long a browser takes to open the page of a comparison with some ten thousand differences.

`python -m bench.page` compares the pair whose times differ, writes the page, and opens it anew for every run, each in a
context without a cache: from the request to the second frame after the page has loaded, when it can be read.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from bench.__main__ import TOOL, made_pair

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
_SIZES = {"wide": (1440, 900), "narrow": (390, 844)}


def main() -> int:
    """Make the pair and its page, open it, print a line."""
    options = _options()
    options.cache.mkdir(parents=True, exist_ok=True)
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("not measured, there is no browser: chromium or google-chrome", file=sys.stderr)
        return 1
    pair = made_pair("mtimes", options.cache, options.scale)
    if isinstance(pair, str):
        print(f"not measured, {pair}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="page-") as scratch:
        page = Path(scratch) / "page.html"
        compare = [*TOOL, "compare", f"oci:{pair.first}", f"oci:{pair.second}", "--report", f"html={page}", "--format"]
        subprocess.run([*compare, "github"], check=False, stdout=subprocess.DEVNULL, timeout=600)
        print(_measure(browser, page, options.runs))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="how often it is opened (default 5)")
    parser.add_argument("--scale", default="0.5", help="of the pair: 0.5 makes 10,000 differences (default)")
    parser.add_argument("--cache", type=Path, default=Path(".cache/bench"), help="where the pairs are kept")
    return parser.parse_args()


def _measure(program: str, page: Path, runs: int) -> str:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # for this alone

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=program, args=["--no-sandbox"])
        _open(browser, page, "wide")  # the browser itself is warm
        opened = {name: [_open(browser, page, name) for _ in range(runs)] for name in _SIZES}
        browser.close()
    times = ", ".join(f"{median(seconds for seconds, _ in found):.2f} s {name}" for name, found in opened.items())
    rows = opened["wide"][0][1]
    return f"A page of {rows:,} differences ({page.stat().st_size / 1e6:.1f} MB) opens in {times}, median of {runs}."


def _open(browser: Browser, page: Path, name: str) -> tuple[float, int]:
    """Open the page, and give the seconds that took and the number of its rows."""
    width, height = _SIZES[name]
    context = browser.new_context(viewport={"width": width, "height": height})
    opened = context.new_page()
    begun = perf_counter()
    opened.goto(page.as_uri(), wait_until="load")
    opened.evaluate(_PAINTED)
    seconds = perf_counter() - begun
    rows = opened.locator(".differences tbody tr").count()
    context.close()
    return seconds, rows


if __name__ == "__main__":
    sys.exit(main())
