from __future__ import annotations

import ctypes
import mmap

import pytest

from castray.transfer.buffers import READ_BYTES, new_buffer, read_buffer


def address_of(buffer: memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


@pytest.mark.parametrize("size", [1, 4096, (4 << 20) + 1])
def test_a_buffer_begins_at_a_page_and_has_its_size(size: int) -> None:
    buffer = new_buffer(size)

    assert address_of(buffer) % mmap.PAGESIZE == 0
    assert len(buffer) == size


def test_a_buffer_to_read_into_is_used_by_one_at_a_time_and_again_afterwards() -> None:
    with read_buffer() as one, read_buffer() as other:
        addresses = {address_of(one), address_of(other)}

    with read_buffer() as again:
        assert len(addresses) == 2
        assert address_of(again) in addresses
        assert len(again) == READ_BYTES
