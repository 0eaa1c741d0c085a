"""Casts in the wire contract: what is asked for, and how far each target of it is."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated, Literal

from pydantic import Field, computed_field

from castray.chinese import in_chinese
from castray.models import Record, ToldInBoth

__all__ = [
    "Cast",
    "CastAction",
    "CastMode",
    "CastPage",
    "CastProblem",
    "CastRequest",
    "CastRoute",
    "CastSource",
    "CastState",
    "CastTarget",
    "ClusterTargets",
    "IfExists",
    "KeptCast",
    "LabelTargets",
    "NodePlace",
]


class IfExists(str, Enum):
    """What a cast does where its target exists: refuse, replace, keep what is the same, rename."""

    FAIL = "fail"
    OVERWRITE = "overwrite"
    SKIP = "skip"
    RENAME = "rename"


class CastMode(str, Enum):
    """How bytes travel: host to host, through the head, or whichever works."""

    AUTO = "auto"
    DIRECT = "direct"
    RELAY = "relay"


class CastRoute(str, Enum):
    """How a target gets a cast: from the other hosts themselves, or through the head."""

    DIRECT = "direct"
    RELAY = "relay"


class CastState(str, Enum):
    """How far a cast, or one target of it, is.

    `COMPLETED`: everything is there, verified, under its final name. `PARTIAL`: some of it is.
    """

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class CastAction(str, Enum):
    """What somebody wants of a cast that exists: `RETRY` is for what did not arrive."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"


class CastSource(Record):
    """What is cast: a file, a directory or a glob on a node."""

    node: str = Field(description="Name, id or key of the node.")
    path: str = Field(min_length=1)


class LabelTargets(Record):
    """The live nodes whose labels fit, such as `castray.io/name=M*`."""

    selector: str


class ClusterTargets(Record):
    """All live nodes of a cluster."""

    cluster: str


class CastRequest(Record):
    """What somebody wants to be cast, and where to."""

    source: CastSource
    destination: str = Field(min_length=1, description='A path; "/" at its end: a directory.')
    targets: (
        Annotated[tuple[str, ...], Field(min_length=1)]
        | Literal["all"]
        | (LabelTargets | ClusterTargets)
    )
    if_exists: IfExists = IfExists.FAIL
    bandwidth_limit: int | None = Field(None, ge=1, description="Bytes per second, each node.")
    mode: CastMode = CastMode.AUTO
    dry_run: bool = False


class CastProblem(ToldInBoth):
    """A file that did not arrive, and why."""

    path: str
    problem: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def problem_zh(self) -> str | None:
        """The same in Chinese, where there is a text for it."""
        return in_chinese(self.problem)


class CastTarget(ToldInBoth):
    """One node that a cast goes to."""

    node: str = Field(description="Key of the node.")
    state: CastState = CastState.QUEUED
    path: str = Field(description="Where it goes there, or went.")
    bytes_total: int | None = None
    bytes_done: int = Field(0, description="Verified there, or found there already.")
    rate_bytes_per_s: float | None = None
    eta_s: float | None = None
    route: CastRoute | None = Field(None, description="None: not tried yet.")
    waits_for: str | None = Field(None, description="Why it is still queued.")
    error: str | None = None
    problems: tuple[CastProblem, ...] = Field((), description="The first files that failed.")
    problems_total: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def waits_for_zh(self) -> str | None:
        """The same as `waits_for` in Chinese, where there is a text for it."""
        return None if self.waits_for is None else in_chinese(self.waits_for)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def error_zh(self) -> str | None:
        """The same as `error` in Chinese, where there is a text for it."""
        return None if self.error is None else in_chinese(self.error)


class Cast(Record):
    """One transfer from a node to one, several or all."""

    id: str
    state: CastState = CastState.QUEUED
    request: CastRequest
    source: str = Field(description="Key of the node that it comes from.")
    bytes_total: int | None = Field(None, description="Over all targets; None: not known yet.")
    bytes_done: int = 0
    rate_bytes_per_s: float | None = None
    eta_s: float | None = None
    created: datetime
    ended: datetime | None = None
    targets: tuple[CastTarget, ...]

    @property
    def key(self) -> str:
        """What it is called in the versioned state."""
        return self.id


class NodePlace(Record):
    """What a node is known by that comes back with another NodeID."""

    name: str
    address: str


class KeptCast(Record):
    """A cast as the store keeps it."""

    cast: Cast
    secret: str = Field(repr=False, description="What its hosts share, 64 hexadecimal digits.")
    nodes: dict[str, NodePlace] = Field(description="Its source and its targets, by key.")


class CastPage(Record):
    """Some casts, the newest first."""

    casts: tuple[Cast, ...]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page.")
