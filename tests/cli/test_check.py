from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from tests.cli.tool import error_lines, verify_build

SCHEMA = json.loads(resources.files("verifier.reports").joinpath("schemas/check-v1.schema.json").read_text())
PINNED = "FROM busybox@sha256:" + "0" * 64 + "\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [(PINNED, 0), (PINNED + "RUN date > /built\n", 1), ("FROM busybox\n", 1), ("", 2), ("FROM\n", 2)],
    ids=["pinned", "date", "no-digest", "empty", "syntax"],
)
def test_the_exit_code_says_whether_there_is_something_to_mend(tmp_path: Path, text: str, status: int) -> None:
    (tmp_path / "Dockerfile").write_text(text)
    done = verify_build("check", tmp_path / "Dockerfile", "--format", "json")
    assert done.returncode == status, done.stderr
    if status == 2:
        error_lines(done)
    else:
        value = json.loads(done.stdout)
        jsonschema.Draft202012Validator(SCHEMA).validate(value)
        assert (value["counts"]["to_mend"] > 0) is (status == 1)


def test_the_text_names_file_line_and_remedy(tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(PINNED + "\nRUN true && \\\n    date > /built\n")
    done = verify_build("check", dockerfile)
    assert f"{dockerfile}:4:" in done.stdout
    assert "remedy:" in done.stdout


def test_causes_lists_the_catalogue_and_shows_a_page() -> None:
    assert "file-mtime" in verify_build("causes").stdout
    page = verify_build("causes", "file-mtime").stdout
    assert page.startswith("file-mtime\n")
    assert "Remedy:" in page
    unknown = verify_build("causes", "file-mtim")
    assert unknown.returncode == 2
    assert "file-mtime" in error_lines(unknown)[1]
