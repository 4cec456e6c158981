"""A model is trained, or its numbers are drawn, while the image is built.

What varies: the numbers of a saved model or array: floats and raw arrays in a pickle, the tensors of a PyTorch or
safetensors file, the data of a `.npy`.

Why it matters: training begins with random numbers, and adds up in the order in which threads end: each build ships
another model.

How it is recognised: by the formats: an array's or tensor's data behind a header that agrees, a float in a pickle, an
array between the operations of a joblib file, a member of a PyTorch archive. A number that is the time of the build is
none of these. The numbers are taken as given: hence this is never called proven. What else a pickle holds, which
classes and which names, must agree.

Remedy: seed every generator (`random.seed`, `numpy.random.seed`, `torch.manual_seed`, `random_state=`) and ask for
deterministic kernels on one thread, or train outside of the build and copy the model in by its digest.

Source: PyTorch documentation, "Reproducibility"; Python, `pickle`; joblib, "Persistence"; NumPy enhancement proposal 1;
safetensors, "Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import claim_number_times
from verifier.formats.field import Field

__all__ = ["cause"]

_TORCH: Final = re.compile(rb".*\.(?:pt|pth|ckpt|ptl)", re.DOTALL)
_NUMBER_BYTES: Final = 4


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content":
        return
    is_tensor = (
        field.kind == "bytes"
        and not field.name
        and _TORCH.fullmatch(place.path or b"") is not None
        and len(field.value) % _NUMBER_BYTES == 0
    )
    is_number = field.kind in ("array", "pickle-float") and next(claim_number_times(field, side), None) is None
    if is_number or is_tensor:
        yield Claim(0, len(field.value), "numbers")


cause = Cause(
    slug="pickle-or-model",
    page=__doc__ or "",
    remedy="seed every generator and use deterministic kernels, or train outside of the build and copy the model in",
    opaque=True,
    normalise=_normalise,
)
