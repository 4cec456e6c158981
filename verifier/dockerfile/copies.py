"""`COPY --from=STAGE`: which stages are copied from, and what may have become a path (Dockerfile reference, "COPY")."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from verifier.dockerfile.arguments import BuildArgs, expand, given_values, global_scope, stage_scope
from verifier.dockerfile.document import Dockerfile, Stage, Statement
from verifier.dockerfile.mounts import mounts
from verifier.dockerfile.stages import chain, find_target, stage_of, stages_taken_from
from verifier.errors import DockerfileError, UsageError
from verifier.model.instruction import Instruction
from verifier.oci.platform import Platform

_VARIABLE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCopy:
    """One COPY out of a stage: absolute paths, variables expanded.

    `sources` may hold wildcards. `destination` keeps its trailing slash. `parents` is `--parents`: a source keeps the
    folders above it, from a `/./` in it on.
    """

    stage: int
    sources: tuple[str, ...]
    destination: str
    parents: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrounding:
    """What a base image gives to the instructions on it: its ENV, and the folder that it stands in."""

    environment: Mapping[str, str]
    folder: str


class Copies:
    """Reads the COPYs of one Dockerfile as a build with these arguments does."""

    def __init__(
        self,
        dockerfile: Dockerfile,
        build_args: BuildArgs,
        platform: Platform | None,
        environment: Mapping[str, str],
    ) -> None:
        self._dockerfile = dockerfile
        self._given = given_values(build_args, environment)
        self._values = global_scope(dockerfile, self._given, platform)
        self._statements = {item.instruction: (stage, item) for stage in dockerfile.stages for item in stage.statements}

    def stages_behind(self, target: str | None) -> tuple[int, ...]:
        """List the stages that files of the target may come from by COPY or a mount, directly or through others.

        Raises UsageError for an unknown target, DockerfileError for what cannot be expanded.
        """
        found: dict[int, None] = {}
        waiting = [find_target(self._dockerfile, target)]
        while waiting:
            for stage in chain(self._dockerfile, waiting.pop(0), self._values):
                for index in stages_taken_from(self._dockerfile, stage, self._given, self._values):
                    if index not in found:
                        found[index] = None
                        waiting.append(self._dockerfile.stages[index])
        return tuple(found)

    def read(self, instruction: Instruction, base: Surrounding) -> StageCopy | None:
        """Read a COPY that takes from a stage; None for anything else, and where it cannot be expanded."""
        stage, statement = self._statements.get(instruction, (None, None))
        if stage is None or statement is None or statement.keyword != "COPY" or not statement.flag("from"):
            return None
        try:
            scope = self._scope(stage, statement, base)
            name = self._expanded(statement, statement.flag("from") or "", scope)
            index = stage_of(self._dockerfile, statement, name)
            *sources, target = (self._expanded(statement, word, scope) for word in statement.arguments)
        except (DockerfileError, UsageError):
            return None
        folder = self.folder(instruction, base)
        if index is None or folder is None:
            return None
        return StageCopy(
            stage=index,
            sources=tuple(_under("/", source, pivot=statement.has_flag("parents")) for source in sources),
            destination=_under(folder, target),
            parents=statement.has_flag("parents"),
        )

    def mounted(self, instruction: Instruction, base: Surrounding) -> tuple[int, ...]:
        """List the stages that a RUN mounts."""
        stage, statement = self._statements.get(instruction, (None, None))
        if stage is None or statement is None or statement.keyword != "RUN":
            return ()
        found = []
        for mount in mounts(statement):
            try:
                name = self._expanded(statement, mount.get("from", ""), self._scope(stage, statement, base))
                index = stage_of(self._dockerfile, statement, name) if name else None
            except (DockerfileError, UsageError):
                continue
            found += [] if index is None else [index]
        return tuple(found)

    def command(self, instruction: Instruction, base: Surrounding) -> str | None:
        """Give a RUN with its flags and here-documents, known variables replaced; None for anything else."""
        stage, statement = self._statements.get(instruction, (None, None))
        if stage is None or statement is None or statement.keyword != "RUN":
            return None
        try:
            scope = self._scope(stage, statement, base)
        except (DockerfileError, UsageError):
            scope = {}
        text = "\n".join([instruction.text, *(doc.content for doc in statement.heredocs)])
        return _VARIABLE.sub(lambda match: scope.get(match[1] or match[2], match[0]), text)

    def folder(self, instruction: Instruction, base: Surrounding) -> str | None:
        """Give the folder that an instruction stands in (WORKDIR); None where that cannot be told."""
        stage, statement = self._statements[instruction]
        steps = self._before(stage, statement)
        try:
            words = [
                self._expanded(item, item.arguments[0], self._scope(stage, item, base))
                for item in steps
                if item.keyword == "WORKDIR"
            ]
        except (DockerfileError, UsageError):
            return None
        if not words:
            return base.folder
        # the base's own folder is known as long as no WORKDIR has changed it
        return posixpath.normpath(posixpath.join("/", *words)) if words[0].startswith("/") else None

    def source(self, stage: int) -> Instruction:
        """Give the FROM that a stage stands on at last, through the stages between."""
        return chain(self._dockerfile, self._dockerfile.stages[stage], self._values)[0].source.instruction

    def _before(self, stage: Stage, statement: Statement) -> list[Statement]:
        steps = [item for part in chain(self._dockerfile, stage, self._values) for item in part.statements]
        return steps[: steps.index(statement)]

    def _scope(self, stage: Stage, statement: Statement, base: Surrounding) -> dict[str, str]:
        stages = chain(self._dockerfile, stage, self._values)
        own = {
            name for part in stages for item in part.statements if item.keyword == "ENV" for name in item.arguments[::2]
        }
        inherited = {name: value for name, value in base.environment.items() if name not in own}
        return inherited | stage_scope(self._dockerfile, stages, statement, self._given, self._values)

    def _expanded(self, statement: Statement, word: str, scope: Mapping[str, str]) -> str:
        return expand(self._dockerfile, statement, word, scope)


def origins_of(copy: StageCopy, source: str, path: str, destination: str) -> Iterator[str]:
    """Yield what in the stage may have become `path`: `source` is one of the copy's, its wildcards resolved.

    A file is copied to the destination, or into it under its own name; a folder's content is copied into it, and its
    own entry is the builder's. `destination` is the copy's, links in it followed.
    """
    target = destination.rstrip("/") or "/"
    inside = None if path == target else _inside(path, target)
    if copy.parents:
        if inside is not None:
            yield from _with_parents(source, inside)
    elif path == target:
        if not copy.destination.endswith("/"):
            yield source
    elif inside is not None:
        yield posixpath.join(source, inside)
        if posixpath.basename(source) == inside:
            yield source


def _with_parents(source: str, inside: str) -> Iterator[str]:
    before, pivot, behind = source.partition("/./")
    kept = behind if pivot else source.lstrip("/")
    if inside == kept or inside.startswith(kept + "/"):
        yield posixpath.normpath(posixpath.join(before or "/", inside) if pivot else "/" + inside)


def _inside(path: str, folder: str) -> str | None:
    prefix = folder if folder.endswith("/") else folder + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def _under(folder: str, word: str, *, pivot: bool = False) -> str:
    """Resolve a path as builders do: relative to `folder`, never out of the root; a last slash stays, as may `/./`."""
    joined = posixpath.join(folder, word)
    parts = joined.split("/./") if pivot else [joined]
    whole = "/.".join("/" + posixpath.normpath("/" + part).strip("/") for part in parts)
    return whole + "/" if whole != "/" and (word.endswith(("/", "/.")) or word == ".") else whole
