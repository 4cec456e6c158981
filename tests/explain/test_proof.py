"""Try to fool the proof: with one more changed byte anywhere, nothing may come out as explained."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.causes.sides import (
    FIRST,
    SECOND,
    WINDOWS,
    at,
    causes,
    explain_configs,
    explain_images,
    explain_layers,
    rfc3339,
)
from tests.compare.layer_images import Entry, file, folder, image, tar
from verifier.errors import StoreError
from verifier.model.finding import Explanation
from verifier.oci.config import parse_config
from verifier.oci.image import Image, make_image
from verifier.oci.manifest import Manifest, parse_manifest_or_index

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def zipped(moment: float) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("a.txt", b"hello " * 40), ("b.bin", bytes(range(256)))):
            info = zipfile.ZipInfo(name, tuple(int(part) for part in at(moment, "%Y %m %d %H %M %S").split()))  # type: ignore[arg-type]
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


def packed(moment: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo("inner")
        info.size, info.mtime = 5, moment
        archive.addfile(info, io.BytesIO(b"inner"))
    return gzip.compress(out.getvalue(), mtime=moment)


def layer(moment: int) -> bytes:
    """Make a layer in which one thing of each kind varies with `moment`, and much stays."""
    return tar(
        [
            folder("etc", mtime=moment),
            file("etc/date", at(moment, "built %a %b %d %H:%M:%S UTC %Y by make\n"), mtime=moment),
            file("etc/stays", b"stays", mtime=1_600_000_000),
            file("lib.jar", zipped(moment), mtime=moment, mode=0o755),
            file("sources.tgz", packed(moment), mtime=moment),
            file("var/log/dpkg.log", at(moment, "%Y-%m-%d %H:%M:%S startup archives unpack\n"), mtime=moment),
        ]
    )


FIRST_LAYER, SECOND_LAYER = layer(FIRST + 2), layer(SECOND + 2)


def repaired(stream: bytes) -> bytes:
    """Make every header's checksum right again, written as it was."""
    kept = bytearray(stream)
    position = 0
    while position + 512 <= len(kept) and any(kept[position : position + 512]):
        header = kept[position : position + 512]
        total = sum(header) - sum(header[148:156]) + 8 * 0x20
        kept[position + 148 : position + 154] = b"%06o" % total
        try:
            size = int(bytes(header[124:136]).strip(b" \0") or b"0", 8)
        except ValueError:
            break
        position += 512 + size + -size % 512
    return bytes(kept)


def is_claimed(position: int) -> bool:
    """Tell whether a byte of the second layer belongs to a value that a cause answers for: both sides differ there."""
    return FIRST_LAYER[position] != SECOND_LAYER[position]


def test_the_pair_itself_is_explained_in_full() -> None:
    explanation = explain_layers(FIRST_LAYER, SECOND_LAYER)
    assert causes(explanation) == [
        "directory-mtime",
        "file-mtime",
        "apt-log",
        "zip-time",
        "archive-in-run",
        "embedded-timestamp",
    ]
    assert {finding.confidence for finding in explanation.findings} == {"proven"}


@SETTINGS
@given(position=st.integers(0, len(SECOND_LAYER) - 1), value=st.integers(1, 255), repair=st.booleans())
def test_one_more_changed_byte_of_a_layer_is_never_explained(position: int, value: int, repair: bool) -> None:
    changed = bytearray(SECOND_LAYER)
    changed[position] ^= value
    stream = repaired(bytes(changed)) if repair else bytes(changed)
    if stream == SECOND_LAYER:
        return
    try:
        explanation = explain_layers(FIRST_LAYER, stream)
    except StoreError:
        return
    if explanation.equal:
        assert_only_a_time_moved(explanation, stream, position)


def header_offset(position: int) -> int | None:
    """Tell where in a header a byte of the second layer stands; None for the contents."""
    start = 0
    while start + 512 <= len(SECOND_LAYER) and any(SECOND_LAYER[start : start + 512]):
        if start <= position < start + 512:
            return position - start
        size = int(SECOND_LAYER[start + 124 : start + 135], 8)
        start += 512 + size + -size % 512
    return None


def assert_only_a_time_moved(explanation: Explanation, stream: bytes, position: int) -> None:
    """What is still explained must be a digit of a time, or a byte of a binary one, of the second build's window."""
    offset = header_offset(position)
    if offset == 101:
        assert "tar-encoding" in causes(explanation), "0100644: the type in the mode, as Buildah writes it"
        return
    if offset is not None and not 136 <= offset < 148:
        assert_an_owner_moved(explanation, offset)
        return
    around = range(max(0, position - 12), min(len(stream), position + 12))
    assert any(is_claimed(near) for near in around), f"a byte at {position} was explained away"


def assert_an_owner_moved(explanation: Explanation, offset: int) -> None:
    """An owner may be put down to a cause that claims it alone and is never proven; nothing else in a header may."""
    fields = {range(108, 115): "uid", range(116, 123): "gid", range(265, 296): "uname", range(297, 328): "gname"}
    owners = [name for span, name in fields.items() if offset in span]
    assert owners, f"byte {offset} was explained away"
    found = next(finding for finding in explanation.findings if finding.cause == "owner-drift")
    assert (found.confidence, found.opaque) == ("likely", True)


@pytest.mark.parametrize("offset", range(512))
def test_every_byte_of_a_header_counts(offset: int) -> None:
    """Change each byte of one header, whose mtime differs anyway, to what is read as nearly the same."""
    first, second = tar([file("x", b"1", mtime=FIRST)]), tar([file("x", b"1", mtime=SECOND)])
    for value in (0x20, 0x00, 0x30, 0x31):
        changed = bytearray(second)
        changed[offset] = value
        stream = repaired(bytes(changed)) if not 148 <= offset < 156 else bytes(changed)
        if stream == second:
            continue
        try:
            explanation = explain_layers(first, stream)
        except StoreError:
            continue
        if explanation.equal and (offset, value) == (101, 0x31):
            assert "tar-encoding" in causes(explanation), "0100644: the type in the mode, as Buildah writes it"
        elif explanation.equal and not 136 <= offset < 147:
            assert_an_owner_moved(explanation, offset)
        elif explanation.equal:
            assert value in (0x30, 0x31)


CONFIG = {"created": rfc3339(FIRST + 3)}
OTHER_CONFIG = {"created": rfc3339(SECOND + 3)}


def test_a_config_that_differs_by_its_time_is_explained() -> None:
    assert causes(explain_configs(CONFIG, OTHER_CONFIG)) == ["config-created"]


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda raw: raw.replace(b'"architecture": ', b'"architecture":  '),
        lambda raw: raw + b"\n",
        lambda raw: raw.replace(b"PATH", b"P\\u0041TH"),
        lambda raw: raw.replace(b'"os": "linux", ', b"").replace(b'"architecture"', b' "os":"linux", "architecture"'),
    ],
    ids=["space", "newline", "escape", "order and space"],
)
def test_nothing_hides_between_the_values_of_a_config(rewrite: Callable[[bytes], bytes]) -> None:
    layer_bytes = tar([file("f", b"x")])
    first, second = image(layer_bytes, config=CONFIG), image(layer_bytes, config=OTHER_CONFIG)
    raw = rewrite(second.config.raw)
    assert raw != second.config.raw
    assert json.loads(raw) == json.loads(second.config.raw)
    changed = with_config(second, raw)
    explanation = explain_images(first, changed)
    assert causes(explanation) == ["residue"]


def with_config(made: Image, raw: bytes) -> Image:
    """Put other bytes into the place of an image's config."""
    descriptors = [layer.descriptor for layer in made.layers]
    return make_image(made.reference, made.blobs, None, parse_config(raw), descriptors=descriptors)


@SETTINGS
@given(position=st.integers(0, 10_000), value=st.integers(1, 255))
def test_one_more_changed_byte_of_a_config_is_never_explained(position: int, value: int) -> None:
    layer_bytes = tar([file("f", b"x")])
    first, second = image(layer_bytes, config=CONFIG), image(layer_bytes, config=OTHER_CONFIG)
    raw = bytearray(second.config.raw)
    position %= len(raw)
    raw[position] ^= value
    time_at = second.config.raw.index(OTHER_CONFIG["created"].encode())
    try:
        changed = with_config(second, bytes(raw))
        explanation = explain_images(first, changed)
    except (StoreError, ValueError):
        return
    if explanation.equal:
        assert time_at <= position < time_at + len(OTHER_CONFIG["created"])


WRITTEN = tuple(
    tar([file("d/" * 60 + "f", b"x", mtime=5, pax=(("atime", "5.5"),))], form)
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
)


@SETTINGS
@given(position=st.integers(0, len(WRITTEN[1]) - 1), value=st.integers(1, 255))
def test_one_more_changed_byte_does_not_hide_behind_another_way_of_writing(position: int, value: int) -> None:
    """The pair differs in its format alone: a byte that is changed besides must be told, or be a time that pax has."""
    changed = bytearray(WRITTEN[1])
    changed[position] ^= value
    stream = repaired_all(bytes(changed))
    if stream == WRITTEN[1]:
        return
    try:
        explanation = explain_layers(WRITTEN[0], stream)
    except StoreError:
        return
    if explanation.equal:
        at_time = WRITTEN[1].index(b"atime=") + len(b"atime=")
        # the mode's digits above 07777 hold the file's type, which some writers put there and all readers leave out
        at_type = WRITTEN[1].rindex(b"ustar") - 257 + 100
        assert set(causes(explanation)) <= {"tar-encoding", "owner-drift"}
        silent = (*range(at_time, at_time + 4), *range(at_type, at_type + 3))
        assert position in silent or "owner-drift" in causes(explanation)


def repaired_all(stream: bytes) -> bytes:
    """Make the checksum of every block right that has the magic."""
    kept = bytearray(stream)
    for start in range(0, len(kept) - 511, 512):
        if kept[start + 257 : start + 262] == b"ustar":
            header = kept[start : start + 512]
            kept[start + 148 : start + 154] = b"%06o" % (sum(header) - sum(header[148:156]) + 8 * 0x20)
    return bytes(kept)


def test_the_pair_of_two_formats_is_explained() -> None:
    explanation = explain_layers(*WRITTEN)
    assert causes(explanation) == ["tar-encoding"]
    assert explanation.findings[0].confidence == "proven"


@SETTINGS
@given(data=st.data())
def test_one_more_changed_byte_of_a_manifest_is_never_explained(data: st.DataObject) -> None:
    layer_bytes = tar([file("f", b"x")])
    first = image(layer_bytes, compress=lambda blob: gzip.compress(blob, 1, mtime=0))
    second = image(layer_bytes, compress=lambda blob: gzip.compress(blob, 9, mtime=0))
    assert second.manifest is not None
    raw = bytearray(second.manifest.raw)
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= data.draw(st.integers(1, 255))
    try:
        manifest = parse_manifest_or_index(bytes(raw))
        assert isinstance(manifest, Manifest)
        if manifest.config.size != len(second.config.raw):
            return  # no store loads a config of another size
        changed = make_image(second.reference, second.blobs, manifest, second.config)
        explanation = explain_images(first, changed)
    except (StoreError, ValueError, KeyError, AssertionError):
        return
    if explanation.equal:
        # what the specifications have two names for: Docker's and OCI's media types, a compression
        assert set(causes(explanation)) <= {"layer-compression", "media-type"}
        assert b"mediaType" in bytes(raw[max(0, position - 80) : position])


@pytest.mark.parametrize(
    "entry",
    [
        file("f", b"x", mode=0o4755),
        file("f", b"x", pax=(("SCHILY.xattr.security.capability", "A"),)),
        file(".wh.f"),
        file("f", b"x", pax=(("SCHILY.xattr.security.selinux", "a"), ("SCHILY.xattr.security.capability", "A"))),
    ],
    ids=["set-user-ID", "capability", "whiteout", "capability beside a label"],
)
@pytest.mark.parametrize(
    "made_by",
    [
        "COPY . / # buildkit",
        "ADD app.tar.gz / # buildkit",
        "ADD https://example.org/f / # buildkit",
        "RUN /bin/sh -c curl -o /f https://example.org/f # buildkit",
    ],
)
def test_more_rights_are_never_explained(entry: Entry, made_by: str) -> None:
    plain = image(tar([file("f", b"x")]), created_by=[made_by])
    special = image(tar([entry]), created_by=[made_by])
    sides = (WINDOWS[0], replace(WINDOWS[1], base_layers=1))
    for contexts in (WINDOWS, sides):
        assert "residue" in causes(explain_images(plain, special, contexts))
        assert "residue" in causes(explain_images(special, plain, contexts))
