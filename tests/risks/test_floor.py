"""hadolint's rules on pinning are a floor: where one of them speaks, so do we, on the same line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.machine import unavailable
from tests.risks.dockerfiles import risks_of
from verifier.model.finding import Risk

RULES = frozenset(
    {
        "DL3006", "DL3007", "DL3008", "DL3013", "DL3016", "DL3018", "DL3028", "DL3033", "DL3037", "DL3041", "DL3062",
    }
)  # fmt: skip
COMMANDS = {
    "apt": (
        "apt-get install -y curl",
        "apt-get install --no-install-recommends -y git=1:2.* vim",
        "DEBIAN_FRONTEND=noninteractive apt-get install -qq curl",
        "apt-get update && apt-get install -y \\\n    python3 \\\n    gcc && rm -rf /x",
        "apt-get install -y -t bookworm-backports curl",
        "apt-get -o Foo=bar install -y foo",
        "set -eux; apt-get update; apt-get install -y foo; rm x",
    ),
    "pip": (
        "pip install flask",
        "pip3 install --upgrade pip",
        "python3 -m pip install -U setuptools wheel",
        "pip install git+https://github.com/a/b",
        "pip install x==1 y",
        "pip install --index-url https://e.org/s x",
        "pip install 'x[extra]'",
        "pip install -t /t x",
    ),
    "npm": (
        "npm install express",
        "npm install -g yarn",
        "npm install git://github.com/a/b.git",
        "npm install --global a b@1",
        "npm install @scope/x",
        "npm install github:a/b",
    ),
    "apk": (
        "apk add curl",
        "apk --no-cache add curl wget",
        "apk add --virtual .b gcc make",
        "apk add -t .b gcc",
        "apk add --no-cache --repository http://x/y foo",
    ),
    "gem": ("gem install bundler", "gem install bundler:1.0 rake", "gem i rake", "gem install a b -- --with-x=y"),
    "yum": (
        "yum install -y httpd",
        "yum module install -y nodejs",
        "yum install -y x.rpm y",
        "yum -y install rpm-sign-4.8.0-32 httpd",
    ),
    "zypper": (
        "zypper install -y httpd",
        "zypper in -y httpd",
        "zypper --non-interactive install httpd",
        "zypper install --no-recommends foo",
    ),
    "dnf": (
        "dnf install -y httpd",
        "microdnf install -y foo",
        "dnf module install -y nodejs",
        "dnf install -y --setopt=install_weak_deps=False foo bar-1.0",
    ),
    "go": (
        "go install github.com/a/b",
        "go install github.com/a/b@latest",
        "go get github.com/a/b",
        "go run github.com/a/b@latest",
        "CGO_ENABLED=0 go install x.org/y@latest",
        "go install -v -tags x x.org/y/cmd/...@latest",
    ),
}
FORMS = (
    "RUN {}",
    "RUN set -x && {} && echo",
    "RUN --mount=type=cache,target=/c {}",
    "RUN cd /x && \\\n  {}",
    "ENV A=1\nRUN ({})",
    "RUN [ -f x ] && {} || exit 1",
    "RUN if x; then \\\n   {}; \\\n fi",
    "RUN <<EOF\n{}\nEOF",
    "RUN for i in a b; do {}; done",
    "RUN time {}",
    "ONBUILD RUN {}",
    "RUN env A=b {}",
)
BASES = (
    "FROM debian\nRUN true\n",
    "FROM --platform=linux/amd64 debian AS a\nFROM a\nFROM golang\nCOPY --from=a / /\n",
    "FROM debian:latest\n",
    "FROM registry.example.org:5000/x:latest AS b\nRUN true\nFROM b\n",
)


def bundle() -> list[str]:
    """Write each command in two or three forms, by turns, so that every form meets many of them."""
    texts = list(BASES)
    for turn, command in enumerate(command for commands in COMMANDS.values() for command in commands):
        forms = {FORMS[0], FORMS[turn % len(FORMS)], FORMS[(turn * 5 + 7) % len(FORMS)]}
        texts += [f"FROM debian:12\n{form.format(command)}\n" for form in sorted(forms)]
    return texts


def speaks_at(line: int, risks: tuple[Risk, ...]) -> bool:
    return any(
        risk.instruction is not None
        and risk.instruction.line <= line <= risk.instruction.end_line
        and risk.status == "latent"
        and risk.cause.startswith("unpinned-")
        for risk in risks
    )


def test_whatever_hadolint_says_of_pins_we_say_as_well(tmp_path: Path) -> None:
    beside = Path(sys.executable).with_name("hadolint")
    program = str(beside) if beside.is_file() else shutil.which("hadolint")
    if program is None:
        unavailable("hadolint is not installed")
    texts = {str(tmp_path / f"{number}.Dockerfile"): text for number, text in enumerate(bundle())}
    for path, text in texts.items():
        Path(path).write_text(text, "utf-8")
    done = subprocess.run([str(program), "-f", "json", *texts], capture_output=True, check=False, timeout=120)
    said = [(item["file"], item["line"], item["code"]) for item in json.loads(done.stdout) if item["code"] in RULES]
    assert {code for _, _, code in said} == RULES
    risks = {path: risks_of(text) for path, text in texts.items()}
    missed = [(code, line, texts[path]) for path, line, code in said if not speaks_at(line, risks[path])]
    assert missed == []


@pytest.mark.parametrize("text", bundle())
def test_we_speak_of_each(text: str) -> None:
    wanted = {"unpinned-base"} if text in BASES else {f"unpinned-{name}" for name in (*COMMANDS, "rpm")}
    assert wanted & {risk.cause for risk in risks_of(text) if risk.status == "latent"}


def test_a_thousand_instructions_take_less_than_a_second() -> None:
    text = "FROM debian:12\n" + "RUN apt-get update && apt-get install -y curl && pip install flask\n" * 100
    risks_of(text)
    started = time.process_time()
    risks_of(text)
    assert time.process_time() - started < 1
