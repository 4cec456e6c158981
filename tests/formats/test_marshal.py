"""Marshalled code: equal whatever was shared in memory, and nothing else left out."""

from __future__ import annotations

import importlib.util
import marshal
import sys
from pathlib import Path
from types import CodeType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verifier.formats.python_marshal import Marshalled

MAGIC = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
SOURCE = '''
"""A module with every kind of constant."""
def f(a, *b, c=1, **d):
    x = (1, -1, 2**80, 1.5, 2j, b"bytes", "text", "ümlaut", "word_like", None, True, ..., ("n", ("e", "s")))
    y = a in {"alpha beta", "gamma", 3}
    def g():
        nonlocal x
        return x, y, "text", a[1:2]
    return g
class C:
    text = "text" * 2
    long = "%s"
''' % ("z" * 300)
READ = sys.version_info < (3, 15)

pytestmark = pytest.mark.skipif(not READ, reason="its bytecode is not read")


def compiled() -> CodeType:
    return compile(SOURCE, "module.py", "exec", dont_inherit=True)


def told(data: bytes, magic: int = MAGIC) -> tuple[bytes, bytes, bytes]:
    read = Marshalled(data, magic)
    assert read.used == len(data)
    return read.values, read.sharing, read.orders


def test_sharing_is_kept_apart() -> None:
    held = compiled()
    parts = [*held.co_consts, *held.co_names]
    first, second = marshal.dumps(compiled()), marshal.dumps(held)
    again = marshal.dumps(marshal.loads(first))  # noqa: S302
    assert parts
    assert len({first, second, again}) > 1
    assert len({told(data)[0] for data in (first, second, again)}) == 1
    assert len({told(data) for data in (first, second, again)}) == len({first, second, again})


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(position=st.integers(0, 1 << 16), value=st.integers(1, 255))
def test_another_byte_is_told(position: int, value: int) -> None:
    data = marshal.dumps(compiled())
    changed = bytearray(data)
    changed[position % len(data)] ^= value
    try:
        read = Marshalled(bytes(changed), MAGIC)
    except (ValueError, IndexError):
        return
    assert (read.values, read.sharing, read.orders, changed[read.used :]) != (*told(data), b"")


@pytest.mark.parametrize(
    "data",
    [
        b"r\0\0\0\0",
        b"\xce",
        b"(\xff\xff\xff\x7f",
        b")\xff",
        b"\xa9\x01r\0\0\0\0",
        b")\x01" * 1000 + b"N",
        b"{",
        b"s\xff\xff\xff\xff",
        b"",
        b"l\xff\xff\xff\x7f",
    ],
)
def test_what_no_compiler_writes_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        Marshalled(data, MAGIC)


def test_the_order_of_a_set_is_kept_apart() -> None:
    first, second = (b">\3\0\0\0" + b"".join(order) for order in ((b"z\1a", b"z\1b", b"N"), (b"N", b"z\1b", b"z\1a")))
    assert told(first)[0] == told(second)[0]
    assert told(first)[2] != told(second)[2]
    assert told(first.replace(b">", b"("))[0] != told(second.replace(b">", b"("))[0]


def test_values_far_deeper_than_the_stream_are_written() -> None:
    data = b"\xdb" + (5_001).to_bytes(4, "little") + b"\xa9\0"
    data += b"".join(b"\xa9\1r" + number.to_bytes(4, "little") for number in range(1, 5_001))
    assert Marshalled(data, MAGIC).values.count(b"\n\0") == 5_002


def test_references_do_not_multiply() -> None:
    """Forty tuples, each of two times the one before: 2**40 parts when written out."""
    data = b"\xa9\x00"
    for number in range(40):
        data = b"\xa9\x02" + data + b"r" + (39 - number + 1).to_bytes(4, "little")
    assert len(Marshalled(data, MAGIC).values) < 1000


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown version"):
        Marshalled(marshal.dumps(compiled()), 9999)


def test_the_standard_librarys_bytecode_is_read_to_its_end() -> None:
    for name in ("argparse", "typing", "ast", "inspect"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin).read_bytes()
        told(marshal.dumps(compile(source, name, "exec", dont_inherit=True)))
