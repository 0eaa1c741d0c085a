"""Calls of the registry from our other actors, through every restart and replacement of it."""

from __future__ import annotations

import asyncio
from typing import Any

from ray.exceptions import RayActorError

from castray.actors.names import get_handle
from castray.errors import RegistryUnavailableError

__all__ = ["RegistryLink"]


class RegistryLink:
    """The registry of a namespace, looked up when it is first needed and whenever it is gone.

    Args:
        namespace: Where it lives.
        timeout_s: For one call.
    """

    def __init__(self, namespace: str, timeout_s: float) -> None:
        self._namespace = namespace
        self._timeout_s = timeout_s
        self._handle: Any = None

    async def call(self, method: str, *arguments: Any) -> Any:
        """Call one of its methods.

        Raises:
            RegistryUnavailableError: It does not answer now.
        """
        try:
            if self._handle is None:
                self._handle = await asyncio.to_thread(get_handle, namespace=self._namespace)
            call = getattr(self._handle, method).remote(*arguments)
            return await asyncio.wait_for(call, self._timeout_s)
        except (RayActorError, ValueError) as error:
            # A handle to an actor that was ended for good never works again.
            self._handle = None
            raise RegistryUnavailableError from error
        except asyncio.TimeoutError as error:
            raise RegistryUnavailableError from error
