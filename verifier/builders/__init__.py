"""Builders, each behind the protocol of `verifier.builders.protocol`."""
