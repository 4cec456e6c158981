"""Which files a RUN checks against a digest, and where that digest comes from."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal

from verifier.causes.rules.command_line import read_line
from verifier.causes.rules.downloads import basename
from verifier.dockerfile.shell import Command, Script, Word

Origin = Literal["written", "argument", "downloaded", "elsewhere"]
"""The digest is in the Dockerfile or in the context; a build argument; from the network as well; or not known here."""

_SUMS: Final = frozenset(
    {"b2sum", "md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "shasum", "sha3sum"}
)
_HEX: Final = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{56,128})(?![0-9a-fA-F])")
_TAGGED: Final = re.compile(r"\(([^()]+)\) = [0-9a-fA-F]+\s*$")
"""A line as `sha256sum --tag` writes it."""

_FETCHERS: Final = frozenset({"curl", "wget", "aria2c"})
_SIGNATURES: Final = frozenset({"gpgv", "minisign", "signify", "cosign", "gpgv2"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: the files' names without folders, empty where they are not named; `position` is the command's.

    `ignored` says that the RUN goes on when it fails.
    """

    position: int
    files: tuple[str, ...]
    origin: Origin
    ignored: bool = False


def digest_checks(
    script: Script, arguments: Collection[str], fetched: AbstractSet[str], copied: AbstractSet[str]
) -> Iterator[Check]:
    """Walk the checks of a RUN.

    `arguments` are the build arguments without a value, `fetched` the names of the files that it downloads, `copied`
    of those that were copied from the context before.
    """
    for position, command in enumerate(script.commands):
        if command.name in _SUMS and _is_check(command):
            texts, origin = _input(script, position, command, arguments, fetched)
            if origin == "elsewhere" and copied & set(_operands(command)):
                origin = "written"
            yield Check(position=position, files=_named(texts), origin=origin, ignored=command.ignored)
        elif _prints_digest(command) and command.piped_to is not None:
            reader = script.commands[command.piped_to]
            if reader.name == "grep" and any(_HEX.search(word.text) for word in reader.argv):
                yield Check(position=position, files=_operands(command), origin="written", ignored=reader.ignored)
        elif command.name in {"[", "[[", "test"}:
            inner = [
                item for item in script.commands if item.within == position and item.name in {*_SUMS, "openssl", "cat"}
            ]
            sums = [item for item in inner if item.name in _SUMS]
            if sums and any(_HEX.search(value) for word in command.argv for value in word.values):
                yield Check(position=position, files=_operands(sums[0]), origin="written", ignored=command.ignored)


def has_signature_check(script: Script) -> bool:
    """Tell whether a RUN checks any signature."""
    for command in script.commands:
        if command.name in _SIGNATURES:
            return True
        if command.name in {"gpg", "gpg2"} and {"--verify", "--decrypt"} & set(command.arguments):
            return True
    return False


def _is_check(command: Command) -> bool:
    line = read_line(command, {"-a", "--algorithm"})
    return line.has("--check") or "c" in line.letters()


def _prints_digest(command: Command) -> bool:
    return command.name in _SUMS or (command.name == "openssl" and "dgst" in command.arguments[:1])


def _operands(command: Command) -> tuple[str, ...]:
    return tuple(basename(name) for name in read_line(command, {"-a", "--algorithm"}).operands if name != "-")


def _input(
    script: Script, position: int, command: Command, arguments: Collection[str], fetched: AbstractSet[str]
) -> tuple[tuple[str, ...], Origin]:
    """Give the lines that the check reads, and where their digests come from."""
    words = [redirect.target for redirect in command.redirects if redirect.operator in {"<<", "<<<"}]
    for writer in script.commands:
        if writer.piped_to == position:
            words += _printed(script, writer, fetched) or [Word(text="")]
    for name in _operands(command):
        words += _written_to(script, name, fetched)
    origins = [_origin(script, word, arguments) for word in words]
    texts = tuple(text for word in words for text in (word.values or (word.text,)))
    for origin in _WORST_FIRST:
        if origin in origins:
            return texts, origin
    return texts, "elsewhere"


_WORST_FIRST: Final[tuple[Origin, ...]] = ("downloaded", "elsewhere", "argument", "written")
_DOWNLOADED: Final = Word(text="\0downloaded")


def _printed(script: Script, writer: Command, fetched: AbstractSet[str]) -> list[Word]:
    """Give what a command of the pipe prints, as one word for each way to read it."""
    if writer.name in {"echo", "printf"}:
        inner = [item for item in script.commands if item.within is not None and script.commands[item.within] is writer]
        if any(item.name in _FETCHERS or fetched & {basename(word) for word in item.arguments} for item in inner):
            return [_DOWNLOADED]
        values: tuple[str, ...] = ("",)
        for word in writer.argv[1:]:
            values = tuple(f"{before} {value}".strip() for before in values for value in word.values)[:64]
        variables = tuple(name for word in writer.argv[1:] for name in word.variables)
        return [Word(text=" ".join(writer.arguments), values=values, variables=variables)]
    if writer.name in _FETCHERS:
        return [_DOWNLOADED]
    found = [redirect.target for redirect in writer.redirects if redirect.operator in {"<<", "<<<"}]
    for word in writer.argv[1:]:
        found += _written_to(script, basename(word.text), fetched)
    return found


def _written_to(script: Script, name: str, fetched: AbstractSet[str]) -> list[Word]:
    """Give what was written into a file before: by echo or a here-document, or from the network."""
    if name in fetched:
        return [_DOWNLOADED]
    for command in script.commands:
        if command.name in {"gpg", "gpg2"} and name in command.arguments and fetched & set(command.arguments):
            return [_DOWNLOADED]
    for command in script.commands:
        file = script.output_file(command)
        if file is not None and basename(file) == name:
            printed = _printed(script, command, frozenset())
            if printed:
                return printed
    return []


def _origin(script: Script, word: Word, arguments: Collection[str]) -> Origin:
    if word is _DOWNLOADED:
        return "downloaded"
    if word.values:
        # A variable that is empty at first and set by every branch of a `case` leaves only the file's name.
        filled = [value for value in word.values if len(value.split()) > 1 or _HEX.search(value)] or word.values
        return "written" if all(_HEX.search(value) for value in filled) else "elsewhere"
    if _HEX.search(word.text):
        # The digest is there; only the file's name is not known.
        return "written"
    assigned = [
        (position, item)
        for position, item in enumerate(script.commands)
        if any(name in word.variables for name, _ in item.assignments)
    ]
    for position, _ in assigned:
        if any(inner.within == position and inner.name in _FETCHERS for inner in script.commands):
            return "downloaded"
    if word.variables and not assigned and any(name in arguments for name in word.variables):
        return "argument"
    values = [value for _, item in assigned for name, value in item.assignments if name in word.variables]
    digests = [value for value in values if value.values and all(_HEX.fullmatch(text) for text in value.values)]
    return "written" if digests else "elsewhere"


def _named(texts: tuple[str, ...]) -> tuple[str, ...]:
    names = []
    for text in texts:
        for line in re.split(r"\n|\\n", text):
            match = _TAGGED.search(line) or re.search(r"\S\s+[*]?(\S+)\s*$", line.strip())
            if match:
                names.append(basename(match[1].strip("\"'")))
    return tuple(names)
