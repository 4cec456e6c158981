"""Causes in what is said about the image: config, manifest, index."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.causes.sides import (
    FIRST,
    SECOND,
    WINDOWS,
    causes,
    explain_configs,
    explain_images,
    explain_layers,
    rfc3339,
)
from tests.compare.layer_images import PLAIN, file, image, indexed, tar
from tests.images import AMD64, comparison
from verifier.causes.cause import SideContext
from verifier.compare import compare
from verifier.compare.contents_reader import ImageSetReader
from verifier.explain import explain
from verifier.model.build import BuilderName
from verifier.model.difference import Difference
from verifier.model.finding import Explanation
from verifier.oci.tar_entry import HeldEntry

LAYER = tar([file("f", b"x")])


def history(created: str, created_by: str = "RUN step 0", **more: str) -> dict[str, Any]:
    return {"history": [{"created": created, "created_by": created_by, **more}]}


def test_times_of_config_and_history_within_the_windows() -> None:
    first, second = rfc3339(FIRST + 1), rfc3339(SECOND + 1)
    explanation = explain_configs({"created": first, **history(first)}, {"created": second, **history(second)})
    assert causes(explanation) == ["config-created"]
    assert len(explanation.findings[0].differences) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (rfc3339(FIRST - 10), rfc3339(SECOND)),
        ("2026-11-18", rfc3339(SECOND)),
        ("yesterday", rfc3339(SECOND)),
        (rfc3339(FIRST), rfc3339(SECOND) + " "),
    ],
)
def test_other_values_of_created_are_residue(first: str, second: str) -> None:
    assert causes(explain_configs({"created": first}, {"created": second})) == ["residue"]


def test_a_time_under_another_key_is_not_the_configs_own() -> None:
    labels = ({"config": {"Labels": {"created": rfc3339(moment)}}} for moment in (FIRST, SECOND))
    explanation = explain_configs(*labels)
    assert causes(explanation) == ["volatile-label"]
    assert explanation.findings[0].confidence == "likely"


def test_one_epoch_on_both_sides_leaves_no_difference() -> None:
    epoch = {"created": "1980-01-01T00:00:00Z"}
    assert explain_configs(epoch, epoch).of == 0


def explain_indexes(first: dict[str, Any], second: dict[str, Any]) -> Explanation:
    sets = indexed(image(LAYER), more=first), indexed(image(LAYER), more=second)
    with tempfile.TemporaryDirectory() as workspace:
        comparison = compare(*sets, workspace=Path(workspace))
    return explain(
        comparison, first=WINDOWS[0], second=WINDOWS[1], contents=ImageSetReader(*sets), instructions=lambda _: None
    )


def annotations(value: str, key: str = "org.opencontainers.image.created") -> dict[str, Any]:
    return {"annotations": {key: value}}


def test_an_indexs_created_annotation() -> None:
    explanation = explain_indexes(annotations(rfc3339(FIRST)), annotations(rfc3339(SECOND)))
    assert causes(explanation) == ["index-created-annotation"]


def test_another_annotation_or_another_time_is_residue() -> None:
    other = "org.opencontainers.image.revision"
    assert causes(explain_indexes(annotations("a", other), annotations("b", other))) == ["residue"]
    assert causes(explain_indexes(annotations(rfc3339(FIRST - 9)), annotations(rfc3339(SECOND)))) == ["residue"]


def test_one_stream_compressed_in_two_ways() -> None:
    first, second = (
        image(LAYER, compress=lambda data, level=level: gzip.compress(data, level, mtime=0)) for level in (1, 9)
    )
    explanation = explain_images(first, second)
    assert causes(explanation) == ["layer-compression"]
    assert explanation.findings[0].confidence == "proven"


def test_a_layer_that_one_side_leaves_plain() -> None:
    first, second = image(LAYER), image(LAYER, compress=bytes, media_type=PLAIN)
    assert set(causes(explain_images(first, second))) == {"layer-compression"}


def test_other_content_is_no_matter_of_compression() -> None:
    explanation = explain_layers(LAYER, tar([file("f", b"y")]))
    assert causes(explanation) == ["residue"]


DOCKER = {
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
}


def test_dockers_media_types_against_ocis() -> None:
    first = image(LAYER)
    second = image(LAYER, manifest=DOCKER, media_type="application/vnd.docker.image.rootfs.diff.tar.gzip")
    explanation = explain_images(first, second)
    assert causes(explanation) == ["media-type"]
    assert len(explanation.findings[0].differences) == 2


def test_an_unknown_media_type_is_residue() -> None:
    second = image(LAYER, media_type="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
    assert causes(explain_images(image(LAYER), second)) == ["residue"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"container": "a" * 64}, {"container": "b" * 64}),
        ({"container_config": {"Hostname": "0" * 12}}, {"container_config": {"Hostname": "1" * 12}}),
        ({"config": {"Image": "sha256:" + "a" * 64}}, {"config": {"Image": "sha256:" + "b" * 64}}),
        ({"docker_version": "20.10.24+dfsg1"}, {"docker_version": "28.5.2"}),
        (
            {"config": {"Labels": {"io.buildah.version": "1.28.2"}}},
            {"config": {"Labels": {"io.buildah.version": "1.42.0"}}},
        ),
        (
            history("2024-01-01T00:00:00Z", comment="FROM " + "a" * 12),
            history("2024-01-01T00:00:00Z", comment="FROM " + "b" * 12),
        ),
    ],
)
def test_what_the_builder_writes_of_itself(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert causes(explain_configs(first, second)) == ["builder-identity"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"container": "a" * 64}, {"container": "b" * 63}),
        ({"config": {"Hostname": "web-1"}}, {"config": {"Hostname": "web-2"}}),
        ({"config": {"Labels": {"version": "1"}}}, {"config": {"Labels": {"version": "2"}}}),
        ({"config": {"User": "a"}}, {"config": {"User": "b"}}),
        ({"config": {"Env": ["A=1"]}}, {"config": {"Env": ["A=2"]}}),
        (
            history("2024-01-01T00:00:00Z", comment="FROM scratch"),
            history("2024-01-01T00:00:00Z", comment="FROM busybox"),
        ),
    ],
)
def test_what_is_not_the_builders_own(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert causes(explain_configs(first, second)) == ["residue"]


BASE = "org.opencontainers.image.base.digest"


@pytest.mark.parametrize(("builder", "expected"), [("buildah", ["builder-identity"]), (None, ["residue"])])
def test_the_parents_digest_is_the_builders_where_one_built(builder: BuilderName | None, expected: list[str]) -> None:
    first, second = (image(LAYER, manifest=annotations("sha256:" + digit * 64, BASE)) for digit in "ab")
    sides = tuple(SideContext(window=side.window, builder=builder) for side in WINDOWS)
    assert causes(explain_images(first, second, sides)) == expected


def by(text: str) -> dict[str, Any]:
    return history("2024-01-01T00:00:00Z", text)


@pytest.mark.parametrize(
    "template",
    [
        "RUN |1 DATE={} /bin/sh -c make # buildkit",
        "|1 DATE={} /bin/sh -c make",
        "RUN |2 A=1 DATE={} /bin/sh -c make # buildkit",
        "/bin/sh -c #(nop)  ARG DATE={}",
        "ARG DATE={}",
    ],
)
def test_a_build_arguments_value_in_the_history(template: str) -> None:
    explanation = explain_configs(by(template.format("2024-01-01")), by(template.format("2024-01-02")))
    assert causes(explanation) == ["build-arg-leak"]
    assert explanation.findings[0].opaque
    assert explanation.findings[0].confidence == "likely"
    assert "2024" not in str(explanation.findings[0].evidence)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("RUN |1 A=1 /bin/sh -c make a", "RUN |1 A=2 /bin/sh -c make b"),
        ("RUN |1 A=1 /bin/sh -c make", "RUN |1 B=1 /bin/sh -c make"),
        ("RUN |1 A=1 /bin/sh -c make", "RUN |2 A=1 B=2 /bin/sh -c make"),
        ("RUN /bin/sh -c A=1 make", "RUN /bin/sh -c A=2 make"),
        ("ENV A=1", "ENV A=2"),
    ],
)
def test_another_command_is_no_argument(first: str, second: str) -> None:
    assert "residue" in causes(explain_configs(by(first), by(second)))


class NothingToRead:
    def contents(self, *_: object) -> dict[tuple[bytes, int], bytes]:
        return {}

    def entries(self, *_: object) -> dict[tuple[bytes, int], HeldEntry]:
        return {}

    def document(self, *_: object) -> None:
        return None


def explain_statement(pointer: str, first: str, second: str) -> Explanation:
    """Explain one differing value of a provenance statement."""
    item = Difference(
        platform=AMD64, part="attestation", field=f"/layers/0/statement/predicate{pointer}", first=first, second=second
    )
    return explain(
        comparison(differences=(item,)),
        first=WINDOWS[0],
        second=WINDOWS[1],
        contents=NothingToRead(),
        instructions=lambda _: None,
    )


@pytest.mark.parametrize(
    ("pointer", "first", "second"),
    [
        ("/metadata/buildInvocationID", "0" * 25, "k3v" + "1" * 22),
        ("/runDetails/metadata/invocationId", "0" * 25, "k3v" + "1" * 22),
        ("/metadata/buildStartedOn", rfc3339(FIRST), rfc3339(SECOND)),
        ("/runDetails/metadata/finishedOn", rfc3339(FIRST), rfc3339(SECOND)),
    ],
)
def test_what_a_provenance_says_of_its_one_build(pointer: str, first: str, second: str) -> None:
    explanation = explain_statement(pointer, first, second)
    assert causes(explanation) == ["attestation-manifest"]
    assert explanation.findings[0].confidence == "likely"


@pytest.mark.parametrize(
    ("pointer", "first", "second"),
    [
        ("/metadata/buildInvocationID", "0" * 25, "0" * 24),
        ("/metadata/buildStartedOn", rfc3339(FIRST - 100), rfc3339(SECOND)),
        ("/invocation/parameters/args/build-arg:A", "1", "2"),
        ("/materials/0/digest/sha256", "a" * 64, "b" * 64),
        ("/builder/id", "a", "b"),
    ],
)
def test_what_else_a_provenance_says(pointer: str, first: str, second: str) -> None:
    assert causes(explain_statement(pointer, first, second)) == ["residue"]


@pytest.mark.parametrize(
    ("key", "first", "second"),
    [
        ("build-date", "2026-11-18T11:06:40Z", "2024-01-01T00:00:00Z"),
        ("build-date", "2026-11-18", "2024-01-01"),
        ("org.opencontainers.image.revision", "a" * 40, "b" * 40),
        ("vcs-ref", "0" * 40, "1" * 40),
        ("instance", "0b7e1b0c-9d6c-4a4e-8f5e-1d2c3b4a5f60", "f3a0c1d2-0001-4fff-b123-000000000001"),
        ("ci.build-number", "811", "812"),
    ],
)
def test_a_label_that_is_meant_to_vary(key: str, first: str, second: str) -> None:
    explanation = explain_configs({"config": {"Labels": {key: first}}}, {"config": {"Labels": {key: second}}})
    assert causes(explanation) == ["volatile-label"]
    assert (explanation.findings[0].confidence, explanation.findings[0].opaque) == ("likely", True)
    name = key.replace("-", "_").replace(".", "_").upper()
    variables = ({"config": {"Env": [f"{name}={value}"]}} for value in (first, second))
    assert causes(explain_configs(*variables)) == ["volatile-label"]
    assert causes(explain_configs(by(f"LABEL {key}={first}"), by(f"LABEL {key}={second}"))) == ["volatile-label"]


@pytest.mark.parametrize(
    ("key", "first", "second"),
    [
        ("version", "1", "2"),
        ("maintainer", "a", "b"),
        ("gpg.key", "a" * 40, "b" * 40),
        ("vcs-ref", "a" * 40, "b" * 39),
        ("build-date", "2026-11-18", "2024-01-01T00:00:00Z"),
        ("build-date", "2026-11-18 of x", "2024-01-01 of x"),
        ("note", "built 2026-11-18", "built 2024-01-01"),
    ],
)
def test_another_label_is_residue(key: str, first: str, second: str) -> None:
    pair = ({"config": {"Labels": {key: value}}} for value in (first, second))
    assert causes(explain_configs(*pair)) == ["residue"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("RUN /bin/sh -c make # buildkit", "/bin/sh -c make"),
        ("RUN |1 A=1 /bin/sh -c make # buildkit", "|1 A=1 /bin/sh -c make"),
        ("ENV A=1", "/bin/sh -c #(nop)  ENV A=1"),
        ('CMD ["sh"]', '/bin/sh -c #(nop)  CMD ["sh"]'),
        ("COPY a /b # buildkit", "COPY a /b"),
    ],
)
def test_one_step_in_two_builders_words(first: str, second: str) -> None:
    explanation = explain_configs(by(first), by(second))
    assert causes(explanation) == ["history-text"]
    assert explanation.findings[0].confidence == "proven"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("RUN /bin/sh -c make # buildkit", "/bin/sh -c make all"),
        ("ENV A=1", "/bin/sh -c #(nop)  ENV A=2"),
        ("ENV A=1", "/bin/sh -c #(nop)  LABEL A=1"),
        ("COPY a /b # buildkit", "COPY a /b # other"),
        ("make", "RUN make"),
    ],
)
def test_another_step_is_residue(first: str, second: str) -> None:
    assert causes(explain_configs(by(first), by(second))) == ["residue"]


def test_the_comment_of_the_historys_format_may_be_missing() -> None:
    created = "2024-01-01T00:00:00Z"
    first = history(created, comment="buildkit.dockerfile.v0")
    assert causes(explain_configs(first, history(created))) == ["history-text"]
    assert causes(explain_configs(history(created), first)) == ["history-text"]
    assert causes(explain_configs(history(created, comment="hello"), history(created))) == ["residue"]
    assert causes(explain_configs(history(created, author="me"), history(created))) == ["residue"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"config": {"Hostname": "", "Tty": False, "OnBuild": None, "User": "a"}}, {"config": {"User": "a"}}),
        ({"config": {"Labels": {"io.buildah.version": "1.28.2"}, "User": "a"}}, {"config": {"User": "a"}}),
        ({"container": "a" * 64, "docker_version": "20.10.24"}, {}),
    ],
)
def test_what_one_builder_writes_out_and_another_leaves_out(first: dict[str, Any], second: dict[str, Any]) -> None:
    for pair in ((first, second), (second, first)):
        explanation = explain_configs(*pair)
        assert causes(explanation) == ["builder-identity"]
        assert explanation.findings[0].evidence


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"config": {"User": "root"}}, {"config": {}}),
        ({"config": {"Tty": True}}, {"config": {}}),
        ({"config": {"ExposedPorts": {"80/tcp": {}}}}, {"config": {}}),
        ({"config": {"Labels": {"io.buildah.version": "1", "a": "b"}}}, {"config": {}}),
        ({"config": {"Labels": {"a": ""}}}, {"config": {}}),
        ({"container": "a" * 63}, {}),
    ],
)
def test_what_says_something_is_never_left_out(first: dict[str, Any], second: dict[str, Any]) -> None:
    for pair in ((first, second), (second, first)):
        assert "residue" in causes(explain_configs(*pair))


@pytest.mark.parametrize("key", ["architecture", "variant"])
def test_another_platform(key: str) -> None:
    values = {"architecture": ("amd64", "arm64"), "variant": ("v7", "v8")}[key]
    assert causes(explain_configs({key: values[0]}, {key: values[1]})) == ["platform-ambiguity"]
    assert causes(explain_configs({key: values[0]}, {key: "z80"})) == ["residue"]


def test_a_variant_that_one_builder_leaves_out() -> None:
    assert causes(explain_configs({"variant": "v8"}, {})) == ["platform-ambiguity"]
    assert causes(explain_configs({"variant": "x"}, {})) == ["residue"]


def reordered(value: dict[str, Any]) -> dict[str, Any]:
    return {key: reordered(item) if isinstance(item, dict) else item for key, item in reversed(value.items())}


LABELS = {"config": {"Env": ["A=1", "B=2"], "Labels": {"a": "1", "b": "2"}, "User": "x"}}


def test_the_members_of_objects_in_another_order() -> None:
    explanation = explain_configs(LABELS, reordered(LABELS))
    assert causes(explanation) == ["map-order"]
    assert explanation.findings[0].confidence == "proven"


def test_another_order_and_another_value() -> None:
    first, second = ({"created": rfc3339(moment), **LABELS} for moment in (FIRST, SECOND))
    assert causes(explain_configs(first, reordered(second))) == ["config-created", "map-order"]
    other = reordered({"config": {**LABELS["config"], "User": "y"}})
    assert "residue" in causes(explain_configs(LABELS, other))


@pytest.mark.parametrize("change", [{"Env": ["B=2", "A=1"]}, {"Labels": {"b": "1", "a": "2"}}])
def test_the_order_of_a_list_is_no_matter_of_maps(change: dict[str, Any]) -> None:
    assert "residue" in causes(explain_configs(LABELS, {"config": {**LABELS["config"], **change}}))
