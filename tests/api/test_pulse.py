from __future__ import annotations

import asyncio

from castray.api.pulse import Pulse
from tests.api.waiting import until


class Calls:
    """When it was called."""

    def __init__(self) -> None:
        self.at_s: list[float] = []

    def __call__(self) -> None:
        self.at_s.append(asyncio.get_running_loop().time())

    def __len__(self) -> int:
        return len(self.at_s)


async def test_the_first_request_is_met_at_once() -> None:
    calls = Calls()
    pulse = Pulse(60, 60, calls)

    pulse.request(urgent=False)

    assert len(calls) == 1


async def test_calm_requests_within_their_gap_become_one_at_its_end() -> None:
    calls = Calls()
    pulse = Pulse(60, 0.1, calls)

    for _ in range(5):
        pulse.request(urgent=False)

    assert len(calls) == 1
    await until(lambda: len(calls) == 2)
    assert calls.at_s[1] - calls.at_s[0] >= 0.099
    await asyncio.sleep(0)
    assert len(calls) == 2


async def test_after_the_gap_a_request_is_met_at_once_again() -> None:
    calls = Calls()
    pulse = Pulse(60, 0, calls)

    pulse.request(urgent=False)
    pulse.request(urgent=False)

    assert len(calls) == 2


async def test_what_is_urgent_waits_for_nothing_calm_and_takes_it_along() -> None:
    calls = Calls()
    pulse = Pulse(60, 0.05, calls)
    pulse.request(urgent=False)
    pulse.request(urgent=False)

    pulse.request(urgent=True)

    assert len(calls) == 2
    pulse.request(urgent=False)
    await until(lambda: len(calls) == 3)
    assert calls.at_s[2] - calls.at_s[1] >= 0.049


async def test_urgent_requests_within_their_gap_become_one_at_its_end() -> None:
    calls = Calls()
    pulse = Pulse(0.1, 60, calls)

    for _ in range(5):
        pulse.request(urgent=True)
    pulse.request(urgent=False)

    assert len(calls) == 1
    await until(lambda: len(calls) == 2)
    assert calls.at_s[1] - calls.at_s[0] >= 0.099


async def test_what_is_still_to_come_is_dropped_on_close() -> None:
    calls = Calls()
    pulse = Pulse(0.01, 0.01, calls)
    pulse.request(urgent=True)
    pulse.request(urgent=True)

    pulse.close()

    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, later.set)
    await later.wait()
    assert len(calls) == 1
