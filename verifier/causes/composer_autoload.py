"""Composer names the class that loads the others by chance.

What varies: the 32 hexadecimal digits of `ComposerAutoloaderInit…` and `ComposerStaticInit…` in `vendor/autoload.php`
and `vendor/composer/autoload_*.php`; in `vendor/composer/installed.php` the `reference` of the root package, which is
the commit that the working copy is at. One run in fifty Composer clears its cache, and makes the empty directories
`cache/files` and `cache/vcs` for that.

Why it matters: the same packages give another loader each time where no lock file fixes the name.

How it is recognised: by these files' names and grammar. The digits are random: hence this is never called proven.

Remedy: commit composer.lock and use Composer 2.5 or later, which takes the name from it, or set `autoloader-suffix` in
composer.json's `config`; set COMPOSER_ROOT_VERSION, and keep `.git` out of the context. Set
COMPOSER_CACHE_DIR=/dev/null, or remove Composer's cache in the same RUN.

Source: Composer, `src/Composer/Autoload/AutoloadGenerator.php`, `src/Composer/Cache.php` (`gcIsNecessary`);
documentation, "Config", `autoloader-suffix`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field
from verifier.oci.tar_entry import DIRECTORY

__all__ = ["cause"]

_PATH: Final = re.compile(rb".*/(?:autoload|composer/(?:autoload_\w+|installed))\.php", re.DOTALL)
_CACHE: Final = re.compile(rb".*/(?:\.composer/cache|\.cache/composer)(?:/(?:files|vcs))?", re.DOTALL)
_LOADER: Final = re.compile(rb"\bComposer(?:Autoloader|Static)Init([0-9a-f]{32})\b")
_ROOT: Final = re.compile(rb"'root' => array\((?:[^()]|\([^()]*\))*?'reference' => '([0-9a-f]{40})'")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    path = place.path or b""
    if place.field != "content" or field.kind != "text" or not _PATH.fullmatch(path):
        return
    if path.endswith(b"/installed.php"):
        for match in _ROOT.finditer(field.value):
            yield Claim(match.start(1), match.end(1), "commit of the root package")
        return
    for match in _LOADER.finditer(field.value):
        yield Claim(match.start(1), match.end(1), "loader's name")


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    return place.field == "entry" and place.type == DIRECTORY and _CACHE.fullmatch(place.path or b"") is not None


cause = Cause(
    slug="composer-autoload",
    page=__doc__ or "",
    remedy="commit composer.lock and use a recent Composer, or set autoloader-suffix in composer.json",
    opaque=True,
    normalise=_normalise,
    given=_given,
)
