from __future__ import annotations

import copy
import pickle
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from reidcore import hookimpl
from reidcore.data.transforms.build import build_transforms
from reidcore.errors import ConfigError, UnknownNameError, UserError
from reidcore.plugins import Plugins, make_plugins

Gold = Mapping[str, np.ndarray]

EVERY = ["random_erase", "color_jitter", "random_patch", "random_crop", "random_flip"]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_test_transform_is_torchreids_to_the_pixel(
    torchreid_transforms: Mapping[str, np.ndarray], number: int
) -> None:
    image = Image.fromarray(torchreid_transforms[f"image{number}"])
    for height, width, step, suffix in ((64, 32, 1, ""), (256, 128, 8, "_stride8")):
        _, transform = build_transforms(height, width)
        made = transform(image)
        assert made.shape == (3, height, width)
        assert made.dtype == torch.float32
        expected = torchreid_transforms[f"test_{height}x{width}_image{number}{suffix}"]
        np.testing.assert_allclose(made[:, ::step, ::step].numpy(), expected, atol=1e-6)


def test_without_augmentation_training_sees_what_testing_sees(
    torchreid_transforms: Mapping[str, np.ndarray],
) -> None:
    image = Image.fromarray(torchreid_transforms["image1"])
    for none in (None, [], ()):
        train, test = build_transforms(64, 32, none)
        assert torch.equal(train(image), test(image))


def test_another_normalisation(torchreid_transforms: Gold) -> None:
    image = Image.fromarray(torchreid_transforms["image1"])
    plain = build_transforms(64, 32, None, [0, 0, 0], [1, 1, 1])[1](image)
    expected = torchreid_transforms["resized_u8_64x32_image1"].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(plain.numpy(), expected, atol=1e-7)
    shifted = build_transforms(64, 32, None, [0.5, 0.4, 0.3], [0.1, 0.2, 0.3])[1](image)
    mean, std = torch.tensor([[0.5, 0.4, 0.3], [0.1, 0.2, 0.3]])[:, :, None, None]
    torch.testing.assert_close(shifted, (plain - mean) / std)
    either_none = build_transforms(64, 32, None, None, [1, 1, 1])[1](image)
    assert torch.equal(either_none, build_transforms(64, 32)[1](image))


@pytest.mark.parametrize("names", [[], ["random_crop"], ["letterbox"]])
def test_images_are_resized_by_what_was_asked_for(
    torchreid_transforms: Gold, names: list[str]
) -> None:
    image = Image.fromarray(torchreid_transforms["image1"])
    made: dict[str, list[Any]] = {}
    for resize in ("pillow", "torch"):
        pair = build_transforms(64, 32, names, [0, 0, 0], [1 / 255] * 3, resize=resize)
        random.seed(0)
        made[resize] = [transform(image) for transform in pair for _ in range(4)]
    default = build_transforms(64, 32, names, [0, 0, 0], [1 / 255] * 3)[1](image)
    assert torch.equal(made["pillow"][-1], default)
    differences = [(a - b).abs().max() for a, b in zip(*made.values(), strict=True)]
    assert 0 < max(differences) < 2.01


def test_a_resizer_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"data\.resize is 'pilow'. Did you mean 'pillow'"):
        build_transforms(64, 32, resize="pilow")


@pytest.mark.parametrize("names", [EVERY, EVERY[::-1], [name.upper() for name in EVERY]])
def test_the_order_is_fixed_whatever_the_order_of_names(names: list[str]) -> None:
    train, _ = build_transforms(64, 32, names)
    kinds = [type(getattr(step, "function", step)).__name__ for step in train.transforms]
    assert kinds == [
        "RandomCrop",
        "RandomFlip",
        "RandomPatch",
        "ColorJitter",
        "ToNormalisedTensor",
        "RandomErase",
    ]


def test_all_of_them_together_give_a_tensor_and_leave_the_image_alone(
    torchreid_transforms: Mapping[str, np.ndarray],
) -> None:
    image = Image.fromarray(torchreid_transforms["image0"])
    train, _ = build_transforms(128, 64, EVERY)
    random.seed(0)
    torch.manual_seed(0)
    made = [train(image) for _ in range(20)]
    assert {tuple(tensor.shape) for tensor in made} == {(3, 128, 64)}
    assert len({float(tensor.sum()) for tensor in made}) == 20
    np.testing.assert_array_equal(np.asarray(image), torchreid_transforms["image0"])


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"transforms": "random_flipp"}, UnknownNameError, "Did you mean 'random_flip'"),
        ({"transforms": ["random_flip", "erase"]}, UnknownNameError, "'erase'"),
        ({"random_erase": {"filling": "mean"}}, UserError, "has no option 'filling'"),
        ({"random_erase": {"fill": "torchried"}}, ConfigError, "Did you mean 'torchreid'"),
        ({"random_erase": {"p": 2}}, ConfigError, "between 0 and 1"),
        ({"random_erase": 0.5}, ConfigError, "Give a mapping"),
        ({"random_eras": {"p": 0.5}}, UnknownNameError, "Did you mean 'random_erase'"),
        ({"norm_std": [1, 0, 1]}, ConfigError, "deviations above 0"),
        ({"norm_mean": [0.5]}, ConfigError, "three"),
        ({"height": 0}, ConfigError, "data.height is 0"),
    ],
)
def test_mistakes_are_refused(arguments: dict[str, Any], kind: type, words: str) -> None:
    given = {"height": 64, "width": 32, "transforms": "random_erase"} | arguments
    with pytest.raises(kind) as caught:
        build_transforms(**given)
    assert words in str(caught.value)


class Extra:
    """A plugin's transforms: a plain function, and one for each other stage."""

    @hookimpl
    def reid_register_transforms(self, registry: Any) -> None:
        registry.add("gray", lambda height, width: lambda image: image.convert("L").convert("RGB"))
        registry.add("Squash", _placed("resize", lambda image: image.resize((32, 64))))
        registry.add("zero", _placed("tensor", torch.zeros_like))
        registry.add("odd", _placed("late", lambda image: image))
        registry.add("fading", lambda height, width: Fading())


class Fading:
    """A transform whose strength somebody sets from outside, and which tests use too."""

    stage, order, in_tests = "tensor", 3, True

    def __init__(self) -> None:
        self.strength = 0.5

    def set_strength(self, strength: float) -> None:
        self.strength = strength

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        return image * self.strength


def _placed(stage: str, action: Any) -> Any:
    class Step:
        def __init__(self, height: int, width: int) -> None:
            self.stage = stage

        def __call__(self, image: Any) -> Any:
            return action(image)

    return Step


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return make_plugins(extra=[Extra()])


def test_transforms_of_plugins_take_their_place(
    plugins: Plugins, torchreid_transforms: Mapping[str, np.ndarray]
) -> None:
    image = Image.fromarray(torchreid_transforms["image1"])
    gray, _ = build_transforms(64, 32, ["gray"], [0, 0, 0], [1, 1, 1], plugins=plugins)
    made = gray(image)
    assert torch.equal(made[0], made[1])
    assert made[0].std() > 0.01
    zero, _ = build_transforms(64, 32, ["zero", "Squash"], plugins=plugins)
    assert not zero(image).any()
    assert len(zero.transforms) == 3
    with pytest.raises(ConfigError, match=r"'random_crop' and 'Squash' both resize"):
        build_transforms(64, 32, ["random_crop", "Squash"], plugins=plugins)
    with pytest.raises(ConfigError, match="'late'"):
        build_transforms(64, 32, ["odd"], plugins=plugins)


def test_a_plugins_transform_keeps_its_attributes_also_in_worker_processes(
    plugins: Plugins,
) -> None:
    train, test = build_transforms(64, 32, ["fading"], plugins=plugins)
    for pipeline in (train, pickle.loads(pickle.dumps(train)), copy.deepcopy(train)):
        step: Any = pipeline.transforms[-1]
        assert (step.stage, step.order, step.in_tests) == ("tensor", 3, True)
        step.set_strength(2.0)
        assert torch.equal(step(torch.ones(3, 2, 2)), torch.full((3, 2, 2), 2.0))
        with pytest.raises(AttributeError, match="colour"):
            _ = step.colour
    assert len(test.transforms) == len(train.transforms)


def test_pipelines_travel_to_worker_processes(
    torchreid_transforms: Mapping[str, np.ndarray],
) -> None:
    train, _ = build_transforms(64, 32, EVERY)
    image = Image.fromarray(torchreid_transforms["image1"])
    made = []
    for pipeline in (train, pickle.loads(pickle.dumps(train))):
        random.seed(3)
        torch.manual_seed(3)
        made.append(pipeline(image))
    assert torch.equal(*made)
