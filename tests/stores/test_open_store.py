from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.stores.store_images import Layout
from verifier.errors import BuilderUnavailableError, ResourceError, StoreError, UnreachableError
from verifier.oci.reference import parse_image_name
from verifier.stores import open_store

NOWHERE = "127.0.0.1:1/sample:one"
"""A registry that refuses the connection."""


class Engine:
    """An engine that has one image, as an archive."""

    def __init__(self, archive: Path | None = None) -> None:
        self.archive = archive
        self.closed = 0

    def inspect_image(self, name: str) -> Mapping[str, Any] | None:
        return {} if name in ("sample:one", NOWHERE) else None

    def save(self, name: str, destination: Path, limit_bytes: int | None = None) -> None:
        assert name == "sample:one"
        assert limit_bytes is not None
        assert limit_bytes > 0
        assert not destination.exists()
        if self.archive is None:
            raise ResourceError("the disk is full")
        destination.write_bytes(self.archive.read_bytes())

    def close(self) -> None:
        self.closed += 1


def no_engine() -> Engine:
    raise BuilderUnavailableError("no engine answers")


def test_bare_name_that_the_engine_has(tmp_path: Path) -> None:
    engine = Engine()
    store = open_store(parse_image_name(NOWHERE), tmp_path, connect=lambda: engine)
    with pytest.raises(UnreachableError, match="refuses the connection") as caught:
        store.load(None)
    assert caught.value.hint == f"the Docker engine has it: docker-daemon:{NOWHERE}"
    assert engine.closed == 1
    store.close()


@pytest.mark.parametrize("name", [f"{NOWHERE}-two", f"docker://{NOWHERE}"])
def test_name_that_the_engine_is_not_asked_for(tmp_path: Path, name: str) -> None:
    store = open_store(parse_image_name(name), tmp_path, connect=Engine)
    with pytest.raises(UnreachableError) as caught:
        store.load(None)
    assert caught.value.hint is None
    store.close()


def test_no_engine_is_no_reason_to_fail_otherwise(tmp_path: Path) -> None:
    store = open_store(parse_image_name(NOWHERE), tmp_path, connect=no_engine)
    with pytest.raises(UnreachableError, match="refuses the connection"):
        store.load(None)
    store.close()


@pytest.mark.timeout(10)
def test_engine_that_does_not_answer_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()

    def silent() -> Engine:
        answer.wait()
        return Engine()

    monkeypatch.setattr("verifier.stores.engine.PATIENCE_SECONDS", 0.1)
    store = open_store(parse_image_name(NOWHERE), tmp_path, connect=silent)
    with pytest.raises(UnreachableError, match="refuses the connection"):
        store.load(None)
    answer.set()
    store.close()


def test_engine_saves_once_and_leaves_nothing(tmp_path: Path) -> None:
    layout = Layout()
    layout.enter(layout.image())
    engine = Engine(layout.write_archive(tmp_path / "saved.tar"))
    work = tmp_path / "work"
    work.mkdir()
    store = open_store(parse_image_name("docker-daemon:sample:one"), work, connect=lambda: engine)
    assert list(work.iterdir()) == []
    assert store.load(None).images[0].manifest == store.load(None).images[0].manifest
    assert engine.closed == 1
    store.close()
    store.close()
    assert list(work.iterdir()) == []


def test_engine_without_the_image(tmp_path: Path) -> None:
    store = open_store(parse_image_name("docker-daemon:sample:two"), tmp_path, connect=Engine)
    with pytest.raises(StoreError, match="the Docker engine has no image sample:two") as caught:
        store.load(None)
    assert caught.value.hint == "docker image ls shows what it has"
    store.close()


def test_engine_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    store = open_store(parse_image_name("docker-daemon:sample:one"), tmp_path, connect=Engine)
    with pytest.raises(ResourceError):
        store.load(None)
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_containers_storage_is_exported_once(tmp_path: Path) -> None:
    exported: list[str] = []

    def export(name: str, folder: Path) -> None:
        exported.append(name)
        layout = Layout()
        layout.enter(layout.image())
        layout.write_folder(folder)

    store = open_store(parse_image_name("containers-storage:localhost/sample:one"), tmp_path, export=export)
    assert len(store.load(None).images) == len(store.load(None).images) == 1
    assert exported == ["localhost/sample:one"]
    store.close()
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def export(name: str, folder: Path) -> None:
        folder.mkdir()
        raise StoreError("no such image")

    store = open_store(parse_image_name("containers-storage:x"), tmp_path, export=export)
    with pytest.raises(StoreError):
        store.load(None)
    assert list(tmp_path.iterdir()) == []
    store.close()
