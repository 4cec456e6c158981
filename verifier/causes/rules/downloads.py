"""What a RUN downloads with curl, wget and their kin, and under which name it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from verifier.causes.rules.command_line import CommandLine, read_line
from verifier.dockerfile.shell import SHELLS, Command, Script

_VALUED: Final = {
    "curl": frozenset(
        {
            "-o", "--output", "-H", "--header", "-d", "--data", "--data-raw", "--data-binary", "--data-urlencode", "-X",
            "--request", "-u", "--user", "-A", "--user-agent", "-e", "--referer", "-b", "--cookie", "-c",
            "--cookie-jar", "-T", "--upload-file", "-x", "--proxy", "-m", "--max-time", "--connect-timeout", "--retry",
            "--retry-delay", "--retry-max-time", "-w", "--write-out", "-F", "--form", "-E", "--cert", "--key",
            "--cacert", "--capath", "--resolve", "--output-dir", "-C", "--continue-at", "-r", "--range",
            "--limit-rate", "-y", "-Y", "-z", "--ciphers", "--tls-max", "--proto", "--proto-redir", "-K", "--config",
            "-D", "--dump-header", "--speed-limit", "--speed-time", "--max-redirs",
        }
    ),
    "wget": frozenset(
        {
            "-O", "--output-document", "-o", "--output-file", "-a", "-P", "--directory-prefix", "-t", "--tries", "-T",
            "--timeout", "-U", "--user-agent", "-e", "--execute", "-w", "--wait", "-i", "--input-file", "-A", "-R",
            "-D", "-l", "--level", "-Q", "-B", "--header", "--user", "--password", "--ca-certificate", "--progress",
            "--waitretry", "--dns-timeout", "--connect-timeout", "--read-timeout", "--post-data", "--method",
        }
    ),
    "aria2c": frozenset(
        {
            "-o", "--out", "-d", "--dir", "-x", "-s", "-j", "-k", "-c", "-i", "--checksum", "-m", "--max-tries", "-l",
            "--log", "-t", "--timeout", "--retry-wait", "--user-agent", "--header",
        }
    ),
}  # fmt: skip
_LOCAL: Final = re.compile(r"(?:\w+://)?(?:localhost|127\.|\[::1\]|0\.0\.0\.0|unix:)|file:")
_COMMIT: Final = re.compile(r"raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}/|/raw/[0-9a-f]{40}/")
_FIXED: Final = re.compile(r"//snapshot(?:-cloudflare)?\.debian\.org/(?:archive|file)/")
_AID: Final = re.compile(
    r"\.(?:asc|sig|sign|minisig|sha\d+|sha\d+sums?|md5|md5sum|digest|checksums?)$|(?:^|[_.-])(?:sha\d+sums?|md5sums?|"
    r"checksums?)[\w.-]*(?:\.txt)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One address that a command fetches. `file` is the name under which it is kept, None where it goes into a pipe.

    `runs` says that a shell or an interpreter reads it from the pipe. `checked` says that the address or an option
    determines the bytes. Of an address with several values the last one is given.
    """

    position: int
    command: Command
    url: str
    file: str | None
    runs: bool
    checked: bool

    @property
    def is_aid(self) -> bool:
        """Whether it only helps to check others: a signature, a list of digests."""
        return _AID.search((self.file or basename(self.url)).rpartition("/")[2]) is not None


def basename(address: str) -> str:
    """Give the last part of a path or an address."""
    return re.sub(r"[?#].*", "", address).rstrip("/").rpartition("/")[2]


def downloads(script: Script) -> Iterator[Download]:
    """Walk what the commands of a RUN fetch and keep."""
    for position, command in enumerate(script.commands):
        valued = _VALUED.get(command.name)
        if valued is not None:
            line = read_line(command, valued, each=False)
            if not _only_asks(command.name, line):
                yield from _of(script, position, command, line)


def _of(script: Script, position: int, command: Command, line: CommandLine) -> Iterator[Download]:
    addresses = [url for url in (*line.operands, *line.values("--url")) if not _LOCAL.match(url)]
    names = list(_names(command.name, line))
    remote_names = command.name != "curl" or line.has("--remote-name", "--remote-name-all") or "O" in line.letters()
    for number, url in enumerate(addresses):
        name = names[number] if number < len(names) else None
        if name is None and remote_names and not (names and command.name == "wget"):
            name = basename(url)
        if command.name == "wget" and names:
            name = names[0]
        if name in {None, "-", "/dev/stdout"}:
            name = _kept_as(script, command)
        if name == "/dev/null":
            continue
        reader = _reader(script, command)
        example = next((word.values[-1] for word in command.argv if word.text == url and word.values), url)
        yield Download(
            position=position,
            command=command,
            url=example,
            file=name,
            runs=name is None and reader is not None and (reader.name in SHELLS or reader.name.startswith("python")),
            checked=bool(_COMMIT.search(example) or _FIXED.search(example) or line.values("--checksum")),
        )


def _only_asks(name: str, line: CommandLine) -> bool:
    """Tell whether nothing is kept of what comes back, or something is sent."""
    letters = line.letters()
    if name == "curl":
        method = "".join(line.values("-X", "--request")).upper()
        sends = line.has("-d", "--data", "--data-raw", "--data-binary", "-F", "--form", "-T", "--upload-file")
        asks = "I" in letters or line.has("--head", "--version", "-V", "--help")
        return asks or method not in {"", "GET"} or (sends and not ("G" in letters or line.has("--get")))
    return line.has("--spider", "--version", "--help", "--post-data", "--method", "-V", "-h")


def _names(name: str, line: CommandLine) -> tuple[str, ...]:
    if name == "curl":
        return line.values("-o", "--output")
    return line.values("-O", "--output-document") if name == "wget" else line.values("-o", "--out")


def _kept_as(script: Script, command: Command) -> str | None:
    reader = _reader(script, command)
    if reader is None:
        return script.output_file(command)
    if reader.name == "tee":
        return next((word for word in reader.arguments if not word.startswith("-")), None)
    return script.output_file(reader) if reader.name == "cat" else None


def _reader(script: Script, command: Command) -> Command | None:
    if any(redirect.operator.startswith(">") and redirect.descriptor in {None, 1} for redirect in command.redirects):
        return None
    return None if command.piped_to is None else script.commands[command.piped_to]
