from __future__ import annotations

from castray.core.system_status import render_ray_account, render_system_node
from castray.models import WorkReport, WorkStatus
from tests.core.given import NOON, home_cluster, node


def test_a_node_says_which_kind_of_cluster_it_is_of() -> None:
    home = render_system_node(node("m1", work=WorkReport(status=WorkStatus.SENDING)))
    lab = render_system_node(node("x1", "lab", last_report=NOON))

    assert (home.type, home.cluster, home.work_status) == ("home", "home", "sending")
    assert (lab.type, lab.cluster, lab.last_seen) == ("external", "lab", NOON)


def test_rays_account_is_by_rays_own_names() -> None:
    account = render_ray_account(home_cluster({"CPU": (8.0, 2.0)}))

    assert account.cluster_resources == {"CPU": 8.0}
    assert account.available_resources == {"CPU": 2.0}


def test_rays_account_is_empty_while_it_is_not_known() -> None:
    assert render_ray_account(None).cluster_resources == {}
