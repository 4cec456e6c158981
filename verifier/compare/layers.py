"""Compare two layers entry by entry, in one pass over both.

Both streams are walked in step while their paths agree: equal headers are parsed once, equal contents are compared as
bytes and digested once. Where the paths part, the smaller one (in the order of a directory walk) is put aside, its
content digested, until its partner comes by; what never meets one is on one side only. So an entry too many costs
nothing beyond itself, and entries in any order are still paired, in linear time. Contents that differ and did not lie
side by side are named in `LayerResult.apart`: a second, bounded pass finds their regions.
"""

from __future__ import annotations

import hashlib
import marshal
from array import array
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from verifier.compare.contents import BytesReader, compare_contents
from verifier.compare.encoding import header_parts
from verifier.compare.entries import (
    FieldDifference,
    alone_entry,
    differing_fields,
    entry_value,
    header_difference,
    padding_difference,
    text_of,
)
from verifier.compare.files import record_of
from verifier.compare.kept import MAX_KEPT_CONTENT, KeptContents, Recording
from verifier.compare.layer_side import LayerSide
from verifier.compare.links import common_type, with_link_groups
from verifier.compare.order import first_parting, sequences
from verifier.compare.tables import SpillList, SpillSpace
from verifier.model.difference import ContentDifference, Difference, LayerPair, WholeValues
from verifier.oci.platform import Platform
from verifier.oci.tar import TarReader, Trailer
from verifier.oci.tar_entry import TarEntry, has_data
from verifier.oci.tar_header import parse_header

_EMPTY: Final = hashlib.sha256(b"").hexdigest()


class ApartContent(NamedTuple):
    """A content that differs, read at different times on both sides: which entry, and where its difference stands."""

    path: bytes
    occurrence: int
    position: int


@dataclass(slots=True, kw_only=True)
class LayerResult:
    """What one walk over two layers gave; `first` and `second`, which may be one, are what `Root.apply` takes."""

    differences: list[Difference]
    apart: list[ApartContent]
    first: SpillList
    second: SpillList


class _Aside(NamedTuple):
    """An entry put aside, as `marshal` keeps it."""

    number: int
    raw: bytes
    content: str
    kind: str
    padding: bytes


def compare_layers(
    first: TarReader, second: TarReader, *, pair: LayerPair, platform: Platform, space: SpillSpace
) -> LayerResult:
    """Walk two layers to their ends. Raises MalformedImageError, ResourceError."""
    leader = LayerSide(first, space)
    return _Walk(leader, LayerSide(second, space, leader), pair, platform, space.kept).run()


@dataclass(slots=True)
class _Walk:
    first: LayerSide
    second: LayerSide
    pair: LayerPair
    platform: Platform
    kept: KeptContents | None = None
    differences: list[Difference] = field(default_factory=list)
    apart: list[ApartContent] = field(default_factory=list)
    partners: array[int] = field(default_factory=lambda: array("q"))
    """The index in the second layer of each entry of the first, -1 without one."""

    def run(self) -> LayerResult:
        first, second = self.first, self.second
        first.advance()
        second.advance(first)
        while first.raw is not None or second.raw is not None:
            self._step(first, second)
        self._report_unpaired()
        self.differences = with_link_groups(self.differences, first.records, second.records)
        self._compare_order()
        self._compare_trailers(first.reader.trailer(), second.reader.trailer())
        first.close()
        second.close()
        return LayerResult(differences=self.differences, apart=self.apart, first=first.records, second=second.records)

    def _step(self, first: LayerSide, second: LayerSide) -> None:
        if first.raw is None:
            self._meet_or_put_aside(second, first)
        elif second.raw is None:
            self._meet_or_put_aside(first, second)
        elif first.entry.path == second.entry.path and first.occurrence == second.occurrence:
            self._compare_in_step()
            first.advance()
            second.advance(first)
        elif first.aside.any() and second.aside.get(first.key) is not None:
            self._meet_or_put_aside(first, second)
        elif second.aside.any() and first.aside.get(second.key) is not None:
            self._meet_or_put_aside(second, first)
        elif _walk_order(first.entry.path) < _walk_order(second.entry.path):
            self._meet_or_put_aside(first, second)
        else:
            self._meet_or_put_aside(second, first)

    def _pair_indices(self, first: int, second: int) -> None:
        partners = self.partners
        if len(partners) <= first:
            partners.extend([-1] * (first + 1 - len(partners)))
        partners[first] = second

    def _compare_in_step(self) -> None:
        first, second = self.first, self.second
        entry, other = first.entry, second.entry
        self._pair_indices(first.index, second.index)
        content, second_content, difference = self._compare_contents_in_step()
        padding, other_padding = first.reader.end(), second.reader.end()
        self._record_in_step(content, second_content)
        if entry is other and difference is None and padding == other_padding:
            return
        fields = [] if entry is other else differing_fields(entry, other)
        self._report_entry(
            _Both(entry.path, first.occurrence, entry, other),
            fields,
            (first.raw or b"", second.raw or b""),
            (content, second_content),
            (padding, other_padding),
            difference,
        )

    def _record_in_step(self, content: str, second_content: str) -> None:
        first, second = self.first, self.second
        record = other_record = record_of(first.entry, content)
        if first.entry is not second.entry or content != second_content:
            other_record = record_of(second.entry, second_content)
        if record != other_record:
            self._part_records()
        first.records.append(first.entry.path, record)
        if second.records is not first.records:
            # where both agree, one object serves both: half the memory
            second.records.append(first.entry.path, record if record == other_record else other_record)

    def _part_records(self) -> None:
        if self.second.records is self.first.records:
            self.second.records = self.first.records.copy()

    def _compare_contents_in_step(self) -> tuple[str, str, ContentDifference | None]:
        reader, other_reader = self.first.reader, self.second.reader
        entry, other = self.first.entry, self.second.entry
        if entry.stored == 0 and other.stored == 0 and entry.size == other.size:
            return _EMPTY, _EMPTY, None
        whole = reader.whole()
        if whole is not None and len(whole) == other.stored and other_reader.take_same(whole):
            content = hashlib.sha256(whole).hexdigest()
            return content, content, None
        sizes = [each.size if has_data(each.type) else 0 for each in (entry, other)]
        source = reader if whole is None else BytesReader(whole)
        if self.kept is None or max(sizes) > MAX_KEPT_CONTENT:
            return compare_contents(source, other_reader, sizes[0], sizes[1], entry.path)
        first, second = Recording(source), Recording(other_reader)
        result = compare_contents(first, second, sizes[0], sizes[1], entry.path)
        if result.difference is not None:
            self.kept.add(self.platform, self.pair, (entry.path, self.first.occurrence), first.pieces, second.pieces)
        return result

    def _meet_or_put_aside(self, side: LayerSide, other: LayerSide) -> None:
        """Compare `side`'s entry with its partner among those that `other` put aside, or put it aside too."""
        self._part_records()
        content, kind = side.digest_content()
        entry, raw = side.entry, side.raw or b""
        padding = side.reader.end()
        side.record(content)
        here = _Aside(side.index, raw, content, kind, padding)
        key = side.key
        found = other.aside.get(key)
        if found is None:
            side.aside.put(key, marshal.dumps(tuple(here)))
        else:
            other.aside.remove(key)
            there = _Aside(*marshal.loads(found))  # noqa: S302 - made above, in this process
            both = (here, there) if side is self.first else (there, here)
            self._compare_apart(entry.path, side.occurrence, *both)
        side.advance()

    def _compare_apart(self, path: bytes, occurrence: int, first: _Aside, second: _Aside) -> None:
        self._pair_indices(first.number, second.number)
        entry, other = parse_header(first.raw), parse_header(second.raw)
        difference = None
        if first.content != second.content:
            difference = ContentDifference(
                type_first=first.kind,
                type_second=second.kind,
                size_first=entry.size,
                size_second=other.size,
                regions=(),
                complete=False,
            )
        before = len(self.differences)
        self._report_entry(
            _Both(path, occurrence, entry, other),
            differing_fields(entry, other),
            (first.raw, second.raw),
            (first.content, second.content),
            (first.padding, second.padding),
            difference,
        )
        for position in range(before, len(self.differences)):
            if self.differences[position].content is not None:
                self.apart.append(ApartContent(path, occurrence, position))

    def _report_entry(
        self,
        both: _Both,
        fields: list[FieldDifference],
        raw: tuple[bytes, bytes],
        contents: tuple[str, str],
        paddings: tuple[bytes, bytes],
        content: ContentDifference | None,
    ) -> None:
        for item in fields:
            self._add(both, item)
        if contents[0] != contents[1]:
            values = [
                f"sha256:{digest}" if has_data(entry.type) else None
                for digest, entry in zip(contents, (both.first, both.second), strict=True)
            ]
            is_pair = None not in values
            self._add(both, FieldDifference("content", values[0], values[1]), content if is_pair else None)
        if padding := padding_difference(*paddings):
            self._add(both, padding)
        if header := header_difference(*raw, fields, sizes_differ=both.first.stored != both.second.stored):
            self._add(both, header)
            whole = WholeValues(first=header_parts(raw[0]), second=header_parts(raw[1]))
            self.differences[-1] = replace(self.differences[-1], whole=whole)

    def _add(self, both: _Both, item: FieldDifference, content: ContentDifference | None = None) -> None:
        self.differences.append(
            Difference(
                platform=self.platform,
                part="layer",
                layer=self.pair,
                path=both.path,
                occurrence=both.occurrence,
                field=item.field,
                first=item.first,
                second=item.second,
                content=content,
                entry_type=common_type(both.first.type, both.second.type),
            )
        )

    def _report_unpaired(self) -> None:
        for side in (self.first, self.second):
            for key, value in side.aside.items():
                path, _, occurrence = key.partition(b"\0")
                aside = _Aside(*marshal.loads(value))  # noqa: S302 - made above, in this process
                entry = parse_header(aside.raw)
                name, word = entry_value(entry)
                values = (word, None) if side is self.first else (None, word)
                both = _Both(path, int(occurrence or b"0"), entry, entry)
                self._add(both, FieldDifference(name, *values))
                if name == "entry":
                    alone = alone_entry(entry, aside.raw, aside.content, aside.padding)
                    self.differences[-1] = replace(self.differences[-1], alone=alone)

    def _compare_order(self) -> None:
        """Report, once a layer, the first entry that both sides have and that comes at another place."""
        parted = first_parting(self.partners)
        if parted is None:
            return
        values = [
            {"index": index, "path": text_of(side.records.key_at(index))}
            for index, side in zip(parted, (self.first, self.second), strict=True)
        ]
        self._add_of_layer("order", values[0], values[1])
        whole = sequences(self.first.records, self.second.records, self.partners)
        self.differences[-1] = replace(self.differences[-1], whole=whole)

    def _compare_trailers(self, first: Trailer, second: Trailer) -> None:
        if first != second:
            values = [{"size": trailer.size, "digest": str(trailer.digest)} for trailer in (first, second)]
            self._add_of_layer("trailer", values[0], values[1])

    def _add_of_layer(self, name: str, first: dict[str, object], second: dict[str, object]) -> None:
        self.differences.append(
            Difference(
                platform=self.platform,
                part="layer",
                layer=self.pair,
                field=name,
                first=first,  # type: ignore[arg-type]  # JSON values, by construction
                second=second,  # type: ignore[arg-type]
            )
        )


class _Both(NamedTuple):
    """Two entries of one path."""

    path: bytes
    occurrence: int
    first: TarEntry
    second: TarEntry


def _walk_order(path: bytes) -> bytes:
    """Give what sorts paths as a directory walk does: a folder's content right behind it."""
    return path.replace(b"/", b"\0")
