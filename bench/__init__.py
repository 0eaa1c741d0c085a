"""The speed table: what CastRay promises, measured beside a bare peer in the same run."""
