"""What a requirements file pins (pip, "Requirements File Format"): versions, and digests."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

Kind = Literal["pinned", "loose", "local", "url"]

_EXACT: Final = re.compile(r"={2,3}\s*[^*\s,;]+\s*(?:$|;|\s)")
_COMMIT: Final = re.compile(r"@[0-9a-f]{7,40}(?:#|$)")
_ARCHIVES: Final = (".whl", ".tar.gz", ".zip", ".tar.bz2")
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?")


class Requirements(NamedTuple):
    """The requirements of one file; `hashed` where each has a digest, `loose` those that are not pinned."""

    number: int
    loose: tuple[str, ...]
    hashed: bool


def kind_of(requirement: str) -> Kind:
    """Tell what one requirement pins; `url` is an address without a digest or a commit."""
    text = requirement.strip()
    address = text.partition(" @ ")[2].strip() or text
    if address.startswith(("git+", "hg+", "svn+", "bzr+")):
        return "pinned" if _COMMIT.search(address) else "url"
    if "://" in address and not address.startswith("file:"):
        return "pinned" if re.search(r"#(?:.*&)?sha\d+=[0-9a-f]{32}", address) else "url"
    if address.startswith((".", "/", "file:")) or address.lower().endswith(_ARCHIVES):
        return "local"
    if "==" not in text and "/" in text and not re.search(r"[<>~!=]", text):
        return "local"
    return "pinned" if _EXACT.search(text) or re.search(r"==\s*\$", text) else "loose"


def read_requirements(text: str) -> Requirements:
    """Read a requirements file; options and what another file holds are left out."""
    number, loose, hashed = 0, [], True
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        entry = re.sub(r"(^|\s)#.*", "", line).strip()
        if not entry or (entry.startswith("-") and not entry.startswith(("-e ", "--editable"))):
            continue
        number += 1
        requirement, digest, _ = entry.partition(" --hash")
        hashed = hashed and bool(digest)
        if kind_of(requirement) in {"loose", "url"}:
            match = _NAME.match(requirement)
            loose.append(match[0] if match else requirement)
    return Requirements(number, tuple(loose), hashed and number > 0)
