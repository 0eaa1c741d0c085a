"""How a running cast is paused and ended from outside."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

from castray.errors import CastCancelledError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from castray.transfer.peer import PeerConnection

__all__ = ["Steering"]


class Steering:
    """Shared by the threads of one cast and by whoever steers it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._connections: set[PeerConnection] = set()
        self._is_ended = False
        self._is_paused = False
        self.keeps_partial = True
        """Whether what has arrived is kept, so that the cast can go on later."""

    @property
    def is_paused(self) -> bool:
        """Whether no more blocks are asked for just now."""
        return self._is_paused

    def pause(self) -> None:
        """Ask for no more blocks; those on their way still arrive."""
        with self._changed:
            self._is_paused = True

    def resume(self) -> None:
        """Ask for blocks again."""
        with self._changed:
            self._is_paused = False
            self._changed.notify_all()

    def end(self, *, keep_partial: bool) -> None:
        """End the cast here and now."""
        with self._changed:
            self.keeps_partial = keep_partial
            self._is_ended = True
            self._changed.notify_all()
        self.abort_connections()

    def abort_connections(self) -> None:
        """Make every thread that waits for a peer stop waiting."""
        with self._changed:
            connections = list(self._connections)
        for connection in connections:
            connection.abort()

    @contextmanager
    def watch(self, connection: PeerConnection) -> Iterator[PeerConnection]:
        """Have a connection aborted when the cast ends."""
        with self._changed:
            self._connections.add(connection)
        try:
            self.check()
            yield connection
        finally:
            with self._changed:
                self._connections.discard(connection)

    def check(self) -> None:
        """Go on, or not.

        Raises:
            CastCancelledError: The cast was ended.
        """
        if self._is_ended:
            raise CastCancelledError("cast", "was ended")

    def wait_while_paused(self) -> None:
        """Return when blocks may be asked for.

        Raises:
            CastCancelledError: The cast was ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_ended or not self._is_paused)
        self.check()

    def sleep(self, seconds: float) -> None:
        """Wait so long, if the cast goes on.

        Raises:
            CastCancelledError: The cast was ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_ended, seconds)
        self.check()
