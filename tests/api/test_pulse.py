from __future__ import annotations

import asyncio

from castray.api.pulse import Pulse
from tests.api.waiting import until


async def test_the_first_request_is_met_at_once() -> None:
    fired: list[int] = []
    pulse = Pulse(60, lambda: fired.append(1))

    pulse.request()

    assert fired == [1]


async def test_requests_within_the_gap_become_one_at_its_end() -> None:
    times: list[float] = []
    loop = asyncio.get_running_loop()
    pulse = Pulse(0.1, lambda: times.append(loop.time()))

    for _ in range(5):
        pulse.request()

    assert len(times) == 1
    await until(lambda: len(times) == 2)
    assert times[1] - times[0] >= 0.099
    await asyncio.sleep(0)
    assert len(times) == 2


async def test_after_the_gap_a_request_is_met_at_once_again() -> None:
    fired: list[int] = []
    pulse = Pulse(0, lambda: fired.append(1))

    pulse.request()
    pulse.request()

    assert fired == [1, 1]


async def test_what_is_still_to_come_is_dropped_on_close() -> None:
    fired: list[int] = []
    pulse = Pulse(0.01, lambda: fired.append(1))
    pulse.request()
    pulse.request()

    pulse.close()

    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, later.set)
    await later.wait()
    assert fired == [1]
