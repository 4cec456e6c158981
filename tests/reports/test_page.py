"""The page in a real browser: nothing loads, nothing runs that is not ours, and it reads without script, too."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.machine import unavailable
from tests.reports.hostile import NASTY, REPORTS, hostile_report
from tests.reports.test_json_reader import with_content
from tests.reports.test_text import RUN, mtime, report
from verifier.model.report import Report
from verifier.reports import render

AA = 4.5
"""The contrast that WCAG 2.1 asks for of text of usual size (success criterion 1.4.3)."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        unavailable("there is no browser: chromium or google-chrome")
    with sync_playwright() as player:
        started = player.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


def open_page(browser: Browser, tmp_path: Path, made: Report, *, script: bool = True, width: int = 1280) -> Page:
    """Open a report; whatever asks for anything else, or complains, fails the test at its end."""
    path = tmp_path / "report.html"
    path.write_text(render(made, "html"), "utf-8")
    context = browser.new_context(java_script_enabled=script, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.on("request", lambda request: None if request.url == path.as_uri() else pytest.fail(request.url))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.on("console", lambda message: pytest.fail(message.text))
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_opens(browser: Browser, tmp_path: Path, name: str) -> None:
    page = open_page(browser, tmp_path, REPORTS[name]())
    assert page.locator("h1").count() == 1
    # the only script is ours, whatever names hold
    assert page.locator("script").count() == 1
    assert page.locator("b, i, a[href^=http]").count() == 0
    page.context.close()


def test_it_leads_with_the_verdict_and_names_line_and_remedy(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, hostile_report())
    assert page.locator("h1").inner_text() == "Not reproducible: 2 causes explain 7 of 8 differences"
    finding = page.locator(".finding").first.inner_text()
    assert "line 7" in finding
    assert "use the builder's rewrite" in finding
    assert page.locator(".ladder li .state").all_inner_texts() == ["differs", "differs", "differs", "equal"]
    assert "file-mtime" in page.locator("#L7").inner_text()
    page.context.close()


def test_paths_are_shown_and_not_obeyed(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, hostile_report())
    shown = page.locator(".differences tbody tr td:first-child").all_text_contents()
    assert len(shown) == len(NASTY)
    assert "/<script>alert(1)</script>&amp;]]>" in shown
    assert not [text for text in shown if re.search(r"[\x00-\x1f\u202a-\u202e\u2066-\u2069]", text)]
    page.context.close()


def test_it_filters_by_path_and_by_cause(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, hostile_report())
    visible = page.locator(".differences tbody tr:not([hidden])")
    page.locator("#filter-path").fill("SCRIPT")
    assert visible.count() == 1
    assert page.locator("#filter-count").inner_text() == "1 of 8"
    page.locator("#filter-path").fill("")
    page.locator("#filter-cause").select_option("directory-mtime")
    assert visible.count() == 1
    page.locator("#filter-cause").select_option("unexplained")
    assert visible.count() == 1
    page.locator("#filter-cause").select_option("")
    assert visible.count() == 8
    page.context.close()


def test_it_reads_without_script(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, hostile_report(), script=False)
    assert page.locator(".differences tbody tr").first.is_visible()
    assert not page.locator(".filter").is_visible()
    page.context.close()


def test_it_is_used_by_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, with_content())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    summary = page.locator(".differences summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator(".sides pre").first.is_visible()
    page.context.close()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, tmp_path: Path, width: int) -> None:
    long = replace(hostile_report(), notes=("x" * 400,))
    page = open_page(browser, tmp_path, long, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_it_prints(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, hostile_report())
    page.emulate_media(media="print")
    assert not page.locator(".filter").is_visible()
    assert not page.locator(".copy-button").first.is_visible()
    assert page.pdf().startswith(b"%PDF-")
    page.context.close()


def test_ten_thousand_differences_are_all_there(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, report(*(mtime(b"/d/%d" % number) for number in range(10_000))))
    assert page.locator("#filter-count").inner_text() == "10,000 of 10,000"
    page.locator("#filter-path").fill("/d/9999")
    assert page.locator("#filter-count").inner_text() == "1 of 10,000"
    # a table without a row in sight shows no heading either
    assert page.locator(".chunk:visible").count() == 1
    page.context.close()


def test_ten_thousand_differences_are_a_few_pages_on_paper(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, report(*(mtime(b"/d/%d" % number) for number in range(10_000))))
    page.emulate_media(media="print")
    assert page.locator(".differences tbody tr:visible").count() == 100
    assert page.get_by_text("the first 100 of 10,000").is_visible()
    page.context.close()


def test_a_cause_of_many_instructions_is_one_card(browser: Browser, tmp_path: Path) -> None:
    made = hostile_report()
    assert made.explanation is not None
    first, second = made.explanation.findings
    again = tuple(replace(first, instruction=replace(RUN, line=line), differences=(0,)) for line in range(10, 20))
    explanation = replace(made.explanation, findings=(first, *again, second))
    page = open_page(browser, tmp_path, replace(made, explanation=explanation))
    assert page.locator(".finding h3 .chip").all_inner_texts() == ["file-mtime", "directory-mtime"]
    card = page.locator(".finding").first
    assert card.locator(".places a").all_inner_texts() == [
        "line 7", *(f"line {line}" for line in range(10, 15)), *(str(line) for line in range(15, 20))
    ]  # fmt: skip
    assert card.locator(".remedy").count() == 1
    page.context.close()


def test_what_no_cause_explains_says_what_was_tried(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, hostile_report())
    rows = page.locator("#unexplained tbody tr")
    assert rows.count() == 1
    assert "tried: not a time within its build's window" in rows.first.inner_text()
    page.context.close()


def test_the_dockerfile_is_shown_as_it_is_written(browser: Browser, tmp_path: Path) -> None:
    made = hostile_report()
    assert made.inputs is not None
    text = "FROM scratch\nRUN a \\\n\t&& printf '\\n' \x1b[1m"
    page = open_page(browser, tmp_path, replace(made, inputs=replace(made.inputs, dockerfile_text=text)))
    shown = page.locator(".source code").all_text_contents()
    assert shown == ["FROM scratch", "RUN a \\", "    && printf '\\n' \\x1b[1m"]
    page.context.close()


def colours(style: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+):(#[0-9a-f]{3,6})", style))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(two)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_in_both_schemes(scheme: str) -> None:
    style = render(hostile_report(), "html").partition("<style>")[2].partition("</style>")[0]
    light, _, rest = style.partition("@media (prefers-color-scheme:dark){")
    named = colours(light if scheme == "light" else rest.partition("}}")[0])
    pairs = [
        ("ink", "paper"),
        ("soft", "paper"),
        ("ink", "pale"),
        ("soft", "pale"),
        ("link", "paper"),
        ("link", "pale"),
    ]
    pairs += [("good", "paper"), ("bad", "paper"), ("mark-ink", "mark"), ("ink", "bad-paper"), ("ink", "good-paper")]
    pairs += [("ink", "warn-paper"), ("soft", "bad-paper"), ("soft", "good-paper"), ("link", "bad-paper")]
    pairs += [(f"k{number}", "paper") for number in range(9)]
    weak = [(one, two) for one, two in pairs if contrast(named[one], named[two]) < AA]
    assert not weak
