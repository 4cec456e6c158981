"""Reports, comparisons and sides made in memory for unit tests."""

from __future__ import annotations

from verifier.model.difference import Comparison, Difference, ImageComparison, LayerPair, SideDigests
from verifier.oci.digest import Digest, digest_bytes
from verifier.oci.platform import Platform

AMD64 = Platform(os="linux", architecture="amd64")
ARM64 = Platform(os="linux", architecture="arm64")


def digest(name: str) -> Digest:
    return digest_bytes(name.encode())


def side(*, manifest: str | None = "m", config: str = "c", layers: str = "l", files: str | None = "f") -> SideDigests:
    return SideDigests(
        manifest=None if manifest is None else digest(manifest),
        config=digest(config),
        layers=(digest(layers),),
        files=None if files is None else digest(files),
    )


def compared(
    first: SideDigests, second: SideDigests, platform: Platform = AMD64, differences: tuple[Difference, ...] = ()
) -> ImageComparison:
    return ImageComparison(
        platform=platform,
        first=first,
        second=second,
        layers=(LayerPair(first=0, second=0),),
        differences=differences,
        verified_first=True,
        verified_second=True,
    )


def comparison(
    *images: ImageComparison, index_equal: bool | None = None, differences: tuple[Difference, ...] = ()
) -> Comparison:
    return Comparison(
        index_first=None, index_second=None, index_equal=index_equal, images=images, differences=differences
    )
