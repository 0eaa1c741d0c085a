"""What a receiver asks the source besides blocks: the manifest and digests, until it answers."""

from __future__ import annotations

import logging
import time
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

from castray.errors import PeerError
from castray.transfer.peer import PeerConnection
from castray.transfer.share import LaterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from castray.transfer.peer import Membership, PeerAddress
    from castray.transfer.steering import Steering

__all__ = ["SourceControl"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_RETRY_S = 0.1
LAST_RETRY_S = 2.0


class SourceControl:
    """A line to the source that is connected again whenever it breaks; for many threads.

    Args:
        find_source: Where the source serves now.
        membership: In which cast we ask, and as whom.
        steering: Ends the waiting when the cast ends.
        patience_s: So long a source that does not answer is asked again.
    """

    def __init__(
        self,
        find_source: Callable[[], PeerAddress],
        membership: Membership,
        steering: Steering,
        patience_s: float,
    ) -> None:
        self._find_source = find_source
        self._membership = membership
        self._steering = steering
        self._patience_s = patience_s
        self._lock = RLock()
        self._connection: PeerConnection | None = None

    def ask(self, question: Callable[[PeerConnection], T]) -> T:
        """Ask until there is an answer.

        Raises:
            PeerError: The source did not answer for too long.
            CastCancelledError: The cast was ended meanwhile.
            CastError: The answer is that it cannot be answered.
        """
        delay_s = FIRST_RETRY_S
        give_up_at = time.monotonic() + self._patience_s
        while True:
            self._steering.check()
            try:
                return self._ask_once(question)
            except LaterError:
                # It works on the answer.
                give_up_at = time.monotonic() + self._patience_s
                self._steering.sleep(FIRST_RETRY_S)
            except PeerError as error:
                self._steering.check()
                logger.info("asking again in %.1f s: %s", delay_s, error)
                if time.monotonic() + delay_s > give_up_at:
                    raise
                self._steering.sleep(delay_s)
                delay_s = min(2 * delay_s, LAST_RETRY_S)

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _ask_once(self, question: Callable[[PeerConnection], T]) -> T:
        with self._lock:
            if self._connection is None:
                self._connection = PeerConnection(self._find_source(), self._membership)
            try:
                with self._steering.watch(self._connection):
                    return question(self._connection)
            except PeerError:
                self.close()
                raise
