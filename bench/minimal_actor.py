"""The least that an actor can be; a module of its own, so that its process loads nothing else."""

from __future__ import annotations

__all__ = ["MinimalActor"]


class MinimalActor:
    """Answers, and does nothing."""

    async def ready(self) -> None:
        """Answers once it runs."""
