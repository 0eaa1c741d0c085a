"""A desk at which casts are dispatched: the steps are taken, and the test is the agents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from castray.cast_models import CastProblem, CastState, KeptCast
from castray.core.cast_nodes import known_places
from castray.core.cast_steps import End, Offer, Pause, Probe, Receive, Relay, UseAgent
from castray.core.dispatching import DispatchState
from castray.models import NodeState
from tests.core.given import NOON, key_of, later, node

if TYPE_CHECKING:
    from datetime import datetime

    from castray.cast_models import Cast, CastTarget
    from castray.core.cast_steps import Step

__all__ = ["BOTH", "DONE", "IDLE_S", "SILENT", "Desk", "Said", "of", "peers_of"]

S = TypeVar("S")

IDLE_S = 600.0
"""How long an agent stays where there is nothing to do."""

BOTH = ("blake3", "sha256")
"""What an agent can verify."""


@dataclass(frozen=True)
class Said:
    """What an agent reports of one cast."""

    state: CastState = CastState.RUNNING
    cast_id: str = "cast-1"
    path: str = "/data/x"
    bytes_total: int | None = 100
    bytes_done: int = 0
    files: int = 0
    error: str | None = None
    can_retry: bool = False
    problems: tuple[CastProblem, ...] = ()
    problems_total: int = 0


DONE = Said(CastState.COMPLETED, bytes_done=100, files=1)

SILENT = Said(CastState.FAILED, error="heard nothing", can_retry=True)


@dataclass
class Desk:
    """Takes every step at once, and with success, unless the test does so itself."""

    nodes: dict[str, NodeState] = field(
        default_factory=lambda: dict.fromkeys(("s", "m1", "m2", "m3"), NodeState.ALIVE)
    )
    places: int = 4
    now: datetime = NOON
    algorithms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unreachable: set[str] = field(default_factory=set)
    taken: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = DispatchState(self.places, IDLE_S)

    def add(self, cast: Cast, *, is_restored: bool = False) -> None:
        """Somebody asked for it, now or before a restart."""
        nodes = [node(name) for name in self.nodes]
        kept = KeptCast(cast=cast, secret="00" * 32, nodes=known_places(nodes))
        self.state.add(kept, self.now, is_restored=is_restored)

    def plan(self) -> list[Step]:
        """What is to be done now, without doing it."""
        nodes = [
            node(name, state=state, address=f"10.0.0.{name}", is_head=name == "s")
            for name, state in self.nodes.items()
        ]
        return self.state.plan(nodes, self.now)

    def work(self) -> list[Step]:
        """Do everything that is to be done until there is nothing more to do; what was done."""
        done: list[Step] = []
        while steps := self.plan():
            assert len(done) < 1000, f"it never rests: {done[-3:]}"
            for step in steps:
                self.take(step)
            done += steps
        return done

    def take(self, step: Step) -> None:
        """Do this, and have success."""
        match step:
            case UseAgent(key):
                algorithms = self.algorithms.get(key, BOTH)
                self.state.came_up(key, f"first of {key}", 28900, algorithms)
            case Offer():
                self.state.offered(step, min(set.intersection(*map(set, step.algorithms))))
            case Probe():
                problem = "no route" if step.node in self.unreachable else None
                self.state.probed(step, problem, self.now)
            case Relay():
                self.state.relayed(step, 29000)
            case Receive():
                self.state.begin(step, self.now)
            case Pause():
                self.state.paused(step)
            case End():
                self.state.ended(step)

    def report(self, name: str, *said: Said) -> bool:
        """An agent answers a poll that was begun just now."""
        poll = self.state.start_poll(key_of(name))
        return self.state.take_reports(key_of(name), poll, said, (), self.now)

    def wait(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now = later((self.now - NOON).total_seconds() + seconds)

    def cast(self, cast_id: str = "cast-1") -> Cast:
        """How it stands now."""
        return self.state.find(cast_id).cast

    def target(self, name: str, cast_id: str = "cast-1") -> CastTarget:
        """How it stands now on that node."""
        return next(t for t in self.cast(cast_id).targets if t.node == key_of(name))


def of(kind: type[S], steps: list[Step]) -> list[S]:
    """The steps of that kind."""
    return [step for step in steps if isinstance(step, kind)]


def peers_of(steps: list[Step], name: str) -> list[str]:
    """Whom that node was told last to pull from."""
    received = [s for s in steps if isinstance(s, Receive) and s.node == key_of(name)]
    return [peer.name for peer in received[-1].peers]
