"""Procedural vehicles: what is written, that it repeats, and that marks tell vehicles apart."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from PIL import Image
from reid_plugins_synthetic.vehicles.filming import ROADSIDE, Filming
from reid_plugins_synthetic.vehicles.fleet import BODIES, draw_fleet
from reid_plugins_synthetic.vehicles.make import make_vehicles
from reid_plugins_synthetic.vehicles.settings import VehicleSettings

from reid_plugins_datasets.own.layouts import recognise
from reidcore.errors import DataError

TINY = VehicleSettings(ids=3, cameras=2, images_per_camera=2)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    directory = tmp_path_factory.mktemp("vehicles") / "tiny"
    make_vehicles(directory, TINY)
    return directory


def test_each_vehicle_has_a_folder_that_is_read_as_an_identity(tiny):
    folders = sorted(path.name for path in tiny.iterdir() if path.is_dir())
    assert [int(name.split("-")[1]) for name in sorted(folders, key=lambda n: n[-3:])] == [1, 2, 3]
    assert {name.split("-")[0] for name in folders} <= set(BODIES)
    layout = recognise(tiny)
    assert "cam" in layout.options["pattern"]
    assert "camera '" in layout.example
    assert len(list(tiny.glob("*/cam[12]_*.jpg"))) == 3 * 2 * 2
    with Image.open(next(tiny.glob("*/*.jpg"))) as picture:
        assert picture.size == (128, 96)


def test_the_same_settings_give_the_same_bytes_and_other_seeds_do_not(digest, tiny, tmp_path):
    assert make_vehicles(tmp_path / "again", TINY).created
    assert digest(tmp_path / "again") == digest(tiny)
    make_vehicles(tmp_path / "other", replace(TINY, seed=1))
    assert digest(tmp_path / "other") != digest(tiny)


def test_what_is_there_is_left_alone_and_other_settings_do_not_overwrite(digest, tiny):
    before = digest(tiny)
    assert not make_vehicles(tiny, TINY).created
    with pytest.raises(DataError, match="other settings"):
        make_vehicles(tiny, replace(TINY, ids=4))
    assert digest(tiny) == before


def test_no_two_vehicles_look_alike():
    fleet = draw_fleet(400, Random("0"))
    assert len(set(fleet)) == 400


@pytest.mark.parametrize("body", BODIES)
def test_every_body_fills_the_picture_of_every_camera(body):
    vehicle = next(each for each in draw_fleet(60, Random("0")) if each.body == body)
    filming = Filming((64, 48), 0)
    painted = replace(vehicle, paint=(255, 0, 255), cargo=(255, 0, 255))
    for camera in range(len(ROADSIDE)):
        picture = np.asarray(filming.picture(painted, camera, "1"), dtype=int)
        magenta = (picture[..., 0] - picture[..., 1] > 25) & (picture[..., 2] > picture[..., 1])
        rows, columns = np.nonzero(magenta)
        assert magenta.mean() > 0.05
        assert np.ptp(columns) > 0.35 * 64 or np.ptp(rows) > 0.5 * 48


@pytest.mark.parametrize("mark", ["stripe", "roof", "paint"])
def test_marks_are_seen(mark):
    vehicle = replace(draw_fleet(1, Random("0"))[0], body="saloon", roof="bare", stripe="none",
                      paint=(226, 226, 222), trim=(226, 110, 36))  # fmt: skip
    marked = replace(vehicle, **{"stripe": {"stripe": "twin"}, "roof": {"roof": "box"},
                                 "paint": {"paint": (38, 78, 160)}}[mark])  # fmt: skip
    filming = Filming((64, 48), 0)
    plain, other = (np.asarray(filming.picture(each, 0, "1"), int) for each in (vehicle, marked))
    assert (np.abs(plain - other).max(axis=2) > 40).sum() > 25


@pytest.mark.parametrize("setting", [{"ids": 0}, {"cameras": 7}, {"height": 4}])
def test_a_setting_out_of_range_is_told(setting):
    with pytest.raises(DataError, match=next(iter(setting))):
        replace(TINY, **setting)
