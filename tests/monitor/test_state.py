from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from castray.core.status import MAX_TEXT_CHARS
from castray.models import WorkStatus
from castray.monitor.state import MAX_LOG_ENTRIES, MonitorState, StatusUpdate

START = datetime(2025, 11, 20, 10, 30, tzinfo=timezone.utc)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def update(status: str, **fields: Any) -> StatusUpdate:
    return StatusUpdate.model_validate({"status": status, **fields})


def totals(state: MonitorState) -> tuple[int | None, int | None, int | None]:
    stats = state.report(START).stats
    assert stats is not None
    return stats.total_processed, stats.low_confidence_count, stats.sent_to_server


def test_a_monitor_that_nobody_reported_to_is_idle_since_its_start() -> None:
    report = MonitorState(START).report(after(60))

    assert (report.status, report.since) == (WorkStatus.IDLE, START)
    assert report.current_task is None


def test_a_status_is_since_the_report_that_changed_it() -> None:
    state = MonitorState(START)

    assert state.apply(update("detecting"), after(1))
    assert not state.apply(update("detecting"), after(2))

    report = state.report(after(3))
    assert (report.status, report.since) == (WorkStatus.DETECTING, after(1))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"message": "等待数据输入", "task_info": {"task": "ignored"}}, "等待数据输入"),
        ({"task_info": {"current_task": "camera 2", "name": "ignored"}}, "camera 2"),
        ({"task_info": {"name": "camera 2"}}, "camera 2"),
        ({"task_info": {"name": 7}}, None),
        ({"message": ""}, None),
        ({}, None),
    ],
)
def test_the_task_is_the_message_or_what_the_task_info_names(
    fields: dict[str, Any], expected: str | None
) -> None:
    state = MonitorState(START)

    state.apply(update("detecting", **fields), START)

    assert state.report(START).current_task == expected


def test_results_add_up() -> None:
    state = MonitorState(START)

    state.apply(update("detecting", results={"processed": 3, "low_confidence": 1}), START)
    state.apply(update("detecting", results={"processed": 2, "sent_to_server": 1}), START)

    assert totals(state) == (5, 1, 1)


def test_each_turn_to_sending_of_a_script_that_counts_nothing_is_a_request_and_an_alert() -> None:
    state = MonitorState(START)

    for status in ("sending", "sending", "idle", "sending"):
        state.apply(update(status, message="frame 7"), START)

    assert totals(state) == (0, 0, 2)
    assert [alert.message for alert in state.alerts] == ["Sent to the server: frame 7."] * 2


def test_requests_that_were_over_before_they_could_be_told_are_an_alert_too() -> None:
    state = MonitorState(START)

    state.apply(update("idle", results={"sent_to_server": 3}), START)

    assert totals(state) == (0, 0, 3)
    assert "3 times" in state.alerts[0].message


def test_a_status_whose_script_fell_silent_falls_back_to_idle_and_says_so() -> None:
    state = MonitorState(START)
    state.apply(update("detecting", message="camera 2", valid_s=30), START)

    assert not state.expire(after(29))
    assert state.expire(after(30))
    assert not state.expire(after(31))

    report = state.report(after(31))
    assert (report.status, report.since) == (WorkStatus.IDLE, after(30))
    assert report.current_task is None
    assert "detecting fell silent" in state.errors[0].message


def test_a_status_without_a_promise_to_report_never_expires() -> None:
    state = MonitorState(START)

    state.apply(update("detecting", valid_s=1), START)
    state.apply(update("detecting"), START)

    assert not state.expire(after(86_400))
    assert state.report(after(86_400)).status is WorkStatus.DETECTING


def test_only_the_newest_alerts_and_errors_are_kept_newest_first_and_cut() -> None:
    state = MonitorState(START)

    for number in range(MAX_LOG_ENTRIES + 10):
        state.apply(update("sending", message=f"frame {number}", errors=["x" * 10_000]), START)
        state.apply(update("idle"), START)

    assert len(state.alerts) == len(state.errors) == MAX_LOG_ENTRIES
    assert f"frame {MAX_LOG_ENTRIES + 9}" in state.alerts[0].message
    assert len(state.errors[0].message) == MAX_TEXT_CHARS


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "unknown"},
        {"status": "Idle"},
        {"status": None},
        {"status": "idle", "message": 3},
        {"status": "idle", "task_info": "camera"},
        {"status": "idle", "valid_s": 0},
        {"status": "idle", "results": {"processed": -1}},
        {"status": "idle", "results": {"processed": 1, "low_confidence": 2}},
        {"status": "idle", "results": {"inference_ms": [float("inf")]}},
    ],
)
def test_a_report_that_makes_no_sense_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        StatusUpdate.model_validate(body)


def test_keys_that_a_script_adds_of_its_own_are_let_pass() -> None:
    state = MonitorState(START)

    state.apply(update("idle", node="M3"), START)

    assert state.report(START).status is WorkStatus.IDLE
