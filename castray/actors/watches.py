"""The connected clusters: each has a watch that reads it, and an outpost or the place for one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple

from castray.discovery.tasks import end_tasks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from castray.actors.outposts import Outpost
    from castray.discovery.cluster_watch import ClusterWatch
    from castray.models import Connection

__all__ = ["Watched", "Watches"]

logger = logging.getLogger(__name__)

RETRY_S = 0.5


class Watched(NamedTuple):
    """One connected cluster, and what runs for it."""

    watch: ClusterWatch
    outpost: Outpost
    reader: asyncio.Task[None]
    follower: asyncio.Task[None]


class Watches:
    """All of them, by the id of the cluster.

    Args:
        make_outpost: The outpost of a watch's cluster.
    """

    def __init__(self, make_outpost: Callable[[ClusterWatch], Outpost]) -> None:
        self._make_outpost = make_outpost
        self._watched: dict[str, Watched] = {}

    def __contains__(self, cluster: str) -> bool:
        return cluster in self._watched

    def __iter__(self) -> Iterator[Connection]:
        return iter([watched.watch.connection for watched in self._watched.values()])

    def get(self, cluster: str) -> Watched | None:
        """What runs for that cluster."""
        return self._watched.get(cluster)

    def start(self, watch: ClusterWatch) -> None:
        """Watch a cluster from now on."""
        outpost = self._make_outpost(watch)
        self._watched[watch.connection.cluster] = Watched(
            watch,
            outpost,
            _start(f"the watch of {watch.connection.cluster}", watch.run),
            _start(f"following the outpost on {watch.connection.cluster}", outpost.run),
        )

    def rename(self, old: str, new: str) -> None:
        """What was watched as one cluster is another now."""
        self._watched[new] = self._watched.pop(old)

    async def drop(self, cluster: str) -> None:
        """Know no more of a watch that ends by itself."""
        watched = self._watched.pop(cluster)
        watched.outpost.close()
        await end_tasks([watched.follower])

    async def end(self, cluster: str) -> None:
        """Watch a cluster no more, if it is watched; its outpost stays."""
        if cluster in self._watched:
            watched = self._watched.pop(cluster)
            watched.outpost.close()
            await end_tasks([watched.reader, watched.follower])

    async def remove(self, cluster: str) -> str | None:
        """Watch it no more and take its outpost away; why that stays, or None where it is gone."""
        watched = self._watched.pop(cluster)
        left_behind = await watched.outpost.remove()
        await end_tasks([watched.reader, watched.follower])
        return left_behind


def _start(name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    return asyncio.create_task(_run(name, work), name=name)


async def _run(name: str, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception:
            logger.exception("%s failed; going on", name)
            await asyncio.sleep(RETRY_S)
        else:
            return
