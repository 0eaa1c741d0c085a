from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.api.kept_agent import while_in_use
from castray.errors import CastRayError, PeerError, RegistryUnavailableError
from tests.api.memory_backend import MemoryBackend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from castray.transfer.agent_link import AgentLink


class CountingBackend(MemoryBackend):
    """Has no agent, and counts how often it is asked for one."""

    def __init__(self, error: CastRayError) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._error = error

    async def agent(self, node: str) -> AgentLink:
        self.asked.append(node)
        raise self._error


async def portions() -> AsyncIterator[bytes]:
    for portion in (b"a", b"b", b"c"):
        yield portion


@pytest.mark.parametrize("error", [RegistryUnavailableError(), PeerError("m1", "is gone")])
async def test_the_agent_is_asked_for_again_and_what_that_answers_stops_nothing(
    error: CastRayError,
) -> None:
    backend = CountingBackend(error)

    passed = [p async for p in while_in_use(portions(), backend, "m1", ask_every_s=0)]

    assert passed == [b"a", b"b", b"c"]
    assert backend.asked == ["m1", "m1", "m1"]


async def test_what_is_over_soon_asks_nobody() -> None:
    backend = CountingBackend(RegistryUnavailableError())

    passed = [p async for p in while_in_use(portions(), backend, "m1", ask_every_s=60)]

    assert passed == [b"a", b"b", b"c"]
    assert backend.asked == []
