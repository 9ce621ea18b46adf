"""Reading clocks, ways and common views."""

from __future__ import annotations

import math

import pytest
from reid_plugins_link.network import Clock, read_network, read_overlaps

from reidcore.errors import UserError

CAMERAS = ("door", "yard", "gate")


def test_a_network_is_read(tmp_path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(
        "cameras: {door: {fps: 25, start: 1.5}, gate: {start: -3}}\n"
        "transitions:\n- {from: door, to: yard, seconds: [3, 8.5]}\n"
        "- {from: yard, to: door, seconds: [2]}\n- {from: yard, to: gate, seconds: [null, 9]}\n"
        "unreachable: [[door, gate]]\noverlaps: [[gate, yard]]\n"
    )
    network = read_network(path, CAMERAS)
    assert network.clocks == {"door": Clock(25.0, 1.5), "gate": Clock(None, -3.0)}
    assert network.seconds == {
        ("door", "yard"): (3.0, 8.5),
        ("yard", "door"): (2.0, math.inf),
        ("yard", "gate"): (0.0, 9.0),
    }
    assert network.unreachable == {("door", "gate")}
    assert network.overlaps == {("gate", "yard"), ("yard", "gate")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cameras: {dor: {}}", "'dor', of which there are no tracks. Did you mean 'door'"),
        ("transitions: [{from: door, to: cellar, seconds: [1, 2]}]", "'cellar'.*cameras are: door"),
        ("transition: []", "wrong at transition: .*Did you mean 'transitions'"),
        ("transitions: [{from: door, to: yard, seconds: [9, 2]}]", "9 to 2 seconds"),
        ("transitions: [{from: door, to: yard, seconds: []}]", r"wrong at transitions\.0\.seconds"),
        (
            "transitions: [{from: door, to: yard, seconds: [1]}, "
            "{from: door, to: yard, seconds: [2]}]",
            "the way from 'door' to 'yard' twice",
        ),
        ("cameras: {door: {fps: 0}}", r"cameras\.door\.fps"),
        ("overlaps: [[door]]", r"wrong at overlaps\.0"),
        ("cameras: [", "no YAML"),
        (
            "transitions: [{from: door, to: yard, seconds: [1]}]\nunreachable: [[door, yard]]",
            "cannot be reached from 'door', and how long",
        ),
    ],
)
def test_a_wrong_network_is_told(tmp_path, text, told) -> None:
    (tmp_path / "site.yaml").write_text(text)
    with pytest.raises(UserError, match=told):
        read_network(tmp_path / "site.yaml", CAMERAS)


def test_a_missing_network_is_told(tmp_path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_network(tmp_path / "none.yaml", CAMERAS)


def test_overlaps_are_pairs_of_cameras() -> None:
    assert read_overlaps(["door:yard"], CAMERAS) == {("door", "yard"), ("yard", "door")}
    with pytest.raises(UserError, match="is no pair"):
        read_overlaps(["door"], CAMERAS)
    with pytest.raises(UserError, match="Did you mean 'yard'"):
        read_overlaps(["door:yrd"], CAMERAS)
