"""The classic builder's stream and the connection below it, byte by byte."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.builders.engine_runs import Listener
from verifier.builders.buildkit_twin import BaseDocuments, read_documents, write_twin
from verifier.builders.docker_stream import ClassicStream
from verifier.clients.engine_endpoint import DEFAULT_HOST, resolve_endpoint
from verifier.clients.engine_stream import MessageDecoder
from verifier.dockerfile.parse import parse_dockerfile
from verifier.errors import BuilderUnavailableError, MalformedImageError

OWN = parse_dockerfile(b"FROM b\nRUN echo\nRUN true\n", "Dockerfile").instructions


def decoded(*texts: str) -> ClassicStream:
    stream = ClassicStream(OWN, Listener())
    for text in texts:
        stream.take({"stream": text})
    stream.finish()
    return stream


def test_objects_are_cut_out_wherever_the_pieces_break() -> None:
    decoder = MessageDecoder()
    data = b'{"stream":"a\\n"}\r\n{"aux":{"ID":"x"}}\n{"error":"e"}'
    found = [message for byte in data for message in decoder.feed(bytes([byte]))]
    assert [*found, *decoder.finish()] == [{"stream": "a\n"}, {"aux": {"ID": "x"}}, {"error": "e"}]


def test_a_cut_object_is_dropped() -> None:
    decoder = MessageDecoder()
    assert [*decoder.feed(b'{"stream":'), *decoder.finish()] == []


def test_steps_images_and_containers() -> None:
    stream = decoded(
        "Step 1/3 : FROM b", "\n", " ---> aaaaaaaaaaaa\n", "Step 2/3 : RUN echo\n", " ---> Running in cccccccccccc\n",
        "hello\n", "Removing intermediate container cccccccccccc\n", " ---> bbbbbbbbbbbb\n", "Step 3/3 : RUN true\n",
        " ---> Using cache\n", " ---> dddddddddddd\n",
    )  # fmt: skip
    assert [(step.instruction.line, step.cached, step.images) for step in stream.steps] == [
        (1, False, ["aaaaaaaaaaaa"]), (2, False, ["bbbbbbbbbbbb"]), (3, True, ["dddddddddddd"]),
    ]  # fmt: skip
    assert stream.containers == []
    assert "hello" in stream.log


def test_triggers_of_the_base_are_told_from_the_base() -> None:
    stream = decoded(
        "Step 1/3 : FROM b\n", "# Executing 2 build triggers\n", " ---> Running in cccccccccccc\n",
        "Removing intermediate container cccccccccccc\n", " ---> aaaaaaaaaaaa\n", "Step 2/3 : RUN echo\n",
    )  # fmt: skip
    assert [(step.triggered, step.images) for step in stream.steps] == [(True, ["aaaaaaaaaaaa"]), (False, [])]


def test_output_that_imitates_the_builder() -> None:
    stream = decoded("Step 1/3 : FROM b\n", " ---> aaaaaaaaaaaa\n", "Step 7/9 : RUN evil\n", "Step 1/3 : FROM b\n")
    assert [step.text for step in stream.steps] == ["FROM b"]


def test_a_failure_inside_the_stream() -> None:
    stream = decoded("Step 1/3 : FROM b\n")
    stream.take({"error": "short", "errorDetail": {"code": 1, "message": "the whole story"}})
    assert stream.error == "the whole story"
    assert stream.instruction == OWN[0]


def test_where_the_engine_is(tmp_path: Path) -> None:
    environment = {"DOCKER_CONFIG": str(tmp_path)}
    assert resolve_endpoint(None, environment).host == DEFAULT_HOST
    context = tmp_path / "contexts" / "meta" / hashlib.sha256(b"far").hexdigest()
    context.mkdir(parents=True)
    (context / "meta.json").write_text(json.dumps({"Endpoints": {"docker": {"Host": "tcp://far:2376"}}}), "utf-8")
    (tmp_path / "config.json").write_text('{"currentContext": "far"}', "utf-8")
    assert resolve_endpoint(None, environment).host == "tcp://far:2376"
    assert resolve_endpoint("default", environment).host == DEFAULT_HOST
    assert resolve_endpoint(None, {**environment, "DOCKER_CONTEXT": "default"}).host == DEFAULT_HOST
    near = {**environment, "DOCKER_HOST": "unix:///near.sock", "DOCKER_CONTEXT": "far"}
    assert resolve_endpoint(None, near).host == "unix:///near.sock"
    with pytest.raises(BuilderUnavailableError, match="context 'gone' cannot be read"):
        resolve_endpoint("gone", environment)


def archive_of(path: Path, entries: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in entries.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            tar.addfile(header, io.BytesIO(data))
    return path


def test_a_twin_differs_in_one_word(tmp_path: Path) -> None:
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "a" * 64]}}
    documents = BaseDocuments(config=config, manifest={"config": {"mediaType": "m"}, "layers": [1]}, layers=("l",))
    write_twin(documents, "name:1", "run-1", tmp_path / "twin.tar")
    again = read_documents(tmp_path / "twin.tar")
    assert again.config == {**config, "rootfs": {**config["rootfs"], "type": "layers run-1"}}  # type: ignore[dict-item]
    assert again.manifest is not None
    assert again.manifest["layers"] == [1]
    assert again.layers == ("l",)


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"manifest.json": b"[]"},
        {"manifest.json": b'[{"Config": "gone", "Layers": []}]'},
        {"manifest.json": b'[{"Config": "c", "Layers": []}]', "c": b"{" * 100_000},
    ],
)
def test_an_export_that_makes_no_sense(tmp_path: Path, entries: dict[str, bytes]) -> None:
    with pytest.raises(MalformedImageError):
        read_documents(archive_of(tmp_path / "base.tar", entries))
