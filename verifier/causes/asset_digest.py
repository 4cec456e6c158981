"""A bundler names files after digests of their contents.

What varies: the digest in a name (`main.3f2a81bc.js`, `index-BhVcNk2p.css`, `app-<64 digits>.js`), and so wherever
such a name is written: in pages, in source maps, in manifests, in the table by which webpack's runtime finds a chunk,
in what webpack and Rollup's visualizer report, and in the list of files that a service worker keeps. Astro gives each
island of a page a digest over what it renders (`<astro-island uid="…">`).

Why it matters: one date in a bundle gives its file, its source map and every page that loads it another name or
another line; the cause looks larger than it is.

How it is recognised: by the grammar of such names (8 to 64 hexadecimal digits, or 8 letters and digits, as Rollup and
esbuild write them, before the suffix of a program, style, font or picture), of which one side's at least must mix and
be no word. A file that one side alone has is paired with the other side's by what is left of its name; everything else
about both must be the same, and what differs inside must be explained as well. A digest says that something else
varied, and not what: where that stands beside it, the difference is put down to that alone. In a service worker's
program also the short names that a minifier gave out by how often each letter stands in the text, where they are
swapped and nothing else is. The digest itself is taken as given: hence this is never called proven.

Remedy: mend what varies inside of the files: a date, a random identity, an order; the names then stay.

Source: webpack, "Output", `output.filename` and `contenthash`; Rollup, `output.entryFileNames`; Sprockets,
`Sprockets::Manifest`; Django, ManifestStaticFilesStorage; Astro, "Islands architecture".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, NewName, Place, SideContext
from verifier.causes.plain_words import is_made_up
from verifier.formats.field import Field
from verifier.formats.short_names import find_short_names
from verifier.oci.tar_entry import FILE

__all__ = ["cause"]

_DIGEST: Final = (
    # hexadecimal; eight characters of Rollup's, Vite's and esbuild's alphabets, three of them letters at least
    rb"(?P<{0}hex>[0-9a-f]{{8,64}})|(?P<{0}mixed>(?=(?:[0-9_-]{{0,5}}[A-Za-z]){{3}})[A-Za-z0-9_-]{{8}})"
)
_SUFFIX: Final = (
    rb"(?:\.(?:min|chunk|bundle|module|legacy|LICENSE|worker)){0,3}"
    rb"\.(?:[cm]?js|css|json|html|txt|wasm|svg|png|jpe?g|gif|webp|avif|ico|woff2?|ttf|eot|otf|webmanifest)"
    rb"(?:\.LICENSE\.txt)?(?:\.map)?(?:\.gz|\.br)?"
)


def _named(prefix: bytes) -> bytes:
    return _DIGEST.replace(b"{0}", prefix).replace(b"{{", b"{").replace(b"}}", b"}")


_NAME: Final = re.compile(rb"(?<=[/.\-_])(?:" + _named(b"") + rb")(?=" + _SUFFIX + rb"\Z)")
_ENDS: Final = re.compile(_SUFFIX + rb"(?![\w.-])")
_BEFORE_END: Final = re.compile(
    rb"(?:(?<=[\w@~+\])][.\-_])(?:" + _named(b"a") + rb")"
    rb"|(?<=/)(?P<bhex>(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,64}))\Z"
)
_CLOCK: Final = re.compile(rb"(?:19|20)[0-9]{6}(?:[0-9]{4}|[0-9]{6})?|1[0-9]{9}(?:[0-9]{3})?")
"""A date, a date with a time, or seconds or milliseconds since 1970."""

_LONGEST: Final = 66
"""Bytes of a digest in a name, with the two before it."""

_OF_WEBPACK: Final = b'"assetsByChunkName":'
_STATISTICS: Final = re.compile(rb'"(?:hash|fullhash|contenthash|javascript|css)":\s?\[?\s?"([0-9a-f]{8,32})"')
_PRECACHED: Final = re.compile(
    rb"""\{\s*["']?revision["']?:\s?["']([0-9a-f]{32})["'],\s*["']?url["']?:\s?["'][^"'\n]{1,400}["']\s*\}"""
    rb"""|\{\s*["']?url["']?:\s?["'][^"'\n]{1,400}["'],\s*["']?revision["']?:\s?["']([0-9a-f]{32})["']\s*\}"""
)
_OF_VISUALIZER: Final = b'"metaUid":"'
_MODULE: Final = re.compile(rb'"([0-9a-f]{8})-\d{1,6}"')
"""rollup-plugin-visualizer's names of modules: a digest over all that it shows, and a number."""

_ISLAND: Final = re.compile(rb'<astro-island uid="([0-9A-Za-z]{4,7})"')
"""A digest over what an island of Astro's renders and is given."""

_CHUNKS: Final = re.compile(rb'\{(?:(?:"[^"\n]{1,80}"|\w{1,80}):"[0-9a-f]{8,32}",?){1,999}\}\[\w{1,8}\]')
_CHUNK: Final = re.compile(rb':"([0-9a-f]{8,32})"')
_MANIFEST: Final = re.compile(rb".*/\.sprockets-manifest-[0-9a-f]{32}\.json", re.DOTALL)
_IN_MANIFEST: Final = re.compile(rb'"(?:digest":"([0-9a-f]{64})|integrity":"(sha256-[A-Za-z0-9+/]{43}=))"')
_LOCKS: Final = re.compile(
    rb"(?:.*/)?(?:\.?package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml)", re.DOTALL
)


def _rename(place: Place, side: SideContext) -> NewName | None:  # noqa: ARG001
    """Replace the digest in a file's name by its kind and length."""
    path = place.path or b""
    # Sprockets' manifest has a random name
    found = _NAME.search(path) if place.type == FILE and not _MANIFEST.fullmatch(path) else None
    if found is None or _CLOCK.fullmatch(found[0]):
        return None
    renamed = path[: found.start()] + b"<" + _form(found).encode() + b">" + path[found.end() :]
    return NewName(renamed, doubtful=_is_doubtful(found))


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    # what a lock file names comes from outside, and is for others to judge
    if place.field != "content" or field.kind != "text" or _LOCKS.fullmatch(place.path or b""):
        return
    claims = list(_names(field.value))
    if b"revision" in field.value:
        listed = [_claim(match, match.lastindex or 0) for match in _PRECACHED.finditer(field.value)]
        claims += [*listed, *_short_names(field.value)] if listed else []
    if _MANIFEST.fullmatch(place.path or b""):
        claims += [_claim(match, match.lastindex or 0) for match in _IN_MANIFEST.finditer(field.value)]
    if _OF_WEBPACK in field.value:
        claims += [_claim(match, 1) for match in _STATISTICS.finditer(field.value)]
    if _OF_VISUALIZER in field.value:
        claims += [_claim(match, 1) for match in _MODULE.finditer(field.value)]
    for match in _ISLAND.finditer(field.value):
        claims.append(Claim(*match.span(1), "an island's digest", opaque=True, follows=True, dependent=True))
    for table in _CHUNKS.finditer(field.value) if b"}[" in field.value else ():
        claims += [_claim(match, 1) for match in _CHUNK.finditer(field.value, table.start(), table.end())]
    end = 0
    for claim in sorted(claims, key=lambda item: (item.start, -item.end)):
        if claim.start >= end:
            end = claim.end
            yield claim


def _names(text: bytes) -> Iterator[Claim]:
    """Claim the digests in names: their ends are found first, which is many times faster in long texts."""
    for end in _ENDS.finditer(text):
        start = max(0, end.start() - _LONGEST)
        match = _BEFORE_END.search(text[start : end.start()])
        if match is None or _CLOCK.fullmatch(_value(match)):
            continue
        first, last = match.span(match.lastgroup or 0)
        yield Claim(start + first, start + last, _form(match), opaque=True, follows=True, doubtful=_is_doubtful(match))


def _short_names(text: bytes) -> Iterator[Claim]:
    """Claim the names that a minifier chose for a service worker: the letters in the digests had a say in it."""
    for start, end, number in find_short_names(text):
        yield Claim(start, end, f"name {number}", opaque=True, follows=True)


def _claim(match: re.Match[bytes], group: int) -> Claim:
    form = f"{len(match[group])} hexadecimal digits"
    return Claim(match.start(group), match.end(group), form, opaque=True, follows=True)


def _form(match: re.Match[bytes]) -> str:
    kind = "letters and digits" if _is_mixed(match) else "hexadecimal digits"
    return f"{len(_value(match))} {kind}"


def _is_doubtful(match: re.Match[bytes]) -> bool:
    """Tell what may be a word, a number or a version: one digest in fifty looks like that, hence judge both sides'."""
    value = _value(match)
    if _is_mixed(match):
        return not is_made_up(value, mixed_case=value.isalpha()) or value == value.lower()
    return value.isdigit() or value.isalpha()


def _is_mixed(match: re.Match[bytes]) -> bool:
    return (match.lastgroup or "").endswith("mixed")


def _value(match: re.Match[bytes]) -> bytes:
    return match[match.lastgroup or 0]


cause = Cause(
    slug="asset-digest",
    page=__doc__ or "",
    remedy="mend what varies inside of the files, a date or a random identity: their names then stay",
    opaque=True,
    normalise=_normalise,
    rename=_rename,
)
