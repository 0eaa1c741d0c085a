"""A receiver at work on a thread of its own, and how far it is."""

from __future__ import annotations

import logging
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from castray.cast_models import CastState
from castray.errors import CastCancelledError, CastError, PeerError
from castray.transfer.agent_link import ReceiverReport
from castray.transfer.beneath import open_root
from castray.transfer.destination import Destination
from castray.transfer.order import Order
from castray.transfer.partial import has_partial, open_partial
from castray.transfer.peer import Membership
from castray.transfer.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from castray.core.paths import RootedPath
    from castray.transfer.agent_link import ReceiveOrder
    from castray.transfer.order import Outcome, Progress
    from castray.transfer.peer import PeerAddress
    from castray.transfer.roots import Roots
    from castray.transfer.server import BlockServer

__all__ = ["ReceiverThread", "discard_partial"]

logger = logging.getLogger(__name__)


PATIENCE_S = 60.0
"""After so long without a byte from anybody a receiver gives up; it can be begun again."""


class ReceiverThread:
    """Receives one cast, from `start` on.

    Args:
        order: What to do.
        roots: This node's.
        server: Gives what arrives to others, until `end`; None: nobody does.
        on_change: Is called from any thread, with `at_once` where it was more than a step.

    Raises:
        UnsafePathError: The destination lies in no root.
    """

    def __init__(
        self,
        order: ReceiveOrder,
        roots: Roots,
        server: BlockServer | None,
        on_change: Callable[..., None],
    ) -> None:
        self._path = roots.plan(order.destination)
        self._cast_id = order.cast_id
        self._roots = roots
        self._on_change = on_change
        membership = Membership(order.cast_id, bytes.fromhex(order.secret), order.me)
        self._receiver = Receiver(
            Order(
                membership,
                self._path,
                order.if_exists,
                order.bytes_per_s,
                patience_s=PATIENCE_S,
                keeps_trace=True,
            ),
            order.peers,
            server,
            self._note,
        )
        self._report = ReceiverReport(
            cast_id=order.cast_id, state=CastState.RUNNING, path=str(self._path)
        )
        self._lock = Lock()
        self._thread = Thread(target=self._run, name=f"castray-{order.cast_id}", daemon=True)

    @property
    def report(self) -> ReceiverReport:
        """How far it is."""
        return self._report

    @property
    def has_failed(self) -> bool:
        """Whether it ended in a way that a new receiver may mend."""
        return self._report.state in {CastState.FAILED, CastState.CANCELLED}

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def set_peers(self, peers: Sequence[PeerAddress]) -> None:
        """Pull from these from now on."""
        self._receiver.set_peers(peers)

    def pause(self) -> None:
        """Ask for no more."""
        self._receiver.pause()
        self._change(CastState.PAUSED, only_from=CastState.RUNNING)

    def resume(self) -> None:
        """Ask for more again."""
        self._receiver.resume()
        self._change(CastState.RUNNING, only_from=CastState.PAUSED)

    def end(self, *, keep_partial: bool) -> None:
        """Stop, wait for the thread, and leave nothing behind but a partial that is to be kept."""
        if keep_partial:
            self._receiver.stop()
        else:
            self._receiver.cancel()
        self._thread.join()
        self._receiver.close()
        if not keep_partial or not self.has_failed:
            discard_partial(self._path, self._cast_id)

    def _run(self) -> None:
        try:
            self._roots.ensure(self._path.root)
            self._finish(self._receiver.run())
        except CastCancelledError as error:
            self._fail(CastState.CANCELLED, str(error))
        except PeerError as error:
            self._fail(CastState.FAILED, str(error), can_retry=True)
        except CastError as error:
            self._fail(CastState.FAILED, str(error))
        except Exception as error:
            logger.exception("the receiver of %s met a fault of ours", self._cast_id)
            self._fail(CastState.FAILED, f"a fault of CastRay's: {error!r}; the log has more")

    def _note(self, progress: Progress) -> None:
        self._update(bytes_total=progress.bytes_total, bytes_done=progress.bytes_done)
        self._on_change(at_once=False)

    def _finish(self, outcome: Outcome) -> None:
        state, error = CastState.COMPLETED, None
        if outcome.problems_total:
            state = CastState.PARTIAL if outcome.files else CastState.FAILED
        if state is CastState.FAILED:
            first = outcome.problems[0]
            error = f"{first.path}: {first.problem}"
            self._receiver.close()
        self._update(
            state=state,
            path=outcome.path,
            bytes_total=self._report.bytes_total or outcome.bytes_done,
            bytes_done=outcome.bytes_done,
            files=outcome.files,
            error=error,
            problems=outcome.problems,
            problems_total=outcome.problems_total,
        )
        self._on_change(at_once=True)

    def _fail(self, state: CastState, error: str, *, can_retry: bool = False) -> None:
        # What is left of it is no use to others: they are to go elsewhere at once.
        self._receiver.close()
        self._update(state=state, error=error, can_retry=can_retry)
        self._on_change(at_once=True)

    def _change(self, state: CastState, *, only_from: CastState) -> None:
        with self._lock:
            if self._report.state is not only_from:
                return
            self._report = self._report.model_copy(update={"state": state})
        self._on_change(at_once=True)

    def _update(self, **changes: Any) -> None:
        with self._lock:
            self._report = self._report.model_copy(update=changes)


def discard_partial(path: RootedPath, cast_id: str) -> None:
    """Remove what a cast to that path left on the disk, if anything, when it was ended."""
    try:
        with open_root(path.root) as root:
            directory = Destination(path).directory
            if has_partial(root, directory, cast_id):
                with open_partial(root, directory, cast_id) as partial:
                    partial.discard()
    except (OSError, CastError) as error:
        logger.info("cannot remove what is left of %s: %s", cast_id, error)
