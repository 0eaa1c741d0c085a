from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from castray.monitor.window import MAX_TIMES_PER_SLOT, WINDOW_S, InferenceWindow

START = datetime(2025, 11, 20, 10, 30, tzinfo=timezone.utc)
FIGURES = (
    "inference_ms_avg",
    "inference_ms_p95",
    "low_confidence_ratio",
    "server_requests_per_min",
)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_what_nothing_measured_is_unknown() -> None:
    window = InferenceWindow(START)

    figures = window.figures(after(10))

    assert figures == {**dict.fromkeys(FIGURES), "window_s": WINDOW_S}


def test_figures_are_over_everything_in_the_window() -> None:
    window = InferenceWindow(START)

    window.add(after(1), processed=3, low_confidence=1, times_ms=[10, 20, 30])
    window.add(after(100), processed=1, requests=4, times_ms=[40])

    assert window.figures(after(120)) == {
        "inference_ms_avg": 25,
        "inference_ms_p95": 40,
        "low_confidence_ratio": 0.25,
        "server_requests_per_min": 2,
        "window_s": WINDOW_S,
    }


def test_inferences_without_a_time_leave_the_times_unknown() -> None:
    window = InferenceWindow(START)

    window.add(after(1), processed=2, low_confidence=2)

    figures = window.figures(after(1))
    assert figures["low_confidence_ratio"] == 1
    assert figures["inference_ms_avg"] is None


def test_requests_of_the_first_seconds_are_not_extrapolated_to_a_minute() -> None:
    window = InferenceWindow(START)

    window.add(after(0.1), requests=3)

    assert window.figures(after(0.5))["server_requests_per_min"] == 3


def test_what_left_the_window_no_longer_counts() -> None:
    window = InferenceWindow(START)
    window.add(after(0), processed=1, low_confidence=1, times_ms=[1000])
    window.add(after(WINDOW_S - 1), processed=1, times_ms=[10])

    assert not window.forget(after(WINDOW_S - 1))
    assert window.forget(after(WINDOW_S + 1))

    figures = window.figures(after(WINDOW_S + 1))
    assert figures["inference_ms_avg"] == 10
    assert figures["low_confidence_ratio"] == 0


def test_a_clock_that_was_set_back_begins_a_new_window() -> None:
    window = InferenceWindow(START)
    window.add(after(1000), processed=5, low_confidence=5)

    window.add(after(0), processed=1)

    assert window.figures(after(0))["low_confidence_ratio"] == 0
    window.forget(after(WINDOW_S + 10))
    assert window.figures(after(WINDOW_S + 10))["low_confidence_ratio"] is None


@settings(deadline=None)
@given(times_ms=st.lists(st.integers(0, 1000), min_size=1, max_size=200))
def test_the_95th_percentile_is_the_least_time_that_95_percent_do_not_exceed(
    times_ms: list[int],
) -> None:
    window = InferenceWindow(START)

    window.add(START, times_ms=times_ms)

    percentile = window.figures(START)["inference_ms_p95"]
    assert percentile in times_ms
    assert sum(t <= percentile for t in times_ms) >= 0.95 * len(times_ms)
    assert sum(t < percentile for t in times_ms) < 0.95 * len(times_ms)


def test_of_very_many_times_the_percentile_is_over_the_newest() -> None:
    window = InferenceWindow(START)

    window.add(START, times_ms=[1000] * 3 * MAX_TIMES_PER_SLOT)
    window.add(START, times_ms=[10] * (MAX_TIMES_PER_SLOT - 1))
    window.add(START, times_ms=[20])

    assert window.figures(START)["inference_ms_p95"] == 10
    assert window.forget(after(WINDOW_S))
    assert window.figures(after(WINDOW_S))["inference_ms_p95"] is None
