from __future__ import annotations

import os
from pathlib import Path

import pytest

from verifier.errors import UsageError
from verifier.model.plan import FrozenContext
from verifier.oci.digest import parse_digest
from verifier.plan import context_facts
from verifier.plan.context_facts import frozen_context_facts, read_context_facts


def make(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "Dockerfile"


def test_paths_and_texts_are_those_that_the_builder_would_see(tmp_path: Path) -> None:
    dockerfile = make(
        tmp_path,
        {
            "Dockerfile": "FROM a",
            ".dockerignore": "*.log\nout\n!out/keep.txt\n",
            "a.log": "",
            "out/x": "",
            "out/keep.txt": "kept",
            "deps/requirements.txt": "a==1",
            ".git/HEAD": "",
        },
    )
    facts = read_context_facts(dockerfile, tmp_path)
    assert facts.ignore_file == ".dockerignore"
    assert facts.complete
    assert facts.paths >= {".git", "deps", "deps/requirements.txt", "out/keep.txt", "Dockerfile"}
    assert not facts.paths & {"a.log", "out", "out/x", ".git/HEAD"}
    assert facts.texts == {"deps/requirements.txt": "a==1", "out/keep.txt": "kept"}


def test_a_frozen_context_remembers_its_ignore_file(tmp_path: Path) -> None:
    make(tmp_path, {"requirements.txt": "a==1"})
    digest = parse_digest("sha256:" + "0" * 64)
    frozen = FrozenContext(
        path="/elsewhere",
        archive=tmp_path / "none",
        directory=tmp_path,
        digest=digest,
        archive_digest=digest,
        files=1,
        bytes=4,
        ignore_file="/elsewhere/.dockerignore",
    )
    facts = frozen_context_facts(frozen)
    assert facts.ignore_file == ".dockerignore"
    assert facts.texts == {"requirements.txt": "a==1"}


def test_a_large_context_is_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dockerfile = make(tmp_path, {"Dockerfile": "FROM a", **{f"f{number}": "" for number in range(20)}})
    monkeypatch.setattr(context_facts, "MAX_PATHS", 10)
    facts = read_context_facts(dockerfile, tmp_path)
    assert not facts.complete
    assert len(facts.paths) == 10


def test_nothing_holds_it_up_or_leads_it_out(tmp_path: Path) -> None:
    dockerfile = make(tmp_path, {"Dockerfile": "FROM a"})
    os.mkfifo(tmp_path / "fifo.txt")
    (tmp_path / "link.txt").symlink_to("/etc/passwd")
    (tmp_path / "loop").symlink_to(".")
    facts = read_context_facts(dockerfile, tmp_path)
    assert facts.texts == {}
    assert facts.paths == {"Dockerfile", "fifo.txt", "link.txt", "loop"}


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such context"):
        read_context_facts(tmp_path / "Dockerfile", tmp_path / "none")
