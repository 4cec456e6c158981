"""Files of data: pickles and joblib's, catalogues of messages, arrays; streams and archives that they come in."""

from __future__ import annotations

import base64
import bz2
import io
import json
import math
import pickle
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, at, causes, explain_contents
from verifier.causes.cause import Place, SideContext
from verifier.causes.counterfactual import replace_claims
from verifier.formats.field import Field, Node
from verifier.formats.hdf5_file import lookup3
from verifier.formats.joblib_arrays import ARRAY, follow
from verifier.formats.message_catalog import unfold_message_catalog
from verifier.formats.unfold import unfold

IN = FIRST + 4, SECOND + 4
"""While the two builds ran …"""

OUT = FIRST - 400_000, SECOND + 4
"""… and the first one not."""

# joblib 1.6, NumPy 2.4: joblib.dump({"w": array([[0.5, 1.5], [2.5, 3.5]]), "o": array(["low", None], dtype=object),
# "b": array([7.25]), "t": array(["2026-11-18T11:06:44"], dtype="M8[us]"), "name": "m"}, …)
JOBLIB = base64.b85decode(
    rb"fCQD=000000001elqie=ca)41YHwm}X<{yJb!~8YUvOz-Yiwndj1f+CZE$%(a&lpLS8`!+aAk6olawielzo&aj0kgeVq<J!b90o81#We1aCwxB"
    rb"2X16xa&lpLl#`T<1#@U&aAlNB0!sphl#B&$a%5$4l#BsGl#B&rba`-PlxPTy1!Q!2aAlN}l#BvqIFyNqhm=y3C`$v30X&pWPEJby|Ns9=|NsC0"
    rb"O8|6~VvGu5Y;13LUu|t+aFmFQ8*X)NaCu*0a&lpLUtw%%XKrm}ZggK_d30rSluHnGVhaEN|NsC0|NsC000000007`W00000008(u00000000C)"
    rb"00000000a?l}i8s000000E_`|lxPGgfs}oeC};<03TO*U0)>=l4QLK%4`>mL0#7)UiHL`kQj{o51B?NDluk}gO8@`=|4RS=|Nl!rbd+Lf7l~*X"
    rb"OAvKpfCZJ2000000001t7H)NIaCt6YV{dY0E^T#ebZKF7a$$Ltj0|6LWn*t{b98cbV|0|0l#B&#b!~8Yl#B;%WMOi0VR@93luH1GltTexl!ug3"
    rb"lqgF9O9F+IXakG|WOR9OWt5YYi~>(Ml!=Iklv0!^O9PAne3VX3PD=m(|Nlz=|Ns9>KXjC0iCvT^j00?Mca%<Lbd+K)l_vlI000000E_`*lxPGg"
    rb"fs}oeC};<03TO*U0fm%k4QLK%4`>u<7l>#WOAvKp5C8xF|NsC0|NsC0|NsC00000000138m0AD*000000E_{2lxPGgfs}oeC};<03TO*U0fm%k"
    rb"4QLK%4`>mL0!=uSiHL`kQj{o51ZWjbPEJby|Ns9=|NsC0O8`zNLjrYkluH3i0ZRdNl!laalwxQXh-er~5Orb%|NsC006Clii(m!-l??y@00000"
    rb"0E`4~VQpoUi~((wbuI"
)
_WEIGHTS = struct.pack("<4d", 0.5, 1.5, 2.5, 3.5)
_COUNT = struct.pack("<q", IN[0] * 10**6)


def model(weights: bytes = _WEIGHTS, moment: int = IN[0], name: bytes = b"m") -> bytes:
    made = JOBLIB.replace(_WEIGHTS, weights).replace(_COUNT, struct.pack("<q", moment * 10**6))
    return made.replace(b"\x8c\x01m\x94", b"\x8c\x01" + name + b"\x94")


def digest(data: bytes) -> bytes:
    return replace_claims(unfold(data), Place(part="layer", field="content"), SideContext(), ()).digest


class TestPickles:
    def test_a_date_in_its_packed_bytes(self) -> None:
        for make in (
            lambda moment: datetime.fromtimestamp(moment + 0.25, UTC),
            lambda moment: datetime.fromtimestamp(moment, UTC).replace(tzinfo=None),
            # a clock that goes before
            lambda moment: datetime.fromtimestamp(moment, timezone(timedelta(hours=5, minutes=30))),
        ):
            first, second = (pickle.dumps({"trained": make(moment)}) for moment in IN)
            explanation = explain_contents(first, second)
            assert causes(explanation) == ["embedded-timestamp"]
            assert explanation.findings[0].confidence == "proven"

    def test_a_number_that_counts_from_1970(self) -> None:
        for make in (int, float, lambda moment: moment * 10**3 + 7, lambda moment: moment * 10**9 + 7):
            first, second = (pickle.dumps({"at": make(moment)}) for moment in IN)
            assert causes(explain_contents(first, second)) == ["embedded-timestamp"]

    def test_a_date_in_a_string(self) -> None:
        first, second = (pickle.dumps({"at": at(moment, "%Y-%m-%dT%H:%M:%S").decode()}) for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]

    @pytest.mark.parametrize("make", [lambda moment: datetime.fromtimestamp(moment, UTC), int])
    def test_a_date_of_another_time_is_residue(self, make: type[int]) -> None:
        first, second = (pickle.dumps({"at": make(moment)}) for moment in OUT)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_a_fraction_that_is_no_time_is_a_number(self) -> None:
        first, second = (pickle.dumps({"at": float(moment)}) for moment in OUT)
        assert "embedded-timestamp" not in causes(explain_contents(first, second))
        unknown = (SideContext(), SideContext())
        first, second = (pickle.dumps({"at": float(moment)}) for moment in IN)
        assert causes(explain_contents(first, second, sides=unknown)) == ["pickle-or-model"]

    def test_ten_bytes_that_are_no_date_are_residue(self) -> None:
        for value in (
            b"\x07\xea\x0d\x17\x0b\x06\x28\0\0\0",
            b"\x07\xea\x0b\x12\x0b\x06\x28\xff\xff\xff",
            b"0123456789",
        ):
            good = pickle.dumps({"at": datetime.fromtimestamp(IN[0], UTC)})
            packed = datetime.fromtimestamp(IN[0], UTC).__reduce__()[1][0]
            assert causes(explain_contents(good, good.replace(packed, value))) == ["residue"]

    def test_two_ways_to_count_are_residue(self) -> None:
        first, second = (pickle.dumps({"at": moment}) for moment in (IN[0] * 10**6, IN[1] * 10**9))
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_another_object_beside_a_date_is_residue(self) -> None:
        first, second = (
            pickle.dumps({name: datetime.fromtimestamp(moment, UTC)}) for name, moment in zip("ab", IN, strict=True)
        )
        assert "residue" in causes(explain_contents(first, second))

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (b"\x7fELF\x02\x01\x01\0" + bytes(range(40)), b"\x7fELF\x02\x01\x01\0" + bytes(range(1, 41))),
            (b"BC\xc0\xde" + bytes(range(40)), b"BC\xc0\xde" + bytes(range(1, 41))),
            (b"# a comment of some length\n" * 20, b"# a comment of same length\n" * 20),
            ("a string of some length, as dtypes have none" * 9, "a string of same length, as dtypes have none" * 9),
        ],
    )
    def test_a_program_or_a_text_beside_arrays_is_no_array(self, first: object, second: object) -> None:
        """As in numba's cache, which names numpy: machine code, bitcode and assembly."""
        explanation = explain_contents(*(pickle.dumps(["numpy", value]) for value in (first, second)))
        assert causes(explanation) == ["residue"]

    def test_bytes_beside_arrays_are_one(self) -> None:
        first, second = (pickle.dumps(["numpy", struct.pack("<9d", *range(k, k + 9))]) for k in (1, 2))
        assert causes(explain_contents(first, second)) == ["pickle-or-model"]


class TestJoblib:
    def test_arrays_between_the_operations(self) -> None:
        found = [JOBLIB[start:end] for name, _, start, end in follow(JOBLIB) if name == ARRAY]
        assert found == [_WEIGHTS, struct.pack("<d", 7.25), _COUNT]

    @pytest.mark.parametrize("pack", [bytes, zlib.compress, bz2.compress, lambda data: zlib.compress(data, 3)])
    def test_another_training(self, pack: type[bytes]) -> None:
        first, second = (pack(model(struct.pack("<4d", *weights))) for weights in ((1, 2, 3, 4), (5, 6, 7, 8.5)))
        explanation = explain_contents(first, second, "srv/model.joblib")
        assert causes(explanation) == ["pickle-or-model"]
        assert explanation.findings[0].confidence == "likely"

    def test_times_in_an_array_are_the_times_affair(self) -> None:
        explanation = explain_contents(model(moment=IN[0]), model(moment=IN[1]))
        assert causes(explanation) == ["embedded-timestamp"]
        assert explanation.findings[0].confidence == "proven"

    @pytest.mark.parametrize("other", [model(name=b"n"), JOBLIB.replace(b"low", b"lot"), JOBLIB.replace(b"f8", b"f4")])
    def test_what_else_differs_is_residue(self, other: bytes) -> None:
        assert other != JOBLIB
        assert "residue" in causes(explain_contents(JOBLIB, other))

    def test_an_array_longer_than_the_file_is_one_field(self) -> None:
        damaged = JOBLIB.replace(b"K\x02K\x02\x86", b"K\xffK\xff\x86")
        assert damaged != JOBLIB
        assert unfold(damaged).format == "bytes"
        assert unfold(JOBLIB).format == "pickle"

    def test_hostile_operations_end(self) -> None:
        name = b"NumpyArrayWrapper"
        for body in (b"b", b"R", b"t", b"h\x07", b"(" * 3000 + b"u", b"s", b"\x94", b"}b", b"0" * 9, b"2" * 9):
            data = b"\x80\x04\x8c\x11" + name + body + b"."
            assert unfold(data).format in ("bytes", "pickle")


def catalog(moment: float, order: str = "<", message: bytes = b"Willkommen") -> bytes:
    """Write a catalogue by the format's specification: tables of originals and translations, then the strings."""
    header = b"Project-Id-Version: app\nPOT-Creation-Date: " + at(moment, "%Y-%m-%d %H:%M+0000") + b"\n"
    strings = [b"", b"Welcome", header, message]
    data, tables, start = b"", b"", 28 + 8 * len(strings)
    for text in strings:
        tables += struct.pack(f"{order}II", len(text), start + len(data))
        data += text + b"\0"
    return struct.pack(f"{order}7I", 0x950412DE, 0, 2, 28, 44, 0, 0) + tables + data


class TestCatalogues:
    @pytest.mark.parametrize("order", ["<", ">"])
    def test_when_its_messages_were_extracted(self, order: str) -> None:
        first, second = (catalog(moment, order) for moment in IN)
        explanation = explain_contents(first, second, "app/de/LC_MESSAGES/messages.mo")
        assert causes(explanation) == ["embedded-timestamp"]
        assert explanation.findings[0].confidence == "proven"

    def test_another_time_or_another_message_is_residue(self) -> None:
        assert causes(explain_contents(*(catalog(moment) for moment in OUT))) == ["residue"]
        assert "residue" in causes(explain_contents(catalog(IN[0]), catalog(IN[1], message=b"Willkommem")))

    def test_a_damaged_one_is_one_field(self) -> None:
        good = catalog(IN[0])
        assert unfold(good).format == "message catalogue"
        for position, value in ((7, 9), (8, 0), (12, 255), (16, 255), (28, 1), (44, 255), (48, 4)):
            damaged = bytearray(good)
            damaged[position] = value
            assert unfold(bytes(damaged)).format == "bytes"
        for size in range(28, len(good)):
            unfold(good[:size])
        with pytest.raises(ValueError, match="no header"):
            unfold_message_catalog(good[:80], "", 0)


def wide_zip(content: bytes) -> bytes:
    """Write an archive as numpy.savez_compressed does: sizes in 64 bits in the local header."""
    out = io.BytesIO()
    info = zipfile.ZipInfo("w.npy")
    info.compress_type = zipfile.ZIP_DEFLATED
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(info, "w", force_zip64=True) as member,
    ):
        member.write(content)
    return out.getvalue()


def array(values: bytes, kind: str = "<f8") -> bytes:
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': (2,), }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values


def application(moment: int, program: bytes = b"/usr/bin/env python3", text: bytes = b"print(1)") -> bytes:
    """Write an archive behind a line, as zipapp and shiv do."""
    out = io.BytesIO(b"#!" + program + b"\n")
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", datetime.fromtimestamp(moment, UTC).timetuple()[:6]), text)
    return out.getvalue()


class TestApplications:
    def test_times_of_its_members(self) -> None:
        explanation = explain_contents(application(IN[0]), application(IN[1]), "usr/local/bin/app.pyz")
        assert causes(explanation) == ["zip-time"]
        assert explanation.findings[0].confidence == "proven"

    def test_what_else_differs_is_residue(self) -> None:
        good = application(IN[0])
        for other in (application(IN[1], b"/usr/bin/env python2"), application(IN[1], text=b"print(2)")):
            assert "residue" in causes(explain_contents(good, other))

    def test_a_script_with_other_bytes_is_none(self) -> None:
        for data in (b"#!/bin/sh\n\0PK\3\4" + bytes(60), b"#!PK\3\4" + bytes(60), b"#!/bin/sh\nPK\3\4" + bytes(60)):
            assert unfold(data).format == "bytes"


class TestArrays:
    def test_sizes_in_64_bits_follow_from_the_directory(self) -> None:
        first, second = (wide_zip(array(struct.pack("<2d", *values))) for values in ((1.5, 2.5), (math.pi, math.e)))
        assert len(first) != len(second)
        assert causes(explain_contents(first, second, "srv/a.npz")) == ["pickle-or-model"]

    def test_sizes_that_do_not_agree_count(self) -> None:
        good = wide_zip(b"text " * 9)
        start = good.index(struct.pack("<HH", 1, 16))
        for position in (*range(start, start + 20), *range(18, 26)):
            damaged = bytearray(good)
            damaged[position] ^= 1
            assert digest(bytes(damaged)) != digest(good)

    def test_dates_of_numpys_are_times(self) -> None:
        first, second = (array(struct.pack("<2q", moment * 10**9, 7), "<M8[ns]") for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
        first, second = (array(struct.pack("<2q", moment * 10**9, 7), "<M8[ns]") for moment in OUT)
        assert causes(explain_contents(first, second)) == ["residue"]


# h5py 3.12, HDF5 1.14: create_dataset("w", data=[1.5, 2.5], track_times=True), as it is and with libver="latest"
_HDF5_MADE = struct.pack("<I", 1795465827)
_HDF5 = zlib.decompress(
    base64.b85decode(
        b"c-rgqaB<`1lHy_j0S*oZ76t(ZWbhvfI#^NpF!=;1%?PDCp!5nRm^dR?P68?}2sIyFT}Y6tD@gT!Gyt>5fCWNxFpPqc2s~UJ13+{Hln+a#Czw#x"
        b"m7}Fc4+`yNWMG4s#R%g=QZgeWL;z+zjAjPPgJc91?4fDZfx(2E!Q?+PM4lBW3X*4HVq%1(XNY;sj1{b?K7#-us3{=D$%|OB85k-CG#-Ne{9Qmf"
        b"8kP?gm`Bql`QV2=gl2I708djf!2"
    )
)
_HDF5_LATEST = zlib.decompress(
    base64.b85decode(
        b"c-rgqaB<`1lHy|K;9!7(|4{Ir5yCfsiYF%fO!4<{31U)6Uc{1(j4POgkTt>p7ZU@}2sR!DAjMdI7-qf)1J%GE8$mX(lN8aN#K6cX!oa}9$jHb9"
        b"RSTn;MHm<b73>)x9(G_b;bt)T&&<HU3Un<q7YEQMER6S|UKfB_w1HvB0Tr&p3m~i?_7IxI0RUX(HCF"
    )
)


def hdf5(moment: int, *, first: float = 1.5) -> bytes:
    made = _HDF5.replace(_HDF5_MADE, struct.pack("<I", moment))
    return made.replace(struct.pack("<2d", 1.5, 2.5), struct.pack("<2d", first, 2.5))


def hdf5_latest(moment: int, *, right: bool = True) -> bytes:
    """Change the times in the headers, and the checksums with them."""
    made = bytearray(_HDF5_LATEST.replace(_HDF5_MADE, struct.pack("<I", moment)))
    for header in re.finditer(rb"OHDR\x02(.).{16}", bytes(made), re.DOTALL):
        width = 1 << (header[1][0] & 3)
        end = header.end() + width + int.from_bytes(made[header.end() : header.end() + width], "little")
        made[end : end + 4] = lookup3(bytes(made[header.start() : end])).to_bytes(4, "little") if right else b"\1\2\3\4"
    return bytes(made)


class TestHdf5:
    def test_the_digest_is_lookup3(self) -> None:
        # the answers that Bob Jenkins' program gives
        assert lookup3(b"") == 0xDEADBEEF
        assert lookup3(b"Four score and seven years ago") == 0x17770551

    @pytest.mark.parametrize("make", [hdf5, hdf5_latest])
    def test_when_its_objects_were_written(self, make: Callable[[int], bytes]) -> None:
        assert _HDF5_MADE in make(struct.unpack("<I", _HDF5_MADE)[0])
        explanation = explain_contents(make(IN[0]), make(IN[1]), "srv/data.h5")
        assert causes(explanation) == ["embedded-timestamp"]
        assert explanation.findings[0].confidence == "proven"
        assert causes(explain_contents(make(OUT[0]), make(OUT[1]), "srv/data.h5")) == ["residue"]

    def test_what_the_tests_change_is_as_hdf5_writes_it(self) -> None:
        assert hdf5_latest(struct.unpack("<I", _HDF5_MADE)[0]) == _HDF5_LATEST

    def test_a_message_that_was_dropped_keeps_its_time(self) -> None:
        first, second = (hdf5(moment).replace(b"\x12\0\x08\0", b"\0\0\x08\0") for moment in IN)
        assert first != hdf5(IN[0])
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
        first, second = (hdf5(moment).replace(b"\x12\0\x08\0", b"\x13\0\x08\0") for moment in IN)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_a_checksum_that_is_wrong_counts(self) -> None:
        assert "residue" in causes(explain_contents(hdf5_latest(IN[0]), hdf5_latest(IN[1], right=False)))
        assert unfold(hdf5_latest(IN[0], right=False)).format == "hdf5"

    def test_other_data_is_residue(self) -> None:
        assert "residue" in causes(explain_contents(hdf5(IN[0]), hdf5(IN[1], first=1.25)))

    def test_many_times_in_a_large_file(self) -> None:
        """In a file of unknown format so few bytes would say nothing."""
        first, second = (hdf5(moment) + bytes(3_000_000) for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]

    def test_a_hostile_file_ends(self) -> None:
        for filler in (b"OHDR\x02\x23" + b"\xff" * 24, b"OHDR\x02\x22" + bytes(16) + b"\xff\xff\0\0", b"OHDR\x02"):
            assert unfold(_HDF5[:8] + filler * 40_000).format == "hdf5"


class TestStreams:
    @pytest.mark.parametrize("level", range(1, 10))
    def test_what_a_library_gives_back_is_told_by_its_content(self, level: int) -> None:
        content = b"".join(b"%d %d\n" % (number, number * number % 7919) for number in range(900))
        for data in (zlib.compress(content, level), bz2.compress(content, level)):
            (node,) = [part for part in unfold(data).parts if isinstance(part, Node)]
            assert node.stream is None
            assert isinstance(node.parts[0], Field)
            assert node.parts[0].value == content

    @pytest.mark.parametrize("compress", [zlib.compress, bz2.compress])
    def test_times_inside_are_found(self, compress: type[bytes]) -> None:
        first, second = (compress(at(moment, "%Y-%m-%dT%H:%M:%SZ")) for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]

    @pytest.mark.parametrize("compress", [zlib.compress, bz2.compress])
    def test_another_level_is_residue(self, compress: type[bytes]) -> None:
        content = json.dumps(list(range(3000))).encode()
        first, second = compress(content, 1), compress(content, 9)  # type: ignore[call-arg]
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_bzip2_in_two_streams_and_what_stands_behind(self) -> None:
        data = bz2.compress(b"one") + bz2.compress(b"two") + b"rest"
        assert len([part for part in unfold(data).parts if isinstance(part, Node)]) == 2
        assert unfold(bz2.compress(b"")).format == "bzip2"

    def test_damage_is_one_field(self) -> None:
        for data in (
            zlib.compress(b"x" * 99)[:-5],
            zlib.compress(b"x") + b"!",
            bz2.compress(b"x" * 99)[:-9],
            b"x\x9c" * 8,
        ):
            assert unfold(data).format in ("bytes", "text")


@pytest.mark.parametrize(
    "data",
    [
        JOBLIB,
        zlib.compress(b"some text " * 5),
        bz2.compress(b"some text"),
        catalog(IN[0]),
        pickle.dumps({"a": IN[0]}),
        _HDF5,
        _HDF5_LATEST,
    ],
    ids=["joblib", "zlib", "bzip2", "catalogue", "pickle", "hdf5", "hdf5-latest"],
)
def test_another_byte_makes_another_tree(data: bytes) -> None:
    whole = digest(data)
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x01
        assert digest(bytes(changed)) != whole, position


def test_the_window_that_the_moments_lie_in() -> None:
    assert all(side.window is not None and side.window.holds(moment) for side, moment in zip(WINDOWS, IN, strict=True))
