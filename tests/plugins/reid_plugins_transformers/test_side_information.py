"""What side information gives of each image, and what of one that it does not know."""

from __future__ import annotations

import logging

import pytest
import torch
from reid_plugins_transformers.side_information import SideInformation

from reidcore.errors import ConfigError

WIDTH = 3


def side(kind, cameras=None, views=None):
    torch.manual_seed(0)
    return SideInformation(kind, cameras, views, WIDTH)


def test_each_camera_has_a_row():
    told = side("camera", 4, 2)
    assert torch.equal(told(torch.tensor([3, 0, 3])), told.table[[3, 0, 3]])
    assert told.table.shape == (4, WIDTH)


def test_each_viewpoint_has_a_row():
    told = side("view", 4, 2)
    assert torch.equal(
        told(view=torch.tensor([1, 0]), camid=torch.tensor([7, 7])), told.table[[1, 0]]
    )


def test_each_pair_has_a_row_cameras_first():
    told = side("both", 3, 4)
    cameras, views = torch.tensor([2, 0, 1]), torch.tensor([1, 3, 0])
    assert torch.equal(told(cameras, views), told.table[[9, 3, 4]])


def test_nothing_is_known_of_a_camera_that_was_not_learnt_from():
    told = side("camera", 3)
    found = told(torch.tensor([3, 1, -1]))
    assert torch.equal(found[1], told.table[1])
    assert not found[[0, 2]].any()


def test_nothing_is_known_of_a_pair_if_one_of_both_is_not():
    told = side("both", 2, 2)
    found = told(torch.tensor([0, 5, 1]), torch.tensor([5, 0, 1]))
    assert not found[:2].any()
    assert torch.equal(found[2], told.table[3])


def test_cameras_may_have_any_numbers():
    told = side("camera", 3)
    told.renumber("camid", [2, 5, 11])
    assert torch.equal(told(torch.tensor([11, 2])), told.table[[2, 0]])
    assert not told(torch.tensor([0])).any()
    again = side("camera", 3)
    again.load_state_dict(told.state_dict())
    assert torch.equal(again(torch.tensor([5])), told.table[[1]])
    with pytest.raises(ConfigError, match=r"3 values of 'camid', the training images have 2"):
        told.renumber("camid", [0, 1])


def test_what_is_not_told_is_zero_and_said_once(caplog):
    told = side("both", 2, 2)
    with caplog.at_level(logging.WARNING):
        assert torch.equal(told(), torch.zeros(1, WIDTH))
        assert torch.equal(told(camid=torch.tensor([0, 1])), torch.zeros(1, WIDTH))
    assert [r.message.split(":")[0] for r in caplog.records] == [
        "The network has side information, and is not told which cameras and viewpoints images are "
        "from"
    ]


def test_nothing_is_said_where_there_are_shapes_alone(caplog):
    with torch.device("meta"):
        assert side("camera", 2)().shape == (1, WIDTH)
    assert caplog.records == []


def test_it_can_be_ignored_for_a_while(caplog):
    told = side("camera", 2)
    with told.ignored():
        assert not told(torch.tensor([0, 1])).any()
    assert told(torch.tensor([0, 1])).all()
    assert caplog.records == []


def test_rows_of_unknown_images_learn_nothing():
    told = side("camera", 2)
    told(torch.tensor([1, 9])).sum().backward()
    assert told.table.grad.tolist() == [[0.0] * WIDTH, [1.0] * WIDTH]


@pytest.mark.parametrize(
    ("kind", "cameras", "views", "instead"),
    [
        ("both", 3, None, "camera"),
        ("both", 1, 3, "view"),
        ("both", None, 1, "none"),
        ("camera", None, 3, "none"),
    ],
)
def test_what_the_images_lack_is_left_out_and_the_rest_kept(kind, cameras, views, instead):
    with pytest.raises(ConfigError, match=rf"model\.sie={instead}\b"):
        side(kind, cameras, views)
