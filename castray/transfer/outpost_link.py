"""What an outpost is installed with, what its warden says, and how the warden is asked."""

from __future__ import annotations

from pydantic import Field, ValidationError

from castray.errors import PeerError
from castray.models import Record
from castray.transfer.keyed_http import KeyedClient

__all__ = [
    "OUTPOST_PREFIX",
    "OutpostLink",
    "OutpostMember",
    "OutpostSettings",
    "OutpostView",
    "outpost_name",
]

OUTPOST_PREFIX = "castray-outpost-"
"""By it everybody knows what is no work of that cluster's own."""

GRACE_S = 10.0
"""A warden that waits for its agents may take so long beyond that."""

END_S = 20.0


class OutpostSettings(Record):
    """What an outpost needs to know; one that runs with anything else is replaced."""

    key_digest: str = Field(description="Of its key, which only its home has.")
    code: str = Field(description="The digest of the code that it was sent.")
    roots: tuple[str, ...]
    first_port: int
    last_port: int
    monitor_port: int
    monitor_poll_interval_s: float
    monitor_timeout_s: float
    idle_s: float = Field(description="When nobody asked for anything for so long it leaves.")

    @property
    def ports(self) -> range:
        """Where it may listen."""
        return range(self.first_port, self.last_port + 1)


def outpost_name(key_digest: str) -> str:
    """The namespace of its actors, and the owner of its jobs; no two outposts share one."""
    return f"{OUTPOST_PREFIX}{key_digest[:12]}"


class OutpostMember(Record):
    """The agent of one node: where it answers, or why it does not."""

    node_id: str
    host: str | None = None
    port: int | None = None
    problem: str | None = None


class OutpostView(Record):
    """Where an outpost's warden and its agents answer, and what it was installed with."""

    settings: OutpostSettings
    host: str
    port: int
    members: tuple[OutpostMember, ...]


class OutpostLink(KeyedClient):
    """A warden, seen from its home."""

    async def view(self, wait_s: float) -> OutpostView:
        """Where everything answers; an agent that only starts is waited for so long.

        Raises:
            PeerError: The warden is gone, or does not answer.
        """
        query = {"wait_s": str(wait_s)}
        body = await self.call("GET", "/outpost", timeout_s=wait_s + GRACE_S, query=query)
        try:
            return OutpostView.model_validate_json(body)
        except ValidationError as error:
            raise PeerError(self.url, "answers as no outpost of ours does") from error

    async def end(self) -> None:
        """End every agent, and then the warden itself.

        Raises:
            PeerError: The warden is gone, or does not answer.
        """
        await self.call("DELETE", "/outpost", timeout_s=END_S)
