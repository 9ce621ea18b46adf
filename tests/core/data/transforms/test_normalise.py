from __future__ import annotations

import pytest
import torch

from reidcore.data.transforms import normalise
from reidcore.data.transforms.normalise import ToNormalisedTensor

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(params=["as installed", "without OpenCV"])
def road(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without OpenCV":
        monkeypatch.setattr(normalise, "loaded_opencv", lambda: None)


@pytest.mark.usefixtures("road")
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [(256, 128), (7, 1), (1, 5)])
def test_bytes_become_what_the_formula_says(
    layout: torch.memory_format, size: tuple[int, int]
) -> None:
    pixels = torch.randint(0, 256, (3, *size, 3), dtype=torch.uint8)
    floats = ToNormalisedTensor(MEAN, STD).on_batch(pixels, layout)
    exact = (pixels.double() / 255 - torch.tensor(MEAN).double()) / torch.tensor(STD).double()
    expected = exact.permute(0, 3, 1, 2)  # (B, h, w, 3) -> (B, 3, h, w)
    assert floats.dtype == torch.float32
    assert floats.is_contiguous(memory_format=layout)
    torch.testing.assert_close(floats.double(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.usefixtures("road")
def test_images_that_were_mirrored_as_views_are_read_in_their_order() -> None:
    pixels = torch.randint(0, 256, (2, 4, 6, 3), dtype=torch.uint8)
    step = ToNormalisedTensor(MEAN, STD)
    turned = pixels.permute(0, 2, 1, 3)  # (B, h, w, 3) -> (B, w, h, 3), not contiguous
    assert torch.equal(step.on_batch(turned), step.on_batch(turned.contiguous()))


def test_both_roads_give_the_same_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = torch.arange(256, dtype=torch.uint8).repeat(3, 1).T.reshape(1, 16, 16, 3)
    step = ToNormalisedTensor(MEAN, STD)
    looked_up = step.on_batch(pixels)
    monkeypatch.setattr(normalise, "loaded_opencv", lambda: None)
    assert torch.equal(step.on_batch(pixels), looked_up)


def test_a_batch_without_images_stays_one() -> None:
    none = torch.empty(0, 4, 6, 3, dtype=torch.uint8)
    assert ToNormalisedTensor(MEAN, STD).on_batch(none).shape == (0, 3, 4, 6)
