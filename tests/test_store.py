from __future__ import annotations

from typing import TYPE_CHECKING

from castray.models import Connection
from castray.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def test_epoch_grows_over_every_opening_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "made" / "on" / "demand" / "castray.db"

    epochs = []
    for _ in range(3):
        store = Store(path)
        epochs.append(store.next_epoch())
        store.close()

    assert epochs == [1, 2, 3]


def test_store_in_use_by_another_still_gives_its_own_epoch(tmp_path: Path) -> None:
    first, second = Store(tmp_path / "castray.db"), Store(tmp_path / "castray.db")

    epochs = [first.next_epoch(), second.next_epoch(), first.next_epoch()]

    assert epochs == [1, 2, 3]
    first.close()
    second.close()


def test_connections_and_short_ids_outlive_the_store_that_kept_them(tmp_path: Path) -> None:
    path = tmp_path / "castray.db"
    lab = Connection(
        cluster="ray_cluster_001",
        session_name="session_1",
        address="10.0.0.5:8265",
        dashboard_url="http://10.0.0.5:8265",
        name="lab",
        token="a token",
    )
    store = Store(path)
    store.keep_connection(lab)
    store.keep_connection(lab.model_copy(update={"cluster": "ray_cluster_002"}))
    store.forget_connection("ray_cluster_002")
    store.store_short_ids("node", {"lab/abc": "ray_node_001"})
    store.close()

    reopened = Store(path)

    assert reopened.connections() == [lab]
    assert reopened.short_ids("node") == {"lab/abc": "ray_node_001"}
    assert reopened.short_ids("cluster") == {}
    assert path.stat().st_mode & 0o077 == 0
    reopened.close()


def test_short_id_once_given_is_never_changed(tmp_path: Path) -> None:
    store = Store(tmp_path / "castray.db")
    store.store_short_ids("node", {"lab/abc": "ray_node_001"})

    store.store_short_ids("node", {"lab/abc": "ray_node_002"})

    assert store.short_ids("node") == {"lab/abc": "ray_node_001"}
    store.close()


def test_what_somebody_disconnected_is_remembered_until_it_is_connected_again(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "castray.db")
    lab = Connection(
        cluster="ray_cluster_001",
        session_name="session_1",
        address="10.0.0.5:8265",
        dashboard_url="http://10.0.0.5:8265",
        name="lab",
    )

    store.keep_disconnected("session_1")
    store.keep_disconnected("session_1")
    remembered = store.disconnected()
    store.keep_connection(lab)

    assert remembered == ["session_1"]
    assert store.disconnected() == []
    store.close()
