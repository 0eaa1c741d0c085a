"""What a receiver has done so far, so that it can go on after a sudden end.

One line for each thing done, each written at once and after what it tells of:

    castray 1 DIGEST        which manifest this is about
    b BLOCK                 a block was verified and written
    x ENTRY "PROBLEM"       an entry will not be placed
    placing                 everything is verified and on the disk; from now on it is only renamed
    d ENTRY                 a directory is about to be made, and gets its mode and time at last
    p ENTRY "NAME"          an entry is about to be placed under another name than its own

A line that was cut off, and what follows it, counts for nothing. What is claimed here is looked
at again before it is believed: only `placing` is taken at its word, for it is synced to the disk.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

__all__ = ["Journal", "JournalContent", "parse_journal"]

HEAD = "castray 1 "


@dataclass
class JournalContent:
    """What a journal tells; `length` is that of its readable part."""

    digest: str = ""
    blocks: set[int] = field(default_factory=set)
    problems: dict[int, str] = field(default_factory=dict)
    is_placing: bool = False
    directories: set[int] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    length: int = 0


def parse_journal(data: bytes) -> JournalContent:
    """Read a journal as far as it can be read."""
    content = JournalContent()
    for line in data.splitlines(keepends=True):
        if not line.endswith(b"\n") or not _parse_line(line.decode(errors="replace"), content):
            break
        content.length += len(line)
    return content


class Journal:
    """A journal that is open for writing.

    Args:
        descriptor: The file, open for reading and appending; it stays the caller's.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def start(self, digest: str) -> JournalContent:
        """What was done before for that manifest; if it is another, all begins anew."""
        size = os.fstat(self._descriptor).st_size
        content = parse_journal(os.pread(self._descriptor, size, 0))
        if content.digest != digest:
            content = JournalContent(digest)
            os.ftruncate(self._descriptor, 0)
            self._write(f"{HEAD}{digest}")
        else:
            os.ftruncate(self._descriptor, content.length)
        return content

    def add_block(self, block: int) -> None:
        """Note that a block was verified and written."""
        self._write(f"b {block}")

    def add_problem(self, number: int, problem: str) -> None:
        """Note that an entry will not be placed, and why."""
        self._write(f"x {number} {json.dumps(problem)}")

    def add_directory(self, number: int) -> None:
        """Note that the directory of an entry is about to be made."""
        self._write(f"d {number}")

    def add_name(self, number: int, name: str) -> None:
        """Note that an entry is about to be placed under another name."""
        self._write(f"p {number} {json.dumps(name)}")

    def start_placing(self) -> None:
        """Note that all is on the disk, and bring this note there too."""
        self._write("placing")
        os.fsync(self._descriptor)

    def _write(self, line: str) -> None:
        os.write(self._descriptor, f"{line}\n".encode())


def _parse_line(line: str, content: JournalContent) -> bool:
    """Take a line in; whether it could be read."""
    try:
        if not content.digest:
            content.digest = line.rstrip("\n")[len(HEAD) :] if line.startswith(HEAD) else ""
            return bool(content.digest)
        if line == "placing\n":
            content.is_placing = True
        elif line.startswith("b "):
            content.blocks.add(int(line[2:]))
        elif line.startswith("d "):
            content.directories.add(int(line[2:]))
        else:
            kind, number, text = line.split(" ", 2)
            {"x": content.problems, "p": content.names}[kind][int(number)] = str(json.loads(text))
    except (ValueError, KeyError):
        return False
    return True
