"""Try to fool the proof: with one more changed byte anywhere, nothing may come out as explained."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.causes.sides import FIRST, SECOND, at, causes, explain_configs, explain_images, explain_layers, rfc3339
from tests.compare.layer_images import file, folder, image, tar
from verifier.errors import StoreError
from verifier.oci.config import parse_config
from verifier.oci.image import Image, make_image

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
        assert_only_a_time_moved(stream, position)


def assert_only_a_time_moved(stream: bytes, position: int) -> None:
    """What is still explained must be a digit of a time, or a byte of a binary one, of the second build's window."""
    around = range(max(0, position - 12), min(len(stream), position + 12))
    assert any(is_claimed(near) for near in around), f"a byte at {position} was explained away"


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
        if explanation.equal:
            assert 136 <= offset < 147, f"byte {offset} as {value:#x}"
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
        lambda raw: raw.replace(b'"os": "linux", ', b"").replace(b'"architecture"', b'"os": "linux", "architecture"'),
    ],
    ids=["space", "newline", "escape", "order"],
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
