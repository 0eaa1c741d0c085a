from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from castray.transfer import news as news_module
from castray.transfer.news import News

if TYPE_CHECKING:
    import pytest

DEADLINE_S = 30.0


async def test_whoever_waits_is_told_of_a_change_from_any_thread() -> None:
    news = News()
    before = news.sequence
    waiting = asyncio.create_task(news.wait(before, 10 * DEADLINE_S))

    thread = threading.Thread(target=lambda: news.tell(at_once=True))
    thread.start()

    await asyncio.wait_for(waiting, DEADLINE_S)
    thread.join()
    assert news.sequence == before + 1


async def test_whoever_knows_something_else_does_not_wait() -> None:
    news = News()

    await asyncio.wait_for(news.wait(news.sequence - 1, 10 * DEADLINE_S), DEADLINE_S)
    await asyncio.wait_for(news.wait(0, 10 * DEADLINE_S), DEADLINE_S)


async def test_without_a_change_the_wait_has_an_end() -> None:
    news = News()
    before = news.sequence

    await asyncio.wait_for(news.wait(before, 0.01), DEADLINE_S)

    assert news.sequence == before


async def test_small_steps_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    # Long enough that the second step cannot fall due within the test.
    monkeypatch.setattr(news_module, "STEP_S", 10 * DEADLINE_S)
    news = News()
    before = news.sequence

    news.tell(at_once=False)
    await asyncio.wait_for(news.wait(before, 10 * DEADLINE_S), DEADLINE_S)
    for _ in range(10):
        news.tell(at_once=False)
    await asyncio.wait_for(news.wait(before + 1, 0.01), DEADLINE_S)
    after_steps = news.sequence
    news.tell(at_once=True)
    await asyncio.wait_for(news.wait(after_steps, 10 * DEADLINE_S), DEADLINE_S)

    assert after_steps == before + 1
    assert news.sequence == before + 2
