"""Settings beside the Dockerfile: found upwards, checked, and never stronger than the command line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from verifier.cli.in_force import in_force, parse_with_settings
from verifier.errors import UsageError
from verifier.model.tolerance import Tolerance
from verifier.settings import find_settings, read_settings

TOLERATE = """
[[tolerate]]
cause = "file-mtime"
path = "/var/log/**"
reason = "nobody reads it"
expires = 2027-01-31
"""


def write(folder: Path, text: str, name: str = ".verify-build.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def test_the_nearest_file_wins_whole(tmp_path: Path) -> None:
    write(tmp_path, 'builder = "docker"\nquiet = true\n')
    near = write(tmp_path / "a", 'builder = "buildah"\n')
    settings = find_settings(tmp_path / "a" / "b" / "Dockerfile")
    assert settings is not None
    assert settings.path == near
    assert settings.options == {"builder": ("--builder=buildah",)}


def test_a_pyproject_counts_where_it_speaks_of_us(tmp_path: Path) -> None:
    write(tmp_path, '[tool.verify-build]\nrequire = "files"\n', "pyproject.toml")
    write(tmp_path / "a", "[tool.other]\n", "pyproject.toml")
    settings = find_settings(tmp_path / "a" / "Dockerfile")
    assert settings is not None
    assert settings.options == {"require": ("--require=files",)}


def test_the_command_line_is_stronger(tmp_path: Path) -> None:
    write(tmp_path, 'builder = "buildah"\nreproducible = true\nquiet = false\n[build-arg]\nA = "1"\n')
    dockerfile = str(tmp_path / "Dockerfile")
    arguments, _ = parse_with_settings([dockerfile, "--builder", "podman", "--build-arg", "B=2"])
    assert (arguments.builder, arguments.reproducible, arguments.quiet) == ("podman", True, False)
    assert arguments.build_arg == ["A=1", "B=2"]
    arguments, settings = parse_with_settings(["verify", dockerfile, "--no-config"])
    assert (arguments.builder, settings) == ("auto", None)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'context = "src"\n')
    arguments, _ = parse_with_settings([str(tmp_path / "a" / "Dockerfile")])
    assert arguments.context == str(tmp_path / "src")


def test_what_is_in_force_says_from_where(tmp_path: Path) -> None:
    path = write(tmp_path, 'builder = "buildah"\nno-ledger = true\n')
    rows, _ = in_force(str(tmp_path / "Dockerfile"))
    values = {row.option: (row.value, row.source) for row in rows}
    assert values["builder"] == ("buildah", str(path))
    assert values["no-ledger"] == (True, str(path))
    assert values["no-explain"] == (False, "default")
    assert values["builds"] == (2, "default")


def test_a_tolerance_is_read(tmp_path: Path) -> None:
    (found,) = read_settings(write(tmp_path, TOLERATE)).tolerances
    assert found == Tolerance(
        cause="file-mtime",
        path="/var/log/**",
        field=None,
        reason="nobody reads it",
        expires=date(2027, 1, 31),
        place=".verify-build.toml: tolerate[0]",
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("builder = ", "is not TOML"),
        ("x = 1\n", "no option 'x'"),
        ('builder = "kaniko"\n', "verify-build.toml: .*kaniko"),
        ("builder = 2026-01-01\n", "builder is neither"),
        ('report = ["json=x"]\n', "no option 'report'"),
        ("tolerate = 1\n", "tolerate is not"),
        ('[[tolerate]]\ncause = "file-mtime"\n', "has no reason"),
        ('[[tolerate]]\ncause = "file-mtime"\nreason = " "\n', "reason is not a text"),
        ('[[tolerate]]\nreason = "x"\n', "names nothing"),
        ('[[tolerate]]\ncause = "file-mtimes"\nreason = "x"\n', "no cause 'file-mtimes'"),
        ('[[tolerate]]\nfield = "setuid"\nreason = "x"\n', "needs a path"),
        ('[[tolerate]]\npath = "/x"\nreason = "x"\nexpires = "soon"\n', "expires is no date"),
        ('[[tolerate]]\npath = "/x"\nreason = "x"\nuntil = 1\n', "no key 'until'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, place: str) -> None:
    write(tmp_path, text)
    with pytest.raises(UsageError, match=place):
        parse_with_settings([str(tmp_path / "Dockerfile")])


def test_a_file_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        parse_with_settings([str(tmp_path / "Dockerfile"), "--config", str(tmp_path / "none.toml")])
