"""Where Torchreid, the benchmarks' peer, lies."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def peer_package(path: str | None) -> Path:
    """Return the package's folder, in a checkout or installed; end the program without one."""
    if path:
        return Path(path, "torchreid")
    spec = importlib.util.find_spec("torchreid")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("torchreid is not installed: name a checkout with --peer, or pass --no-peer")
    return Path(spec.submodule_search_locations[0])
