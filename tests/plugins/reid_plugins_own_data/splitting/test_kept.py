"""Splits that a table says already."""

from pathlib import Path

import pytest
from reid_plugins_own_data.splitting.kept import kept_split
from reid_plugins_own_data.splitting.table import ImageTable

ROLES = {"path": "path", "pid": "who", "camid": "camid"}


@pytest.mark.parametrize(("camera", "protocol"), [("1", "market1501"), ("0", "any_camera")])
def test_the_protocol_is_the_one_that_has_matches(camera, protocol):
    columns = {
        "path": ["a", "b", "c", "d"],
        "who": ["1", "2", "2", "3"],
        "camid": ["0", "0", camera, "1"],
        "split": ["train", "query", "gallery", "gallery"],
    }
    kept = kept_split(ImageTable(Path("own.csv"), columns, ROLES, ","))
    assert kept["protocol"] == protocol
    assert kept["splits"]["gallery"]["images"] == 2
    assert kept["columns"] == {"pid": "who"}
