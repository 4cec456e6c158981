"""Find out which causes cannot be dropped."""

from __future__ import annotations

from collections.abc import Sequence

from verifier.causes.cause import Cause
from verifier.causes.trial import Trial


def minimal_causes(trials: Sequence[Trial], causes: Sequence[Cause]) -> tuple[str, ...]:
    """Drop each cause in turn, the most general first, and keep those without which less is explained.

    A cause is dropped where others that are kept would do in its place, for every difference that it explains.
    """
    explained = [trial for trial in trials if trial.equal and trial.causes]
    kept = {slug for trial in explained for slug in trial.causes}
    # what each difference is put down to by now; a substitute is not substituted again
    bases = [(trial.causes, trial.substitutes) for trial in explained]
    for slug in [cause.slug for cause in reversed(causes) if cause.slug in kept]:
        changed = []
        for base, substitutes in bases:
            if slug not in base:
                changed.append((base, substitutes))
                continue
            instead = substitutes.get(slug)
            if instead is None or not instead <= kept - {slug}:
                break
            changed.append((instead, {}))
        else:
            bases = changed
            kept.discard(slug)
    return tuple(cause.slug for cause in causes if cause.slug in kept)
