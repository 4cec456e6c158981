"""PECL installs whatever version is newest.

What varies: which release of a PHP extension is the newest on the day of the build.

Why it matters: `pecl install redis` compiles another source next month, and may stop to build under the base's PHP.

How it is recognised: in the Dockerfile, `pecl install` or `pear install` of a name that does not end in a version.

Remedy: name the release: `pecl install redis-6.1.0`.

Source: PHP manual, "Compiling shared PECL extensions with the pecl command".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.command_line import subcommand
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.recipe import Recipe
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-pecl"
_VALUED: Final = frozenset({"-d", "-D", "--configureoptions", "-R", "--installroot"})
_VERSION: Final = re.compile(r"-\d+\.\d|-v?\$\{?\w+\}?$")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        verb, line = subcommand(command, _VALUED) if command.name in {"pecl", "pear"} else ("", None)
        if line is None or verb not in {"install", "upgrade"}:
            continue
        names = [name for name in line.operands if not name.endswith((".tgz", ".xml")) and "/" not in name]
        loose = [name for name in names if not _VERSION.search(name)]
        if loose:
            message = f"`{command.name} {verb}` takes the newest release of {listed(loose)}"
            yield latent(_SLUG, step, message, command=command)


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="name the release: `pecl install NAME-VERSION`",
    risk=_risks,
)
