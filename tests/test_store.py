from __future__ import annotations

import sqlite3
from threading import Event, Thread
from typing import TYPE_CHECKING

from castray.cast_models import Cast, CastState, KeptCast, NodePlace
from castray.models import Connection
from castray.store import MAX_ENDED_CASTS, Store
from tests.core.given import NOON, cast_to

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


def kept(cast: Cast) -> KeptCast:
    return KeptCast(
        cast=cast, secret="ab" * 32, nodes={cast.source: NodePlace(name="S", address="10.0.0.1")}
    )


def test_casts_outlive_the_store_that_kept_them_in_their_last_state(tmp_path: Path) -> None:
    path = tmp_path / "castray.db"
    first, second = kept(cast_to("m1", id_="1")), kept(cast_to("m2", id_="2"))
    ended = kept(cast_to("m1", id_="1", state=CastState.FAILED, ended=NOON))
    store = Store(path)
    store.keep_casts([first, second])
    store.keep_casts([ended])
    store.close()

    reopened = Store(path)

    assert reopened.unfinished_casts() == [second]
    assert reopened.cast("1") == ended
    assert reopened.cast("3") is None
    reopened.close()


def test_a_page_of_casts_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    store = Store(tmp_path / "castray.db")
    casts = [kept(cast_to("m1", id_=str(number))) for number in range(5)]
    store.keep_casts(casts)

    first = store.casts(2)
    second = store.casts(9, before=first[-1][0])

    assert [found.cast.id for _, found in first] == ["4", "3"]
    assert [found.cast.id for _, found in second] == ["2", "1", "0"]
    store.close()


def test_of_casts_that_ended_only_so_many_are_remembered(tmp_path: Path) -> None:
    store = Store(tmp_path / "castray.db")
    store.keep_casts([kept(cast_to("m1", id_="goes on"))])

    for start in range(0, MAX_ENDED_CASTS + 2, 2):
        pair = [cast_to("m1", id_=f"{start + i}", ended=NOON) for i in range(2)]
        store.keep_casts([kept(cast) for cast in pair])

    assert store.cast("1") is None
    assert store.cast("2") is not None
    assert [found.cast.id for found in store.unfinished_casts()] == ["goes on"]
    store.close()


def test_a_store_that_is_closed_under_somebody_who_writes_ends_that_in_an_error(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "castray.db")
    cast = KeptCast(cast=cast_to("m1"), secret="00" * 32, nodes={})
    errors: list[Exception] = []
    has_written = Event()

    def write() -> None:
        try:
            while True:
                store.keep_casts([cast])
                has_written.set()
        except sqlite3.Error as error:
            errors.append(error)

    writer = Thread(target=write, daemon=True)
    writer.start()
    has_written.wait(10)
    store.close()

    writer.join(10)
    assert "closed database" in str(errors)
