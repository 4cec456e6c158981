"""A build tool keeps its cache or its log in the image.

What varies: everything in the cache: when each piece was written, random names, digests over options and times, and
how much of it there is: webpack's packs, Babel's, Terser's and ESLint's files under `node_modules/.cache`, what
Next.js, Parcel, Angular and Vite keep beside the program, Sprockets' and Bootsnap's under `tmp/cache`, Go's build
cache, rustc's incremental sessions and cargo's fingerprints under `target`, and the database in which cargo notes when
it used what it downloaded (`.global-cache`); ccache's results and statistics; Meson's logs and what it keeps in
`meson-private`, Ninja's lists of what it built when; Dune's databases and its log, and Mix's manifests, under `_build`;
Gradle's locks, histories and its daemon's logs under `.gradle`, what a Java machine counts in `/tmp/hsperfdata_*`;
when Maven fetched each artefact (`_remote.repositories` in its local repository); what pip, uv, Poetry, Yarn and pnpm
downloaded and unpacked; pipx's and Turborepo's logs, Next.js's trace, ESLint's and Stylelint's lists of what they
looked at; Jest's folder and V8's compiled programs below `/tmp`, Yarn's notes of what it installed; Sphinx's
doctrees and its environment; numba's compiled functions, whose symbols hold addresses; the digests in Vite's
`_metadata.json`; latexmk's list of what it read and when (`.fdb_latexmk`), fonts outside of the image too.

Why it matters: the program that was built may be the same; the layer never is, and it is larger for nothing.

How it is recognised: by the folder or file that each tool keeps for this and nothing else; a time in one of its texts
(Go's cache notes one for each piece) lies within the build's window. What else is in it is taken as given where nothing
else explains it: that is never called proven. Modes, owners and attributes are none of the cache's.

Remedy: remove the cache in the RUN that fills it (`rm -rf node_modules/.cache`, `rm -rf "$(go env GOCACHE)"`: `go clean
-cache` leaves a file with a time), keep none (`pip install --no-cache-dir`, `uv --no-cache`, `CARGO_INCREMENTAL=0`,
`java -XX:-UsePerfData`), stop what still writes (`gradle --no-daemon … && rm -rf .gradle ~/.gradle /tmp/hsperfdata_*`),
mount it there (`RUN --mount=type=cache,target=/root/.cache/go-build`), put it elsewhere (`sphinx-build -d
/tmp/doctrees`, `latexmk -c`, `NUMBA_CACHE_DIR=/tmp/numba`), or copy the result alone into another stage.

Source: XDG Base Directory Specification, `$XDG_CACHE_HOME`; find-cache-dir; webpack, "Cache"; Next.js, "CI Build
Caching"; go command, "Build and test caching"; cargo, "Build Cache" and "Cargo Home"; uv, "Caching"; pip, "Caching";
ccache, "Configuration", `cache_dir`; Meson, "Build directory"; Ninja, "The Ninja log"; Dune, "The log file";
Mix, `mix compile`; Maven Resolver, "Enhanced Local Repository Manager"; Gradle, "The Directories and Files Gradle
uses"; Sphinx, sphinx-build, `-d`; latexmk(1), "fdb_latexmk"; Numba, "Notes on Caching".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import claim_binary_times, claim_times
from verifier.formats.field import Field

__all__ = ["cause"]

_CACHE: Final = re.compile(
    rb".*/(?:(?:"
    # beside the program
    rb"node_modules/\.cache|node_modules/\.vite|\.next/cache|\.parcel-cache|\.angular/cache|tmp/cache/(?:assets|bootsnap)"
    rb"|target/(?:[^/]+/){1,2}(?:incremental|\.fingerprint)|\.(?:mypy|pytest|ruff)_cache"
    # in the home (XDG Base Directory Specification, $XDG_CACHE_HOME)
    rb"|\.cache/(?:go-build|golangci-lint|uv|pip|pip-tools|pipenv|pypoetry|pdm|yarn|pnpm|ccache|sccache|bazel)"
    rb"|\.bun/install/cache|pipx/logs|\.local/state/pipx/log"
    # in the build's folder, and Gradle's in the home too; what Gradle downloaded is none of them
    rb"|meson-logs|\.gradle/(?:\d+(?:\.\d+)+[^/]*|caches(?!/modules-\d+/files-)|daemon|native|notifications|workers"
    rb"|buildOutputCleanup|vcs-1|vcsMetadata|checksums|configuration-cache|noVersion)"
    # a Java machine's counters, by its process's number (-XX:+UsePerfData)
    rb"|tmp/hsperfdata_[^/]+"
    # a store of packages, wherever it was put
    rb"|(?:\.pnpm-store|pnpm/store)/v\d{1,3}|\.turbo/(?:cache|runs|daemon|cookies)"
    # for all users, below /tmp
    rb"|tmp/(?:jest_[0-9a-z]{1,8}|v8-compile-cache-\d{1,10}|node-compile-cache)"
    rb")/.+"
    # a log or a list, in one file, in a folder of any name
    rb"|\.next/trace(?:-build)?|\.turbo/turbo-[^/]+\.log|\.eslintcache|\.stylelintcache"
    rb"|\.yarn/(?:install-state\.gz|build-state\.yml)"
    rb"|meson-private/[^/]+\.dat|\.ninja_(?:log|deps)"
    rb"|[^/]+\.fdb_latexmk"
    rb"|_remote\.repositories|resolver-status\.properties|\.m2/repository/.+\.lastUpdated"
    rb"|_build/(?:\.db|\.digest-db|\.aliases/.+|log|[^/]+/lib/[^/]+/\.mix/[^/]+)"
    # numba's index of a function, and the machine code for each of its signatures
    rb"|[^/]+\.py3\d{1,2}t?\.(?:nbi|\d{1,4}\.nbc)"
    # ccache's own tree, where CCACHE_DIR says (ccache, "Cache directory")
    rb"|\.?ccache/[0-9a-f](?:/[0-9a-f]){0,3}(?:/(?:stats|CACHEDIR\.TAG|[0-9a-v]{20,60}[MR]W?))?)",
    re.DOTALL,
)
_LAST_USED: Final = re.compile(rb".*/\.?cargo/\.global-cache", re.DOTALL)
"""Rows stand in the order in which a table with a random seed gave them."""

_SPHINX: Final = re.compile(rb".*/(?:[^/]+\.doctree|environment\.pickle)", re.DOTALL)
"""What sphinx-build pickles: every document as parsed, and what it knows of all of them, with times and sets."""

_RUSTC: Final = re.compile(rb".*/target/\.rustc_info\.json", re.DOTALL)
_RUSTC_START: Final = b'{"rustc_fingerprint":'
_VITE: Final = re.compile(rb".*/_metadata\.json", re.DOTALL)
_VITE_START: Final = re.compile(rb'\{\s*"hash": "[0-9a-f]{8,64}",\s*"configHash": "')
_VITE_DIGEST: Final = re.compile(rb'"(hash|configHash|lockfileHash|browserHash|fileHash)": "([0-9a-f]{8,64})"')
"""In what Vite's optimizer notes of the dependencies that it bundled: digests over their times, too."""

_FIELDS: Final = frozenset({"content", "size", "entry", "linkname"})


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content" or field.kind not in ("text", "bytes") or place.is_base:
        return
    if side.window is not None and _CACHE.fullmatch(place.path or b""):
        yield from claim_times(field, side) if field.kind == "text" else claim_binary_times(field, side)
    elif _RUSTC.fullmatch(place.path or b"") and field.value.startswith(_RUSTC_START):
        # a table of what rustc answered, in the order of its keys' digests, which have a seed
        yield Claim(0, len(field.value), "rustc's answers", opaque=True)
    elif _VITE.fullmatch(place.path or b"") and _VITE_START.match(field.value):
        for match in _VITE_DIGEST.finditer(field.value):
            yield Claim(*match.span(2), match[1].decode(), opaque=True)


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    if place.field not in _FIELDS or place.is_base:
        return False
    return any(form.fullmatch(place.path or b"") for form in (_CACHE, _LAST_USED, _SPHINX))


cause = Cause(
    slug="build-cache",
    page=__doc__ or "",
    remedy="remove the cache's folder in the RUN that fills it, keep none, or mount it with --mount=type=cache",
    timed=True,
    normalise=_normalise,
    given=_given,
)
