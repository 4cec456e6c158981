"""ARG expansion: what the expressions in FROM and --from mean under build arguments (Dockerfile reference, "ARG")."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from verifier.dockerfile.document import Dockerfile, Stage, Statement
from verifier.dockerfile.syntax import expand_word
from verifier.errors import DockerfileError
from verifier.oci.platform import Platform

BuildArgs = Sequence[tuple[str, str | None]]
"""Build arguments as the user gave them; a value of None means the environment's."""

_ARCHITECTURES: Final = {
    "x86_64": ("amd64", None),
    "amd64": ("amd64", None),
    "aarch64": ("arm64", None),
    "arm64": ("arm64", None),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "i386": ("386", None),
    "i686": ("386", None),
    "loongarch64": ("loong64", None),
}
_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_DEFAULTED: Final = re.compile(r"\$\{[A-Za-z_]\w*:?[-+]")
"""`${NAME:-value}` and `${NAME:+value}` say what stands there when nothing is set."""


def host_platform() -> Platform:
    """Name the platform that this machine builds on, in the specification's words."""
    machine = os.uname().machine.lower()
    architecture, variant = _ARCHITECTURES.get(machine, (machine, None))
    return Platform(os="linux", architecture=architecture, variant=variant)


def given_values(build_args: BuildArgs, environment: Mapping[str, str]) -> dict[str, str]:
    """Resolve build arguments: the last of a name wins; one without a value takes the environment's, if any."""
    values: dict[str, str] = {}
    for name, value in build_args:
        found = environment.get(name) if value is None else value
        if found is not None:
            values[name] = found
    return values


def platform_values(platform: Platform | None) -> dict[str, str]:
    """Give the automatic platform ARGs of the global scope; the target is the host where `platform` is None."""
    values = {}
    for prefix, value in (("BUILD", host_platform()), ("TARGET", platform or host_platform())):
        values[f"{prefix}PLATFORM"] = str(value)
        values[f"{prefix}OS"] = value.os
        values[f"{prefix}ARCH"] = value.architecture
        values[f"{prefix}VARIANT"] = value.variant or ""
    return values


def global_scope(dockerfile: Dockerfile, given: Mapping[str, str], platform: Platform | None) -> dict[str, str]:
    """Evaluate the ARGs before the first FROM, over the platform's; a build argument wins over a default.

    Raises DockerfileError where a default cannot be expanded.
    """
    scope = {name: given.get(name, value) for name, value in platform_values(platform).items()}
    for statement in dockerfile.arguments:
        for name, default in declarations(statement):
            if name in given:
                scope[name] = given[name]
            elif default is not None:
                scope[name] = expand(dockerfile, statement, default, scope)
    return scope


def stage_scope(
    dockerfile: Dockerfile, chain: Iterable[Stage], before: Statement, given: Mapping[str, str], base: Mapping[str, str]
) -> dict[str, str]:
    """Evaluate the ARGs and ENVs that are in scope at `before`, through the stages it stands on.

    `base` is the global scope, which an ARG without a default takes its value from. What a base image's own ENV
    sets is not known here. Raises DockerfileError where a value cannot be expanded.
    """
    arguments: dict[str, str] = {}
    environment: dict[str, str] = {}
    for stage in chain:
        for statement in stage.statements:
            if statement is before:
                return arguments | environment
            scope = arguments | environment
            if statement.keyword == "ARG":
                for name, default in declarations(statement):
                    if name in given:
                        arguments[name] = given[name]
                    elif default is not None:
                        arguments[name] = expand(dockerfile, statement, default, scope | arguments)
                    elif name in base:
                        arguments[name] = base[name]
            elif statement.keyword == "ENV":
                pairs = zip(statement.arguments[::2], statement.arguments[1::2], strict=True)
                environment |= {name: expand(dockerfile, statement, value, scope) for name, value in pairs}
    return arguments | environment


def declarations(statement: Statement) -> list[tuple[str, str | None]]:
    """Split the words of an ARG into names and defaults, not expanded."""
    found = []
    for word in statement.arguments:
        name, equals, value = word.partition("=")
        found.append((name, value if equals else None))
    return found


def expand(dockerfile: Dockerfile, statement: Statement, word: str, scope: Mapping[str, str]) -> str:
    """Expand one word of `statement`; a variable that is not set becomes empty. Raises DockerfileError."""
    try:
        return expand_word(word, dockerfile.escape, scope)
    except (ValueError, re.error) as error:
        line = statement.instruction.line
        raise DockerfileError(f"{dockerfile.path}:{line}: {str(error)[:400]}", line=line) from None


def unset_variables(word: str, scope: Mapping[str, str]) -> tuple[str, ...]:
    """Name the variables that `word` mentions with no value of its own for them, and `scope` does not set."""
    needed = dict.fromkeys(_VARIABLE.findall(_DEFAULTED.sub("", word)))
    return tuple(name for name in needed if not scope.get(name))
