"""Short ids that the registry keeps for the connector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.core.clusters import ShortIds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.actors.registry_link import RegistryLink

__all__ = ["StoredIds"]


class StoredIds:
    """The ids of one kind of thing, stored before anybody is told of them.

    Args:
        registry: Where they are stored.
        kind: `node` or `cluster`; an id reads like `ray_node_001`.
    """

    def __init__(self, registry: RegistryLink, kind: str) -> None:
        self._registry = registry
        self._kind = kind
        self._ids = ShortIds(f"ray_{kind}")
        self._unsaved: dict[str, str] = {}

    async def restore(self) -> None:
        """Take up what was given before.

        Raises:
            RegistryUnavailableError: It cannot be read now; nor stored, in the method below.
        """
        known = await self._registry.call("short_ids", self._kind)
        self._ids = ShortIds(f"ray_{self._kind}", known)

    async def of(self, keys: Sequence[str]) -> dict[str, str]:
        """The id of each key."""
        given = {key: self._ids.id_of(key) for key in keys}
        # What could not be stored is tried again with the next: no id may be given twice.
        self._unsaved.update({key: id_ for key, (id_, is_new) in given.items() if is_new})
        if self._unsaved:
            saving = dict(self._unsaved)
            await self._registry.call("store_short_ids", self._kind, saving)
            for key in saving:
                self._unsaved.pop(key, None)
        return {key: id_ for key, (id_, _) in given.items()}
