from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castray.transfer.pacing import Pace, TokenBucket


@given(
    st.floats(1.0, 1e9),
    st.lists(st.tuples(st.integers(1, 1 << 22), st.floats(0.0, 2.0)), min_size=1, max_size=50),
)
def test_over_any_time_no_more_is_sent_than_the_limit_and_one_burst(
    rate: float, steps: list[tuple[int, float]]
) -> None:
    bucket = TokenBucket(rate, now=100.0)
    now, sent = 100.0, 0

    for count, idle_s in steps:
        now += idle_s
        now += bucket.take(count, now)
        sent += count

        assert sent <= rate * (now - 100.0 + 0.1) * (1 + 1e-6) + 1


def test_a_steady_sender_gets_all_of_the_limit() -> None:
    bucket = TokenBucket(1000.0, now=0.0)
    now = 0.0

    for _ in range(100):
        now += bucket.take(100, now)

    assert 9.8 <= now <= 10.0


def test_what_was_not_used_is_not_saved_up() -> None:
    bucket = TokenBucket(1000.0, now=0.0)
    bucket.take(100, now=0.0)

    assert bucket.take(1000, now=60.0) == pytest.approx(0.9)


def test_without_a_limit_nobody_waits() -> None:
    pace = Pace(None)

    pace.wait(1 << 40)

    assert pace.chunk_bytes is None


def test_who_waits_is_let_go_when_the_cast_ends() -> None:
    pace = Pace(1.0)
    pace.release()

    pace.wait(1 << 40)

    assert pace.chunk_bytes == 1
