"""What is taken from a published image: from its documents, made in memory, and from BuildKit's own provenance."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import verify_build
from tests.pin.published_images import publish
from tests.stores.store_images import (
    AMD64,
    Layout,
    as_attestation,
    config_json,
    load,
    tar_of,
    to_json,
    with_platform,
)
from verifier.dockerfile import parse_dockerfile
from verifier.dockerfile.arguments import host_platform
from verifier.model.instruction import Instruction, StageRef
from verifier.model.plan import BaseReference
from verifier.model.request import VerifyRequest
from verifier.oci.digest import Digest
from verifier.oci.image import ImageSet
from verifier.oci.media_types import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST
from verifier.oci.platform import Platform
from verifier.oci.reference import parse_reference
from verifier.pipeline.published import Taken, hinted, take
from verifier.stores.registry import Repository

SOURCE, TITLE = "org.opencontainers.image.source", "org.opencontainers.image.title"
OTHER = Platform(os="linux", architecture="s390x")
REQUEST = VerifyRequest(dockerfile=Path("Dockerfile"), reproducible=True)


def published(folder: Path, platform: Platform | None = None, statement: Any = None, **more: Any) -> ImageSet:
    """One image in a layout; `more` goes into its config, `statement` into an attestation beside it."""
    platform = platform or host_platform()
    layout, layer = Layout(), tar_of({"file": b"hello"})
    config = layout.blob(config_json([layer], platform, **more), OCI_CONFIG)
    manifest: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config}
    image = layout.blob(to_json({**manifest, "layers": [layout.blob(layer, OCI_LAYER)]}), OCI_MANIFEST)
    root = image
    if statement is not None:
        annotations = {"in-toto.io/predicate-type": statement["predicateType"]}
        stated = layout.blob(to_json(statement), "application/vnd.in-toto+json", annotations=annotations)
        diff_ids = {"type": "layers", "diff_ids": [stated["digest"]]}
        inner = layout.blob(to_json({"architecture": "unknown", "os": "unknown", "rootfs": diff_ids}), OCI_CONFIG)
        beside = layout.blob(to_json({**manifest, "config": inner, "layers": [stated]}), OCI_MANIFEST)
        root = layout.index(with_platform(image, platform), as_attestation(beside, image))
    layout.enter(root, "one")
    return load(f"oci:{layout.write_folder(folder / 'layout')}", folder)


def taken(image: ImageSet, lines: str = "FROM scratch\n", request: VerifyRequest = REQUEST, **more: Any) -> Taken:
    return take(
        image,
        request,
        parse_dockerfile(lines.encode(), "Dockerfile"),
        more.get("builder", "buildkit"),
        more.get("environment", {}),
    )


@pytest.mark.parametrize(
    ("created", "seconds", "said"),
    [
        ("2023-11-14T22:13:20Z", "1700000000", "SOURCE_DATE_EPOCH 1700000000, from `created`"),
        ("2023-11-14T23:13:20.000000000+01:00", "1700000000", "from `created`"),
        ("2023-11-14T22:13:20.987654321Z", "1700000000", "without its fraction of a second"),
        ("0001-01-01T00:00:00Z", None, "is before 1970"),
        ("2023-11-14", None, "no `created` that is a time"),
        (None, None, "no `created` that is a time"),
    ],
)
def test_created_is_the_epoch(tmp_path: Path, created: str | None, seconds: str | None, said: str) -> None:
    found = taken(published(tmp_path, **({} if created is None else {"created": created})))
    assert found.request.source_date_epoch == seconds
    (note,) = found.notes
    assert said in note


def test_what_the_user_says_wins(tmp_path: Path) -> None:
    image = published(tmp_path, created="2023-11-14T22:13:20Z")
    asked = VerifyRequest(dockerfile=Path("Dockerfile"), reproducible=True, source_date_epoch="5")
    assert taken(image, request=asked) == Taken(request=asked)
    assert taken(image, environment={"SOURCE_DATE_EPOCH": "6"}) == Taken(request=REQUEST)
    usual = VerifyRequest(dockerfile=Path("Dockerfile"))
    assert taken(image, request=usual) == Taken(request=usual)


def test_platform_is_taken_where_it_is_another(tmp_path: Path) -> None:
    found = taken(published(tmp_path, OTHER))
    assert found.request.platform == OTHER
    asked = VerifyRequest(dockerfile=Path("Dockerfile"), platform=host_platform())
    assert taken(published(tmp_path, OTHER), request=asked).request.platform == host_platform()


def test_labels_that_the_dockerfile_does_not_set(tmp_path: Path) -> None:
    config = {"Labels": {SOURCE: "https://example.com", TITLE: "x", "maintainer": "somebody"}}
    image = published(tmp_path, config=config)
    assert dict(taken(image).labels) == {SOURCE: "https://example.com", TITLE: "x"}
    assert dict(taken(image, f'FROM scratch\nLABEL "{TITLE}"="y"\n').labels) == {SOURCE: "https://example.com"}
    assert taken(image, "FROM scratch\nARG KEY\nLABEL $KEY=y\n").labels == ()
    assert taken(image, builder="docker").labels == ()


def test_labels_that_other_builders_wrote_into_the_history(tmp_path: Path) -> None:
    config = {"Labels": {SOURCE: "https://example.com", TITLE: "x"}}
    history = [{"created_by": "/bin/sh -c #(nop) COPY x"}, {"created_by": f"LABEL {TITLE}=x", "empty_layer": True}]
    image = published(tmp_path, config=config, history=history)
    assert dict(taken(image, builder="docker").labels) == {TITLE: "x"}


def statement(**arguments: str) -> dict[str, Any]:
    predicate = {
        "invocation": {"parameters": {"args": {key.replace("__", ":"): value for key, value in arguments.items()}}},
        "materials": [{"uri": "pkg:docker/busybox@stable", "digest": {"sha256": "1" * 64}}],
        "metadata": {"completeness": {"parameters": True}},
    }
    return {"predicateType": "https://slsa.dev/provenance/v0.2", "predicate": predicate}


def test_provenance_is_a_hint_and_called_that(tmp_path: Path) -> None:
    arguments = {
        "build-arg__VERSION": "7",
        "build-arg__MINE": "theirs",
        "build-arg__BUILDKIT_INLINE_CACHE": "1",
        "build-arg__https_proxy": "http://proxy.invalid",
        "label__any": "x",
        "target": "app",
    }
    image = published(tmp_path, AMD64, statement(**arguments), created="2023-11-14T22:13:20Z")
    asked = VerifyRequest(dockerfile=Path("Dockerfile"), build_args=(("MINE", "mine"),), platform=AMD64)
    found = taken(image, "FROM scratch AS app\nFROM scratch\n", asked)
    assert found.request.build_args == (("MINE", "mine"), ("VERSION", "7"))
    assert (found.request.target, found.labels) == ("app", (("any", "x"),))
    (note,) = found.notes
    assert "which is unsigned and a hint: build argument VERSION, target app, label any" in note
    assert "7" not in note.partition("hint: ")[2]  # names alone: a value may be secret


def test_provenance_that_cannot_be_read_is_said_to_be(tmp_path: Path) -> None:
    image = published(tmp_path, AMD64, {"predicateType": "https://slsa.dev/provenance/v0.2", "predicate": []})
    found = taken(image, request=VerifyRequest(dockerfile=Path("Dockerfile"), platform=AMD64))
    assert "cannot be used: provenance: predicate is not an object" in found.notes[0]


def test_only_a_base_that_nothing_else_holds_gets_a_digest() -> None:
    told, own = Digest("sha256:" + "1" * 64), Digest("sha256:" + "2" * 64)
    names = ["busybox:stable", f"busybox:stable@{own}", "debian:12", "alpine"]
    instruction = Instruction(stage=StageRef(index=0), line=1, end_line=1, text="FROM x")
    references = tuple(
        BaseReference(reference=name, instruction=instruction, platform=None, final=False) for name in names
    )
    bases = [("docker.io/library/busybox:stable", told), ("docker.io/library/alpine:latest", told)]
    dockerfile = parse_dockerfile(b"FROM alpine AS alpine\nFROM busybox:stable\n", "Dockerfile")
    assert [base.locked for base in hinted(references, bases, dockerfile)] == [told, None, None, None]


@pytest.mark.buildkit
@pytest.mark.registry
def test_the_published_image_against_its_source(
    registry: str, tmp_path: Path, builder_environment: Callable[..., Mapping[str, str]]
) -> None:
    """Argument, label, target, epoch and the base's digest are taken, though the base's tag has moved since.

    With another source the difference has its line; a base that is gone from the registry ends nothing.
    """
    environment = builder_environment("buildkit")
    place = f"{registry}/{os.urandom(4).hex()}"
    before = publish(f"{place}/base:1", {"base": b"before"})
    context = tmp_path / "context"
    context.mkdir()
    (context / "file").write_text("hello", encoding="utf-8")
    dockerfile = context / "Dockerfile"
    lines = [
        f"FROM {place}/base:1 AS app",
        "ARG VERSION=0",
        "LABEL version=$VERSION",
        "COPY file /srv/",
        "FROM scratch",
    ]
    dockerfile.write_text("\n".join(lines) + "\n", encoding="utf-8")
    name = f"{place}/app:1"
    options = ["--provenance=mode=max", "--build-arg=VERSION=7", "--build-arg=SOURCE_DATE_EPOCH=1700000000"]
    options += ["--target=app", f"--label={TITLE}=x"]
    options += [f"--output=type=image,name={name},push=true,store=false,rewrite-timestamp=true"]
    argv = ["docker", "buildx", "build", "--quiet", *options, context]
    subprocess.run(argv, env=dict(environment), check=True, capture_output=True, timeout=200)
    after = publish(f"{place}/base:1", {"base": b"after"})

    def against() -> dict[str, Any]:
        options = ["--builder", "buildkit", "--reproducible", "--against", name, "--format", "json", "--no-ledger"]
        done = verify_build(dockerfile, *options, "--quiet", environment=environment)
        assert done.returncode in (0, 1), done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    report = against()
    assert (report["outcome"], report["level"]) == ("reproducible", "manifest"), report["differences"]
    assert [base["digest"] for base in report["inputs"]["bases"]] == [before]
    assert report["inputs"]["epoch"] == 1700000000
    notes = "\n".join(report["notes"])
    assert f"build argument VERSION, target app, label {TITLE}" in notes
    assert f"taken from the provenance, a hint: base {place}/base:1 is {before}" in notes
    with Repository(parse_reference(f"{place}/base")) as repository:
        assert repository.delete_tag(before)
    (context / "file").write_text("changed", encoding="utf-8")
    report = against()
    assert report["outcome"] == "different"
    (base,) = report["inputs"]["bases"]
    assert base["digest"] == after
    assert any(note.startswith("the bases are not what the provenance names") for note in report["notes"])
    (changed,) = [item for item in report["differences"] if item["path"] == "/srv/file" and item["field"] == "content"]
    layer = report["builds"]["second"]["layers"][changed["layer"]["second"]]
    assert layer["instruction"]["line"] == 4
