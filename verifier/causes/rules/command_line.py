"""A command's words told apart: options, their values, and operands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from verifier.dockerfile.shell import Command, Word


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`options` are names with their values (None for those without), in order; `operands` the plain words.

    An unquoted variable may hold several words: operands are split at blanks, and a word with several values gives all.
    """

    options: tuple[tuple[str, str | None], ...]
    operands: tuple[str, ...]

    def has(self, *names: str) -> bool:
        """Tell whether one of these options is there."""
        return any(option in names for option, _ in self.options)

    def values(self, *names: str) -> tuple[str, ...]:
        """List the values of these options."""
        return tuple(value for option, value in self.options if option in names and value is not None)

    def letters(self) -> str:
        """Join the letters of all short options: `-xzf` gives `xzf`."""
        return "".join(option[1:] for option, _ in self.options if option[:2] != "--")


def read_line(command: Command, valued: Collection[str], skip: int = 1, *, each: bool = True) -> CommandLine:
    """Tell the words of `command` apart from the one at `skip` on; options in `valued` take the next word.

    Without `each`, an operand with several values stands as it is written.
    """
    options: list[tuple[str, str | None]] = []
    operands: list[str] = []
    words = command.argv[skip:]
    position = 0
    plain = False
    while position < len(words):
        text = words[position].text
        position += 1
        if plain or not text.startswith("-") or text == "-":
            word = words[position - 1]
            operands += _words(word) if each or len(word.values) == 1 else [word.text]
        elif text == "--":
            plain = True
        elif text.startswith("--") and "=" in text:
            name, _, value = text.partition("=")
            options.append((name, value))
        elif text in valued:
            options.append((text, words[position].text if position < len(words) else None))
            position += 1
        elif len(text) > 2 and text[1] != "-" and (place := _valued_letter(text, valued)):
            options += [(f"-{letter}", None) for letter in text[1:place]]
            attached = text[place + 1 :].removeprefix("=")
            if not attached and position < len(words):
                attached = words[position].text
                position += 1
            options.append((f"-{text[place]}", attached))
        else:
            options.append((text, None))
    return CommandLine(tuple(options), tuple(operands))


def subcommand(command: Command, valued: Collection[str]) -> tuple[str, CommandLine]:
    """Split `apt-get -q install a b` into `install` and the rest; empty where there is no subcommand."""
    line = read_line(command, valued)
    if not line.operands:
        return "", line
    return line.operands[0], CommandLine(line.options, line.operands[1:])


def _valued_letter(text: str, valued: Collection[str]) -> int:
    """Find the first letter of a cluster (`-fsSLo`) that takes a value, 0 where none does."""
    return next((index for index, letter in enumerate(text) if index and f"-{letter}" in valued), 0)


def _words(word: Word) -> list[str]:
    if word.values:
        return [piece for value in word.values for piece in value.split()]
    return word.text.split() if "$(" not in word.text and "`" not in word.text else [word.text]
