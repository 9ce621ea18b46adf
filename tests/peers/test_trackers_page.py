"""The page about trackers runs whole, with the packages that it is about."""

from __future__ import annotations

import importlib.util

import pytest

NEEDED = (
    "boxmot",
    "deep_sort_realtime",
    "libreyolo",
    "norfair",
    "reid",
    "supervision",
    "trackers",
    "ultralytics",
    "onnxruntime",
    "safetensors",
)


def test_it_runs_from_top_to_bottom(load_script, checkout, tmp_path) -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; see tests/peers/requirements.txt")
    docs = load_script("tests/docs/test_docs_run.py")
    page, kinds = checkout / "docs" / "trackers.md", (*docs.RUN, *docs.PEER)
    docs.run_page(page, tmp_path, kinds, timeout=900)
