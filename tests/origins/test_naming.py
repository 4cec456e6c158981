"""Whether a command names a file."""

from __future__ import annotations

import pytest

from verifier.origins.naming import Naming


@pytest.mark.parametrize(
    ("command", "path", "folder"),
    [
        ("cp /a /b", "/a", "/"),
        ("cp a b", "/src/a", "/src"),
        ("cp ./a/../c b", "/src/c", "/src"),
        ("tar -cf /x.tar -C / data", "/data/deep/file", "/src"),
        ("cp -r /data/. /to", "/data/deep/file", "/"),
        ('cp "/a"; true', "/a", "/"),
        ("cp /data/*.bin /to", "/data/one.bin", "/"),
        ("cp /data/* /to", "/data/deep/file", "/"),
        ("cd /src && cp build/a /to", "/src/build/a", "/"),
        ("cp a /to", "/src/a", None),
        ("cp /m/out/a /to", "/out/a", "/"),
        ("tar -cf /x.tar .", "/src/a", "/src"),
    ],
)
def test_named(command: str, path: str, folder: str | None) -> None:
    assert Naming(command, folder).names(path)


@pytest.mark.parametrize(
    ("command", "path", "folder"),
    [
        ("date > /b", "/a", "/"),
        ("cp / /to", "/a", "/"),
        ("cp . /to", "/a", "/"),
        ("cp /ab /to", "/a", "/"),
        ("cp xa /to", "/src/a", "/"),
        ("cp /data/*.bin /to", "/data/one.txt", "/"),
        ("cp *.bin /to", "/other/one.bin", "/data"),
        ("make install", "/src/app", None),
    ],
)
def test_not_named(command: str, path: str, folder: str | None) -> None:
    assert not Naming(command, folder).names(path)
