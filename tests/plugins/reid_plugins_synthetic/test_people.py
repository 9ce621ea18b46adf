"""Who can be met, and what the cameras see of them."""

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from reid_plugins_synthetic.cameras import BACK, CAMERAS, FRONT
from reid_plugins_synthetic.figure import paint_figure
from reid_plugins_synthetic.people import draw_people, draw_person
from reid_plugins_synthetic.pose import Pose, draw_pose
from reid_plugins_synthetic.render import Renderer
from reid_plugins_synthetic.view import View

SIZE = (128, 256)
STANDING = Pose(phase=0.0, stride=0.0, arms=("swing", "swing"))


def facing(yaw):
    return View(yaw=yaw, tilt=0.0, scale=230.0, column=64.0, ground=245.0)


def figure(person, yaw, pose=STANDING):
    return np.asarray(paint_figure(person, pose, facing(yaw), SIZE, 0.0)).astype(int)


def drawn(**fixed):
    plain = {"top": "tee", "pattern": "plain", "legs": "trousers", "bag": "none", "hair": "short"}
    return replace(draw_person(Random("somebody")), **{**plain, **fixed})


def column_of(picture, colour):
    """Return the mean column of the pixels whose hue is that of a shaded colour."""
    wanted = np.array(colour) / max(colour)
    rgb = picture[..., :3]
    near = np.abs(rgb / np.maximum(rgb.max(-1, keepdims=True), 1) - wanted).max(-1) < 0.06
    columns = np.nonzero(near & (picture[..., 3] > 0))[1]
    assert len(columns) > 20
    return columns.mean()


def test_colours_alone_identify_nobody():
    people = draw_people(140, Random(0))
    pairs = Counter((p.top_colour, p.leg_colour) for p in people)
    assert len(pairs) <= 36
    assert sum(count for count in pairs.values() if count > 1) > 0.9 * len(people)


def test_no_two_people_look_alike():
    people = draw_people(300, Random(0))
    looks = {(p.top, p.top_colour, p.pattern, p.legs, p.leg_colour, p.bag) for p in people}
    assert len(looks) == len(people)


def test_the_first_people_do_not_depend_on_how_many_follow():
    assert draw_people(5, Random("x")) == draw_people(50, Random("x"))[:5]


@pytest.mark.parametrize("bag", ["handbag", "satchel"])
def test_a_bag_changes_sides_with_the_view(bag):
    green = (20, 200, 20)
    person = drawn(bag=bag, bag_left=True, bag_colour=green)
    below_the_strap = slice(115, None)
    assert column_of(figure(person, FRONT)[below_the_strap], green) > 64 + 8
    assert column_of(figure(person, BACK)[below_the_strap], green) < 64 - 8


def test_a_backpack_is_seen_whole_from_behind_alone():
    bare, packed = drawn(), drawn(bag="backpack", bag_colour=(20, 200, 20))
    changed = {
        yaw: np.count_nonzero((figure(packed, yaw) != figure(bare, yaw)).any(-1))
        for yaw in (FRONT, BACK)
    }
    assert 0 < changed[FRONT] < 0.5 * changed[BACK]


def test_a_print_and_an_open_jacket_show_in_front():
    for clothes in ({"top": "jacket"}, {"pattern": "print"}):
        person = drawn(**clothes, top_colour=(200, 30, 30), trim=(30, 30, 200))
        blue = {yaw: np.count_nonzero(figure(person, yaw)[..., 2] > 100) for yaw in (FRONT, BACK)}
        assert blue[FRONT] > blue[BACK]


def test_walking_moves_the_legs_and_not_the_head():
    person = drawn()
    apart = figure(person, np.pi / 2, Pose(np.pi / 2, 0.5, ("swing", "swing")))
    together = figure(person, np.pi / 2)
    moved = (apart != together).any(-1)
    assert moved[200:].any()
    assert not moved[:40].any()


def test_every_garment_can_be_painted_from_every_side():
    people, poses = draw_people(60, Random("all")), Random("poses")
    for number, person in enumerate(people):
        covered = figure(person, 0.7 * number, draw_pose(poses))[..., 3] > 0
        assert 0.1 < covered.mean() < 0.5


def test_a_picture_depends_on_its_key_alone():
    first, second = draw_people(2, Random("two"))
    renderer, other = Renderer((32, 64), 5), Renderer((32, 64), 5)
    one = renderer.person(first, 2, "a")
    other.person(second, 3, "b")
    assert other.person(first, 2, "a").tobytes() == one.tobytes()
    assert other.person(first, 2, "b").tobytes() != one.tobytes()


def test_cameras_differ_in_colour_light_and_sharpness():
    renderer = Renderer((64, 128), 0)
    person = drawn(top_colour=(132, 134, 140), leg_colour=(132, 134, 140))
    means, details = [], []
    for camera in range(len(CAMERAS)):
        shots = [renderer.person(person, camera, str(k)) for k in range(8)]
        # The middle of the chest, where the same cloth is seen by all.
        chests = np.stack([np.asarray(shot)[36:52, 27:37] for shot in shots]).astype(float)
        means.append(chests.mean((0, 1, 2)))
        details.append(np.abs(np.diff(np.asarray(shots[0]).astype(float), axis=1)).mean())
    brightness = [mean.sum() for mean in means]
    warmth = [mean[0] / mean[2] for mean in means]
    assert max(brightness) > 1.25 * min(brightness)
    assert max(warmth) > 1.2 * min(warmth)
    assert len({round(detail, 1) for detail in details}) > 1
