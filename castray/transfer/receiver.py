"""One receiver's part in a cast, from the first question to the last renaming."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING

from castray.errors import CastCancelledError, PeerError, TargetFileError, UnsafePathError
from castray.transfer.beneath import open_root
from castray.transfer.control import SourceControl
from castray.transfer.destination import explain, plan_destination
from castray.transfer.partial import open_partial
from castray.transfer.receiving import Receiving
from castray.transfer.steering import Steering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from castray.transfer.order import Order, Outcome, Progress
    from castray.transfer.partial import Partial
    from castray.transfer.peer import PeerAddress
    from castray.transfer.server import BlockServer
    from castray.transfer.streams import Streams

__all__ = ["Receiver"]


class Receiver:
    """Receives one cast. `run` works until it is done; everything else may be called meanwhile.

    Args:
        order: What to do.
        peers: The source, and the other receivers to pull from.
        server: Gives what arrives to others; None where nobody else receives.
        on_progress: Is called a few times a second, on the thread that runs.
    """

    def __init__(
        self,
        order: Order,
        peers: Sequence[PeerAddress],
        server: BlockServer | None = None,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self._order = order
        self._peers = tuple(peers)
        self._server = server
        self._on_progress = on_progress
        self._steering = Steering()
        self._streams: Streams | None = None
        self._lock = Lock()

    def run(self) -> Outcome:
        """Receive everything, or go on where an earlier receiver of this cast ended.

        Raises:
            CastCancelledError: It was cancelled or stopped.
            PeerError: The others do not answer; what has arrived is kept for another try.
            TargetFileError: Nothing can be written here.
            UnsafePathError: The destination leads out of its root.
            CastError: The source cannot say what is cast.
        """
        try:
            return self._run()
        except OSError as error:
            raise TargetFileError(str(self._order.destination), explain(error)) from error

    def set_peers(self, peers: Sequence[PeerAddress]) -> None:
        """Pull from these from now on: somebody came, went, or has another address."""
        with self._lock:
            self._peers = tuple(peers)
            if self._streams is not None:
                self._streams.set_peers(peers)

    def pause(self) -> None:
        """Ask for no more blocks until `resume`."""
        self._steering.pause()

    def resume(self) -> None:
        """Ask for blocks again."""
        self._steering.resume()

    def cancel(self) -> None:
        """End it, and remove what has arrived."""
        self._steering.end(keep_partial=False)

    def stop(self) -> None:
        """End it, and keep what has arrived, to go on later."""
        self._steering.end(keep_partial=True)

    def close(self) -> None:
        """Give nothing of this cast to others any more."""
        if self._server is not None:
            self._server.remove(self._order.membership.cast_id)

    def _run(self) -> Outcome:
        order = self._order
        with ExitStack() as stack:
            control = SourceControl(
                self._find_source, order.membership, self._steering, order.patience_s
            )
            stack.callback(control.close)
            manifest = control.ask(lambda source: source.fetch_manifest())
            destination = plan_destination(order.destination, manifest)
            root = stack.enter_context(open_root(order.destination.root))
            cast_id = order.membership.cast_id
            partial = stack.enter_context(open_partial(root, destination.directory, cast_id))
            stack.enter_context(self._tidied(partial))
            source = self._find_source().name
            receiving = Receiving(
                order, root, manifest, destination, partial, control, self._steering, source
            )
            outcome = self._go_through(receiving)
            if outcome.problems_total or not order.keeps_trace:
                partial.discard()
            return outcome

    def _go_through(self, receiving: Receiving) -> Outcome:
        """All steps of the work, or those that an earlier receiver left."""
        if not receiving.is_placing:
            receiving.check_room()
            receiving.check_existing()
            receiving.look_again()
            self._pull(receiving)
            receiving.complete()
        return receiving.place()

    def _pull(self, receiving: Receiving) -> None:
        if self._server is not None:
            self._server.add(self._order.membership.cast_id, receiving.share)
        streams = receiving.streams
        with self._lock:
            self._streams = streams
            streams.set_peers(self._peers)
        try:
            receiving.wait_until_complete(self._on_progress)
        finally:
            # Nobody may start another thread from here on.
            with self._lock:
                self._streams = None
            streams.stop()
            streams.join()

    def _find_source(self) -> PeerAddress:
        for peer in self._peers:
            if peer.is_source:
                return peer
        raise PeerError("source", "has no address yet")

    @contextmanager
    def _tidied(self, partial: Partial) -> Iterator[None]:
        """Keep what has arrived only where it is of use: to go on after a lost connection."""
        try:
            yield
        except CastCancelledError:
            if not self._steering.keeps_partial:
                partial.discard()
            raise
        except (TargetFileError, UnsafePathError, OSError):
            with suppress(OSError):
                partial.discard()
            raise
