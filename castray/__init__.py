"""CastRay: one pane over several Ray clusters.

`serve run castray.serve_app` takes the attribute `serve_app` of this package, so that attribute
is made when it is asked for: `import castray` alone stays free of Ray.
"""

from __future__ import annotations

__version__ = "0.1.0"
