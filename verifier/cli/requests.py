"""Turn parsed arguments into requests; what cannot be meant raises UsageError before any work."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from verifier.cli.arguments import FORMATS
from verifier.errors import MalformedImageError, UsageError
from verifier.model.request import (
    CheckRequest,
    CompareRequest,
    DigestsRequest,
    LedgerRequest,
    PinRequest,
    VerifyRequest,
)
from verifier.model.variation import FACTORS
from verifier.oci.digest import Digest, parse_digest
from verifier.oci.platform import Platform, parse_platform
from verifier.oci.reference import Reference, parse_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """One `--report FORMAT=PATH`."""

    form: str
    path: Path


def verify_request(arguments: argparse.Namespace) -> VerifyRequest:
    """Make the request of `verify`. Raises UsageError."""
    if arguments.expect is not None and arguments.against is not None:
        raise UsageError("--expect and --against are both a first side", "give one of them")
    if arguments.source_date_epoch is not None and not arguments.reproducible:
        raise UsageError("--source-date-epoch needs --reproducible")
    factors = _factors(arguments)
    if arguments.confirm and not arguments.explain:
        raise UsageError("--confirm confirms findings, and --no-explain makes none")
    if arguments.record_network and arguments.network != "host":
        raise UsageError("--record-network needs --network host", "the proxy listens on this machine's loopback alone")
    if arguments.prove_diff_ids and not arguments.explain:
        raise UsageError("--prove-diff-ids proves an explanation, and --no-explain makes none")
    return VerifyRequest(
        dockerfile=Path(arguments.dockerfile),
        context=None if arguments.context is None else Path(arguments.context),
        builder=arguments.builder,
        target=arguments.target,
        build_args=tuple(_build_arg(text) for text in arguments.build_arg),
        platform=_platform(arguments.platform),
        network=arguments.network,
        secrets=tuple(arguments.secret),
        ssh=tuple(arguments.ssh),
        timeout=arguments.timeout,
        reproducible=arguments.reproducible,
        source_date_epoch=arguments.source_date_epoch,
        builds=arguments.builds,
        against=arguments.against,
        expect=None if arguments.expect is None else _digest(arguments.expect),
        require=arguments.require,
        load=arguments.load,
        tags=tuple(arguments.tag),
        keep=_new_folder(arguments.keep),
        redact_build_args=arguments.redact_build_args,
        explain=arguments.explain,
        ledger=arguments.ledger,
        remember=arguments.remember,
        tolerances=arguments.tolerances,
        vary=factors,
        prove_diff_ids=arguments.prove_diff_ids,
        probe_offline=arguments.probe_offline,
        record_network=arguments.record_network,
        confirm=arguments.confirm,
        push=None if arguments.push is None else _name_to_push(arguments.push),
        lock=None if arguments.lock is None else Path(arguments.lock),
    )


def compare_request(arguments: argparse.Namespace) -> CompareRequest:
    """Make the request of `compare`. Raises UsageError."""
    if arguments.prove_diff_ids and not arguments.explain:
        raise UsageError("--prove-diff-ids proves an explanation, and --no-explain makes none")
    return CompareRequest(
        first=arguments.first,
        second=arguments.second,
        platform=_platform(arguments.platform),
        require=arguments.require,
        verify_blobs=arguments.verify_blobs,
        explain=arguments.explain,
        prove_diff_ids=arguments.prove_diff_ids,
    )


def check_request(arguments: argparse.Namespace) -> CheckRequest:
    """Make the request of `check`. Raises UsageError."""
    return CheckRequest(
        dockerfile=Path(arguments.dockerfile),
        context=None if arguments.context is None else Path(arguments.context),
        target=arguments.target,
        build_args=tuple(_build_arg(text) for text in arguments.build_arg),
        platform=_platform(arguments.platform),
    )


def pin_request(arguments: argparse.Namespace) -> PinRequest:
    """Make the request of `pin`. Raises UsageError."""
    if arguments.lock is not None and (arguments.write or arguments.update):
        raise UsageError("--lock keeps digests out of the Dockerfile, --write and --update put them there", "take one")
    if arguments.source_policy is not None and arguments.lock is None:
        raise UsageError("--source-policy says for BuildKit what --lock says", "give --lock FILE, too")
    return PinRequest(
        dockerfile=Path(arguments.dockerfile),
        build_args=tuple(_build_arg(text) for text in arguments.build_arg),
        platform=_platform(arguments.platform),
        write=arguments.write,
        update=arguments.update,
        lock=_new_file(arguments.lock, "--lock"),
        source_policy=_new_file(arguments.source_policy, "--source-policy"),
    )


def digests_request(arguments: argparse.Namespace) -> DigestsRequest:
    """Make the request of `digests`. Raises UsageError."""
    return DigestsRequest(images=tuple(arguments.images), platform=_platform(arguments.platform))


def ledger_request(arguments: argparse.Namespace) -> LedgerRequest:
    """Make the request of `ledger`."""
    return LedgerRequest(about=arguments.about, ledger=arguments.ledger)


def _new_file(text: str | None, option: str) -> Path | None:
    if text is None:
        return None
    if not Path(text).absolute().parent.is_dir() or Path(text).is_dir():
        raise UsageError(f"{option} {text!r}: a file cannot be written there")
    return Path(text)


def report_files(arguments: argparse.Namespace) -> tuple[ReportFile, ...]:
    """Read the `--report` options. Raises UsageError for an unknown format or a folder that is not there."""
    files = []
    for text in arguments.report:
        form, separator, path = text.partition("=")
        if not separator or not path or form not in FORMATS:
            raise UsageError(f"--report {text!r} is not FORMAT=PATH", f"formats: {', '.join(FORMATS)}")
        if not Path(path).absolute().parent.is_dir() or Path(path).is_dir():
            raise UsageError(f"--report {text!r}: a file cannot be written there")
        files.append(ReportFile(form=form, path=Path(path)))
    return tuple(files)


def _factors(arguments: argparse.Namespace) -> tuple[str, ...]:
    words = [word.strip() for text in arguments.vary for word in text.split(",")]
    for word in words:
        if word not in FACTORS and word != "all":
            raise UsageError(f"--vary {word!r} is not known", f"known: {', '.join(FACTORS)}, all")
    if words and (arguments.expect is not None or arguments.against is not None):
        raise UsageError("--vary makes the second of two builds differ, and one build is run alone here")
    return tuple(dict.fromkeys(words))


def _build_arg(text: str) -> tuple[str, str | None]:
    name, separator, value = text.partition("=")
    if not name:
        raise UsageError(f"--build-arg {text!r} is not NAME=VALUE")
    return name, value if separator else None


def _platform(text: str | None) -> Platform | None:
    return None if text is None else parse_platform(text)


def _digest(text: str) -> Digest:
    try:
        return parse_digest(text, "--expect")
    except MalformedImageError as error:
        raise UsageError(error.message, "for example: sha256: and 64 hexadecimal digits") from None


def _name_to_push(text: str) -> Reference:
    reference = parse_reference(text.removeprefix("docker://"))
    if reference.digest is not None:
        raise UsageError(f"--push {text!r} has a digest", "name the tag; the digest is what the build gives")
    return reference


def _new_folder(text: str | None) -> Path | None:
    if text is None:
        return None
    folder = Path(text)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--keep {text!r} exists and is not an empty folder", "name a new one: nothing is overwritten")
    return folder
