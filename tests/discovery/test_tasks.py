from __future__ import annotations

import asyncio

from castray.discovery.tasks import end_tasks


async def test_a_task_that_loses_one_cancellation_is_ended_all_the_same() -> None:
    started = asyncio.Event()
    lost: list[bool] = []

    async def run() -> None:
        while True:
            try:
                started.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost:
                    raise
                lost.append(True)

    task = asyncio.create_task(run())
    await started.wait()

    await end_tasks([task])

    assert task.cancelled()


async def test_tasks_that_have_ended_are_no_work() -> None:
    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    await asyncio.wait([task])

    await end_tasks([task])

    assert isinstance(task.exception(), ValueError)
