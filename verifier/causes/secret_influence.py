"""The image depends on a secret.

What varies: what a RUN writes from a secret that it was lent: a token in a configuration file, an address with
credentials, the secret itself.

Why it matters: whoever has another token gets another image, nobody without one can verify it, and the secret is in the
image for everybody to read.

How it is recognised: in the Dockerfile, by a RUN with a secret mount in which the secret's file is copied, or printed
into a file. A RUN that only hands it to a program (`--config /run/secrets/…`) is not accused.

Remedy: let programs read the secret where it is mounted, and write nothing of it: `npm --userconfig
/run/secrets/npmrc`, `git -c credential.helper=…`, `curl --netrc-file`.

Source: Dockerfile reference, "RUN --mount=type=secret"; Docker documentation, "Build secrets".
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.wording import latent
from verifier.dockerfile.mounts import mounts
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "secret-influence"
_COPIES: Final = frozenset({"cp", "install", "ln", "mv"})
_PRINTS: Final = frozenset({"cat", "echo", "printf", "sed", "base64", "envsubst", "awk", "head", "tail"})


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step in recipe.steps:
        if step.statement.keyword != "RUN":
            continue
        names = _secrets(step)
        if not names:
            continue
        mention = re.compile("|".join(names))
        for command in step.commands:
            if _keeps(step, command, mention):
                message = f"`{command.name}` writes what it reads of a secret into the image"
                yield latent(_SLUG, step, message, command=command, severity="error")


def _secrets(step: Step) -> tuple[str, ...]:
    """Give patterns of how the commands of a RUN name its secrets: by file, or by variable."""
    found = []
    for mount in mounts(step.statement):
        if mount.get("type") != "secret":
            continue
        name = mount.get("id") or posixpath.basename(mount.get("target") or mount.get("dst") or "")
        target = mount.get("target") or mount.get("dst") or mount.get("destination")
        if target or not mount.get("env"):
            found.append(re.escape(target or f"/run/secrets/{name}") + r"(?![\w.-])")
        if mount.get("env"):
            found.append(r"\$\{?" + re.escape(mount["env"]) + r"\b")
    return tuple(found)


def _keeps(step: Step, command: Command, mention: re.Pattern[str]) -> bool:
    words = [word.text for word in command.argv[1:]]
    if command.name in _COPIES:
        return any(mention.search(word) for word in words[:-1])
    if command.name not in _PRINTS or not any(mention.search(word) for word in words):
        return False
    output = step.script.output_file(command)
    removed = {word for other in step.commands if other.name == "rm" for word in other.arguments}
    return output is not None and not output.startswith("/dev/") and output not in removed


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="let programs read the secret where it is mounted, and write nothing of it into the image",
    severity="error",
    risk=_risks,
)
