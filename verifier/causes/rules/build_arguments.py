"""The rule for build arguments that hold a date, or the number of a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.rules.wording import latent, shortened
from verifier.dockerfile.arguments import declarations
from verifier.dockerfile.document import Statement
from verifier.dockerfile.recipe import Recipe
from verifier.model.finding import Risk

_DATED_NAME: Final = re.compile(
    r"(?:\w+_)?(?:BUILD|BUILT|COMPILE|COMPILED|CREATED|CREATION|IMAGE)_?(?:DATE|TIME|DATETIME|TIMESTAMP|AT)(?:_UTC)?|"
    r"(?:BUILD_?)?(?:DATE|TIMESTAMP|NOW|CREATED|TODAY)|CACHE_?(?:BUST(?:ER)?|DATE)|BUST_?CACHE|\w*CACHE_?BUST\w*",
    re.IGNORECASE,
)
_RUN_NAME: Final = re.compile(
    r"(?:CI_)?(?:BUILD|JOB|PIPELINE|RUN)_?(?:NUMBER|NUM|NR|ID|NO)|BUILD_?TAG|(?:GITHUB|GITLAB|CIRCLE|TRAVIS|JENKINS)_\w*"
    r"(?:RUN|BUILD|JOB|PIPELINE)_?(?:NUMBER|NUM|ID)|BUILDKITE_BUILD_NUMBER",
    re.IGNORECASE,
)
_DATE: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:?\d\d(?::?\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?|1[5-9]\d{8}|2\d{9}"
)
_EMPTY: Final = frozenset(
    {"", "unknown", "none", "n/a", "na", "dev", "undefined", "unset", "0", "not-set", "now", "local"}
)


def build_argument_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find arguments whose value is a date, or that are named for one and have no value of their own.

    Only stages whose history is in the image are looked at, and SOURCE_DATE_EPOCH is the remedy itself.
    """
    for step in recipe.steps:
        if step.shipped and step.statement.keyword == "ARG":
            for name, default in declarations(step.statement):
                yield from _judge(recipe, step.statement, name, default)


def _judge(recipe: Recipe, statement: Statement, name: str, default: str | None) -> Iterator[Risk]:
    if name == "SOURCE_DATE_EPOCH":
        return
    given = recipe.given.get(name)
    if given is not None:
        if _DATE.fullmatch(given.strip()) and not name.upper().endswith(("VERSION", "SNAPSHOT")):
            message = f"the build argument `{name}` is given a date, which stays in the image's history"
            yield latent("build-arg-leak", statement, message)
            return
        fixed = False
    else:
        value = default if default is not None else recipe.global_values.get(name, "")
        fixed = value.strip("\"'").lower() not in _EMPTY
    if fixed:
        return
    if _DATED_NAME.fullmatch(name):
        message = (
            f"the build argument `{shortened(name)}` is named for a date, and what it is given stays in the history"
        )
        yield latent("build-arg-leak", statement, message)
    elif _RUN_NAME.fullmatch(name):
        message = f"the build argument `{shortened(name)}` is named for the number of a run, and stays in the history"
        yield latent("build-arg-leak", statement, message)
