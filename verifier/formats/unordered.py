"""What in a text may stand in any order without saying anything else: members of sets and maps, lines of a list.

Each such stretch comes with its canonical form: everything that is in it, and how it is laid out, but not the order.
Two stretches of one canonical form differ in order alone. Sequences whose members repeat are none: sets and keys do
not. Nor are steps: the lines of a script, and statements, which end in semicolons.
"""

from __future__ import annotations

import bisect
import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

MAX_TEXT_BYTES: Final = 4 * 1024 * 1024
"""Larger texts are not looked into."""

_MAX_DEPTH: Final = 40
_PAIRS: Final = {b"{": b"}", b"[": b"]", b"(": b")"}
_TOKEN: Final = re.compile(
    rb'"(?:[^"\\\n]|\\.)*"'
    rb"|'(?:[^'\\\n]|\\.)*'"
    # a character of a page; its semicolon divides nothing
    rb"|&(?:#\d{1,6}|#[xX][0-9a-fA-F]{1,5}|[a-z]{2,6});"
    rb"|[][{}(),;]|[ \t\r\n]+|[^][{}(),;&\"'\s]+|[\"'&]"
)
_PLAIN: Final = rb"[\w./+@%~$-]+"
_LINE: Final = re.compile(rb"(" + _PLAIN + rb")(?:( *= *| *: *|\t+| +| *=> *|,)(\S(?:[^\r\n]{0,4095}\S)?))?[,;]?\r?\n?")
_INLINE: Final = re.compile(rb"(?<![^\s,;|])[^\s,;|]++(?:(, ?|; ?|\| ?| )[^\s,;|]++)(?:\1[^\s,;|]++)+")
_PATH: Final = re.compile(
    rb"[\"']?(?:[\w+@%~.-]*/[\w+@%~./ -]*|[\w+@%~-]+(?:\.[\w+@%~-]+)*\.[A-Za-z]\w{0,4})[\"']?[,;]?"
)
_NUMBER: Final = re.compile(rb"[-+]?[\d.]+(?:[eE][-+]?\d+)?")
_WORD: Final = re.compile(rb"[^\W\d]")
_JSON_PAIR: Final = re.compile(rb'"(?:[^"\\\n]|\\.)*"[ \t\r\n]*:')
_PYTHON_MEMBER: Final = re.compile(rb"'(?:[^'\\\n]|\\.)*'")
_SCRIPT: Final = b"#!"
_BULLET: Final = b"-"
_NAME: Final = re.compile(rb"\w")


class Unordered(NamedTuple):
    """One stretch: offsets, its canonical form, its members in their order, and whether all of them look like paths.

    `free` says that by its notation order means nothing there: JSON's object (RFC 8259), Python's set.
    """

    start: int
    end: int
    canonical: str
    members: tuple[bytes, ...]
    paths: bool
    free: bool = False


class _Line(NamedTuple):
    """One line of a run: where it begins, the whole of it, and what no other line of a map has."""

    start: int
    line: bytes
    key: bytes


class _Group(NamedTuple):
    """One bracket with what is in it: `canonical` says the same for every order of its members.

    `loose` says that something in it may stand in any order, `bound` that its notation does not say so everywhere.
    """

    start: int
    end: int
    canonical: bytes
    members: tuple[bytes, ...]
    loose: bool
    bound: bool


def find_unordered(text: bytes) -> Iterator[Unordered]:
    """Yield the stretches whose order may be chance, ascending, without overlap: brackets, then lines, then lists."""
    if len(text) > MAX_TEXT_BYTES or text.startswith(_SCRIPT):
        return
    taken: list[tuple[int, int]] = []
    found = []
    lines = list(_line_runs(text))
    # a text that is nothing but a list of lines is that, whatever brackets are in the lines
    sources = (lines, _brackets(text)) if _is_whole(text, lines) else (_brackets(text), lines)
    for source in (*sources, _lists(text)):
        for item in source:
            if not any(item.start < end and start < item.end for start, end in _near(taken, item)):
                taken.append((item.start, item.end))
                found.append(item)
        taken.sort()
    yield from sorted(found)


def _near(taken: Sequence[tuple[int, int]], item: Unordered) -> Sequence[tuple[int, int]]:
    after = bisect.bisect_left(taken, (item.end, 0))
    return taken[max(0, after - 1) : after]


def _is_whole(text: bytes, runs: Sequence[Unordered]) -> bool:
    return len(runs) == 1 and (runs[0].start, runs[0].end) == (0, len(text))


def _digest(*parts: bytes) -> bytes:
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big"))
        hasher.update(part)
    return hasher.digest()


def _stretch(start: int, end: int, canonical: bytes, members: tuple[bytes, ...]) -> Unordered:
    is_path = all(_PATH.fullmatch(member.strip()) for member in members)
    return Unordered(start, end, canonical.hex()[:32], members, is_path)


def _brackets(text: bytes) -> Iterator[Unordered]:
    """Yield the outermost brackets that have something in them whose order may be chance."""
    for group in _read_brackets(text):
        if group.loose:
            stretch = _stretch(group.start, group.end, group.canonical, group.members)
            yield stretch._replace(free=not group.bound)


class _Open:
    """A bracket that is being read: finished members, and the tokens of the one that is being read."""

    def __init__(self, opener: bytes, start: int) -> None:
        self.opener = opener
        self.start = start
        self.members: list[tuple[bytes, bytes]] = []
        self.layout: list[bytes] = []
        self.raw: list[bytes] = []
        self.parts: list[bytes] = []
        self.loose = False
        self.bound = False
        self.is_code = False

    def close_member(self, separator: bytes) -> None:
        self.is_code = self.is_code or separator == b";"
        raw = b"".join(self.raw)
        body = raw.strip()
        before, after = (raw[: len(raw) - len(raw.lstrip())], raw[len(raw.rstrip()) :]) if body else (raw, b"")
        parts = self.parts[:-1] if self.parts and self.parts[-1] == b" " else self.parts
        words = body.split(b" ")
        if not separator and not self.layout and len(words) > 2 and parts == list(_interleave(words)):
            # Go divides by spaces
            self.members += [(_digest(word), word) for word in words]
            self.layout += [before, b"words", after]
        else:
            self.layout += [before, b"member" if body else b"nothing", after, separator]
            self.members += [(_digest(*parts), body)] if body else []
        self.raw, self.parts = [], []

    def finish(self, end: int) -> _Group:
        self.close_member(b"")
        digests = [digest for digest, _ in self.members]
        bodies = tuple(body for _, body in self.members)
        is_set = len(set(digests)) == len(digests) > 1 and self._may_be_unordered(bodies)
        order = sorted(digests) if is_set else digests
        canonical = _digest(self.opener, _digest(*self.layout), *order)
        bound = self.bound or (is_set and not self._is_free(bodies))
        return _Group(self.start, end, canonical, bodies, self.loose or is_set, bound)

    def _is_free(self, bodies: tuple[bytes, ...]) -> bool:
        """Tell what by its notation has no order."""
        return self.opener == b"{" and (
            all(_JSON_PAIR.match(body) for body in bodies) or all(_PYTHON_MEMBER.fullmatch(body) for body in bodies)
        )

    def _may_be_unordered(self, bodies: tuple[bytes, ...]) -> bool:
        """Tell sets, maps and lists of names from tuples, from statements and from rows of figures."""
        if self.is_code:
            return False
        if self.opener == b"(":
            # Perl's and PHP's lists of pairs
            return all(b"=>" in body for body in bodies)
        return self.opener == b"{" or not all(_NUMBER.fullmatch(body) for body in bodies)


def _interleave(words: Sequence[bytes]) -> Iterator[bytes]:
    for number, word in enumerate(words):
        yield from (b" ", word) if number else (word,)


def _read_brackets(text: bytes) -> Iterator[_Group]:
    """Read a text token by token; yield each outermost bracket that is closed by its own kind."""
    stack: list[_Open] = []
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in _PAIRS:
            if len(stack) >= _MAX_DEPTH:
                stack.clear()
            stack.append(_Open(token, match.start()))
        elif token in _PAIRS.values():
            if not stack or _PAIRS[stack[-1].opener] != token:
                stack.clear()
                continue
            group = stack.pop().finish(match.end())
            if stack:
                stack[-1].parts.append(group.canonical)
                stack[-1].raw.append(text[group.start : group.end])
                stack[-1].loose = stack[-1].loose or group.loose
                stack[-1].bound = stack[-1].bound or group.bound
            else:
                yield group
        elif stack and token in (b",", b";"):
            stack[-1].close_member(token)
        elif stack:
            stack[-1].raw.append(token)
            if not token.isspace() or stack[-1].parts:
                stack[-1].parts.append(token if not token.isspace() else b" ")


def _line_runs(text: bytes) -> Iterator[Unordered]:
    """Yield runs of lines of one kind: a name each, or a name and its value behind one kind of divider."""
    run: list[_Line] = []
    kind: tuple[bytes | None, int] | None = None
    position = 0
    for line in text.splitlines(keepends=True):
        found = _LINE.fullmatch(line)
        own = None if found is None else (found[2], len(line) - len(line.rstrip(b",;\r\n")))
        if own is None or own[0] != (kind[0] if kind else None) or not run:
            yield from _run(run)
            run = []
            kind = own
        if found is not None:
            run.append(_Line(position, line, line if found[2] is None or found[1] == _BULLET else found[1]))
        position += len(line)
    yield from _run(run)


def _run(run: Sequence[_Line]) -> Iterator[Unordered]:
    bodies = tuple(item.line.rstrip(b"\r\n") for item in run)
    if len(run) < 2 or len(set(bodies)) != len(bodies) or not any(_WORD.search(body) for body in bodies):
        return
    if len({item.key for item in run}) < len(run):
        return
    endings = [item.line[len(body) :] for item, body in zip(run, bodies, strict=True)]
    start, end = run[0].start, run[-1].start + len(run[-1].line)
    # what ends the lines stays in its place
    yield _stretch(start, end, _digest(b"lines", _digest(*endings), *sorted(bodies)), bodies)


def _lists(text: bytes) -> Iterator[Unordered]:
    """Yield lists in one line whose members are divided alike: `b,a,c` or `b a c`."""
    for match in _INLINE.finditer(text):
        members = tuple(match[0].split(match[1]))
        is_list = all(_NAME.search(member) for member in members) and any(_WORD.search(member) for member in members)
        if is_list and len(set(members)) == len(members):
            canonical = _digest(b"list", match[1], *sorted(members))
            yield _stretch(match.start(), match.end(), canonical, members)
