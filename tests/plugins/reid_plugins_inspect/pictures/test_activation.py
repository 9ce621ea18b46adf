"""Where a network looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from reid_plugins_inspect.pictures import activation_maps, draw_activation_maps
from reid_plugins_inspect.pictures.activation import SPACING, colour, side_by_side, to_pixels
from torch import Tensor, nn

from reidcore.errors import UserError

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Spot(nn.Module):
    """Active in the lower right of four places."""

    def forward(self, images: Tensor, return_featuremaps: bool = False) -> Tensor:
        assert return_featuremaps
        maps = torch.zeros(len(images), 5, 2, 2)
        maps[:, 3, 1, 1] = -7.0
        return maps


def test_the_map_is_large_where_the_channels_are() -> None:
    heat = activation_maps(Spot(), torch.zeros(2, 3, 32, 16))
    assert heat.shape == (2, 32, 16)
    assert heat[0, 31, 15] == pytest.approx(1.0)
    assert heat[0, 0, 0] == pytest.approx(0.0)


def test_a_constant_map_is_all_zero_and_no_nan() -> None:
    class Flat(nn.Module):
        def forward(self, images: Tensor, return_featuremaps: bool = False) -> Tensor:
            return torch.ones(len(images), 2, 4, 4)

    assert not activation_maps(Flat(), torch.zeros(1, 3, 8, 8)).any()


def test_the_normalisation_is_undone() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 4, 3), dtype=np.uint8)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    normalised = (images - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    assert (to_pixels(normalised, MEAN, STD) == pixels).all()


def test_colours_go_from_blue_over_green_to_red() -> None:
    blue, green, red = colour(np.array([[0.0, 0.5, 1.0]], dtype=np.float32))[0]
    assert blue.argmax() == 2
    assert green.argmax() == 1
    assert red.argmax() == 0


def test_three_pictures_stand_side_by_side() -> None:
    picture = np.full((20, 10, 3), 100, dtype=np.uint8)
    drawn = side_by_side(picture, np.zeros((20, 10), dtype=np.float32))
    assert drawn.size == (3 * 10 + 2 * SPACING, 20)
    assert drawn.getpixel((0, 0)) == (100, 100, 100)
    assert drawn.getpixel((10, 0)) == (255, 255, 255)


def test_a_picture_is_written_for_each_image(tmp_path: Path) -> None:
    batch = {"img": torch.zeros(2, 3, 32, 16), "impath": ["a/0001_c1.jpg", "b/0002_c1.png"]}
    written = draw_activation_maps(Spot(), [batch], tmp_path / "maps", MEAN, STD)
    assert [path.name for path in written] == ["0001_c1.jpg", "0002_c1.jpg"]
    with Image.open(written[0]) as picture:
        assert picture.size == (3 * 16 + 2 * SPACING, 32)


@pytest.mark.parametrize("model", [nn.Flatten(), nn.Sequential(nn.Flatten())])
def test_a_model_without_maps_is_refused_with_the_way_out(model: nn.Module, tmp_path: Path) -> None:
    batch = {"img": torch.zeros(1, 3, 8, 8), "impath": ["x.jpg"]}
    with pytest.raises(UserError, match=r"gives no feature maps.*return_featuremaps=True"):
        draw_activation_maps(model, [batch], tmp_path, MEAN, STD)


def test_maps_of_another_shape_are_refused(tmp_path: Path) -> None:
    class Vector(nn.Module):
        def forward(self, images: Tensor, return_featuremaps: bool = False) -> Tensor:
            return images.flatten(1)

    with pytest.raises(UserError, match=r"\(1, 192\) for feature maps"):
        activation_maps(Vector(), torch.zeros(1, 3, 8, 8))
