"""What the tests of the engine's two builders share: a frozen plan, a listener, an engine to talk to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from verifier.builders.protocol import Builder, BuilderSession
from verifier.model.build import Build, BuilderName
from verifier.model.plan import BuildOptions, Plan
from verifier.plan.freeze import freeze

VARIABLES = ("DOCKER_HOST", "DOCKER_CONFIG", "PATH")


class Listener:
    """Keeps what it hears; `on_step` is called with a step's text, and may interrupt."""

    def __init__(self, on_step: Callable[[str], None] | None = None) -> None:
        self.lines: list[str] = []
        self.steps: list[str] = []
        self._on_step = on_step

    def output(self, line: str) -> None:
        self.lines.append(line)

    def step(self, number: int, total: int | None, text: str) -> None:  # noqa: ARG002 - the protocol's
        self.steps.append(text)
        if self._on_step is not None:
            self._on_step(text)


def use(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process, and what it starts, talk to an engine."""
    for variable in VARIABLES:
        monkeypatch.setenv(variable, environment[variable])
    for variable in ("DOCKER_CONTEXT", "BUILDX_BUILDER", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(variable, raising=False)


def make_plan(
    folder: Path, builder: BuilderName, dockerfile: str, files: Mapping[str, str] | None = None, **options: Any
) -> Plan:
    """Freeze a context of `files` with its Dockerfile, under `folder`."""
    context = folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(dockerfile, "utf-8")
    for name, content in (files or {}).items():
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(content, "utf-8")
    return freeze_plan(folder, context / "Dockerfile", context, builder, **options)


def freeze_plan(folder: Path, dockerfile: Path, context: Path, builder: BuilderName, **options: Any) -> Plan:
    workspace = folder / "workspace"
    workspace.mkdir()
    return freeze(dockerfile, context, workspace, builder, BuildOptions(**{"network": "none", **options}))


def build_once(builder: Builder, plan: Plan, listener: Listener | None = None) -> Build:
    """Hold, build once, close; nothing may be left over, whatever happened."""
    session = builder.open(plan.workspace)
    try:
        with session:
            session.refuse(plan)
            session.hold(plan.references)
            return session.build(plan, 1, listener or Listener())
    finally:
        check_nothing_left(session)


def check_nothing_left(session: BuilderSession) -> None:
    """Hold that nothing is left over, but for what is named because the engine's cache has other people's steps."""
    left = [words for words in session.leftovers() if "left to BuildKit's own collection" not in words]
    assert not left, f"left over: {left}"


def build_twice(
    builder: Builder,
    plan: Plan,
    between: Callable[[BuilderSession], None] = lambda _: None,
    listener: Listener | None = None,
) -> tuple[Build, Build]:
    """Refuse, hold, build twice, close; nothing may be left over."""
    with builder.open(plan.workspace) as session:
        session.refuse(plan)
        session.hold(plan.references)
        first = session.build(plan, 1, listener or Listener())
        between(session)
        second = session.build(plan, 2, listener or Listener())
    check_nothing_left(session)
    return first, second


def docker(*arguments: str, stdin: str = "") -> str:
    """Run the docker client of the engine in use and give its output."""
    done = subprocess.run(
        ["docker", *arguments], input=stdin, capture_output=True, text=True, check=False, timeout=120, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
