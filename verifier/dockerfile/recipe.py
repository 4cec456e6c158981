"""What the static rules look at: the steps that a target needs, each with its scope and its shell commands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from verifier.dockerfile.arguments import (
    BuildArgs,
    declarations,
    given_values,
    global_scope,
    unset_variables,
)
from verifier.dockerfile.document import Dockerfile, Stage, Statement
from verifier.dockerfile.shell import Command, Script
from verifier.dockerfile.shell_lines import shell_text
from verifier.dockerfile.shell_reader import read_script
from verifier.dockerfile.stages import chain, find_target, needed_stages
from verifier.dockerfile.syntax import expand_word
from verifier.model.context_facts import ContextFacts
from verifier.oci.platform import Platform

DEFAULT_SHELL: Final = ("/bin/sh", "-c")
MAX_STEPS: Final = 2_000
"""Instructions that are looked at in one stage."""

NO_SCRIPT: Final = Script(commands=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One instruction of a stage that counts.

    `scope` are the ARGs and ENVs whose values are known before it. `script` is empty for all but RUN. `shipped` says
    that what it leaves in the file system is in the image, whereas other stages are only copied from.
    """

    statement: Statement
    scope: Mapping[str, str]
    script: Script
    shipped: bool

    @property
    def commands(self) -> tuple[Command, ...]:
        """The shell commands of a RUN."""
        return self.script.commands


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A Dockerfile as a build of one target would follow it; `context` is None where none was looked at.

    `stages` are those that the target needs, `shipped` the ones that it stands on. `global_values` are the ARGs
    before the first FROM, `given` the build arguments. `below` gives for each stage the indices of those that it
    stands on, and its own.
    """

    dockerfile: Dockerfile
    target: Stage
    stages: tuple[Stage, ...]
    shipped: tuple[Stage, ...]
    steps: tuple[Step, ...]
    global_values: Mapping[str, str]
    below: Mapping[int, frozenset[int]]
    given: Mapping[str, str]
    context: ContextFacts | None

    def runs(self) -> Iterator[tuple[Step, Command]]:
        """Walk every shell command of every RUN."""
        for step in self.steps:
            for command in step.commands:
                yield step, command

    def earlier(self, step: Step) -> Iterator[Step]:
        """Walk the steps before `step` in its stage and in the stages that it stands on."""
        indices = self.below[step.statement.instruction.stage.index]
        for other in self.steps:
            if other is step:
                return
            if other.statement.instruction.stage.index in indices:
                yield other

    @property
    def unread(self) -> tuple[Statement, ...]:
        """The RUNs that were not read to the end."""
        return tuple(step.statement for step in self.steps if not step.script.complete)


def read_recipe(
    dockerfile: Dockerfile,
    *,
    context: ContextFacts | None = None,
    target: str | None = None,
    build_args: BuildArgs = (),
    platform: Platform | None = None,
    environment: Mapping[str, str] | None = None,
) -> Recipe:
    """Follow `dockerfile` to `target`, without any build.

    A build argument that FROM needs and nobody gave is left open. Raises UsageError for an unknown target,
    DockerfileError for stages in a circle and expressions that cannot be expanded.
    """
    given = given_values(build_args, environment or {})
    values = global_scope(dockerfile, given, platform)
    stage = find_target(dockerfile, target)
    supplied = _with_placeholders(dockerfile, given, values)
    followed = global_scope(dockerfile, supplied, platform)
    needed = needed_stages(dockerfile, target, tuple(supplied.items()), platform)
    shipped = chain(dockerfile, stage, followed)
    lines = dockerfile.text.split("\n")
    walk = _Walk(dockerfile, given, values, {item.index for item in shipped}, lines)
    steps: dict[int, tuple[Step, ...]] = {}
    ends: dict[int, _Scope] = {}
    below: dict[int, frozenset[int]] = {}
    for item in needed:
        chained = [part.index for part in chain(dockerfile, item, followed)]
        below[item.index] = frozenset(chained)
        base = ends.get(chained[-2]) if len(chained) > 1 else None
        start = _Scope({}, {}, DEFAULT_SHELL) if base is None else base.base()
        steps[item.index], ends[item.index] = walk.follow(item, start)
    return Recipe(
        dockerfile=dockerfile,
        target=stage,
        stages=needed,
        shipped=shipped,
        steps=tuple(step for item in needed for step in steps[item.index]),
        global_values=values,
        below=below,
        given=given,
        context=context,
    )


def _with_placeholders(dockerfile: Dockerfile, given: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Give a value to what FROM mentions and nothing sets, so that the stages can be followed all the same."""
    supplied = dict(given)
    for stage in dockerfile.stages:
        supplied |= dict.fromkeys(unset_variables(stage.platform or "", values), "linux/amd64")
        supplied |= dict.fromkeys(unset_variables(stage.base, values), "unset")
    return supplied


@dataclass(slots=True)
class _Scope:
    arguments: dict[str, str]
    environment: dict[str, str]
    shell: Sequence[str]

    def base(self) -> _Scope:
        """Give what a stage takes over from the one that it stands on: ARGs too, as the builders do."""
        return _Scope(dict(self.arguments), dict(self.environment), self.shell)


class _Walk:
    def __init__(
        self,
        dockerfile: Dockerfile,
        given: Mapping[str, str],
        values: Mapping[str, str],
        shipped: set[int],
        lines: Sequence[str],
    ) -> None:
        self._dockerfile = dockerfile
        self._given = given
        self._values = values
        self._shipped = shipped
        self._lines = lines

    def follow(self, stage: Stage, scope: _Scope) -> tuple[tuple[Step, ...], _Scope]:
        steps: list[Step] = []
        for statement in map(_triggered, stage.statements[:MAX_STEPS]):
            known = scope.arguments | scope.environment
            step = Step(
                statement=statement,
                scope=known,
                script=self._script(statement, known, scope.shell),
                shipped=stage.index in self._shipped,
            )
            steps.append(step)
            self._apply(statement, scope, known)
        return tuple(steps), scope

    def _apply(self, statement: Statement, scope: _Scope, known: Mapping[str, str]) -> None:
        if statement.keyword == "SHELL":
            scope.shell = statement.arguments
        elif statement.keyword == "ENV":
            for name, value in zip(statement.arguments[::2], statement.arguments[1::2], strict=True):
                _assign(scope.environment, name, self._expanded(value, known))
        elif statement.keyword == "ARG":
            for name, default in declarations(statement):
                if name in self._given:
                    scope.arguments[name] = self._given[name]
                elif default is not None:
                    _assign(scope.arguments, name, self._expanded(default, known))
                elif name in self._values:
                    scope.arguments[name] = self._values[name]

    def _expanded(self, word: str, known: Mapping[str, str]) -> str:
        try:
            return expand_word(word, self._dockerfile.escape, known, keep_unset=True)
        except (ValueError, re.error):
            return word

    def _script(self, statement: Statement, known: Mapping[str, str], shell: Sequence[str]) -> Script:
        if statement.keyword != "RUN":
            return NO_SCRIPT
        scope = {name: (value,) for name, value in known.items() if value}
        if statement.json:
            return _exec_form(statement, scope)
        script = shell_text(self._dockerfile, statement, shell, self._lines)
        options = (*shell[1:], *script.options)
        return read_script(script.text, scope, script.line_of, options=options) if script.text else NO_SCRIPT


def _triggered(statement: Statement) -> Statement:
    """Give what is inside an ONBUILD, at its own place: it is done when another image is built on this one.

    A COPY or an ADD of a context is left: it will be another one's.
    """
    trigger = statement.trigger if statement.keyword == "ONBUILD" else None
    if trigger is None or not (trigger.keyword == "RUN" or _is_from_outside(trigger)):
        return statement
    return replace(trigger, instruction=statement.instruction)


def _is_from_outside(statement: Statement) -> bool:
    """Tell a COPY from another image, and an ADD of addresses alone."""
    if statement.keyword == "COPY":
        return statement.flag("from") is not None
    found = statement.arguments[:-1] if statement.keyword == "ADD" else ()
    return bool(found) and all("://" in source or source.startswith("git@") for source in found)


def _assign(values: dict[str, str], name: str, value: str) -> None:
    """Set a variable, or forget it where its value depends on one that is not known."""
    values.pop(name, None)
    if "$" not in value:
        values[name] = value


def _exec_form(statement: Statement, scope: Mapping[str, tuple[str, ...]]) -> Script:
    import shlex  # noqa: PLC0415 - costs start-up time

    return read_script(shlex.join(statement.arguments), scope, lambda _: statement.instruction.line)


def known_word(recipe: Recipe, step: Step, word: str) -> str:
    """Expand one word of an instruction as far as its variables are known."""
    try:
        return expand_word(word, recipe.dockerfile.escape, step.scope, keep_unset=True)
    except (ValueError, re.error):
        return word
