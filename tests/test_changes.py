"""What changed, as it travels between actors."""

from __future__ import annotations

import pickle

from castray.changes import Changes, ClusterChanges
from castray.models import Cluster, ClusterState, NodeSource


def test_changes_travel_between_actors_without_the_definitions_of_their_classes() -> None:
    home = Cluster(id="home", name="home", source=NodeSource.HOME, state=ClusterState.CONNECTED)
    changes = Changes(version="1.2", since="1.1", clusters=ClusterChanges(changed=(home,)))

    # Python's own pickle, unlike Ray's, refuses what is not to be found in a module.
    pickled = pickle.dumps(changes)

    assert pickle.loads(pickled) == changes  # noqa: S301 - what was pickled above
