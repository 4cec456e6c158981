"""Say of what is left what it was tried for and is not."""

from __future__ import annotations

from typing import Final

from verifier.causes.trial import Trial
from verifier.model.difference import Difference

_TIME: Final = "not a time within its build's window"
_UNTIMED: Final = "whether it is a time of the build cannot be told: when that was is not known"
_FIELDS: Final = {
    "mtime": (_TIME,),
    "mode": ("a mode is never put down to anything else",),
    "uid": ("an owner is never put down to anything else",),
    "gid": ("an owner is never put down to anything else",),
    "entry": ("on one side only",),
    "whiteout": ("on one side only",),
    "layer": ("a layer on one side only",),
}
_CONTENT: Final = (
    "no field of a known format that varies from build to build",
    _TIME,
    "not a UUID",
)


def ruled_out(item: Difference, trial: Trial, unread: str | None, *, is_hidden: bool, timed: bool) -> tuple[str, ...]:
    """List what a difference is not, in short phrases; `timed` says that both sides have a window of time."""
    if unread is not None:
        return (unread,)
    if is_hidden:
        return ("its document differs beyond the values that are explained",)
    if trial.seen:
        return (f"not only {', '.join(sorted(trial.seen))}: more differs than that",)
    phrases = _CONTENT if item.field == "content" else _FIELDS.get(item.field, ("no cause is known",))
    return phrases if timed else tuple(_UNTIMED if phrase == _TIME else phrase for phrase in phrases)
