"""Hosts of a cast within one process: each with a root, a server, and a part in the cast."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from castray.core.paths import plan_path
from castray.errors import CastError
from castray.transfer.order import Order, Outcome, Progress
from castray.transfer.peer import Membership, PeerAddress
from castray.transfer.receiver import Receiver
from castray.transfer.scanning import scan
from castray.transfer.server import BlockServer
from castray.transfer.source import SourceShare

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from castray.transfer.hashing import Algorithm

__all__ = ["SECRET", "Host", "Running", "tree_of", "write"]

SECRET = b"s" * 32


@dataclass
class Host:
    """One host. `progress` collects what its receivers told."""

    name: str
    root: Path
    server: BlockServer = field(default_factory=lambda: BlockServer("127.0.0.1"))
    progress: list[Progress] = field(default_factory=list)

    @property
    def address(self) -> PeerAddress:
        return PeerAddress(self.name, "127.0.0.1", self.server.port)

    @property
    def as_source(self) -> PeerAddress:
        return PeerAddress(self.name, "127.0.0.1", self.server.port, is_source=True)

    def offer(
        self,
        path: str,
        *,
        algorithm: Algorithm = "blake3",
        is_chained: bool = True,
        cast_id: str = "cast1",
        bytes_per_s: float | None = None,
    ) -> SourceShare:
        """Be the source of a cast."""
        found = scan(plan_path(path, [str(self.root)]), algorithm, is_chained=is_chained)
        share = SourceShare(found, SECRET, bytes_per_s)
        self.server.add(cast_id, share)
        return share

    def receiver(
        self, destination: str, peers: Sequence[PeerAddress], cast_id: str = "cast1", **order: Any
    ) -> Receiver:
        """A receiver of a cast."""
        return Receiver(
            Order(
                Membership(cast_id, SECRET, self.name),
                plan_path(destination, [str(self.root)]),
                **{"patience_s": 20.0, **order},
            ),
            peers,
            self.server,
            self.progress.append,
        )

    def receive(self, destination: str, source: Host, **order: Any) -> Outcome:
        """Receive from that source alone, to the end."""
        return self.receiver(destination, [source.as_source], **order).run()

    @property
    def bytes_done(self) -> int:
        """How much its last receiver had when it last told."""
        return self.progress[-1].bytes_done if self.progress else 0

    def litter(self) -> list[Path]:
        """What is left of casts beneath the root."""
        return list(self.root.rglob(".castray-*"))


class Running:
    """A receiver that runs on a thread of its own."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.outcome: Outcome | None = None
        self.error: CastError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self, timeout_s: float = 60) -> Outcome:
        """Wait for its end; its error is raised here."""
        self._thread.join(timeout_s)
        assert not self._thread.is_alive(), "it does not end"
        if self.error is not None:
            raise self.error
        assert self.outcome is not None
        return self.outcome

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so; it has to be before the receiver ends."""
        while not condition():
            assert not self.has_ended, self.error or "it ended first"
            self._thread.join(0.01)

    def _run(self) -> None:
        try:
            self.outcome = self.receiver.run()
        except CastError as error:
            self.error = error


def tree_of(
    directory: Path, *, with_partials: bool = True
) -> dict[str, tuple[str, object, int, int]]:
    """Everything beneath a directory: kind, content or link, mode and time by path."""
    tree: dict[str, tuple[str, object, int, int]] = {}
    for path in sorted(directory.rglob("*")):
        if not with_partials and any(part.startswith(".castray-") for part in path.parts):
            continue
        status = path.lstat()
        kind: str = "directory"
        content: object = None
        with suppress(OSError):
            if path.is_symlink():
                kind, content = "link", str(path.readlink())
            elif path.is_file():
                kind, content = "file", path.read_bytes()
        tree[str(path.relative_to(directory))] = (
            kind,
            content,
            status.st_mode & 0o777,
            status.st_mtime_ns,
        )
    return tree


def write(path: Path, content: bytes) -> Path:
    """Write a file, and the directories above it where they are missing; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
