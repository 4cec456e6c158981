"""What a repository has: its tags, and the referrers of a manifest (OCI distribution specification 1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urljoin

from verifier.errors import MalformedImageError, NotFoundError
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest, algorithm_of, encoded_of
from verifier.oci.fields import list_at
from verifier.oci.limits import MAX_JSON_BYTES
from verifier.oci.manifest import Index, parse_manifest_or_index
from verifier.oci.media_types import OCI_INDEX
from verifier.oci.strict_json import parse_object
from verifier.stores.registry_answers import media_type_of

if TYPE_CHECKING:
    import requests

    from verifier.stores.registry import Repository

MAX_REFERRERS: Final = 10_000
"""Referrers of one manifest that are listed."""

_PAGE: Final = 1000
_MAX_PAGES: Final = 10_000
_NEXT: Final = re.compile(r'<([^<>]{1,4096})>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


def list_tags(repository: Repository, limit: int) -> tuple[str, ...]:
    """List at most `limit` tags. Raises NotFoundError, UnreachableError, MalformedImageError for more."""
    what = f"list of the tags of {repository.name}"
    found: dict[str, None] = {}
    for raw in _pages(repository, f"tags/list?n={_PAGE}", what, {}):
        value = parse_object(raw, what)
        tags = [] if value.get("tags") is None else list_at(value, "tags", what, limit=limit)
        before = len(found)
        found.update((tag, None) for tag in tags if isinstance(tag, str))
        if len(found) > limit:
            raise MalformedImageError(f"{repository.name} has more than {limit} tags")
        if len(found) == before:
            break
    return tuple(found)


def list_referrers(repository: Repository, digest: Digest, artifact_type: str | None) -> tuple[Descriptor, ...]:
    """List the referrers of a manifest. Raises UnauthorizedError, UnreachableError, MalformedImageError."""
    found: dict[Digest, Descriptor] = {}
    for index in _referrer_indexes(repository, digest, artifact_type):
        found.update((item.digest, item) for item in index.manifests)
        if len(found) > MAX_REFERRERS:
            raise MalformedImageError(f"{repository.name}@{digest} has more than {MAX_REFERRERS} referrers")
    wanted = [item for item in found.values() if artifact_type is None or item.artifact_type == artifact_type]
    return tuple(wanted)


def fallback_tag(digest: Digest) -> str:
    """Give the tag that lists a manifest's referrers where there is no API ("Referrers Tag Schema")."""
    return f"{algorithm_of(digest)[:32]}-{encoded_of(digest)[:64]}"


def _referrer_indexes(repository: Repository, digest: Digest, artifact_type: str | None) -> Iterator[Index]:
    what = f"referrers of {repository.name}@{digest}"
    query = f"?{urlencode({'artifactType': artifact_type})}" if artifact_type else ""
    try:
        pages = _pages(repository, f"referrers/{digest}{query}", what, {"Accept": OCI_INDEX})
        yield from (_index_of(raw, what) for raw in pages)
    except NotFoundError:
        tag = fallback_tag(digest)
        if repository.resolve(tag) is not None:
            yield _index_of(repository.manifest(tag).raw, what)


def _index_of(raw: bytes, what: str) -> Index:
    document = parse_manifest_or_index(raw, OCI_INDEX)
    if not isinstance(document, Index):
        raise MalformedImageError(f"{what}: an image index is needed")
    return document


def _pages(repository: Repository, path: str, what: str, headers: Mapping[str, str]) -> Iterator[bytes]:
    """Read page after page, as the Link header leads (RFC 8288); it cannot lead to another host."""
    for _ in range(_MAX_PAGES):
        response, raw = repository.fetch(path, what, limit=MAX_JSON_BYTES, headers=headers)
        if headers and media_type_of(response) != headers["Accept"]:
            raise NotFoundError(f"the registry {repository.reference.registry} has no {what}")
        yield raw
        following = _next_page(response)
        if following is None:
            return
        if not repository.transport().session.is_home(following):
            raise MalformedImageError(f"the {what} goes on at another host")
        path = following
    raise MalformedImageError(f"the {what} has more than {_MAX_PAGES} pages")


def _next_page(response: requests.Response) -> str | None:
    match = _NEXT.search(response.headers.get("Link", ""))
    return urljoin(response.url, match[1]) if match else None
