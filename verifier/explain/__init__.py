"""Explain every difference, or say that it is not explained.

In these steps:

1. each differing value is unfolded to fields: contents by what their bytes say they are, documents to their scalars;
2. on each side by itself the causes claim what they know of, and what is claimed is replaced;
3. a difference is explained where what is left is the same on both sides. A content's size goes with its content. What
   is not explained so is tried as a renamed entry, as something from outside, as a file of a package in another
   version, and as a list of the digests of other files that differ;
4. a manifest, config or index is put to the same proof once more, whole: nothing may hide between its values;
5. over all that, with what is equal anyway, goes the counterfactual digest of each side: equal means explained in full.

The causes see one side at a time. What they do not claim, whatever it is, is residue. The proof is about the
differences that a comparison lists: it rests on that list being complete.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from verifier.causes import CAUSES
from verifier.causes.cause import Cause, SideContext
from verifier.causes.trial import Trial
from verifier.explain.documents import Documents, Key, key_of
from verifier.explain.findings import findings_of
from verifier.explain.identities import with_identities
from verifier.explain.minimal import minimal_causes
from verifier.explain.places import Places
from verifier.explain.reader import Behind, ContentReader, Instructions, SideName, Sides
from verifier.explain.residue import ruled_out
from verifier.explain.sides import recognised
from verifier.explain.trials import Trials, run_trials
from verifier.model.difference import Comparison, Difference
from verifier.model.finding import Explanation, Residue
from verifier.oci.digest import Digest

__all__ = ["Behind", "ContentReader", "Instructions", "SideName", "explain"]

_NOT_EQUAL: Final = b"not equal"


def explain(
    comparison: Comparison,
    *,
    first: SideContext,
    second: SideContext,
    contents: ContentReader,
    instructions: Instructions,
    causes: Sequence[Cause] = CAUSES,
    behind: Behind | None = None,
) -> Explanation:
    """Explain a comparison's differences by `causes`, the first ones first. Raises what `contents` raises."""
    differences = comparison.all_differences
    sides = with_identities(recognised((first, second), comparison, contents), comparison, contents)
    timed = first.window is not None and second.window is not None
    reading = Documents(comparison, contents, sides, causes)
    places = Places(comparison, contents, sides, instructions)
    run = run_trials(differences, contents, sides, causes, places, reading)
    documents = reading.digests(map(key_of, differences))
    hidden = {key for key, digests in documents.items() if digests[0] != digests[1]}
    is_open = [not trial.equal or key_of(item) in hidden for item, trial in zip(differences, run.trials, strict=True)]
    settled = [_kept_open(trial) if still else trial for trial, still in zip(run.trials, is_open, strict=True)]
    digests = [_counterfactual(comparison, run.trials, documents, number) for number in (0, 1)]
    return Explanation(
        findings=findings_of(
            differences,
            settled,
            causes,
            instructions,
            equal=digests[0] == digests[1],
            timed=timed,
            behind=behind,
        ),
        residue=_residue(differences, run, is_open, sides, instructions),
        of=len(differences),
        opaque=sum(trial.equal and trial.opaque for trial in settled),
        counterfactual_first=digests[0],
        counterfactual_second=digests[1],
        minimal=minimal_causes(settled, causes),
    )


def _residue(
    differences: Sequence[Difference], run: Trials, is_open: Sequence[bool], sides: Sides, instructions: Instructions
) -> tuple[Residue, ...]:
    found = []
    for number, item in enumerate(differences):
        if is_open[number]:
            trial, likeness = run.trials[number], run.likeness.get(number)
            phrases = ruled_out(item, trial, run.unread.get(number), likeness, sides, is_hidden=trial.equal)
            alike = () if likeness is None else likeness.alike
            found.append(Residue(difference=number, ruled_out=phrases, alike=alike, instruction=instructions(item)))
    return tuple(found)


def _kept_open(trial: Trial) -> Trial:
    """Put a difference down to nothing: its document holds more than its values."""
    return replace(trial, second=_NOT_EQUAL, varying=(), renamed=None)


def _counterfactual(
    comparison: Comparison,
    trials: Sequence[Trial],
    documents: Mapping[Key, tuple[bytes, bytes]],
    side: int,
) -> Digest:
    """Digest one side: what is equal on both, every difference with its place, every document that differs."""
    hasher = hashlib.sha256()
    for leaf in (*_equal_layers(comparison), *_places(comparison.all_differences)):
        hasher.update(hashlib.sha256(leaf).digest())
    for trial in trials:
        hasher.update(trial.first if side == 0 else trial.second)
    for digests in documents.values():
        hasher.update(digests[side])
    return Digest(f"sha256:{hasher.hexdigest()}")


def _equal_layers(comparison: Comparison) -> list[bytes]:
    """Commit to the layers: those that agree by their `diff_id`, others by their position alone."""
    found = []
    for image in comparison.images:
        for pair in image.layers:
            ids = [
                None if number is None else layers[number]
                for number, layers in ((pair.first, image.first.layers), (pair.second, image.second.layers))
            ]
            same = ids[0] if ids[0] == ids[1] else None
            found.append(json.dumps([str(image.platform), pair.first, pair.second, same]).encode())
    return found


def _places(differences: Sequence[Difference]) -> list[bytes]:
    return [
        json.dumps(
            [
                str(item.platform),
                item.part,
                None if item.layer is None else [item.layer.first, item.layer.second],
                None if item.path is None else item.path.hex(),
                item.occurrence,
                item.field,
            ]
        ).encode()
        for item in differences
    ]
