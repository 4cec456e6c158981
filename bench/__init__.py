"""Benchmarks: deterministic image pairs, what comparing them costs here, and what the machine could do at best."""
