"""Static rules: what a Dockerfile's text lets expect, written by topic; the causes' modules name the ones they use."""
