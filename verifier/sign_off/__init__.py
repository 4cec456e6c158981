"""Sign a release off: what stands against it, the statements, the keys and envelopes, and where they are attached."""
