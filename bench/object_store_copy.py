"""Copies a file between two hosts through Ray's object store, and prints how long that took.

python -m bench.object_store_copy GCS_ADDRESS SOURCE_NODE_IP PATH NEW_PATH

Runs on the target: an actor on the source reads pieces, and some of them are on their way at once.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import ray

__all__ = ["main"]

PIECE_BYTES = 8 * 2**20
PIECES_IN_FLIGHT = 6


class Reader:
    """A file in pieces."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def piece(self, number: int) -> bytes:
        """That piece; empty after the last."""
        with self._path.open("rb") as file:
            file.seek(number * PIECE_BYTES)
            return file.read(PIECE_BYTES)

    def count(self) -> int:
        """How many there are."""
        return -(-self._path.stat().st_size // PIECE_BYTES)


def main() -> None:
    """Copy."""
    address, source, path, new_path = sys.argv[1:]
    ray.init(address=address, log_to_driver=False)
    there = ray.remote(num_cpus=0, resources={f"node:{source}": 0.001})
    reader: Any = there(Reader).remote(path)
    count = ray.get(reader.count.remote())
    began = time.perf_counter()
    with Path(new_path).open("wb") as file:
        on_the_way = deque(reader.piece.remote(number) for number in range(PIECES_IN_FLIGHT))
        for number in range(PIECES_IN_FLIGHT, count + PIECES_IN_FLIGHT):
            file.write(ray.get(on_the_way.popleft()))
            if number < count:
                on_the_way.append(reader.piece.remote(number))
    print(f"SECONDS {time.perf_counter() - began}", flush=True)


if __name__ == "__main__":
    main()
