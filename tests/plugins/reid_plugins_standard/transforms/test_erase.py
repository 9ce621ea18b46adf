from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_standard.transforms.erase import RandomErase
from torchvision.transforms import v2

from reidcore.data.transforms.build import build_transforms
from reidcore.errors import ConfigError

HEIGHT, WIDTH = 64, 32
TIMM: dict[str, Any] = {"area": (0.02, 1 / 3), "aspect": "log", "fill": "noise"}
TORCHVISION: dict[str, Any] = {"area": (0.02, 0.33), "ratio": (0.3, 3.3), "aspect": "log"}


def test_the_boxes_are_torchreids(torchreid_transforms: Mapping[str, np.ndarray]) -> None:
    masks = torchreid_transforms["erasing_mask_random_seed_0_3_64x32"]
    erase = RandomErase(64, 32, p=1)
    for seed, mask in enumerate(masks):
        random.seed(seed)
        erased = erase(torch.ones(3, 64, 32))
        np.testing.assert_array_equal((erased == 0).all(0).numpy(), mask)


@pytest.mark.parametrize(
    ("fill", "colour"),
    [
        ("mean", [0, 0, 0]),
        ("torchreid", [0.485, 0.456, 0.406]),
        ([0.4914, 0.4822, 0.4465], [0.4914, 0.4822, 0.4465]),
    ],
)
def test_what_is_written(fill: str | list[float], colour: list[float]) -> None:
    image = torch.full((3, 64, 32), 9.0)
    random.seed(1)
    erased = RandomErase(64, 32, p=1, fill=fill)(image)
    changed = erased[:, (erased != 9).any(0)]
    assert changed.shape[1] > 0
    expected = torch.tensor(colour, dtype=torch.float32)[:, None].expand_as(changed)
    torch.testing.assert_close(changed, expected)
    assert (image == 9).all()


def test_rates_areas_and_aspects_are_torchreids(statistics: dict[str, Any]) -> None:
    recorded = statistics["random_erase"]
    random.seed(0)
    erase = RandomErase(128, 64)
    image = torch.ones(3, 128, 64)
    boxes = []
    for _ in range(2000):
        hole = erase(image)[0] == 0
        if hole.any():
            boxes.append((int(hole.any(1).sum()), int(hole.any(0).sum())))
    heights, widths = np.array(boxes).T
    areas, aspects = heights * widths / (128 * 64), heights / widths
    assert abs(len(boxes) / 2000 - recorded["p_default_measured"]) < 0.05
    assert abs(areas.mean() - recorded["area_mean"]) < 0.015
    assert abs((aspects > 1).mean() - recorded["frac_aspect_gt_1"]) < 0.05
    middle = [0.05, 0.25, 0.5, 0.75, 0.95]
    quantiles = recorded["area_quantiles_0_5_25_50_75_95_100"][1:-1]
    np.testing.assert_allclose(np.quantile(areas, middle), quantiles, atol=0.025)
    quantiles = recorded["aspect_hw_quantiles"][1:-1]
    np.testing.assert_allclose(np.quantile(aspects, middle), quantiles, atol=0.2)


def _boxes(erase: Callable[[torch.Tensor], torch.Tensor], count: int) -> np.ndarray:
    """Return area, logarithm of the aspect, top and left of what is erased of many images."""
    found = []
    for _ in range(count):
        hole = erase(torch.full((3, HEIGHT, WIDTH), 99.0))[0] != 99
        if hole.any():
            rows, columns = hole.any(1).nonzero()[:, 0], hole.any(0).nonzero()[:, 0]
            height, width = len(rows), len(columns)
            area = height * width / (HEIGHT * WIDTH)
            found.append((area, np.log(height / width), int(rows[0]), int(columns[0])))
    return np.array(found)


@pytest.mark.parametrize("form", ["torchvision", "timm"])
def test_the_boxes_are_distributed_as_the_published_forms(form: str) -> None:
    peer: Any
    if form == "timm":
        timm = pytest.importorskip("timm.data.random_erasing", reason="timm is not here")
        options, peer = TIMM, timm.RandomErasing(mode="pixel", max_count=1, device="cpu")
    else:
        options, peer = TORCHVISION, v2.RandomErasing()
    random.seed(0)
    torch.manual_seed(0)
    mine = _boxes(RandomErase(HEIGHT, WIDTH, **options), 3000)
    theirs = _boxes(peer, 3000)
    assert abs(len(mine) - 1500) < 5 * np.sqrt(750)
    parts = [0.05, 0.25, 0.5, 0.75, 0.95]
    for column, tolerance in enumerate((0.02, 0.12, 3, 2)):
        expected = np.quantile(theirs[:, column], parts)
        np.testing.assert_allclose(np.quantile(mine[:, column], parts), expected, atol=tolerance)
    upright = _boxes(RandomErase(HEIGHT, WIDTH), 1000)[:, 1]
    assert (upright > 0).mean() > (mine[:, 1] > 0).mean() + 0.15  # as the paper draws it


def test_noise_is_standard_normal_and_each_image_has_its_own() -> None:
    erase = RandomErase(HEIGHT, WIDTH, p=1, **TIMM)
    random.seed(0)
    drawn = [erase.make_params(HEIGHT, WIDTH) for _ in range(40)]
    images = torch.full((40, 3, HEIGHT, WIDTH), 99.0)
    made = erase.transform(images.clone(), torch.tensor(drawn, dtype=torch.float64))
    written = made[made != 99]
    assert abs(written.mean()) < 5 / len(written) ** 0.5
    assert abs(written.std() - 1) < 5 / (2 * len(written)) ** 0.5
    # no number stands for several channels, pixels or images
    assert len(set(written.tolist())) > 0.95 * len(written)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["mean", "noise"]), st.sampled_from([0.0, 0.6, 1.0]), st.integers(0, 2**31))
def test_one_by_one_and_together_are_equal(fill: str, p: float, seed: int) -> None:
    erase = RandomErase(HEIGHT, WIDTH, p=p, fill=fill)
    images = torch.full((5, 3, HEIGHT, WIDTH), 99.0)
    random.seed(seed)
    one_by_one = torch.stack([erase(image) for image in images])
    random.seed(seed)
    drawn = [erase.make_params(HEIGHT, WIDTH) for _ in images]
    assert {len(each) for each in drawn} == {5 if fill == "noise" else 4}
    together = erase.transform(images.clone(), torch.tensor(drawn, dtype=torch.float64))
    assert torch.equal(one_by_one, together)


def test_a_configuration_spells_the_forms() -> None:
    section = {"p": 1, "area": [0.02, 0.3333], "aspect": "log", "fill": "noise"}
    train, _ = build_transforms(HEIGHT, WIDTH, ["random_erase"], random_erase=section)
    erase: Any = train.transforms[-1]
    assert erase.area == (0.02, 0.3333)
    assert erase.colour is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"aspect": "logs"}, "no aspect 'logs'. Did you mean 'log'"),
        ({"fill": "noize"}, "Did you mean 'noise'"),
        ({"fill": [0.5, 0.5]}, "three numbers"),
        ({"area": (0.4, 0.02)}, "in order"),
        ({"area": (0.1, 1.5)}, "at most 1"),
        ({"ratio": (0.0, 1.0)}, "above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        RandomErase(HEIGHT, WIDTH, **options)
    assert words in str(raised.value)
