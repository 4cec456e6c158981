"""Accuracy: what the tool says of every labelled fixture, held against the label, and the table of it."""
