"""Say of what is left what it was tried for and is not."""

from __future__ import annotations

from typing import Final

from verifier.causes.trial import Trial
from verifier.explain.likeness import Likeness
from verifier.explain.reader import Sides
from verifier.model.difference import Difference

_TIME: Final = "not a time within its build's window"
_UNTIMED: Final = "whether it is a time of the build cannot be told: when that was is not known"
_HOST: Final = "not the name of the build's container"
_FIELDS: Final = {
    "mtime": (_TIME,),
    "mode": ("more than what a COPY takes over from a umask or another system",),
    "type": ("not another name of the same hard-linked file",),
    "linkname": ("not another name of the same hard-linked file",),
    "entry": ("on one side only",),
    "whiteout": ("on one side only",),
    "layer": ("a layer on one side only",),
    "header": ("not one of the known ways of writing the same header",),
    "padding": ("bytes that no reader looks at are never put down to anything",),
    "trailer": ("not only another number of blocks of zeros",),
}
_ATTRIBUTE: Final = "not an attribute that a host adds by itself"
_CONTENT: Final = ("no field of a known format that varies from build to build", _TIME, "not a UUID")


def ruled_out(
    item: Difference, trial: Trial, unread: str | None, likeness: Likeness | None, sides: Sides, *, is_hidden: bool
) -> tuple[str, ...]:
    """List what a difference is not, in short phrases: only what was tried."""
    if unread is not None:
        return (unread,)
    if is_hidden:
        return ("its document differs beyond the values that are explained",)
    seen = (f"not only {', '.join(sorted(trial.seen))}: more differs than that",) if trial.seen else ()
    return seen + (_unlike(likeness) if trial.seen else _phrases(item, sides) + _unlike(likeness))


def _phrases(item: Difference, sides: Sides) -> tuple[str, ...]:
    if item.field.startswith("xattr:"):
        return (_ATTRIBUTE,)
    phrases: tuple[str, ...] = _CONTENT if item.field == "content" else _FIELDS.get(item.field, ("no cause is known",))
    if any(side.window is None for side in sides):
        phrases = tuple(_UNTIMED if phrase == _TIME else phrase for phrase in phrases)
    if item.field == "content" and all(side.host_names for side in sides):
        phrases += (_HOST,)
    return phrases


def _unlike(likeness: Likeness | None) -> tuple[str, ...]:
    if likeness is None or not likeness.unlike:
        return ()
    return (f"not {', '.join(likeness.unlike)} alone",)
