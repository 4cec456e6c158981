"""Dockerfiles: instructions with line numbers, stages, ARG expansion, and which instruction made which layer.

`parse` reads a Dockerfile into `document`'s types; `stages`, `arguments`, `features` and `attribution` answer questions
about them. `syntax` alone knows the parser that does the reading.
"""

from verifier.dockerfile.attribution import attribute
from verifier.dockerfile.document import Dockerfile, Heredoc, Stage, Statement
from verifier.dockerfile.features import Feature, FeatureName, features
from verifier.dockerfile.parse import parse_dockerfile, read_dockerfile
from verifier.dockerfile.stages import ImageUse, external_images, find_target, image_uses, needed_stages

__all__ = [
    "Dockerfile",
    "Feature",
    "FeatureName",
    "Heredoc",
    "ImageUse",
    "Stage",
    "Statement",
    "attribute",
    "external_images",
    "features",
    "find_target",
    "image_uses",
    "needed_stages",
    "parse_dockerfile",
    "read_dockerfile",
]
