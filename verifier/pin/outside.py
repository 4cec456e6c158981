"""What an audit needs to know of the world: registries, downloads, git repositories; given to it, never imported."""

from __future__ import annotations

from typing import Protocol

from verifier.model.pin import ImageFacts
from verifier.oci.digest import Digest
from verifier.oci.platform import Platform
from verifier.oci.reference import Reference


class Outside(Protocol):
    """Answers questions about what is outside the Dockerfile.

    Every method raises StoreError where it could not look. That what was asked for is not there is an answer: None.
    """

    def digest_of(self, reference: Reference) -> Digest | None:
        """Give the digest that a tag, or a digest, has in this very repository; None where it has no such manifest."""

    def facts(self, reference: Reference, digest: Digest, platform: Platform | None) -> ImageFacts:
        """Read what the image says of itself; of an index that of `platform`, this machine's where it is None."""

    def download_digest(self, url: str) -> Digest | None:
        """Download a URL, keeping nothing, and give the SHA-256 of its bytes; None where there is no such thing."""

    def commit_of(self, url: str, name: str | None) -> str | None:
        """Give the commit that a branch, a tag or HEAD of a git repository is at now; None where there is none."""
