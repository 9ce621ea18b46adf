"""The peers that are installed can be imported, and are of the versions that our pages name."""

from __future__ import annotations

import importlib
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PEERS, _ = REQUIREMENTS.read_text(encoding="utf-8").split("# What they import.")
PINNED = dict(re.findall(r"^([\w-]+)==(\S+)$", PEERS, re.M))
MODULES = {"deep-sort-realtime": "deep_sort_realtime", "tracklab": "tracklab.engine"}


@pytest.mark.parametrize("name", PINNED)
def test_an_installed_peer_can_be_imported(name) -> None:
    try:
        found = version(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed: see tests/peers/requirements.txt")
    importlib.import_module(MODULES.get(name, name))
    assert found == PINNED[name], "Tests hold for the pinned version: change it there and in docs."


def test_the_page_about_trackers_names_pinned_versions(checkout) -> None:
    page = (checkout / "docs" / "trackers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\[.+?) \| (\d\S+(?:, \d\S+)*) \|", page, re.M)
    named = [each for _, versions in rows for each in versions.split(", ")]
    assert len(named) >= len(rows) > 7
    assert set(named) <= set(PINNED.values())
