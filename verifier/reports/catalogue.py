"""Render the catalogue of causes, and the page of one: for a terminal, and as Markdown for the documentation."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterator
from typing import Final

from tabulate import tabulate

from verifier.causes import CAUSES, cause_of
from verifier.causes.cause import Cause
from verifier.errors import UsageError
from verifier.reports.examples import Example, read_example

_HEADING: Final = re.compile(r"^(What varies|Why it matters|How it is recognised|Remedy|Source):", re.MULTILINE)


def render_catalogue() -> str:
    """List every cause with its title, in the order in which they are tried."""
    rows = [(cause.slug, cause.title) for cause in CAUSES]
    return tabulate(rows, headers=["cause", "what varies"], tablefmt="simple", disable_numparse=True) + "\n"


def render_cause(slug: str) -> str:
    """Show one cause's page, with what shows it and what mends it. Raises UsageError for one that is not known."""
    try:
        cause = cause_of(slug)
    except KeyError:
        near = difflib.get_close_matches(slug, [each.slug for each in CAUSES], n=1)
        hint = f"did you mean {near[0]}?" if near else "verify-build causes lists them"
        raise UsageError(f"there is no cause {slug!r}", hint) from None
    parts = [cause.slug, cause.page.strip(), _recognition(cause)]
    for heading, text, code in _forms(read_example(slug)):
        parts.append(f"{heading}: {text}" if text else f"{heading}:")
        if code is not None:
            parts.append(textwrap.indent(code.rstrip("\n"), "    "))
    return "\n\n".join(parts) + "\n"


def catalogue_table() -> str:
    """List every cause with its title and its remedy as a Markdown table, each linked to its page beside it."""
    rows = [f"| [`{cause.slug}`]({cause.slug}.md) | {_cell(cause.title)} | {_cell(cause.remedy)} |" for cause in CAUSES]
    return "\n".join(["| cause | what it is | remedy |", "|---|---|---|", *rows]) + "\n"


def cause_document(cause: Cause) -> str:
    """Write a cause's page as a Markdown document."""
    title, _, body = cause.page.strip().partition("\n")
    parts = [f"# `{cause.slug}`: {title.rstrip('.')}", _HEADING.sub(r"**\1:**", body.strip()), _recognition(cause)]
    for heading, text, code in _forms(read_example(cause.slug)):
        parts.append(f"## {heading}")
        if text:
            parts.append(f"{text[:1].upper()}{text[1:]}:" if code is not None else f"{text[:1].upper()}{text[1:]}.")
        if code is not None:
            parts.append(f"```dockerfile\n{code.rstrip()}\n```")
    parts.append("[All causes](README.md)")
    return "\n\n".join(parts) + "\n"


def _recognition(cause: Cause) -> str:
    """Tell where the cause can be found, and how sure a finding of it can be."""
    rules = (cause.normalise, cause.rename, cause.optional, cause.given, cause.inventory)
    found = any(rule is not None for rule in rules)
    places = [name for name, holds in (("two images", found), ("a Dockerfile's text", bool(cause.risk))) if holds]
    sure = " A finding is at most likely: the whole value is taken as it is." if cause.opaque and found else ""
    clock = " Without a build's own times, as in compare, a finding is at most likely." if cause.timed else ""
    return f"Found in {' and in '.join(places)}.{sure}{clock}"


def _forms(example: Example | None) -> Iterator[tuple[str, str, str | None]]:
    """Give heading, words and Dockerfile of what shows the cause and of what mends it."""
    if example is None:
        return
    if example.tried == "compare" and example.bad is None:
        yield "Shown by", f"two images: {example.shows}", None
        return
    called = f", with {' '.join(example.options)}" if example.options else ""
    yield "Bad", f"{example.shows}{called}", example.bad
    options = " ".join(example.good_options)
    if example.good is not None:
        yield "Good", f"with {options}" if options else "", example.good
        if example.ignore is not None:
            yield "Its ignore file", "", example.ignore
    elif options:
        yield "Good", f"the same, with {options}", None


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
