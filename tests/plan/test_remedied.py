from __future__ import annotations

from pathlib import Path

from verifier.model.plan import BuildOptions
from verifier.plan import freeze
from verifier.plan.remedied import remedy_plan


def test_every_stage_declares_the_epoch_once_and_the_mode_is_on(tmp_path: Path) -> None:
    root, workspace = tmp_path / "project", tmp_path / "workspace"
    root.mkdir()
    workspace.mkdir()
    (root / "Dockerfile").write_text(
        "ARG BASE=busybox\n"
        "FROM ${BASE} \\\n    AS one\n"
        "RUN echo 1\n"
        "FROM one AS two\n"
        "ARG SOURCE_DATE_EPOCH\n"
        "RUN echo 2\n"
        "FROM two"
    )
    plan = freeze(root / "Dockerfile", root, workspace, "buildkit", BuildOptions(), environment={})
    remedied = remedy_plan(plan, 1_700_000_000, workspace / "remedied")
    assert remedied.dockerfile.copy.read_text().split("\n") == [
        "ARG BASE=busybox",
        "FROM ${BASE} \\",
        "    AS one",
        "ARG SOURCE_DATE_EPOCH",
        "RUN echo 1",
        "FROM one AS two",
        "ARG SOURCE_DATE_EPOCH",
        "RUN echo 2",
        "FROM two",
        "ARG SOURCE_DATE_EPOCH",
        "",
    ]
    assert (remedied.options.reproducible, remedied.options.epoch) == (True, 1_700_000_000)
    assert [item.line for item in remedied.instructions] == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert plan.dockerfile.copy.read_bytes() == plan.dockerfile.raw
