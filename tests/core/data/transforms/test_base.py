"""Transforms that are drawn apart: by image and by batch they do the same."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from reid_plugins_standard.transforms.blur import Blur
from reid_plugins_standard.transforms.crop import PadCrop
from reid_plugins_standard.transforms.erase import RandomErase
from reid_plugins_standard.transforms.flip import RandomFlip
from reid_plugins_standard.transforms.gray import GrayPatch
from reid_plugins_standard.transforms.jitter import ColorJitter
from reid_plugins_standard.transforms.policies import aug_mix, auto_augment, rand_augment

from reidcore.errors import ConfigError

HEIGHT, WIDTH = 40, 24

EXACT: list[Any] = [RandomFlip, PadCrop, GrayPatch, Blur]


def _often(kind: Any) -> Any:
    return kind(HEIGHT, WIDTH, p=0.8)


def _images(count: int = 6, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 5, 3, 3), dtype=np.uint8)
    return [
        np.array(Image.fromarray(image).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
        for image in coarse
    ]


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _as_batch(images: Any) -> torch.Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


@pytest.mark.parametrize("kind", EXACT)
def test_one_by_one_and_all_together_are_equal(kind: Any) -> None:
    transform, images = _often(kind), _images()
    _seed(3)
    drawn = [transform.make_params(HEIGHT, WIDTH) for _ in images]
    assert len({len(draw) for draw in drawn}) == 1
    one_by_one = [transform.transform_pixels(i, d) for i, d in zip(images, drawn, strict=True)]
    together = transform.transform(_as_batch(images), torch.tensor(drawn, dtype=torch.float64))
    assert together.dtype == torch.uint8
    assert torch.equal(_as_batch(one_by_one), together)
    assert not torch.equal(_as_batch(images), together)


@pytest.mark.parametrize(
    "amounts",
    [
        {},
        {"brightness": 0.9, "contrast": 0.9},
        {"saturation": 0.8},
        {"brightness": 0, "contrast": 0, "hue": 0.5},
        {"saturation": 0.5, "hue": 0.3},
    ],
)
def test_jitter_of_a_batch_is_pillows_to_the_bit(amounts: dict[str, float]) -> None:
    transform, images = ColorJitter(HEIGHT, WIDTH, **amounts), _images(24)
    images[0][:] = 77  # no hue
    images[1][:] = 0
    _seed(3)
    drawn = [transform.make_params(HEIGHT, WIDTH) for _ in images]
    one_by_one = [transform.transform_pixels(i, d) for i, d in zip(images, drawn, strict=True)]
    together = transform.transform(_as_batch(images), torch.tensor(drawn, dtype=torch.float64))
    assert torch.equal(together, _as_batch(one_by_one))
    changed = (together.int() - _as_batch(images).int()).abs().float()
    assert float(changed[2:].mean()) > 1


def test_erasing_one_by_one_and_together_is_equal() -> None:
    erase = RandomErase(HEIGHT, WIDTH, p=0.7)
    images = torch.randn(8, 3, HEIGHT, WIDTH)
    _seed(0)
    one_by_one = torch.stack([erase(image) for image in images])
    _seed(0)
    drawn = torch.tensor([erase.make_params(HEIGHT, WIDTH) for _ in images], dtype=torch.float64)
    assert torch.equal(erase.transform(images.clone(), drawn), one_by_one)
    assert 0 < int((drawn[:, 2] > 0).sum()) < 8


ALL: list[Any] = [*EXACT, ColorJitter, auto_augment, rand_augment, aug_mix]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ALL), st.integers(0, 2**31), st.integers(9, 50), st.integers(9, 50))
@example(PadCrop, 0, 9, 9)  # smaller than the margin
def test_size_and_kind_stay_and_the_seed_decides(
    kind: Any, seed: int, height: int, width: int
) -> None:
    transform = kind(height, width) if kind is ColorJitter else kind(height, width, p=1)
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    before = image.tobytes()
    made = []
    for _ in range(2):
        _seed(seed)
        made.append(transform(image))
    assert made[0].mode == "RGB"
    assert made[0].size == (width, height)
    assert made[0].tobytes() == made[1].tobytes()
    assert image.tobytes() == before


@pytest.mark.parametrize("kind", ALL)
def test_a_probability_of_zero_changes_nothing(kind: Any) -> None:
    image = Image.fromarray(_images(1)[0])
    more = {"p_whole": 0} if kind is GrayPatch else {}
    transform = kind(HEIGHT, WIDTH, p=0, **more)
    for seed in range(5):
        _seed(seed)
        assert transform(image).tobytes() == image.tobytes()


def test_a_padded_image_is_shifted_by_the_draw() -> None:
    crop = PadCrop(HEIGHT, WIDTH, padding=4, fill=9)
    image = _images(1)[0]
    shifted = crop.transform_pixels(image, (0, 7))
    assert (shifted[:4] == 9).all()
    assert (shifted[:, -3:] == 9).all()
    np.testing.assert_array_equal(shifted[4:, :-3], image[:-4, 3:])
    _seed(0)
    corners = np.array([crop.make_params(HEIGHT, WIDTH) for _ in range(3000)])
    assert set(corners[:, 0]) == set(corners[:, 1]) == set(range(9))


def test_a_grey_box_is_grey_and_the_rest_is_not_touched() -> None:
    gray, image = GrayPatch(HEIGHT, WIDTH), _images(1)[0]
    changed = gray.transform_pixels(image, (5, 6, 10, 8))
    box = changed[5:15, 6:14]
    expected = np.asarray(Image.fromarray(image).convert("L"))[5:15, 6:14]
    np.testing.assert_array_equal(box, np.repeat(expected[..., None], 3, axis=2))
    changed[5:15, 6:14] = image[5:15, 6:14]
    np.testing.assert_array_equal(changed, image)
    _seed(0)
    draws = [
        GrayPatch(HEIGHT, WIDTH, p=0.5, p_whole=0.2).make_params(HEIGHT, WIDTH) for _ in range(2000)
    ]
    whole = sum(draw == (0.0, 0.0, HEIGHT, WIDTH) for draw in draws)
    boxed = sum(draw[2] > 0 for draw in draws) - whole
    assert abs(whole - 400) < 5 * np.sqrt(320)
    assert abs(boxed - 800) < 5 * np.sqrt(480)


def test_blur_flattens() -> None:
    blur, image = Blur(HEIGHT, WIDTH), _images(1)[0]
    rough = np.random.default_rng(0).integers(0, 256, image.shape, dtype=np.uint8)
    assert blur.transform_pixels(rough, (2.0,)).std() < rough.std() / 3
    np.testing.assert_array_equal(blur.transform_pixels(rough, (0.0,)), rough)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PadCrop(64, 32, padding=-1), "padding from 0 to"),
        (lambda: PadCrop(64, 32, fill=256), "fill from 0 to 255"),
        (lambda: PadCrop(64, 32, p=1.5), "probability"),
        (lambda: GrayPatch(8, 8, p_whole=-1), "probability"),
        (lambda: Blur(8, 8, sigma=(0, 1)), "above 0"),
        (lambda: Blur(8, 8, kernel_size=4), "odd"),
        (lambda: Blur(8, 8, kernel_size=17), "less than twice"),
        (lambda: auto_augment(8, 8, policy="imagnet"), "Did you mean 'imagenet'"),
        (lambda: rand_augment(8, 8, magnitude=31), "from 0 to 30"),
        (lambda: rand_augment(8, 8, num_ops=0), "1 to 100 operations"),
        (lambda: aug_mix(8, 8, severity=11), "from 1 to 10"),
        (lambda: aug_mix(8, 8, alpha=0), "above 0"),
    ],
)
def test_values_out_of_range_are_refused_with_the_fix(make: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert words in str(caught.value)
