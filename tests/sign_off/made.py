"""A checkout, a report of it, and keys: what a release is signed off with, made anew for each test."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.images import digest
from tests.reports.test_text import image, layer, mtime, side
from verifier.model.build import BuilderName
from verifier.model.finding import Risk
from verifier.model.instruction import Instruction, StageRef
from verifier.model.plan import BaseReference, HeldBase
from verifier.model.report import Inputs, PlatformPair, Report
from verifier.model.tolerance import AppliedTolerance, Tolerance
from verifier.model.verdict import Verdict
from verifier.oci.digest import Digest, digest_bytes
from verifier.plan.freeze import copy_context_alone
from verifier.reports.json_form import render_json

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DOCKERFILE = b"FROM debian:12\nCOPY file /\n"
BUILDER: BuilderName = "buildkit"
REASON = "a log that nobody reads <b>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """One pair of keys, in files."""

    private: Path
    public: Path


def make_keys(folder: Path, kind: str, passphrase: bytes | None = None, name: str = "key") -> Keys:
    made = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(CURVES[kind])
    keys = Keys(private=folder / name, public=folder / f"{name}.pub")
    form: Any = (
        serialization.NoEncryption() if passphrase is None else serialization.BestAvailableEncryption(passphrase)
    )
    pem = made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, form)
    keys.private.write_bytes(pem)
    keys.public.write_bytes(
        made.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return keys


CURVES: dict[str, Any] = {"ecdsa": ec.SECP256R1(), "p384": ec.SECP384R1()}


def git(folder: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    names = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(
        ["git", *names, "-C", folder, *arguments], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.strip()


def make_checkout(folder: Path) -> Path:
    """Commit a Dockerfile and its context, and give the Dockerfile's path."""
    folder.mkdir()
    (folder / "Dockerfile").write_bytes(DOCKERFILE)
    (folder / "file").write_text("hello\n", encoding="utf-8")
    (folder / ".gitignore").write_text("made/\n", encoding="utf-8")
    (folder / ".dockerignore").write_text(".git\n", encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "one")
    git(folder, "tag", "v1.2")
    git(folder, "remote", "add", "origin", "https://somebody:secret@example.org/app.git")
    return folder / "Dockerfile"


def inputs_of(dockerfile: Path, scratch: Path) -> Inputs:
    scratch.mkdir(exist_ok=True)
    copied = copy_context_alone(dockerfile, dockerfile.parent, scratch, BUILDER)
    line = Instruction(stage=StageRef(index=0), line=1, end_line=1, text="FROM debian:12")
    base = BaseReference(reference="debian:12", instruction=line, platform=None, final=True)
    return Inputs(
        dockerfile_path=str(dockerfile),
        dockerfile_digest=digest_bytes(dockerfile.read_bytes()),
        dockerfile_text=dockerfile.read_text("utf-8"),
        syntax=None,
        context_digest=copied.digest,
        archive_digest=copied.archive_digest,
        context_files=copied.files,
        context_bytes=copied.bytes,
        build_args=("VERSION=1",),
        platform=None,
        target=None,
        epoch=None,
        varied=("mtime",),
        builds_run=2,
        bases=(
            HeldBase(base=base, digest=digest("base"), digest_kind="index", pinned=False, diff_ids=None, holder=""),
        ),
        unchanged=True,
    )


def make_report(inputs: Inputs | None, manifest: Digest | None = None) -> Report:
    """Report two equal builds; `manifest` is the image's manifest digest."""
    made = image(layer("base", None), layer("one"))
    made = made if manifest is None else replace(made, manifest_digest=manifest)
    sides = [replace(side(number), started=NOW, finished=NOW) for number in (1, 2)]
    risk = Risk(
        cause="unpinned-base",
        severity="warning",
        instruction=Instruction(stage=StageRef(index=0), line=1, end_line=1, text="FROM debian:12"),
        status="latent",
        message="debian:12 moves",
    )
    return Report(
        tool_version="0",
        verdict=Verdict(outcome="reproducible", level="manifest", required="manifest"),
        inputs=inputs,
        first=sides[0],
        second=sides[1],
        platforms=(PlatformPair(platform="linux/amd64", first=made, second=made, layers=()),),
        risks=(risk,),
    )


def different(report: Report) -> Report:
    return replace(
        report,
        verdict=Verdict(outcome="different", level="files", required="manifest"),
        differences=(mtime(b"/var/log/x"),),
    )


def tolerated(report: Report, expires: date | None, status: Any = "used") -> Report:
    tolerance = Tolerance(
        cause=None, path="/var/log/*", field=None, reason=REASON, expires=expires, place="tolerate[0]"
    )
    used = status == "used"
    return replace(
        different(report),
        verdict=Verdict(outcome="tolerated" if used else "different", level="files", required="manifest"),
        tolerated=(0,) if used else (),
        tolerances=(AppliedTolerance(tolerance=tolerance, status=status, differences=(0,) if used else ()),),
    )


def write_report(report: Report, path: Path) -> Path:
    path.write_text(render_json(report), encoding="ascii")
    return path
