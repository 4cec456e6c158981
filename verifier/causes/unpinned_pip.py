"""A Python installer takes whatever version is newest.

What varies: which version of a package the index holds on the day of the build, and of everything that it depends on.

Why it matters: a requirement such as `flask` or `flask>=3` gives another version next week, and so do the
dependencies of `flask==3.1.0`. Even a version may get new wheels for the platform; only a digest pins the file.

How it is recognised: in the Dockerfile, `pip`, `uv`, `pipx`, `poetry` and `pipenv` that install without an exact
version, a requirements file whose lines are not pinned (read from the context), or a project without its lock file.
Digests (`--require-hashes`, or `--hash` on every line) settle it; versions without digests are noted. In two images, by
another version in the METADATA of the same package: its files, and those of packages that are there because it depends
on them, follow from that where on each side the content has the digest that the package's RECORD holds there, and so
does bytecode of such sources. What a version should hold is not known: this is never called proven.

Remedy: lock all packages with their digests (`pip-compile --generate-hashes`, `uv pip compile --generate-hashes`) and
install with `pip install --require-hashes -r requirements.txt`, `uv sync --locked`, `pipenv install --deploy`.

Source: pip documentation, "Secure installs" and "Repeatable Installs".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.inventory import Inventory
from verifier.causes.rules.command_line import CommandLine, read_line, subcommand
from verifier.causes.rules.locks import Locked, judge_locked
from verifier.causes.rules.requirements import Requirements, kind_of, read_requirements
from verifier.causes.rules.wording import latent, listed, refuted
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.formats.installed_packages import Digests, Package, wheel_files, wheel_packages
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-pip"
_PIP: Final = re.compile(r"pip(?:\d(?:\.\d+)?)?(?:-\d(?:\.\d+)?)?")
_PYTHON: Final = re.compile(r"(?:python|pypy)\d?(?:\.\d+)?t?")
_FILES: Final = ("-r", "--requirement", "--requirements")
_VALUED: Final = frozenset(
    {
        *_FILES, "-c", "--constraint", "--constraints", "-e", "--editable", "-t", "--target", "-i", "--index-url",
        "--extra-index-url", "-f", "--find-links", "--trusted-host", "--prefix", "--root", "--src", "--no-binary",
        "--only-binary", "--platform", "--python-version", "--implementation", "--abi", "--upgrade-strategy",
        "--progress-bar", "--cache-dir", "--timeout", "--retries", "--proxy", "--cert", "--client-cert", "--log",
        "--report", "-C", "--config-settings", "--global-option", "--build-option", "--root-user-action", "--group",
        "--python", "-p", "--exists-action", "--use-feature", "--use-deprecated", "-w", "--wheel-dir", "-d", "--dest",
        "--index", "--default-index", "--with", "--spec", "--pip-args", "--extra", "--directory", "--project",
    }
)  # fmt: skip


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        pip = _pip_line(command)
        if pip is not None:
            yield from _judge(recipe, step, command, *pip)
        elif command.name in {"uv", "pipenv", "poetry", "pdm"}:
            yield from _judge_project(recipe, step, command)


def _pip_line(command: Command) -> tuple[str, CommandLine] | None:
    """Find `pip install …` in its many forms; None where nothing is installed."""
    words = [word.text for word in command.argv[:6]]
    name, skip = command.name, 1
    if _PYTHON.fullmatch(name) and "-m" in words[:-1] and words[words.index("-m") + 1] == "pip":
        name, skip = "pip", words.index("-m") + 2
    elif name == "uv" and words[1:2] == ["pip"]:
        name, skip = "uv pip", 2
    elif name == "uv" and words[1:3] == ["tool", "install"]:
        return "uv tool install", read_line(command, _VALUED, 3)
    elif name != "pipx" and not _PIP.fullmatch(name):
        return None
    line = read_line(command, _VALUED, skip)
    if not line.operands or line.operands[0] not in {"install", "download", "wheel"}:
        return None
    called = "pip" if _PIP.fullmatch(name) else name
    return f"{called} {line.operands[0]}", CommandLine(line.options, line.operands[1:])


def _judge(recipe: Recipe, step: Step, command: Command, called: str, line: CommandLine) -> Iterator[Risk]:
    called = f"`{called}`"
    demanded = dict(command.assignments).get("PIP_REQUIRE_HASHES", step.scope.get("PIP_REQUIRE_HASHES", ""))
    if line.has("--require-hashes") or str(demanded) not in {"", "0", "false"}:
        yield refuted(_SLUG, step, f"{called} checks the digest of every package", command=command)
        return
    if line.has("--no-index", "--dry-run"):
        return
    if command.more_arguments:
        yield latent(_SLUG, step, f"{called} takes the newest of what xargs hands over", command=command)
    operands = [*line.operands, *line.values("-e", "--editable")]
    kinds = [(name, kind_of(name)) for name in operands]
    constrained = bool(line.values("-c", "--constraint", "--constraints")) and _constraints_hold(recipe, line)
    loose = [name for name, kind in kinds if kind == "loose"]
    if loose:
        message = f"{called} takes the newest version of {listed(loose)}"
        if constrained:
            message = f"{called} takes versions of {listed(loose)} from constraints, without digests"
        yield latent(_SLUG, step, message, command=command, severity="note" if constrained else "warning")
    moving = [name for name, kind in kinds if kind == "url"]
    if moving:
        message = f"{called} takes {listed(moving)}, and no digest or commit is named"
        yield latent(_SLUG, step, message, command=command)
    if not line.has("--no-deps"):
        yield from _judge_dependencies(step, command, called, kinds)
    for name in line.values(*_FILES):
        yield from _judge_file(recipe, step, command, called, name)


def _judge_dependencies(step: Step, command: Command, called: str, kinds: Sequence[tuple[str, str]]) -> Iterator[Risk]:
    local = [name for name, kind in kinds if kind == "local"]
    pinned = [name for name, kind in kinds if kind == "pinned"]
    if local:
        message = f"{called} takes the dependencies of {listed(local)} as the index has them, unless they are there"
        yield latent(_SLUG, step, message, command=command, severity="note")
    elif pinned and len(pinned) == len(kinds):
        message = f"{called} names the versions of {listed(pinned)}, but no digests and not what they depend on"
        yield latent(_SLUG, step, message, command=command, severity="note")


def _judge_file(recipe: Recipe, step: Step, command: Command, called: str, name: str) -> Iterator[Risk]:
    found = _find(recipe, name)
    if found is None:
        message = (
            f"{called} takes what `{name}` names: not known here whether that is pinned; `--require-hashes` demands it"
        )
        yield latent(_SLUG, step, message, command=command, severity="note")
    elif found.hashed and not found.loose:
        yield refuted(_SLUG, step, f"{called}: `{name}` has the digest of every package", command=command)
    elif found.loose:
        message = f"{called}: `{name}` does not pin {listed(found.loose)}"
        yield latent(_SLUG, step, message, command=command)
    elif found.number:
        message = f"{called}: `{name}` names versions, but no digests"
        yield latent(_SLUG, step, message, command=command, severity="note")


def _find(recipe: Recipe, name: str) -> Requirements | None:
    """Read the requirements file of that name from the context, where one file alone can be meant."""
    if recipe.context is None or "$" in name:
        return None
    base = name.rpartition("/")[2]
    paths = [path for path in recipe.context.named(base) if path in recipe.context.texts]
    exact = [path for path in paths if name.endswith(path)]
    wanted = exact[-1:] or (paths if len(paths) == 1 else [])
    return read_requirements(recipe.context.texts[wanted[0]]) if wanted else None


def _constraints_hold(recipe: Recipe, line: CommandLine) -> bool:
    found = [_find(recipe, name) for name in line.values("-c", "--constraint", "--constraints")]
    return all(item is None or not item.loose for item in found)


def _judge_project(recipe: Recipe, step: Step, command: Command) -> Iterator[Risk]:
    verb, line = subcommand(command, _VALUED)
    strict, files, demand = False, ("",), ""
    if command.name == "uv" and verb in {"sync", "run"}:
        strict, files, demand = line.has("--locked", "--frozen"), ("uv.lock",), "`--locked`"
        if verb == "run" and (not strict or line.has("--no-sync")):
            return
    elif command.name == "poetry" and verb in {"install", "sync"}:
        files, demand = ("poetry.lock",), "`poetry check --lock`"
    elif command.name == "pipenv" and verb in {"install", "sync"}:
        strict = verb == "sync" or line.has("--deploy", "--ignore-pipfile")
        files, demand = ("Pipfile.lock",), "`--deploy`"
    elif command.name == "pdm" and verb in {"install", "sync"}:
        strict = verb == "sync" or line.has("--frozen-lockfile", "--check")
        files, demand = ("pdm.lock",), "`--frozen-lockfile`"
    else:
        return
    called = f"`{command.name} {verb}`"
    if command.name == "poetry" and recipe.context is not None and recipe.context.named("poetry.lock"):
        # Poetry never changes its lock file while it installs, and checks the digests in it.
        strict = True
    locked = Locked(cause=_SLUG, called=called, files=files, strict=strict, demand=demand)
    yield from judge_locked(recipe, step, command, locked)


def _is_metadata(path: bytes) -> bool:
    return path.endswith(b".dist-info/METADATA")


def _files(package: Package, records: Mapping[bytes, bytes]) -> Digests:  # noqa: ARG001
    return wheel_files(records)


def _record(path: bytes) -> bytes | None:
    return path if path.endswith(b".dist-info/RECORD") else None


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="lock every package with its digest and install with `--require-hashes`",
    inventory=Inventory(is_database=_is_metadata, packages=wheel_packages, files=_files, stem=_record),
    risk=_risks,
)
