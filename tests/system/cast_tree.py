"""A tree with everything in it that a cast has to keep, and whether it was kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ENTRIES", "MIB", "FileFacts", "facts_of", "write_tree"]

MIB = 1 << 20

LARGE_MIB = 2048
SMALL_FILES = 1000
CHINESE_NAME = "模型 第 1 批.bin"

ENTRIES = SMALL_FILES + 6
"""With the tree itself and the directory of the small files."""


class FileFacts(NamedTuple):
    """What has to be the same after a cast."""

    digest: str
    mode: int
    mtime_ns: int


def write_tree(top: Path) -> None:
    """A tree with everything in it that a cast has to keep."""
    (top / "small").mkdir(parents=True)
    for number in range(SMALL_FILES):
        (top / "small" / f"{number}.txt").write_text(f"{number}\n" * (number % 50))
    (top / "empty").touch()
    (top / CHINESE_NAME).write_bytes(os.urandom(3 * MIB + 1))
    (top / CHINESE_NAME).chmod(0o640)
    (top / "run.sh").write_text("#!/bin/sh\n")
    (top / "run.sh").chmod(0o755)
    _write_large(top / "large.bin")
    for number, path in enumerate(sorted(top.rglob("*"), reverse=True)):
        os.utime(path, ns=(1_600_000_000_000_000_000 + number,) * 2)


def facts_of(top: Path) -> dict[str, FileFacts]:
    """Every file and directory at or below a path; a directory has no digest."""
    found = {}
    for path in [top, *top.rglob("*")]:
        status = path.stat()
        content = blake3(max_threads=blake3.AUTO)
        digest = content.update_mmap(path).hexdigest() if path.is_file() else ""
        name = "" if path == top else str(path.relative_to(top))
        found[name] = FileFacts(digest, status.st_mode, status.st_mtime_ns)
    return found


def _write_large(path: Path) -> None:
    """A large file of which no two MiB are alike anywhere, made faster than from random bytes."""
    noise = memoryview(os.urandom(2 * MIB))
    step = MIB // LARGE_MIB
    with path.open("wb") as file:
        for start in range(0, LARGE_MIB * step, step):
            file.write(noise[start : start + MIB])
