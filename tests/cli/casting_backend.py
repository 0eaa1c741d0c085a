"""A registry in memory that casts by a script: whoever looks at a cast sees its next step."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from castray.cast_models import Cast, CastAction, CastTarget
from castray.core.cast_state import (
    CancelAsked,
    PauseAsked,
    ResumeAsked,
    RetryAsked,
    apply_cast_event,
)
from castray.core.casting import find_node, plan_targets
from tests.api.memory_backend import MemoryBackend

if TYPE_CHECKING:
    from castray.cast_models import CastRequest
    from castray.core.cast_state import CastEvent

__all__ = ["CastingBackend"]

BYTES = 3 * 2**20

ASKED: dict[CastAction, CastEvent] = {
    CastAction.CANCEL: CancelAsked(),
    CastAction.PAUSE: PauseAsked(),
    CastAction.RESUME: ResumeAsked(),
    CastAction.RETRY: RetryAsked(),
}


class CastingBackend(MemoryBackend):
    """Begins casts of 3 MiB to each target, and takes them on as the script says.

    Attributes:
        script: What happens next to the cast that is looked at, or what looking at it raises.
        requests: What was asked for.
        steered: What was done with casts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.script: deque[CastEvent | Exception] = deque()
        self.requests: list[CastRequest] = []
        self.steered: list[tuple[str, CastAction]] = []

    async def start_cast(self, request: CastRequest) -> Cast:
        """Begin it, or plan it for a dry run."""
        self.requests.append(request)
        nodes = self.registry.snapshot().nodes
        source = find_node(nodes, request.source.node)
        targets = plan_targets(request, nodes, source)
        cast = Cast(
            id=f"cast{len(self.remembered) + 1}",
            request=request,
            source=source.key,
            bytes_total=BYTES * len(targets),
            created=datetime(2026, 1, 1, tzinfo=timezone.utc)
            + timedelta(minutes=len(self.remembered)),
            targets=tuple(
                CastTarget(node=node.key, path=f"/root/{request.destination}", bytes_total=BYTES)
                for node in targets
            ),
        )
        if not request.dry_run:
            self.remembered.insert(0, cast)
        return cast

    async def cast(self, cast_id: str) -> Cast:
        """The cast after the next step."""
        if self.script:
            step = self.script.popleft()
            if isinstance(step, Exception):
                raise step
            self._change(cast_id, step)
        return await super().cast(cast_id)

    async def steer_cast(self, cast_id: str, action: CastAction) -> Cast:
        """Do it at once."""
        self.steered.append((cast_id, action))
        self._change(cast_id, ASKED[action])
        return await super().cast(cast_id)

    def _change(self, cast_id: str, event: CastEvent) -> None:
        self.remembered = [
            apply_cast_event(cast, event, datetime.now(timezone.utc))
            if cast.id == cast_id
            else cast
            for cast in self.remembered
        ]
