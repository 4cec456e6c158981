"""What is in force: the command line over the settings file over the defaults."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from verifier.cli.arguments import options_of, parse_arguments
from verifier.errors import UsageError
from verifier.settings import Settings, find_settings, read_settings

_PATHS: Final = frozenset({"context", "lock", "keep"})
"""Options whose value in a settings file is relative to that file."""

_OFF: Final = frozenset({"no-explain", "no-ledger"})
"""Switches that store the opposite of themselves."""

_NOT_IN_A_FILE: Final = frozenset({"config", "no-config", "format", "report"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """One option's value, and where it comes from: a settings file's name, `command line` or `default`."""

    option: str
    value: Any
    source: str


def parse_with_settings(argv: Sequence[str]) -> tuple[argparse.Namespace, Settings | None]:
    """Parse the command line over the settings of the Dockerfile it names. Raises UsageError."""
    arguments = parse_arguments(argv)
    if arguments.command != "verify" or arguments.no_config:
        return arguments, None
    dockerfile = Path(arguments.dockerfile)
    settings = find_settings(dockerfile) if arguments.config is None else read_settings(Path(arguments.config))
    if settings is None or not settings.options:
        return arguments, settings
    _check(settings)
    words = list(argv[1:] if argv[0] == "verify" else argv)
    try:
        return parse_arguments(["verify", *_words(settings), *words]), settings
    except UsageError as error:
        raise UsageError(f"{settings.path}: {error.message}", error.hint) from None


def in_force(dockerfile: str) -> tuple[list[InForce], Settings | None]:
    """List what a bare `verify-build DOCKERFILE` would do. Raises UsageError."""
    arguments, settings = parse_with_settings(["verify", dockerfile])
    given = {} if settings is None else settings.options
    return [
        InForce(
            option=option,
            value=not getattr(arguments, name) if option in _OFF else getattr(arguments, name),
            source=str(settings.path) if settings is not None and option in given else "default",
        )
        for option, name in options_of("verify").items()
        if option not in _NOT_IN_A_FILE
    ], settings


def _check(settings: Settings) -> None:
    known = options_of("verify").keys() - _NOT_IN_A_FILE
    unknown = [option for option in settings.options if option not in known]
    if unknown:
        raise UsageError(f"{settings.path}: there is no option {unknown[0]!r}", "see: verify-build verify --help")


def _words(settings: Settings) -> list[str]:
    folder = settings.path.parent
    words = []
    for option, given in settings.options.items():
        for word in given:
            name, equals, value = word.partition("=")
            words.append(f"{name}={folder / value}" if option in _PATHS and equals else word)
    return words
