"""One function a command: make the request, run the pipeline, write the reports, give the exit code.

Each imports what it needs and no more: the catalogue, the builders and the stores all take their time.
"""

# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

from verifier.cli.error_lines import print_error
from verifier.cli.progress import Progress
from verifier.cli.requests import (
    ReportFile,
    check_request,
    compare_request,
    digests_request,
    ledger_request,
    pin_request,
    report_files,
    verify_request,
)
from verifier.errors import UsageError
from verifier.model.report import Report
from verifier.model.request import Surroundings
from verifier.replace_file import replace_file
from verifier.reports import Format, render


def _verify(arguments: argparse.Namespace) -> int:
    from verifier.pipeline.verify import verify

    request, files = verify_request(arguments), report_files(arguments)
    with Progress(sys.stderr, os.environ, quiet=arguments.quiet) as progress:
        report = verify(request, _surroundings(), progress)
    return _finish(report, arguments, files)


def _compare(arguments: argparse.Namespace) -> int:
    from verifier.pipeline.compare import compare

    request, files = compare_request(arguments), report_files(arguments)
    with Progress(sys.stderr, os.environ) as progress:
        report = compare(request, progress)
    return _finish(report, arguments, files)


def _check(arguments: argparse.Namespace) -> int:
    from verifier.pipeline.check import check
    from verifier.reports import render_check

    def one(arguments: argparse.Namespace) -> int:
        report = check(check_request(arguments), _surroundings())
        sys.stdout.write(render_check(report, arguments.format, verbose=arguments.verbose))
        return report.exit_code

    return _each(arguments, one)


def _pin(arguments: argparse.Namespace) -> int:
    from verifier.pipeline.pin import pin
    from verifier.reports.pin_form import render_pin_json, render_pin_text

    if arguments.lock is not None and len(arguments.dockerfile) > 1:
        raise UsageError(
            "--lock FILE is of one Dockerfile, and the next one would overwrite it", "name them one by one"
        )

    def one(arguments: argparse.Namespace) -> int:
        report = pin(pin_request(arguments), _surroundings())
        sys.stdout.write(render_pin_json(report) if arguments.format == "json" else render_pin_text(report))
        return report.exit_code

    return _each(arguments, one)


def _each(arguments: argparse.Namespace, one: Callable[[argparse.Namespace], int]) -> int:
    """Run a command for each Dockerfile that was named, and give the gravest exit code."""
    paths: list[str] = arguments.dockerfile
    if len(paths) > 1 and arguments.format not in {"text", "github"}:
        raise UsageError(f"--format {arguments.format} is one document, of one Dockerfile", "name them one by one")
    return max(one(argparse.Namespace(**{**vars(arguments), "dockerfile": path})) for path in paths)


def _digests(arguments: argparse.Namespace) -> int:
    from verifier.pipeline.digests import digests
    from verifier.reports.digests_form import render_digests_json, render_digests_text

    report = digests(digests_request(arguments))
    sys.stdout.write(render_digests_json(report) if arguments.format == "json" else render_digests_text(report))
    for unread in report.unread:
        print_error(f"{unread.reference}: {unread.message}", unread.hint)
    return report.exit_code


def _report(arguments: argparse.Namespace) -> int:
    from verifier.reports.json_reader import MAX_REPORT_BYTES, read_report

    files = report_files(arguments)
    if arguments.file == "-":
        raw = sys.stdin.buffer.read(MAX_REPORT_BYTES + 1)
    else:
        try:
            with Path(arguments.file).open("rb") as file:
                raw = file.read(MAX_REPORT_BYTES + 1)
        except OSError as error:
            raise UsageError(f"{arguments.file}: the report cannot be read: {error.strerror}") from None
    return _finish(read_report(raw), arguments, files)


def _sign_off(arguments: argparse.Namespace) -> int:
    from verifier.cli.sign_off_command import sign_off_command

    return sign_off_command(arguments, _surroundings())


def _ledger(arguments: argparse.Namespace) -> int:
    from verifier.pipeline.ledger import list_records
    from verifier.reports.ledger_form import render_ledger_json, render_ledger_text

    answer = list_records(ledger_request(arguments), _surroundings())
    render_answer = render_ledger_json if arguments.format == "json" else render_ledger_text
    sys.stdout.write(render_answer(answer.records, answer.place))
    return 0


def _config(arguments: argparse.Namespace) -> int:
    from verifier.cli.in_force import in_force
    from verifier.reports.config_form import render_config_json, render_config_text

    rows, settings = in_force(arguments.dockerfile)
    tolerances = () if settings is None else settings.tolerances
    render_rows = render_config_json if arguments.format == "json" else render_config_text
    values = [(row.option, row.value, row.source) for row in rows]
    sys.stdout.write(render_rows(values, tolerances, None if settings is None else str(settings.path)))
    return 0


def _causes(arguments: argparse.Namespace) -> int:
    from verifier.reports.catalogue import render_catalogue, render_cause

    sys.stdout.write(render_catalogue() if arguments.cause is None else render_cause(arguments.cause))
    return 0


def _completion(arguments: argparse.Namespace) -> int:
    import shtab

    from verifier.cli.arguments import make_parser

    sys.stdout.write(shtab.complete(make_parser(), shell=arguments.shell).rstrip("\n") + "\n")
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from verifier.builders.choose import survey
    from verifier.reports.doctor import render_doctor

    rows = survey()
    sys.stdout.write(render_doctor(rows))
    return 0 if any(row.identity is not None for row in rows) else 3


COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = {
    "verify": _verify,
    "compare": _compare,
    "check": _check,
    "pin": _pin,
    "digests": _digests,
    "report": _report,
    "sign-off": _sign_off,
    "ledger": _ledger,
    "config": _config,
    "causes": _causes,
    "completion": _completion,
    "doctor": _doctor,
}


def _surroundings() -> Surroundings:
    return Surroundings(
        environment=os.environ, now=lambda: datetime.now(UTC), sleep=time.sleep, machine=os.uname().nodename
    )


def _finish(report: Report, arguments: argparse.Namespace, files: tuple[ReportFile, ...]) -> int:
    for file in files:
        replace_file(file.path, render(report, cast("Format", file.form), verbose=True).encode())
    if report.error is None or arguments.format != "text":
        sys.stdout.write(render(report, arguments.format, verbose=arguments.verbose))
        sys.stdout.flush()
    if report.error is not None:
        print_error(report.error.message, report.error.hint)
    return report.verdict.exit_code
