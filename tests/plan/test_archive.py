from __future__ import annotations

import hashlib
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.plan.archive import ArchiveWriter

NAMES = st.binary(min_size=1, max_size=300).filter(lambda name: b"\0" not in name and not name.endswith(b"/"))


@given(NAMES, NAMES, st.integers(-(2**40), 2**40), st.integers(0, 0o7777), st.binary(max_size=1500))
def test_tarfile_reads_what_was_written(name: bytes, target: bytes, mtime: int, mode: int, content: bytes) -> None:
    file = io.BytesIO()
    writer = ArchiveWriter(file)
    writer.begin(name, b"0", mode=mode, mtime=mtime, size=len(content))
    writer.write(content)
    writer.end_content(len(content))
    writer.begin(b"link", b"2", mode=0o777, mtime=mtime, target=target)
    digest = writer.finish()
    assert digest == "sha256:" + hashlib.sha256(file.getvalue()).hexdigest()
    assert len(file.getvalue()) % 512 == 0
    with tarfile.open(fileobj=io.BytesIO(file.getvalue()), encoding="utf-8", errors="surrogateescape") as archive:
        first, link = archive.getmembers()
        read = archive.extractfile(first)
        assert read is not None
        assert read.read() == content
    assert first.name.encode("utf-8", "surrogateescape") == name
    assert (first.mode, first.mtime, first.uid, first.gid) == (mode, mtime, 0, 0)
    assert link.linkname.encode("utf-8", "surrogateescape") == target


@pytest.mark.parametrize("size", [8**11 - 1, 8**11, 10**13])
def test_sizes_that_do_not_fit_octal(size: int) -> None:
    file = io.BytesIO()
    ArchiveWriter(file).begin(b"large", b"0", mode=0o644, mtime=0, size=size)
    file.seek(0)
    with tarfile.open(fileobj=file) as archive:
        member = archive.next()
    assert member is not None
    assert (member.name, member.size) == ("large", size)


@pytest.mark.parametrize("length", [*range(80, 110), *range(970, 1000)])
def test_the_length_of_a_pax_record_counts_itself(length: int) -> None:
    file = io.BytesIO()
    writer = ArchiveWriter(file)
    writer.begin(b"n" * length, b"0", mode=0o644, mtime=0)
    writer.finish()
    file.seek(0)
    with tarfile.open(fileobj=file) as archive:
        assert archive.getnames() == ["n" * length]
