"""Where frameworks for the web write down what they made up for a build, and in which forms it stands elsewhere.

Next.js: `BUILD_ID`, the names below `static/`, and the keys in `prerender-manifest.json` and
`server/server-reference-manifest.json`. SvelteKit: `version.json`, a count of milliseconds where nobody sets it, and
the digest over it that names a global variable. Nuxt: `builds/latest.json`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_IDENTITY_BYTES: Final = 4 * 1024 * 1024
"""No file that tells an identity is larger."""

_NEXT_NAME: Final = rb"[A-Za-z0-9_-]{21}"
_NEXT_ID: Final = re.compile(_NEXT_NAME + rb"\n?")
_NEXT_FOLDER: Final = re.compile(rb".*/static/(" + _NEXT_NAME + rb")/_(?:build|ssg)Manifest\.js", re.DOTALL)
_NEXT_KEYS: Final = {"previewModeId": 32, "previewModeSigningKey": 64, "previewModeEncryptionKey": 64}
_ACTIONS_KEY_BYTES: Final = 32
_SVELTE: Final = re.compile(rb'\{"version":"([1-9]\d{12})"\}')
_QUOTES: Final = (rb"\"", rb" \"", rb"\\\"", rb" \\\"")
_NUXT: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_FILES: Final = re.compile(
    rb"(?:.*/)?(?:BUILD_ID|prerender-manifest\.json|server-reference-manifest\.json|version\.json|builds/latest\.json)",
    re.DOTALL,
)


class Identity(NamedTuple):
    """What a framework made up: a pattern of where it stands, what it is, when it was made if it is a time.

    `opaque` says that it is a value of chance, and no digest of one that is known.
    """

    pattern: bytes
    form: str
    moment: float | None = None
    opaque: bool = True


def tells_identity(path: bytes) -> bool:
    """Tell by its path whether a file may be one that a framework writes an identity into."""
    return _FILES.fullmatch(path) is not None


def identities_of_path(path: bytes) -> Iterator[Identity]:
    """Yield the identity that a path itself holds: Next.js's static files alone may be in an image."""
    match = _NEXT_FOLDER.fullmatch(path)
    if match is not None:
        yield _next_id(match[1])


def identities_of_file(path: bytes, content: bytes) -> Iterator[Identity]:
    """Yield the identities that a file tells; nothing where it is not what its name says, or somebody set them."""
    name = path.rpartition(b"/")[2]
    if name == b"BUILD_ID":
        if _NEXT_ID.fullmatch(content):
            yield _next_id(content.strip())
    elif name == b"version.json":
        match = _SVELTE.fullmatch(content.strip())
        if match is not None:
            yield from _of_svelte(match[1])
    else:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            yield from _of_nuxt(value) if name == b"latest.json" else _of_next(value)


def _next_id(value: bytes) -> Identity:
    # as it is; escaped in a regular expression, and that in JSON
    return Identity(value.replace(b"-", rb"\\{0,2}-"), "Next.js's build ID")


def _of_svelte(version: bytes) -> Iterator[Identity]:
    moment = int(version) / 1000
    yield Identity(rb"(?<!\d)" + version + rb"(?!\d)", "SvelteKit's version", moment, opaque=False)
    digest = _svelte_digest(version)
    # in a program, and in the source map of one
    stands = rb"(?:(?<=__sveltekit_)|" + b"|".join(rb"(?<=version_hash:" + quote + b")" for quote in _QUOTES) + b")"
    stands += digest + rb"(?![0-9a-z])"
    yield Identity(stands, "the digest of SvelteKit's version", moment, opaque=False)


def _svelte_digest(version: bytes) -> bytes:
    """Digest a version as SvelteKit does: times 33, exclusive or, from the end, in 32 bits, written to base 36."""
    number = 5381
    for letter in reversed(version):
        number = (number * 33 ^ letter) & 0xFFFFFFFF
    digits = b""
    while number:
        number, digit = divmod(number, 36)
        digits = b"0123456789abcdefghijklmnopqrstuvwxyz"[digit : digit + 1] + digits
    return digits


def _of_nuxt(value: dict[str, object]) -> Iterator[Identity]:
    found = value.get("id")
    if "timestamp" in value and isinstance(found, str) and _NUXT.fullmatch(found):
        yield Identity(found.encode(), "Nuxt's build ID")


def _of_next(value: dict[str, object]) -> Iterator[Identity]:
    preview = value.get("preview")
    if isinstance(preview, dict):
        for name, size in _NEXT_KEYS.items():
            found = preview.get(name)
            if isinstance(found, str) and re.fullmatch(rf"[0-9a-f]{{{size}}}", found):
                yield Identity(found.encode(), f"Next.js's {name}")
    found = value.get("encryptionKey")
    if isinstance(found, str) and _is_key(found):
        yield Identity(re.escape(found.encode()), "Next.js's key of server actions")


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == _ACTIONS_KEY_BYTES
    except ValueError:
        return False
