"""Tell where the number of processors only says how many jobs run at once: such a number enters no image."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.dockerfile.recipe import Step
from verifier.dockerfile.shell import Command, Word

_OPTION: Final = re.compile(
    r"(?:^|[\s=])(?:-[jlPT]|--(?:jobs|parallel|threads|max-procs|max-workers|load-average|parallel-level))"
    r"(?:[=\s]|\$\(\()*$"
)
_VARIABLE: Final = re.compile(
    r"(?:^|_)(?:JOBS?|NPROC|PARALLEL(?:_LEVEL)?|CORES|CPUS?|THREADS|NUM_?(?:JOBS|CPUS?|CORES|THREADS))$", re.IGNORECASE
)
_INSERTED: Final = re.compile(r"\$\([^()]*(?:\([^()]*\)[^()]*)*\)|`[^`]*`|\$\w+|\$\{[^{}]*\}")
_CPUINFO: Final = "/proc/cpuinfo"
_ARITHMETIC: Final = frozenset({"expr", "bc"})
_PRINTERS: Final = frozenset({"cat", "echo", "printf"})
_JUDGES: Final = frozenset({"[", "[[", "test"})
_MAX_DEPTH: Final = 20


def counts_processors(command: Command) -> bool:
    """Tell whether a command prints how many processors there are, or a list of them."""
    if command.name == "getconf":
        return any(word.startswith("_NPROCESSORS") for word in command.arguments)
    inputs = [redirect.target.text for redirect in command.redirects if redirect.operator == "<"]
    return command.name in {"nproc", "lscpu"} or _CPUINFO in (*command.arguments, *inputs)


def is_for_jobs(step: Step, command: Command) -> bool:
    """Tell whether what a command prints is the number of jobs of a build alone (`make -j$(nproc)`)."""
    return _is_for_jobs(step, command, 0)


def _is_for_jobs(step: Step, command: Command, depth: int) -> bool:
    if command.within is None or depth > _MAX_DEPTH:
        return False
    outer = step.commands[command.within]
    if outer is command:
        return False
    if outer.name in _JUDGES:
        return True
    if outer.name in _ARITHMETIC:
        return _is_for_jobs(step, outer, depth + 1)
    if outer.name in _PRINTERS:
        return False
    used = [_is_job(words, position, command.name) for words, position in _holding(outer, command.name)]
    named = [
        _is_job_variable(step, outer, name, word, command.name, depth)
        for name, word in outer.assignments
        if _places(word.text, command.name)
    ]
    return all((*used, *named)) and bool(used or named)


def _is_job_variable(step: Step, setter: Command, name: str, value: Word, token: str, depth: int) -> bool:
    """Tell whether all that reads a variable takes it for the number of jobs."""
    if _is_job([value], 0, token) or (_VARIABLE.search(name) and (setter.argv or setter.exported)):
        return True
    users = [user for user in step.script.mentions(name) if user is not setter and user.name not in _JUDGES]
    return bool(users) and depth <= _MAX_DEPTH and all(_takes_jobs(step, user, name, depth) for user in users)


def _takes_jobs(step: Step, user: Command, name: str, depth: int) -> bool:
    if user.name in _PRINTERS:
        return False
    used = [_is_job(words, position, name) for words, position in _holding(user, name)]
    again = [
        _is_job_variable(step, user, other, word, name, depth + 1)
        for other, word in user.assignments
        if name in word.variables and other != name
    ]
    return all((*used, *again)) and bool(used or again)


def _holding(command: Command, token: str) -> Iterator[tuple[list[Word], int]]:
    words = list(command.argv)
    for position, word in enumerate(words):
        if _places(word.text, token):
            yield words, position


def _places(text: str, token: str) -> list[int]:
    """List where in a word something is inserted that mentions a program or variable."""
    mention = re.compile(rf"(?<![\w-]){re.escape(token)}(?![\w-])")
    return [match.start() for match in _INSERTED.finditer(text) if mention.search(match[0])]


def _is_job(words: list[Word], position: int, token: str) -> bool:
    """Tell whether an option for the number of jobs stands before each place of a word that holds it."""
    before = f"{words[position - 1].text} " if position else ""
    text = words[position].text
    return all(_OPTION.search(before + text[:start]) for start in _places(text, token))
