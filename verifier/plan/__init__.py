"""Freeze what a verification is made from: the Dockerfile, the context as the builder sees it, and the epoch."""

from verifier.dockerfile.parse import read_dockerfile
from verifier.plan.clock import seconds_until_apart
from verifier.plan.epoch import choose_epoch
from verifier.plan.freeze import freeze, unchanged

__all__ = ["choose_epoch", "freeze", "read_dockerfile", "seconds_until_apart", "unchanged"]
