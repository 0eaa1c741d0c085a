from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castray.errors import CastError
from castray.transfer.layout import (
    MAX_BLOCK_BYTES,
    MAX_BLOCKS,
    MAX_PACKED_FILES,
    MIN_BLOCK_BYTES,
    plan_block_bytes,
    plan_runs,
)
from castray.transfer.manifest import Manifest, ManifestBuilder
from castray.transfer.pages import DIRECTORY, FILE, MAX_PAGE_BYTES, Entry, pack_page, unpack_page

MIB = 1 << 20
TIB = 1 << 40

SIZES = st.lists(
    st.one_of(st.just(0), st.integers(1, 2000), st.integers(MIB - 2, 5 * MIB)), max_size=60
)


def build(sizes: list[int]) -> Manifest:
    builder = ManifestBuilder()
    for number, size in enumerate(sizes):
        builder.add(Entry(f"f{number}", FILE, size, 0o644, number))
    return builder.build("blake3", is_chained=True)


@pytest.mark.parametrize(
    ("bytes_total", "expected"),
    [
        (0, MIB),
        (256 * MIB, MIB),
        (256 * MIB + 1, 2 * MIB),
        (1024 * MIB, 4 * MIB),
        (TIB, 4 * MIB),
        (16 * TIB, 16 * MIB),
    ],
)
def test_blocks_grow_with_what_is_cast(bytes_total: int, expected: int) -> None:
    assert plan_block_bytes(bytes_total) == expected


@given(st.integers(0, 1 << 60))
def test_blocks_are_never_too_small_or_too_many(bytes_total: int) -> None:
    size = plan_block_bytes(bytes_total)

    assert size >= MIN_BLOCK_BYTES
    assert size <= MAX_BLOCK_BYTES or bytes_total > MAX_BLOCK_BYTES * MAX_BLOCKS
    assert bytes_total / size <= MAX_BLOCKS


@given(SIZES)
def test_every_byte_is_in_exactly_one_block(sizes: list[int]) -> None:
    manifest = build(sizes)

    pieces: dict[int, list[tuple[int, int]]] = {}
    for block in range(manifest.blocks):
        for segment in manifest.segments(block):
            assert segment.length > 0
            pieces.setdefault(segment.entry_number, []).append((segment.offset, segment.length))

    for number, size in enumerate(sizes):
        end = 0
        for offset, length in sorted(pieces.get(number, [])):
            assert offset == end
            end += length
        assert end == size


@given(SIZES)
def test_a_files_blocks_are_those_that_its_pieces_are_in(sizes: list[int]) -> None:
    manifest = build(sizes)

    for number in range(len(sizes)):
        blocks = [
            block
            for block in range(manifest.blocks)
            if any(s.entry_number == number for s in manifest.segments(block))
        ]
        assert blocks == list(manifest.blocks_of(number))


@given(SIZES)
def test_no_block_is_larger_than_a_block_or_holds_too_many_files(sizes: list[int]) -> None:
    manifest = build(sizes)

    for block in range(manifest.blocks):
        segments = manifest.segments(block)
        assert sum(s.length for s in segments) <= manifest.header.block_bytes
        assert len(segments) <= MAX_PACKED_FILES


def test_small_files_share_blocks() -> None:
    manifest = build([64 << 10] * 1000)

    assert manifest.blocks <= 1000 / 15


def test_many_entries_are_found_by_their_numbers_over_all_pages() -> None:
    manifest = build([number % 7 for number in range(5000)])

    assert manifest.header.pages == 10
    assert [number for number, _ in manifest.entries()] == list(range(5000))
    assert manifest.entry(4711).path == "f4711"
    assert manifest.entry(0).path == "f0"


def test_a_manifest_of_many_files_is_small() -> None:
    manifest = build([1000] * 20_000)

    assert sum(map(len, manifest.pages)) < 20 * 20_000


def test_what_is_not_there_is_not_found() -> None:
    manifest = build([5])

    with pytest.raises(IndexError):
        manifest.segments(1)
    with pytest.raises(IndexError):
        manifest.entry(1)


def test_the_same_content_has_the_same_digest_and_another_has_not() -> None:
    assert build([1, 2]).header.digest == build([1, 2]).header.digest
    assert build([1, 2]).header.digest != build([2, 1]).header.digest


def test_pages_that_do_not_fit_their_header_are_refused() -> None:
    manifest, other = build([1, 2, 3]), build([1, 2, 4])

    with pytest.raises(CastError, match="not those"):
        Manifest(manifest.header, other.pages)
    with pytest.raises(CastError, match="not those"):
        Manifest(manifest.header, [])


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"not compressed",
        zlib.compress(b"not json"),
        zlib.compress(b'[["a","f",-1,0,0,""]]'),
        zlib.compress(b'[["a","q",1,0,0,""]]'),
        zlib.compress(b'[["a","d",1,0,0,""]]'),
        zlib.compress(b'[["a","f",1]]'),
        zlib.compress(b"[" + b'["a","f",0,0,0,""],' * 600 + b'["a","f",0,0,0,""]]'),
    ],
)
def test_a_broken_page_is_refused(page: bytes) -> None:
    with pytest.raises(CastError, match="manifest"):
        Manifest(build([1]).header, [page])


def test_a_page_that_unpacks_to_too_much_is_refused_before_it_does() -> None:
    bomb = zlib.compress(bytes(64 * MAX_PAGE_BYTES), 9)

    with pytest.raises(CastError, match="larger than"):
        unpack_page(bomb)


def test_directories_ride_along_and_need_no_block() -> None:
    entries = [Entry("t", DIRECTORY, 0, 0o755, 0), Entry("t/a", FILE, 0, 0o644, 0)]

    runs = plan_runs(entries, first_entry=0, first_block=0, block_bytes=MIB)

    assert [run.blocks for run in runs] == [0]
    assert unpack_page(pack_page(entries)).startswith(b'[["t","d"')
