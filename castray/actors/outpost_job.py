"""The job that installs an outpost on the cluster it runs on, or removes it.

`python -m castray.actors.outpost_job VERB SETTINGS`, with `ensure` or `remove` and the settings as
JSON. Doing it again finds what is there. The answer is the last line that it writes.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util import list_named_actors

from castray.actors.outpost import WARDEN_NAME, OutpostWarden, warden_options
from castray.transfer.outpost_link import OutpostSettings, OutpostView, outpost_name

__all__ = ["ensure_outpost", "main", "remove_outpost"]

START_S = 30.0
"""For the agents: a node may have to start a process and fetch our code first."""


def main(verb: str, settings: str) -> None:
    """Do what the command line says."""
    ray.init(os.environ["RAY_ADDRESS"], logging_level=logging.WARNING, log_to_driver=False)
    outpost = OutpostSettings.model_validate_json(settings)
    if verb == "ensure":
        answer = ensure_outpost(outpost).model_dump_json()
    else:
        answer = f"removed {remove_outpost(outpost)} actors"
    sys.stdout.write(f"\n{answer}\n")


def ensure_outpost(settings: OutpostSettings) -> OutpostView:
    """Where the outpost answers; it is created where it is missing, or of another make.

    Raises:
        RayError: It cannot be created here.
    """
    warden = _start_warden(settings)
    if ray.get(warden.settings.remote()) != settings:
        remove_outpost(settings)
        warden = _start_warden(settings)
    view: OutpostView = ray.get(warden.view.remote(START_S))
    return view


def remove_outpost(settings: OutpostSettings) -> int:
    """End its actors; how many there were."""
    namespace = outpost_name(settings.key_digest)
    names = [
        row["name"]
        for row in list_named_actors(all_namespaces=True)
        if row["namespace"] == namespace
    ]
    # The warden first: it would start the agents again.
    for name in sorted(names, key=lambda name: name != WARDEN_NAME):
        try:
            ray.kill(ray.get_actor(name, namespace), no_restart=True)
        except (ValueError, RayError):
            continue  # it ended by itself
    return len(names)


def _start_warden(settings: OutpostSettings) -> Any:
    return ray.remote(OutpostWarden).options(**warden_options(settings)).remote(settings)


if __name__ == "__main__":
    main(*sys.argv[1:])
