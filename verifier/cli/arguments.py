"""The command line's grammar. Imports nothing heavy, so that `--help` is instant."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final, NoReturn

from verifier import __version__
from verifier.errors import UsageError
from verifier.model.objections import OBJECTIONS
from verifier.model.variation import FACTORS

LEVELS: Final = ("index", "manifest", "config", "layers", "files", "none")
BUILDERS: Final = ("auto", "buildkit", "docker", "buildah", "podman")
FORMATS: Final = ("text", "json", "sarif", "junit", "markdown", "html", "github", "gitlab")
CHECK_FORMATS: Final = tuple(form for form in FORMATS if form != "html")

_COMMANDS: Final = (
    "verify",
    "compare",
    "check",
    "pin",
    "digests",
    "report",
    "sign-off",
    "ledger",
    "config",
    "causes",
    "doctor",
    "completion",
)

_EPILOG: Final = """\
exit codes: 0 the required level holds; 1 it does not; 2 bad usage; 3 no verdict was reached; 130 interrupted

levels, strictest first: manifest, config, layers (every diff_id), files (the merged root file system, without times)
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"see: {self.prog} --help")


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments; a first word that is no command is a Dockerfile to verify. Raises UsageError."""
    words = list(argv)
    if words and words[0] not in _COMMANDS and words[0] not in ("-h", "--help", "--version"):
        words.insert(0, "verify")
    parsed = make_parser().parse_args(words)
    if parsed.command is None:
        raise UsageError("no Dockerfile is given", "for example: verify-build Dockerfile")
    return parsed


def options_of(command: str) -> dict[str, str]:
    """Give a command's long options, without dashes, with the names of their values in a namespace."""
    (commands,) = (action for action in make_parser()._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    return {
        option.removeprefix("--"): action.dest
        for action in commands.choices[command]._actions  # noqa: SLF001  # argparse has no other way to ask
        for option in action.option_strings
        if option.startswith("--") and action.dest != "help"
    }


def make_parser() -> argparse.ArgumentParser:
    """Make the whole parser."""
    parser = _Parser(
        prog="verify-build",
        description="Say whether a container image can be rebuilt to the same digest, and if not, what differs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"verify-build {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _add_verify(commands)
    _add_compare(commands)
    _add_check(commands)
    _add_pin(commands)
    _add_digests(commands)
    rendered = commands.add_parser("report", help="render a JSON report again, in any form", allow_abbrev=False)
    rendered.add_argument("file", metavar="FILE", help="a JSON report; - is stdin")
    rendered.add_argument("--format", choices=FORMATS, default="text", help="what stdout carries (default: text)")
    rendered.add_argument("--report", metavar="FORMAT=PATH", action="append", default=[], help="write one more report")
    rendered.add_argument("--verbose", action="store_true", help="list every difference")
    _add_sign_off(commands)
    _add_ledger(commands)
    config = commands.add_parser("config", help="show what is in force, and from where", allow_abbrev=False)
    config.add_argument("dockerfile", metavar="DOCKERFILE", nargs="?", default="Dockerfile")
    config.add_argument("--format", choices=("text", "json"), default="text", help="what stdout carries")
    causes = commands.add_parser("causes", help="list the causes that are known, or show one's page")
    causes.add_argument("cause", metavar="CAUSE", nargs="?", help="a cause's name, such as file-mtime")
    completion = commands.add_parser("completion", help="print a completion script for a shell", allow_abbrev=False)
    completion.add_argument("shell", choices=("bash", "zsh"))
    commands.add_parser("doctor", help="show which builders answer here, and what would mend the others")
    return parser


def _add_verify(commands: argparse._SubParsersAction[_Parser]) -> None:  # argparse names its type so
    parser = commands.add_parser(
        "verify",
        help="build a Dockerfile twice and compare the digests (the default: verify-build DOCKERFILE)",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("dockerfile", metavar="DOCKERFILE", help="the Dockerfile to verify")
    parser.add_argument("--context", metavar="DIR", help="the build context (default: the Dockerfile's folder)")
    building = parser.add_argument_group("building, in the builders' own terms")
    building.add_argument("--builder", choices=BUILDERS, default="auto", help="default: the first that answers")
    building.add_argument("--target", metavar="STAGE", help="the stage to build")
    _add_build_arguments(building)
    building.add_argument("--network", metavar="MODE", help="the network of RUN instructions, such as host or none")
    building.add_argument("--secret", metavar="SPEC", action="append", default=[])
    building.add_argument("--ssh", metavar="SPEC", action="append", default=[])
    building.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="the limit of one build")
    building.add_argument("--lock", metavar="FILE", help="hold the bases to what `pin --lock FILE` has written")
    claim = parser.add_argument_group("the claim")
    claim.add_argument("--reproducible", action="store_true", help="use the builder's own reproducible mode")
    claim.add_argument("--source-date-epoch", metavar="SECONDS|git", help="its epoch (see the documentation)")
    claim.add_argument("--builds", metavar="N", type=_builds, default=2, help="compare N builds (default: 2)")
    claim.add_argument("--against", metavar="IMAGE", help="build once and compare with an image that exists")
    claim.add_argument("--expect", metavar="DIGEST", help="build once and compare with a digest")
    claim.add_argument("--require", choices=LEVELS, help="default: the strictest that the builder can show")
    _add_probes(parser)
    result = parser.add_argument_group("what becomes of the image")
    result.add_argument("--load", action="store_true", help="load what was verified into the builder's store")
    result.add_argument("--tag", metavar="NAME", action="append", default=[], help="load it under this name")
    result.add_argument("--push", metavar="REFERENCE", help="push both builds, and give what was verified this name")
    result.add_argument("--keep", metavar="DIR", help="keep both images as OCI layouts, DIR/first and DIR/second")
    result.add_argument("--ledger", metavar="FILE|REPOSITORY", help="where the record goes (default: this user's file)")
    result.add_argument("--no-ledger", dest="remember", action="store_false", help="leave no record")
    parser.add_argument("--config", metavar="FILE", help="settings (default: .verify-build.toml, found upwards)")
    parser.add_argument("--no-config", action="store_true", help="leave settings files alone")
    _add_report(parser)
    parser.add_argument("--quiet", action="store_true", help="do not stream the builds' output")
    parser.add_argument("--redact-build-args", action="store_true", help="keep every build argument's value secret")


def _add_build_arguments(parser: argparse._ActionsContainer) -> None:  # a parser, or a group of one
    parser.add_argument("--build-arg", metavar="NAME[=VALUE]", action="append", default=[])
    parser.add_argument("--platform", metavar="OS/ARCH[/VARIANT]")


def _add_probes(parser: argparse.ArgumentParser) -> None:
    probes = parser.add_argument_group("looking closer")
    probes.add_argument(
        "--vary",
        metavar="FACTOR,…",
        action="append",
        default=[],
        help=f"let the second build differ on purpose: {', '.join(FACTORS)}, or all",
    )
    probes.add_argument(
        "--probe-offline", action="store_true", help="build once more without a network, outside the verdict"
    )
    probes.add_argument(
        "--record-network", action="store_true", help="show what the builds download (needs --network host)"
    )
    probes.add_argument(
        "--confirm",
        action="store_true",
        help="build twice more with SOURCE_DATE_EPOCH and rewritten times, and see which findings are gone",
    )
    _add_prove(probes)


def _add_prove(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--prove-diff-ids",
        action="store_true",
        help="write the layers again with every explained value replaced, and compare their diff_ids",
    )


def _add_compare(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "compare",
        help="compare two images that exist",
        description="Compare two images: NAME:TAG (a registry's), docker-daemon:NAME:TAG, docker-archive:PATH, "
        "oci:DIR, oci-archive:PATH or containers-storage:NAME.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("first", metavar="FIRST")
    parser.add_argument("second", metavar="SECOND")
    parser.add_argument("--platform", metavar="OS/ARCH[/VARIANT]")
    parser.add_argument("--require", choices=LEVELS, help="default: the strictest that both sides have")
    parser.add_argument("--verify-blobs", action="store_true", help="read every blob, even where digests are equal")
    _add_prove(parser.add_argument_group("looking closer"))
    _add_report(parser)


def _add_check(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "check",
        help="say what will break reproducibility, without a build",
        description="Judge a Dockerfile by its text: exit code 0 nothing to mend, 1 something to mend, 2 bad usage.",
        allow_abbrev=False,
    )
    parser.add_argument("dockerfile", metavar="DOCKERFILE", nargs="+")
    parser.add_argument("--context", metavar="DIR", help="the build context (default: the Dockerfile's folder)")
    parser.add_argument("--target", metavar="STAGE", help="judge the stages that this one needs")
    _add_build_arguments(parser)
    parser.add_argument("--format", choices=CHECK_FORMATS, default="text", help="what stdout carries (default: text)")
    parser.add_argument("--verbose", action="store_true", help="list what was checked and found right, too")


def _add_pin(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "pin",
        help="hold what a Dockerfile takes to digests, and audit those that are there",
        description="Judge every FROM, COPY --from, RUN --mount=from, ADD of a URL and syntax directive: exit code 0 "
        "all pinned and true, 1 something to mend, 2 bad usage, 3 something could not be looked at.",
        allow_abbrev=False,
    )
    parser.add_argument("dockerfile", metavar="DOCKERFILE", nargs="+")
    parser.add_argument("--write", action="store_true", help="write the digests into the Dockerfile; tags stay")
    parser.add_argument("--update", action="store_true", help="write, and move pins along whose tags moved")
    parser.add_argument("--lock", metavar="FILE", help="write the digests into a lock file instead")
    parser.add_argument("--source-policy", metavar="FILE", help="the same as a source policy of BuildKit")
    _add_build_arguments(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what stdout carries")


def _add_digests(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "digests",
        help="list the digests of images, and say which of them are the same",
        description="List what a tag points to now, index, manifest and config digest, platform, size and date.",
        allow_abbrev=False,
    )
    parser.add_argument("images", metavar="IMAGE", nargs="+")
    parser.add_argument("--platform", metavar="OS/ARCH[/VARIANT]")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what stdout carries")


def _add_sign_off(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "sign-off",
        help="sign a release off by its JSON report, or verify that somebody did",
        description="Write what a release manager keeps, and sign it: exit code 0 signed off (or verified), 1 refused, "
        "2 bad usage, 3 something could not be looked at.",
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE", nargs="?", help="a JSON report, - is stdin; or a Dockerfile to verify")
    parser.add_argument("--out", metavar="DIR", help="write the page, the report and the statements there")
    parser.add_argument("--key", metavar="FILE", help="the private key, PEM or cosign's; to verify: the public")
    parser.add_argument("--passphrase-file", metavar="FILE", help="the key's passphrase is this file's first line")
    parser.add_argument("--signer", metavar="NAME", help="who signs off (default: git's user.name and user.email)")
    parser.add_argument("--image", metavar="REFERENCE", help="the image's name; to verify: the image to look at")
    parser.add_argument("--attach", metavar="REFERENCE", help="put it next to this image in its registry, for cosign")
    parser.add_argument("--dockerfile", metavar="FILE", help="where the report's Dockerfile is (default: as it says)")
    parser.add_argument("--context", metavar="DIR", help="its context (default: the Dockerfile's folder)")
    parser.add_argument(
        "--allow",
        metavar="NAME,…",
        action="append",
        default=[],
        help=f"sign in spite of this: {', '.join(OBJECTIONS)}",
    )
    parser.add_argument("--verify", metavar="ENVELOPE", help="verify what was signed, by the public key --key")
    parser.add_argument("--report", metavar="FILE", help="to verify: the JSON report that must be the one signed")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what stdout carries")


def _add_ledger(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "ledger",
        help="list which digests have been seen, of which inputs, when, by which builder and machine",
        allow_abbrev=False,
    )
    parser.add_argument("about", metavar="DOCKERFILE|INPUTS", nargs="?", help="a Dockerfile, or an inputs' digest")
    parser.add_argument("--ledger", metavar="FILE|REPOSITORY", help="default: this user's own file")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what stdout carries")


def _add_report(parser: argparse.ArgumentParser) -> None:
    report = parser.add_argument_group("reports")
    report.add_argument("--format", choices=FORMATS, default="text", help="what stdout carries (default: text)")
    report.add_argument("--report", metavar="FORMAT=PATH", action="append", default=[], help="write one more report")
    report.add_argument("--verbose", action="store_true", help="list every difference")
    report.add_argument("--no-explain", dest="explain", action="store_false", help="tell the facts alone, no causes")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def _builds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 2 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of builds from 2 to 100")
    return int(text)
