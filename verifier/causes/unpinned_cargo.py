"""Cargo takes whatever version is newest.

What varies: which versions of the crates fit on the day of the build.

Why it matters: without Cargo.lock, or with one that may be changed, a build next week has other dependencies. `cargo
install` ignores the lock file of what it installs unless it is told otherwise.

How it is recognised: in the Dockerfile, `cargo install` without a version and `--locked`, from git without `--rev`,
and `cargo build` and its kin without `--locked` or `--frozen`.

Remedy: commit Cargo.lock and build with `cargo build --locked`; `cargo install --locked NAME@VERSION`.

Source: The Cargo Book, "cargo build", `--locked`; "cargo install".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.command_line import CommandLine, subcommand
from verifier.causes.rules.locks import Locked, judge_locked
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-cargo"
_VALUED: Final = frozenset(
    {
        "--version", "--vers", "--git", "--rev", "--tag", "--branch", "--path", "--root", "--features", "-F",
        "--target", "--target-dir", "--bin", "--profile", "-j", "--jobs", "--manifest-path", "-p", "--package",
        "--index", "--registry", "--example", "--exclude", "--config", "-Z", "--color", "--message-format",
    }
)  # fmt: skip
_BUILDS: Final = frozenset(
    {"b", "bench", "build", "c", "check", "clippy", "doc", "fetch", "r", "run", "rustc", "t", "test"}
)


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        if command.name not in {"cargo", "cargo-binstall"}:
            continue
        verb, line = subcommand(command, _VALUED)
        if verb.startswith("+"):
            verb, line = next(iter(line.operands), ""), CommandLine(line.options, line.operands[1:])
        strict = line.has("--locked", "--frozen", "--offline")
        if command.name == "cargo-binstall":
            verb, line = "binstall", CommandLine(line.options, (verb, *line.operands) if verb else ())
        if verb in {"install", "binstall"}:
            yield from _judge_install(recipe, step, command, verb, line)
        elif verb == "update":
            yield latent(_SLUG, step, "`cargo update` takes the newest versions that fit", command=command)
        elif verb in _BUILDS:
            locked = Locked(
                cause=_SLUG, called=f"`cargo {verb}`", files=("Cargo.lock",), strict=strict, demand="`--locked`"
            )
            yield from judge_locked(recipe, step, command, locked)


def _judge_install(recipe: Recipe, step: Step, command: Command, verb: str, line: CommandLine) -> Iterator[Risk]:
    called = f"`cargo {verb}`"
    versions = line.values("--version", "--vers")
    strict = line.has("--locked", "--frozen", "--offline")
    source = line.values("--git")
    exact = bool(versions) and all(re.fullmatch(r"=?\d+\.\d+\.\d+\S*|\$\S+", version) for version in versions)
    loose = [name for name in line.operands if not exact and not re.search(r"@=?(?:\d+\.\d+\.\d+|\$)", name)]
    if source and not any(re.fullmatch(r"[0-9a-f]{7,40}|\$\S+", rev) for rev in line.values("--rev")):
        yield latent(_SLUG, step, f"{called} takes {listed(source)} without `--rev COMMIT`", command=command)
    elif loose and not source and not line.values("--path"):
        yield latent(_SLUG, step, f"{called} takes the newest version of {listed(loose)}", command=command)
    elif line.values("--path") and not line.operands:
        locked = Locked(cause=_SLUG, called=called, files=("Cargo.lock",), strict=strict, demand="`--locked`")
        yield from judge_locked(recipe, step, command, locked)
    elif not strict and verb == "install":
        what = listed(line.operands or source) or "it"
        message = f"{called} without `--locked` takes the newest dependencies of {what} that fit"
        yield latent(_SLUG, step, message, command=command)


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="commit Cargo.lock and build with `--locked`; `cargo install --locked NAME@VERSION`",
    risk=_risks,
)
