"""The messages of `/ws?mode=delta` as records: the ground of the page's own types."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from castray.api.problems import Problem
from castray.changes import Changes
from castray.core.ray_dashboard import ClusterStatus

__all__ = [
    "ChangesMessage",
    "ClusterStatusMessage",
    "ErrorMessage",
    "Feed",
    "FeedMessage",
    "Heartbeat",
    "HeartbeatMessage",
    "Resume",
    "ResumeMessage",
]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class ClusterStatusMessage(_Message):
    """Without `mode`: everything, on connect, on change and at least every 3 s."""

    type: Literal["cluster_status"] = "cluster_status"
    data: ClusterStatus


class ChangesMessage(_Message):
    """Everything there is, or what changed since the version that this socket was sent last."""

    type: Literal["snapshot", "delta"]
    data: Changes


class Feed(_Message):
    """Since when CastRay has not heard of its registry; null while it does."""

    lost_since: datetime | None


class FeedMessage(_Message):
    """On connect and whenever it changes. While the feed is lost, all that is known is old."""

    type: Literal["feed"] = "feed"
    data: Feed


class Heartbeat(_Message):
    """The server's clock."""

    now: datetime


class HeartbeatMessage(_Message):
    """On connect and at least every 3 s."""

    type: Literal["heartbeat"] = "heartbeat"
    data: Heartbeat


class ErrorMessage(_Message):
    """What the client sent was not understood; the socket stays open."""

    type: Literal["error"] = "error"
    data: Problem


class Resume(_Message):
    """What the client holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(pattern=r"^[0-9]+\.[0-9]+$", max_length=63)


class ResumeMessage(_Message):
    """From the client: answered with the `delta` from that version, or a `snapshot`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["resume"]
    data: Resume
