from __future__ import annotations

import io
import tarfile

import pytest

from verifier.errors import MalformedImageError
from verifier.oci.tar import TarReader
from verifier.oci.tar_edit import edit_header
from verifier.oci.tar_header import parse_header


def header(form: int = tarfile.USTAR_FORMAT, **fields: object) -> bytes:
    """Give one entry's header blocks as tarfile writes them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        info = tarfile.TarInfo("etc/file")
        info.mtime, info.mode = 1_700_000_000, 0o4755
        for name, value in fields.items():
            setattr(info, name, value)
        archive.addfile(info)
    raw = TarReader(iter([out.getvalue()]), "archive").next_header()
    assert raw is not None
    return raw


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_edited_values_are_read_back_and_all_others_stay(form: int) -> None:
    raw = header(form)
    before, after = parse_header(raw), parse_header(edit_header(raw, mtime="12", mode=0o640, size=77))
    assert (after.mtime, after.mode, after.size) == ("12", 0o640, 77)
    assert after._replace(mtime=before.mtime, mode=before.mode, size=before.size, stored=before.stored) == before


def test_the_same_values_give_the_same_bytes() -> None:
    raw = header()
    assert edit_header(raw) == raw
    assert edit_header(raw, mtime="1700000000", mode=0o4755, size=0) == raw


def test_an_mtime_in_a_pax_record_is_written_there_and_in_the_block() -> None:
    raw = header(tarfile.PAX_FORMAT, mtime=1_700_000_000.25, pax_headers={"comment": "stays"})
    edited = edit_header(raw, mtime="0000000000.00")
    assert parse_header(edited).mtime == "0"
    assert b"comment=stays\n" in edited
    assert edited == edit_header(header(tarfile.PAX_FORMAT, mtime=1_600_000_000.5, pax_headers={"comment": "stays"}),
                                 mtime="0000000000.00")  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (header(), {"mtime": "1.5"}),
        (header(), {"size": 8**11}),
        (header(tarfile.GNU_FORMAT, mtime=2**40), {"mtime": "0"}),
        (header(tarfile.PAX_FORMAT, pax_headers={"size": "0"}), {"size": 1}),
    ],
)
def test_what_cannot_be_written_so_is_refused(raw: bytes, values: dict[str, str | int]) -> None:
    with pytest.raises(MalformedImageError):
        edit_header(raw, **values)  # type: ignore[arg-type]
