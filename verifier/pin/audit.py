"""Judge one use after the other: whether it is held to a digest, and whether what it says is true.

With `name:tag@digest` the digest alone counts, so the tag may lie: it may have moved, may never have existed, may name
another release. A digest is scoped to its repository: the same one under another name is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from verifier.errors import StoreError, UsageError
from verifier.model.pin import Change, ImageFacts, Pin, PinStatus, Remark
from verifier.oci.digest import Digest
from verifier.oci.reference import Reference, parse_reference
from verifier.pin.claims import contradictions
from verifier.pin.git_url import GitUrl, is_commit, split_git_url
from verifier.pin.outside import Outside
from verifier.pin.uses import Use


def audit(uses: Iterable[Use], outside: Outside, *, update: bool = False) -> tuple[Pin, ...]:
    """Judge every use. With `update` a pin whose tag moved is to be moved with it, and the changes are listed."""
    return tuple(_audit(use, outside, update=update) for use in uses)


def _audit(use: Use, outside: Outside, *, update: bool) -> Pin:
    pin = Pin(
        line=use.line,
        kind=use.kind,
        written=use.word,
        reference=use.meaning,
        digest=None,
        current=None,
        created=None,
        status="true",
        remarks=(),
    )
    if use.meaning is None:
        return _judged(
            pin, [Remark(code="not-expanded", message=use.problem or "what is meant is not known", mends=True)]
        )
    if use.kind == "add-url":
        return _audit_url(use, use.meaning, pin, outside, update=update)
    if use.kind == "add-git":
        return _audit_git(use, use.meaning, pin, outside)
    try:
        reference = parse_reference(use.meaning)
    except UsageError as error:
        return _judged(pin, [Remark(code="not-an-image", message=error.message, mends=True)])
    return _Image(use, reference, pin, outside).judge(update=update)


def _judged(pin: Pin, remarks: Iterable[Remark]) -> Pin:
    remarks = (*pin.remarks, *remarks)
    status: PinStatus = "true"
    if any(remark.mends for remark in remarks):
        status = "to-mend"
    elif any(remark.code == "not-looked-at" for remark in remarks):
        status = "unknown"
    return replace(pin, remarks=remarks, status=status)


def _not_looked_at(error: StoreError) -> Remark:
    hint = f" ({error.hint})" if error.hint else ""
    return Remark(code="not-looked-at", message=f"could not be looked at: {error.message}{hint}", mends=False)


class _Image:
    """One image reference, judged step by step; what could not be looked at is a remark, not an end."""

    def __init__(self, use: Use, reference: Reference, pin: Pin, outside: Outside) -> None:
        self._use = use
        self._reference = reference
        self._pin = replace(pin, digest=reference.digest)
        self._outside = outside
        self._remarks: list[Remark] = []

    def judge(self, *, update: bool) -> Pin:
        """Look at the tag, then at the digest, then at what the image says of itself."""
        reference = self._reference
        current = self._current()
        if reference.digest is None:
            self._note("not-pinned", f"{reference} has no digest: the tag can be moved", mends=True)
            facts = self._facts(current)
            self._pin = replace(self._pin, proposed=self._with_digest(current))
        elif current == reference.digest or self._is_there(reference.digest):
            facts = self._facts(reference.digest)
            if current is not None and current != reference.digest:
                self._moved(current, facts, update=update)
        else:
            facts = None
        self._pin = replace(self._pin, current=current)
        if facts is not None:
            self._say_what_it_is(facts)
        return _judged(self._pin, self._remarks)

    def _note(self, code: str, message: str, *, mends: bool) -> None:
        self._remarks.append(Remark(code=code, message=message, mends=mends))

    def _current(self) -> Digest | None:
        reference = self._reference
        if reference.tag is None:
            return None
        tagged = replace(reference, digest=None)
        try:
            current = self._outside.digest_of(tagged)
        except StoreError as error:
            self._remarks.append(_not_looked_at(error))
            return None
        if current is None:
            beside = "; the digest alone counts" if reference.digest else ""
            self._note("tag-absent", f"{reference.name} has no tag {reference.tag}{beside}", mends=True)
        return current

    def _is_there(self, digest: Digest) -> bool:
        """Look for the digest in this very repository; what could not be looked at is not taken for granted."""
        pinned = replace(self._reference, tag=None)
        try:
            found = self._outside.digest_of(pinned)
        except StoreError as error:
            if all(remark.code != "not-looked-at" for remark in self._remarks):
                self._remarks.append(_not_looked_at(error))
            return False
        if found is None:
            reason = "a digest is good in its own repository alone, whatever other repositories have of it"
            self._note("digest-absent", f"{self._reference.name} has no manifest {digest}: {reason}", mends=True)
        return found is not None

    def _facts(self, digest: Digest | None) -> ImageFacts | None:
        if digest is None:
            return None
        try:
            return self._outside.facts(self._reference, digest, self._use.platform)
        except StoreError as error:
            self._remarks.append(_not_looked_at(error))
            return None

    def _moved(self, current: Digest, facts: ImageFacts | None, *, update: bool) -> None:
        newer = self._facts(current)
        self._pin = replace(
            self._pin,
            created=None if newer is None else newer.created,
            changes=() if facts is None or newer is None else tuple(_changes(facts, newer)),
            proposed=self._with_digest(current) if update else None,
        )
        created = "" if newer is None or newer.created is None else f" (created {newer.created})"
        self._note("tag-moved", f"the tag {self._reference.tag} points to {current} now{created}", mends=True)

    def _with_digest(self, digest: Digest | None) -> str | None:
        if digest is None:
            return None
        before, at, _ = self._use.word.partition("@")
        return f"{before}@{digest}" if at or self._reference.tag is not None else None

    def _say_what_it_is(self, facts: ImageFacts) -> None:
        if self._pin.created is None:
            self._pin = replace(self._pin, created=facts.created)
        if facts.kind == "manifest" and self._reference.digest is not None:
            platform = facts.platforms[0] if facts.platforms else "unknown"
            self._note("one-platform", f"the digest is that of one platform's manifest: {platform}", mends=False)
        for sentence in contradictions(self._reference, facts):
            self._note("says-otherwise", sentence, mends=True)


def _changes(before: ImageFacts, after: ImageFacts) -> Iterator[Change]:
    """List in which facts two images differ, for a person who decides whether to move on."""
    if before.created != after.created:
        yield Change(what="created", before=before.created or "-", after=after.created or "-")
    for what, one, two in (
        ("os-release", dict(before.os_release), dict(after.os_release)),
        ("label", dict(before.labels), dict(after.labels)),
        ("env", _pairs(before.environment), _pairs(after.environment)),
    ):
        for key in sorted(one.keys() | two.keys()):
            if one.get(key) != two.get(key):
                yield Change(what=f"{what} {key}", before=one.get(key, "-"), after=two.get(key, "-"))
    if before.layers != after.layers:
        kept = len(set(before.layers) & set(after.layers))
        yield Change(
            what="layers", before=str(len(before.layers)), after=f"{len(after.layers)}, {kept} of them as before"
        )
    if before.size != after.size:
        yield Change(what="size", before=f"{before.size:,} bytes", after=f"{after.size:,} bytes")


def _pairs(environment: Iterable[str]) -> dict[str, str]:
    return {name: value for name, _, value in (item.partition("=") for item in environment)}


def _audit_url(use: Use, url: str, pin: Pin, outside: Outside, *, update: bool) -> Pin:
    pin = replace(pin, digest=use.checksum)
    remarks: list[Remark] = []
    current: str | None = None
    try:
        current = outside.download_digest(url)
        if current is None:
            remarks.append(Remark(code="digest-absent", message=f"there is nothing at {url}", mends=True))
    except StoreError as error:
        remarks.append(_not_looked_at(error))
    if use.checksum is None:
        remarks.append(
            Remark(code="not-pinned", message="what is downloaded is not checked: no --checksum", mends=True)
        )
    elif current is not None and current != use.checksum:
        message = f"the checksum is {use.checksum}, what is downloaded now has {current}"
        remarks.append(Remark(code="checksum-differs", message=message, mends=True))
    wanted = current is not None and (use.checksum is None or (update and current != use.checksum))
    return _judged(replace(pin, current=current, proposed=current if wanted else None), remarks)


def _audit_git(use: Use, url: str, pin: Pin, outside: Outside) -> Pin:
    parts = split_git_url(url)
    written = parts.commit or use.checksum
    pin = replace(pin, digest=written)
    if written is not None and is_commit(written):
        return _judged(pin, [])
    remarks = [Remark(code="not-pinned", message=f"{parts.described} can move: no commit is named", mends=True)]
    current: str | None = None
    try:
        current = outside.commit_of(parts.repository, parts.name)
        if current is None:
            remarks.append(
                Remark(code="tag-absent", message=f"{parts.repository} has no {parts.described}", mends=True)
            )
    except StoreError as error:
        remarks.append(_not_looked_at(error))
    return _judged(replace(pin, current=current, proposed=_at_commit(parts, current)), remarks)


def _at_commit(parts: GitUrl, commit: str | None) -> str | None:
    return None if commit is None else parts.at(commit)
