"""Clones of version control systems: at a commit, or wherever a branch or a tag points."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from verifier.causes.rules.command_line import CommandLine, read_line
from verifier.causes.rules.downloads import basename
from verifier.causes.rules.wording import latent, refuted, shortened
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command, Word
from verifier.model.finding import Risk

_GLOBAL: Final = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--exec-path"})
_VALUED: Final = _GLOBAL | {
    "-b", "--branch", "--depth", "-o", "--origin", "--config", "--reference", "--separate-git-dir", "-j", "--jobs",
    "--filter", "--revision", "--shallow-since", "--template", "-u", "--upload-pack", "--server-option",
}  # fmt: skip
_COMMIT: Final = re.compile(r"(?:[0-9a-f]{40,64}|(?=[0-9]*[a-f])[0-9a-f]{7,39})(?:\^\{commit\})?")
"""Of less than 40 figures, those without a letter are a date or a number as a rule."""

_TAKES: Final = frozenset({"checkout", "reset", "switch", "fetch", "worktree"})


def remotes(recipe: Recipe, step: Step) -> dict[str, str]:
    """Give the addresses that `git remote add` named, in this instruction or before it, where the step fetches."""
    found: dict[str, str] = {}
    if not any(_verb(command)[0] in {"fetch", "pull"} for command in step.commands):
        return found
    for other in (*recipe.earlier(step), step):
        for command in other.commands:
            verb, line = _verb(command)
            if verb == "remote" and line.operands[:1] == ("add",) and len(line.operands) > 2:
                found[line.operands[1]] = line.operands[2]
    return found


def judge_repositories(
    cause: str, step: Step, arguments: Collection[str], addresses: Mapping[str, str]
) -> Iterator[Risk]:
    """State for each clone of a RUN whether a commit decides what is taken.

    `arguments` are those without a value, `addresses` those of the remotes.
    """
    verbs = [_verb(command) for command in step.commands]
    starts = [index for index, (verb, _) in enumerate(verbs) if verb == "clone"]
    if not starts:
        starts = [index for index, (verb, line) in enumerate(verbs) if verb in {"fetch", "pull"} and line.operands]
    owners = _owners(step, starts, verbs)
    for index in starts:
        own = [command for command, owner in zip(step.commands, owners, strict=True) if owner == index]
        yield from _judge(cause, step, index, verbs[index], own, arguments, addresses)
    for command in step.commands:
        yield from _judge_other(cause, step, command)


def _owners(step: Step, starts: Sequence[int], verbs: Sequence[tuple[str, CommandLine]]) -> list[int | None]:
    """Tell of each command which clone it is about: by the folder that it works in, else the last one before it."""
    folders: dict[str, int] = {}
    folder, last = "", None
    owners: list[int | None] = []
    for index, (command, (verb, line)) in enumerate(zip(step.commands, verbs, strict=True)):
        if command.name == "cd":
            folder = basename((command.arguments or ("",))[-1])
        if index in starts:
            last = index
            if verb == "clone" and line.operands:
                folders[
                    basename(line.operands[1] if len(line.operands) > 1 else line.operands[0]).removesuffix(".git")
                ] = index
            owners.append(index)
        else:
            named = [basename(value) for value in line.values("-C")] or [folder]
            owners.append(folders.get(named[-1], last))
    return owners


def _verb(command: Command) -> tuple[str, CommandLine]:
    if command.name != "git":
        return "", CommandLine((), ())
    line = read_line(command, _VALUED)
    return (line.operands or ("",))[0], CommandLine(line.options, line.operands[1:])


def _judge(
    cause: str,
    step: Step,
    index: int,
    found: tuple[str, CommandLine],
    commands: Sequence[Command],
    arguments: Collection[str],
    addresses: Mapping[str, str],
) -> Iterator[Risk]:
    verb, line = found
    command = step.commands[index]
    source = line.operands[0] if line.operands else ""
    if not source or source.startswith((".", "/", "file:")):
        return
    called = f"`git {verb}` of `{shortened(addresses.get(source, source))}`"
    words = [word for item in commands for word in _taken(item)]
    revisions = line.values("--revision")
    at_commit = any(word.values and all(_COMMIT.fullmatch(value) for value in word.values) for word in words) or any(
        _COMMIT.fullmatch(revision) for revision in revisions
    )
    pulls = any(_verb(item)[0] == "pull" for item in commands[1:])
    if at_commit and not pulls:
        yield refuted(cause, step, f"{called} is taken at a commit", command=command)
        return
    for word in words:
        if any(name in arguments for name in word.variables):
            message = f"{called} is taken at the build argument `{word.text}`: not known here whether that is a commit"
            yield latent(cause, step, message, command=command, severity="note")
            return
    named = [
        *line.values("-b", "--branch"),
        *(value for word in words for value in word.values if value != "FETCH_HEAD"),
    ]
    named = [name for name in named if not name.startswith("-")]
    moves = f"`{shortened(named[0])}` can be moved" if named else "its default branch moves"
    if pulls:
        moves = "`git pull` behind it takes what is newest"
    yield latent(cause, step, f"{called} takes no commit: {moves}", command=command)


def _taken(command: Command) -> list[Word]:
    """List the revisions that a command may name."""
    verb, line = _verb(command)
    # `checkout COMMIT -- FILE` takes that file alone
    if verb not in _TAKES or "--" in command.arguments[:-1]:
        return []
    operands = line.operands[1:] if verb == "fetch" else line.operands
    return [word for word in command.argv if word.text in operands or (word.values and word.values[0] in operands)]


def _judge_other(cause: str, step: Step, command: Command) -> Iterator[Risk]:
    words = command.arguments
    if command.name == "svn" and words[:1] and words[0] in {"checkout", "co", "export"}:
        if not any(re.search(r"@\d+$", word) for word in words) and not any(
            word in {"-r", "--revision"} or re.match(r"-r\d|--revision=", word) for word in words
        ):
            yield latent(cause, step, f"`svn {words[0]}` takes the newest revision", command=command)
    elif command.name == "hg" and words[:1] == ("clone",) and not {"-r", "--rev", "-u", "--updaterev"} & set(words):
        yield latent(cause, step, "`hg clone` takes the newest revision", command=command)
