"""Everything that the tool puts out, made in one process: `python -m tests.cli.every_output FOLDER OUT`.

Whoever runs it chooses time zone, locale, umask and hash seed. OUT gets one file an output, the bytes of stdout as
they came; FOLDER is what `prepare` has made.
"""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.compare.layer_images import file, folder, image, tar, write_pair
from tests.ledger.records import record
from tests.reports.hostile import REPORTS
from tests.reports.test_schemas import DIGESTS, PINS
from tests.sign_off.made import NOW, inputs_of, make_checkout, make_keys, make_report, write_report
from verifier.cli.arguments import CHECK_FORMATS, FORMATS, make_parser
from verifier.cli.main import run
from verifier.ledger.local import LocalLedger
from verifier.model.objections import OBJECTIONS
from verifier.model.request import Surroundings
from verifier.model.sign_off import SignOffRequest
from verifier.pipeline.sign_off import sign_off
from verifier.reports.digests_form import render_digests_json, render_digests_text
from verifier.reports.json_form import render_json
from verifier.reports.pin_form import render_pin_json, render_pin_text
from verifier.reports.sign_off_form import render_sign_off_text
from verifier.sign_off.envelope import bundle_of
from verifier.sign_off.keys import load_public_key

SETTINGS = """\
builder = "buildkit"
build-arg = { A = "1", B = "2" }

[[tolerate]]
path = "/var/log/*"
reason = "nobody reads it: \u00e9"
expires = 2030-01-01
"""
DOCKERFILE = """\
FROM debian:12 AS one
RUN apt-get update && apt-get install -y b a && date > /built-\u00e9
FROM one
COPY . /
RUN pip install x; curl -O https://example.org/x; openssl genrsa
"""
SIGNED = ("sign-off", "verification-summary")


def prepare(made: Path) -> None:
    """Make what the commands are given, once: a checkout, reports, images, a ledger, and something signed."""
    dockerfile = make_checkout(made / "checkout")
    keys = make_keys(made, "ed25519")
    report = write_report(make_report(inputs_of(dockerfile, made / "copy")), made / "report.json")
    for name, of in REPORTS.items():
        (made / f"{name}.json").write_text(render_json(of()), "ascii")
    (made / "Dockerfile").write_text(DOCKERFILE, "utf-8")
    (made / "scratch").write_text("FROM scratch\n", "utf-8")
    (made / ".verify-build.toml").write_text(SETTINGS, "utf-8")
    ledger = LocalLedger(made / "ledger.sqlite")
    for changes in ({}, {"builder": "buildah", "machine": "another"}, {"inputs": "sha256:" + "0" * 64}):
        ledger.append(record(**changes))
    write_pair(made, *(image(_layer(now)) for now in (1_700_000_000, 1_700_000_009)))
    (made / "signed").mkdir()
    request = SignOffRequest(report=report.read_bytes(), key=keys.private, signer="Somebody")
    for each in sign_off(request, _surroundings(), lambda: b"").files:
        (made / "signed" / each.name).write_bytes(each.content)


def _layer(now: int) -> bytes:
    """Make a layer with something of several causes, in many files."""
    zipped = gzip.compress(b"text", mtime=now)
    files = [file(f"etc/file-{number}-\u00e9", b"x", mtime=now) for number in range(20)]
    texts = [file(f"var/log/{name}.log", f"{name} {now}\n".encode(), mtime=now) for name in ("dpkg", "own", "z")]
    return tar([folder("etc", mtime=now), *files, *texts, file("a.gz", zipped, mtime=1)])


def _surroundings() -> Surroundings:
    return Surroundings(environment=os.environ, now=lambda: NOW, sleep=lambda _: None, machine="one")


def commands() -> Iterator[list[str]]:
    """List what is called as a user calls it."""
    for name in REPORTS:
        yield from (["report", f"{name}.json", "--format", form] for form in FORMATS)
        yield ["report", f"{name}.json", "--verbose"]
    yield from (["check", "Dockerfile", "--format", form] for form in CHECK_FORMATS)
    yield ["check", "Dockerfile", "scratch", "--verbose"]
    yield from (["compare", "oci:first", "oci:second", "--format", form] for form in FORMATS)
    for form in ("text", "json"):
        yield ["config", "--format", form]
        yield ["ledger", "--ledger", "ledger.sqlite", "--format", form]
        yield ["digests", "oci:first", "oci:second", "--format", form]
        yield ["pin", "scratch", "--format", form]
        yield from (
            ["sign-off", "--verify", f"signed/{name}.dsse.json", "--key", "key.pub", "--report", "report.json",
             "--image", "oci:first", "--format", form]
            for name in SIGNED
        )  # fmt: skip
    yield from (["causes", *words] for words in ([], ["apt-log"], ["random-value"], ["zip-time"]))
    yield from (["completion", shell] for shell in ("bash", "zsh"))
    yield from ([*words, "--help"] for words in ([], *([name] for name in _commands())))


def _commands() -> list[str]:
    (choices,) = (action.choices for action in make_parser()._actions if action.dest == "command")
    return sorted(choices or ())


def rendered(made: Path) -> Iterator[tuple[str, bytes]]:
    """Make what a command would need a registry or another time for."""
    yield "pins text", render_pin_text(PINS).encode()
    yield "pins json", render_pin_json(PINS).encode()
    yield "digests text", render_digests_text(DIGESTS).encode()
    yield "digests json", render_digests_json(DIGESTS).encode()
    raw = (made / "report.json").read_bytes()
    for key in (None, made / "key"):
        request = SignOffRequest(report=raw, key=key, signer="Somebody")
        signed = sign_off(request, _surroundings(), lambda: b"")
        kind = "unsigned" if key is None else "signed"
        yield f"{kind} text", render_sign_off_text(signed, "out").encode()
        yield from ((f"{kind} {each.name}", each.content) for each in signed.files)
    public = load_public_key(made / "key.pub")
    for name in SIGNED:
        yield f"bundle of {name}", bundle_of((made / "signed" / f"{name}.dsse.json").read_bytes(), public)
    other = replace(request, report=(made / "hostile.json").read_bytes(), key=None, allowed=OBJECTIONS)
    yield from ((f"hostile {each.name}", each.content) for each in sign_off(other, _surroundings(), bytes).files)


def main(made: Path, out: Path) -> None:
    """Run everything below `made`, each output into a file of `out`, numbered and with its name in the first line."""
    os.chdir(made)
    names = []
    for words in commands():
        names.append(" ".join(words))
        with (out / str(len(names))).open("wb") as target:
            _run(words, target.fileno())
    for name, content in rendered(made):
        names.append(name)
        (out / str(len(names))).write_bytes(content)
    (out / "names").write_text("\n".join(names), "utf-8")


def _run(words: list[str], target: int) -> None:
    """Run one command with stdout in `target`; what it exits with is part of the output."""
    sys.argv = ["verify-build", *words]
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(target, 1)
    try:
        run()
    except SystemExit as end:
        sys.stdout.write(f"[exit code {end.code}]\n")
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
