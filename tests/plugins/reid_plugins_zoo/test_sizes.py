"""Which sizes networks take and what maps they make of them, told by networks without memory."""

from __future__ import annotations

import pytest
import torch

from reidcore.errors import UserError

MAPS = {
    "resnet18": (512, 3, 2),
    "resnet50_fc512": (2048, 6, 4),
    "se_resnet50": (2048, 3, 2),
    "se_resnet50_fc512": (2048, 6, 4),
    "resnet50_ibn_a": (2048, 3, 2),
    "resnet50_ibn_b": (2048, 3, 2),
    "resnet50mid": (2048, 3, 2),
    "pcb_p4": (2048, 6, 4),
    "mlfn": (2048, 3, 2),
    "densenet121": (1024, 3, 2),
    "squeezenet1_0": (512, 5, 3),
    "squeezenet1_1": (512, 5, 3),
    "shufflenet": (960, 3, 2),
    "shufflenet_v2_x0_5": (1024, 3, 2),
    "mobilenetv2_x1_0": (1280, 3, 2),
    "xception": (2048, 3, 2),
    "nasnetmobile": (1056, 3, 2),
    "inceptionv4": (1536, 1, 1),
    "inceptionresnetv2": (1536, 1, 1),
}


@pytest.fixture(scope="module", params=MAPS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def outline(name, build):
    return build(name, device="meta").eval()


def nothing(height, width):
    return torch.empty(2, 3, height, width, device="meta")


def test_maps_have_their_size(name, outline):
    height, width = map(max, (96, 64), outline.min_size)
    assert outline(nothing(height, width), return_featuremaps=True).shape == (2, *MAPS[name])


def test_the_smallest_size_is_taken_and_said_where_less_is_given(outline):
    height, width = outline.min_size
    assert outline(nothing(height, width)).shape == (2, outline.feature_dim)
    for smaller in {(height - 1, width), (height, width - 1)} - {(0, 1), (1, 0)}:
        with pytest.raises(UserError, match=f"takes images of {height}x{width} or larger"):
            outline(nothing(*smaller))
        with pytest.raises((RuntimeError, ValueError)):
            outline.featuremaps(nothing(*smaller))


def test_a_size_that_halves_unevenly_is_taken(outline):
    assert outline(nothing(90, 110)).shape == (2, outline.feature_dim)


@pytest.mark.parametrize(
    ("name", "size", "maps"),
    [("hacnn", (160, 64), (384, 10, 4)), ("mudeep", (256, 128), (256, 16, 8))],
)
def test_networks_of_one_size_say_so(name, size, maps, build):
    outline = build(name, device="meta").eval()
    assert outline(nothing(*size), return_featuremaps=True).shape == (2, *maps)
    with pytest.raises(UserError, match="takes images of {}x{} .* these are 256x64".format(*size)):
        outline(nothing(256, 64), return_featuremaps=True)
