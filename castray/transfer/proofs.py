"""The source's digests for blocks that come from others."""

from __future__ import annotations

from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

from castray.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.transfer.control import SourceControl
    from castray.transfer.protocol import Head
    from castray.transfer.reception import Reception

__all__ = ["Proofs"]


MAX_KNOWN = 1024
"""More than are ever wanted soon; the oldest of them came from the source after all."""

BATCH = 32


class Proofs:
    """Asks the source for digests, several at a time; for many threads.

    Args:
        reception: Says what will soon be wanted too.
        control: The line to the source.
    """

    def __init__(self, reception: Reception, control: SourceControl) -> None:
        self._reception = reception
        self._control = control
        self._known: dict[int, list[Head]] = {}
        self._lock = Lock()

    def get(self, block: int) -> list[Head]:
        """The heads of a block's segments, as the source gives them.

        Raises:
            CastError: As with `SourceControl.ask`.
        """
        with self._lock:
            if block not in self._known:
                soon = set(self._reception.upcoming(BATCH)) - {block, *self._known}
                self._known |= self.fetch([block, *sorted(soon)])
            found = self._known[block]
            for oldest in list(self._known)[:-MAX_KNOWN]:
                del self._known[oldest]
            return found

    def fetch(self, blocks: Sequence[int]) -> dict[int, list[Head]]:
        """The heads of the segments of these blocks."""
        heads = iter(self._control.ask(lambda source: source.fetch_digests(blocks)))
        manifest = self._reception.manifest
        found = {block: [*islice(heads, len(manifest.segments(block)))] for block in blocks}
        if any(len(found[block]) != len(manifest.segments(block)) for block in blocks):
            raise PeerError("source", "sends fewer digests than it was asked for")
        return found
