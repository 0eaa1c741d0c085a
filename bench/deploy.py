"""Puts CastRay on a Ray cluster and ends, as `castray up` does it: the cluster keeps it.

python -m bench.deploy GCS_ADDRESS SETTINGS_AS_JSON
"""

from __future__ import annotations

import sys

from castray.cli.cluster import connected, deploy_castray
from castray.config import Settings

__all__ = ["main"]


def main() -> None:
    """Deploy and say where."""
    address, settings_json = sys.argv[1:]
    settings = Settings.model_validate_json(settings_json)
    with connected(address, settings.ray_cluster.namespace, carries_code=False) as context:
        print(deploy_castray(settings, context).url)


if __name__ == "__main__":
    main()
