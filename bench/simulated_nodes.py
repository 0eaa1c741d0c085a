"""Nodes that only their numbers tell apart, for benches of many of them."""

from __future__ import annotations

import math
from datetime import datetime, timezone

from castray.core.events import NodeFacts
from castray.models import (
    Load,
    MonitorKind,
    MonitorStats,
    MonitorView,
    NodeReport,
    WorkReport,
    WorkStatus,
)

__all__ = ["STATUS_ROUNDS", "node_facts", "node_report"]

STATUS_ROUNDS = 10
"""How many reports a status lasts."""

STATUSES = (WorkStatus.IDLE, WorkStatus.DETECTING, WorkStatus.SENDING)
GIB = 2**30


def node_facts(number: int) -> NodeFacts:
    """Its row in Ray's table."""
    return NodeFacts(
        node_id=f"{number:056x}",
        host_name=f"edge-{number:04d}",
        address=f"10.0.{number // 250}.{number % 250 + 1}",
        is_head=number == 0,
        alive=True,
        labels={"castray.io/name": f"M{number}"},
        resources={"CPU": 8.0, "memory": 16.0 * GIB, "object_store_memory": 4.0 * GIB},
    )


def node_report(number: int, round_: int) -> NodeReport:
    """What that node says in that round: another load each time, another status now and then."""
    phase = number + round_
    now = datetime.now(timezone.utc)
    wave = 50 + 50 * math.sin(phase)
    return NodeReport(
        node_id=f"{number:056x}",
        work=WorkReport(
            status=STATUSES[phase // STATUS_ROUNDS % 3],
            since=now,
            current_task=f"batch {phase}",
            stats=MonitorStats(total_processed=phase, low_confidence_count=1, sent_to_server=1),
        ),
        monitor=MonitorView(reachable=True, port=8000, kind=MonitorKind.STREAM, last_seen=now),
        load=Load(
            measured_at=now,
            cpu_percent=round(wave, 1),
            memory_percent=round(100 - wave, 1),
            memory_used_bytes=int(16 * GIB * wave / 100),
            memory_total_bytes=16 * GIB,
            network_sent_bytes_per_s=1000 * wave,
            network_received_bytes_per_s=2000 * wave,
        ),
    )
