"""Clones of version control systems: at a commit, or wherever a branch or a tag points."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from verifier.causes.rules.command_line import CommandLine, read_line
from verifier.causes.rules.wording import latent, refuted, shortened
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command, Word
from verifier.model.finding import Risk

_GLOBAL: Final = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--exec-path"})
_VALUED: Final = _GLOBAL | {
    "-b", "--branch", "--depth", "-o", "--origin", "--config", "--reference", "--separate-git-dir", "-j", "--jobs",
    "--filter", "--revision", "--shallow-since", "--template", "-u", "--upload-pack", "--server-option",
}  # fmt: skip
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}(?:\^\{commit\})?")
_TAKES: Final = frozenset({"checkout", "reset", "switch", "fetch", "worktree", "cherry-pick", "merge", "am"})


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
    for number, index in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(step.commands)
        yield from _judge(cause, step, index, verbs[index], step.commands[index:end], arguments, addresses)
    for command in step.commands:
        yield from _judge_other(cause, step, command)


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
    if any(word.values and all(_COMMIT.fullmatch(value) for value in word.values) for word in words) or any(
        _COMMIT.fullmatch(revision) for revision in revisions
    ):
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
    yield latent(cause, step, f"{called} takes no commit: {moves}", command=command)


def _taken(command: Command) -> list[Word]:
    """List the revisions that a command may name."""
    verb, line = _verb(command)
    if verb not in _TAKES:
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
