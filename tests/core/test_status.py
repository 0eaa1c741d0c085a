from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castray.core.status import (
    MAX_TEXT_CHARS,
    Answer,
    Health,
    parse_health,
    parse_status,
    shorten,
    shown_work_status,
)
from castray.models import MonitorStats, Reason, ReasonCode, WorkReport, WorkStatus

URL = "http://127.0.0.1:8000"
CHINA = timezone(timedelta(hours=8))
MONITOR = Health(is_monitor=True)
STRANGER = Health()

SEED = {
    "status": "detecting",
    "timestamp": "2025-11-20T10:30:00",
    "latest_state": {
        "status": "detecting",
        "timestamp": "2025-11-20T10:30:00",
        "current_task": "等待数据输入",
    },
    "stats": {"total_processed": 1234, "low_confidence_count": 56, "sent_to_server": 12},
}
"""The answer that the seeds show."""


def read(body: Any, health: Health = STRANGER, *, http_status: int = 200) -> WorkReport | Reason:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_status(Answer(http_status, raw), health, url=URL, local_timezone=CHINA)


def code_of(result: WorkReport | Reason) -> ReasonCode:
    assert isinstance(result, Reason)
    return result.code


def report_of(result: WorkReport | Reason) -> WorkReport:
    assert isinstance(result, WorkReport)
    return result


def test_the_answer_of_the_seeds_is_read_whole() -> None:
    report = report_of(read(SEED))

    assert report == WorkReport(
        status=WorkStatus.DETECTING,
        since=datetime(2025, 11, 20, 2, 30, tzinfo=timezone.utc),
        current_task="等待数据输入",
        stats=MonitorStats(total_processed=1234, low_confidence_count=56, sent_to_server=12),
    )


@pytest.mark.parametrize("status", ["idle", "detecting", "sending"])
def test_each_of_the_three_statuses_is_taken_from_a_bare_monitor(status: str) -> None:
    assert report_of(read({"status": status}, MONITOR)).status.value == status


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2025-11-20T10:30:00Z", datetime(2025, 11, 20, 10, 30, tzinfo=timezone.utc)),
        ("2025-11-20T10:30:00+08:00", datetime(2025, 11, 20, 2, 30, tzinfo=timezone.utc)),
        ("2025-11-20T10:30:00", datetime(2025, 11, 20, 2, 30, tzinfo=timezone.utc)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        (1763634600, None),
        (None, None),
    ],
)
def test_a_time_without_an_offset_is_local_and_a_bad_one_is_unknown(
    sent: object, expected: datetime | None
) -> None:
    report = report_of(read({"status": "idle", "timestamp": sent, "stats": {}}))

    assert report.since == expected


def test_figures_that_are_no_figures_are_unknown_not_zero() -> None:
    stats = {
        "total_processed": "many",
        "low_confidence_count": -1,
        "sent_to_server": True,
        "inference_ms_avg": float("nan"),
        "inference_ms_p95": 10**400,
        "low_confidence_ratio": 0.25,
        "mood": "good",
    }

    report = report_of(read({"status": "idle", "stats": stats}))

    assert report.stats == MonitorStats(low_confidence_ratio=0.25)


def test_a_long_task_is_cut_and_an_unpaired_surrogate_replaced() -> None:
    state = {"current_task": "\ud800" + "x" * 10_000}

    task = report_of(read({"status": "idle", "latest_state": state})).current_task

    assert task is not None
    assert len(task) == MAX_TEXT_CHARS
    assert task.encode("utf-8").startswith(b"?xxx")


@pytest.mark.parametrize("status", ["unknown", "busy", "", None, 3, ["idle"], {"a": 1}])
def test_a_monitor_with_a_status_outside_the_three_is_told_from_an_idle_one(status: object) -> None:
    result = read({**SEED, "status": status}, MONITOR)

    assert code_of(result) is ReasonCode.MONITOR_BAD_STATUS


@pytest.mark.parametrize(
    "body",
    [
        {"total_nodes": 3, "active_nodes": 3, "nodes": [], "ray_cluster": {}, "status": "idle"},
        {"total_nodes": 3, "ray_cluster": None, "latest_state": {}, "status": "idle"},
    ],
)
def test_castrays_own_status_is_a_conflict_that_names_the_ways_out(body: dict[str, Any]) -> None:
    result = read(body)

    assert code_of(result) is ReasonCode.PORT_IS_CASTRAY
    assert isinstance(result, Reason)
    for way_out in ("castray.io/monitor-port", "monitor.port", "CASTRAY_MONITOR__PORT", URL):
        assert way_out in result.detail


def test_castray_is_known_by_its_health_even_where_its_status_is_locked() -> None:
    health = parse_health(Answer(200, b'{"status": "ok", "service": "castray"}'))

    result = read({"title": "Unauthorized"}, health, http_status=401)

    assert code_of(result) is ReasonCode.PORT_IS_CASTRAY


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "idle",
        7,
        {"status": "idle"},
        {"status": "ok", "stats": {}},
        {"status": "idle", "stats": 3, "latest_state": "x"},
        {"result": True, "data": {"nodes": []}},
    ],
)
def test_another_services_json_is_no_monitor(body: object) -> None:
    assert code_of(read(body)) is ReasonCode.NOT_A_MONITOR


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff\xfe",
        b"<html>It works!</html>",
        b'{"status": "idle"',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"status": "idle", "stats": {"total_processed": ' + b"9" * 10_000 + b"}}",
    ],
)
@pytest.mark.parametrize("health", [MONITOR, STRANGER])
def test_garbage_is_a_bad_answer(body: bytes, health: Health) -> None:
    assert code_of(read(body, health)) is ReasonCode.MONITOR_BAD_ANSWER


@pytest.mark.parametrize(
    ("http_status", "health", "expected"),
    [
        (500, STRANGER, ReasonCode.MONITOR_HTTP_ERROR),
        (503, MONITOR, ReasonCode.MONITOR_HTTP_ERROR),
        (404, MONITOR, ReasonCode.MONITOR_HTTP_ERROR),
        (404, STRANGER, ReasonCode.NOT_A_MONITOR),
        (302, STRANGER, ReasonCode.NOT_A_MONITOR),
    ],
)
def test_an_answer_other_than_200_is_no_status(
    http_status: int, health: Health, expected: ReasonCode
) -> None:
    assert code_of(read(SEED, health, http_status=http_status)) is expected


def test_health_says_who_is_there_which_version_and_whether_it_streams() -> None:
    body = {"service": "CM-ZSB监控", "version": "0.1.0", "capabilities": ["stream"]}

    health = parse_health(Answer(200, json.dumps(body).encode()))

    assert health == Health(is_monitor=True, version="0.1.0", streams=True)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"[" * 60_000, b'{"service": 3, "version": {}}']
)
def test_a_health_that_is_not_understood_says_nothing(body: bytes) -> None:
    assert parse_health(Answer(200, body)) == Health()


def test_an_unknown_status_is_shown_as_the_fallback_and_not_as_confirmed() -> None:
    unknown = WorkReport()

    assert shown_work_status(unknown, WorkStatus.IDLE) == (WorkStatus.IDLE, False)
    assert shown_work_status(unknown, WorkStatus.UNKNOWN) == (WorkStatus.UNKNOWN, False)


def test_a_known_status_is_shown_as_it_is_and_confirmed() -> None:
    sending = WorkReport(status=WorkStatus.SENDING)

    assert shown_work_status(sending, WorkStatus.IDLE) == (WorkStatus.SENDING, True)


TEXT = st.text("aZ0 é中\ud800\udfff\x00\n", max_size=2 * MAX_TEXT_CHARS)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(TEXT, SCALARS, max_size=3)
ANSWERS = st.dictionaries(
    st.sampled_from(["status", "timestamp", "latest_state", "stats", "total_nodes", "ray_cluster"]),
    JSON
    | st.sampled_from(["idle", "sending"])
    | st.dictionaries(st.sampled_from(["current_task", "timestamp", "total_processed"]), SCALARS),
)


@settings(deadline=None)
@given(body=ANSWERS, is_monitor=st.booleans(), http_status=st.sampled_from([200, 500]))
def test_no_json_breaks_the_reader_and_what_it_reads_can_be_sent_on(
    body: dict[str, Any], is_monitor: bool, http_status: int
) -> None:
    result = read(body, Health(is_monitor=is_monitor), http_status=http_status)

    assert type(result).model_validate_json(result.model_dump_json()) == result


@settings(deadline=None)
@given(raw=st.binary(max_size=200))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    health = parse_health(Answer(200, raw))

    assert isinstance(read(raw, health), (WorkReport, Reason))


@settings(deadline=None)
@given(text=TEXT)
def test_a_shortened_text_fits_and_can_be_encoded(text: str) -> None:
    short = shorten(text)

    assert len(short) <= MAX_TEXT_CHARS
    assert short.encode("utf-8").decode("utf-8") == short
