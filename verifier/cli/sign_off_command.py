"""The command `sign-off`: its two ways, signing and verifying, and what each of them takes."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from verifier.cli.in_force import parse_with_settings
from verifier.cli.passphrase import passphrase_from
from verifier.cli.progress import Progress
from verifier.cli.requests import verify_request
from verifier.errors import UsageError
from verifier.model.objections import OBJECTIONS, ObjectionName
from verifier.model.request import Surroundings
from verifier.model.sign_off import SignOffRequest, VerifySignOffRequest
from verifier.oci.reference import Reference, parse_reference
from verifier.pipeline.sign_off import sign_off, verify_sign_off
from verifier.pipeline.verify import verify
from verifier.replace_file import replace_file
from verifier.reports import render
from verifier.reports.json_reader import MAX_REPORT_BYTES
from verifier.reports.sign_off_form import render_sign_off_text
from verifier.reports.verified_form import render_verified_json, render_verified_text
from verifier.sign_off.statement import sign_off_object

_TO_SIGN: Final = ("file", "out", "passphrase_file", "signer", "attach", "dockerfile", "context")
_TO_VERIFY: Final = ("report",)


def sign_off_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Sign off or verify, write the files and say what came out; give the exit code."""
    if arguments.verify is not None:
        return _verify(arguments)
    folder = _folder(arguments.out)
    request = _sign_request(arguments, surroundings)
    signed = sign_off(request, surroundings, passphrase_from(arguments.passphrase_file, surroundings.environment))
    if folder is not None and signed.files:
        folder.mkdir(exist_ok=True)
        for file in signed.files:
            replace_file(folder / file.name, file.content)
    if arguments.format == "json":
        sys.stdout.write(json.dumps(sign_off_object(signed.sign_off), indent=2, ensure_ascii=True) + "\n")
    else:
        sys.stdout.write(render_sign_off_text(signed, arguments.out))
    return signed.sign_off.exit_code


def _verify(arguments: argparse.Namespace) -> int:
    _refuse(arguments, _TO_SIGN, "verifies nothing", "--verify")
    if arguments.allow:
        raise UsageError("--allow signs in spite of something, and --verify signs nothing")
    if arguments.key is None:
        raise UsageError("--verify needs the public key", "give --key FILE")
    verified = verify_sign_off(
        VerifySignOffRequest(
            envelope=Path(arguments.verify),
            key=Path(arguments.key),
            report=None if arguments.report is None else Path(arguments.report),
            image=arguments.image,
        )
    )
    render_verified = render_verified_json if arguments.format == "json" else render_verified_text
    sys.stdout.write(render_verified(verified))
    return verified.exit_code


def _sign_request(arguments: argparse.Namespace, surroundings: Surroundings) -> SignOffRequest:
    _refuse(arguments, _TO_VERIFY, "is for --verify", "signing")
    if arguments.file is None:
        raise UsageError("no report is given", "for example: verify-build sign-off report.json --out DIR --key FILE")
    if arguments.out is None and arguments.attach is None:
        raise UsageError("nothing would be kept", "give --out DIR, or --attach REFERENCE")
    if arguments.attach is not None and arguments.key is None:
        raise UsageError("--attach attaches what is signed", "give --key FILE, too")
    if arguments.attach is not None and arguments.image is not None:
        raise UsageError("--attach names the image already", "leave out --image")
    request = SignOffRequest(
        report=b"",
        key=None if arguments.key is None else Path(arguments.key),
        image=_reference(arguments.image),
        attach=_reference(arguments.attach),
        dockerfile=None if arguments.dockerfile is None else Path(arguments.dockerfile),
        context=None if arguments.context is None else Path(arguments.context),
        signer=arguments.signer,
        allowed=_allowed(arguments.allow),
    )
    raw = _read(arguments.file)
    if arguments.file == "-" or raw.lstrip()[:1] in (b"{", b"["):
        return replace(request, report=raw)
    return _verified(request, arguments, surroundings)


def _verified(request: SignOffRequest, arguments: argparse.Namespace, surroundings: Surroundings) -> SignOffRequest:
    """Verify a Dockerfile first, by the settings in force, and take its report."""
    if arguments.dockerfile is not None:
        raise UsageError("--dockerfile goes with a report", f"{arguments.file} is no JSON, so it is the Dockerfile")
    words = ["verify", arguments.file, *([] if arguments.context is None else ["--context", arguments.context])]
    meant, settings = parse_with_settings(words)
    meant.tolerances = () if settings is None else settings.tolerances
    asked = verify_request(meant)
    with Progress(sys.stderr, surroundings.environment, quiet=meant.quiet) as progress:
        report = verify(asked, surroundings, progress)
    return replace(request, report=render(report, "json").encode(), context=asked.context)


def _refuse(arguments: argparse.Namespace, names: tuple[str, ...], why: str, here: str) -> None:
    for name in names:
        if getattr(arguments, name) is not None:
            option = "FILE" if name == "file" else f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} {why}", f"leave it out of {here}")


def _allowed(given: list[str]) -> tuple[ObjectionName, ...]:
    words = [word.strip() for text in given for word in text.split(",")]
    for word in words:
        if word not in OBJECTIONS:
            raise UsageError(f"--allow {word!r} is not known", f"known: {', '.join(OBJECTIONS)}")
    return tuple(cast("ObjectionName", word) for word in dict.fromkeys(words))


def _reference(text: str | None) -> Reference | None:
    return None if text is None else parse_reference(text.removeprefix("docker://"))


def _folder(text: str | None) -> Path | None:
    if text is None:
        return None
    folder = Path(text)
    if not folder.absolute().parent.is_dir() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"--out {text!r}: a folder cannot be made there")
    return folder


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(MAX_REPORT_BYTES + 1)
    try:
        with Path(file).open("rb") as stream:
            return stream.read(MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file}: the report cannot be read: {error.strerror}") from None
