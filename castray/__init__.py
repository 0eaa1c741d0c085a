"""CastRay: one pane over several Ray clusters.

Importing this package loads neither Ray nor anything else. Its attributes are made when asked for:
`serve_app`, which `serve run castray.serve_app` looks up, and `StatusReporter`.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

LAZY = {
    "serve_app": ("castray.serve_app", "app"),
    "StatusReporter": ("castray.monitor.reporter", "StatusReporter"),
}


def __getattr__(name: str) -> Any:
    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = LAZY[name]
    # Importing castray.serve_app binds that name here to the module: what was asked for replaces
    # it, so that a second look-up in this process finds the application too.
    value = globals()[name] = getattr(importlib.import_module(module), attribute)
    return value
