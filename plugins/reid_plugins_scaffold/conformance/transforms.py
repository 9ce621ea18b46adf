"""What a transform does: images of the right size, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from reid_plugins_scaffold.conformance.base import (
    FactoryConformance,
    copies_of,
    require_equal,
    require_finite,
    require_shape,
)
from reid_plugins_scaffold.conformance.contract import Broken, NotApplicable, contract
from reidcore.data import PixelTransform, TensorTransform, build_transforms, seed_generators

HEIGHT, WIDTH = 64, 32
SEEDS = range(8)
ODD = {
    "an image of one pixel": (1, 1),
    "an image of one row": (1, 40),
    "a wide image": (5, 300),
    "a tall image": (300, 5),
}


class TransformConformance(FactoryConformance):
    """Checks of transforms."""

    kind = "transforms"

    @contract(
        "Images of every size become tensors (3, height, width) of finite numbers.",
        "Return an image of the size that came; only a transform with stage = 'resize' changes it.",
    )
    def test_images_of_all_sizes_have_the_size_of_the_run(self) -> None:
        """Also odd ones."""
        pipeline = self._pipeline()
        for what, (height, width) in {"an image": (128, 64), **ODD}.items():
            for seed in SEEDS:
                seed_generators(seed)
                changed = pipeline(_image(height, width))
                require_shape(f"{what} as", changed, 3, HEIGHT, WIDTH)
                require_finite(f"numbers for {what}", changed)

    @contract(
        "The same seed gives the same image.",
        "Draw from random, numpy.random or torch, which the core seeds for each image; make no "
        "generator of its own.",
    )
    def test_the_same_seed_gives_the_same_image(self) -> None:
        """With 0 workers or more, before and after a resume."""
        pipeline = self._pipeline()
        for seed in SEEDS:
            first, again = _changed(pipeline, seed), _changed(pipeline, seed)
            require_equal("images for one seed", first, again)

    @contract(
        "Worker processes get it pickled, and then it gives the same images.",
        "Make it an instance of a class at the top of a module; no lambdas, no local functions.",
    )
    def test_workers_get_the_same(self) -> None:
        """Pickled, and copied."""
        pipeline = self._pipeline()
        for how, copied in copies_of(pipeline):
            for seed in SEEDS:
                images = _changed(pipeline, seed), _changed(copied, seed)
                require_equal(f"images, once {how}", *images)

    @contract(
        "It leaves the image that it is given as it is.",
        "Work on a copy: image.copy(), or numpy.array(image).",
    )
    def test_it_leaves_the_image_as_it_is(self) -> None:
        """The image may be kept in a cache."""
        pipeline = self._pipeline()
        for seed in SEEDS:
            image = _image(HEIGHT, WIDTH)
            seed_generators(seed)
            pipeline(image)
            if image.tobytes() != _image(HEIGHT, WIDTH).tobytes():
                raise Broken("writes to the image that it is given")

    @contract(
        "A PixelTransform or TensorTransform changes a batch as it changes the images one by one.",
        "Let transform(images, params) use row i of params for image i alone.",
    )
    def test_a_batch_is_changed_as_its_images_are(self) -> None:
        """As data.augment=device does it."""
        made = self.component.make(height=HEIGHT, width=WIDTH)
        if not isinstance(made, PixelTransform | TensorTransform):
            raise NotApplicable("it changes images one by one")
        images = torch.stack([_tensor(made, seed) for seed in SEEDS])
        drawn = []
        for seed in SEEDS:
            seed_generators(seed)
            drawn.append(list(made.make_params(HEIGHT, WIDTH)))
        params = torch.tensor(drawn, dtype=torch.float64)
        together = made.transform(images.clone(), params)
        for number in SEEDS:
            one = slice(number, number + 1)
            alone = made.transform(images[one].clone(), params[one])
            require_equal("an image alone and in a batch", alone[0], together[number], 1e-4)

    def _pipeline(self) -> Callable[[Any], Tensor]:
        """Return the transform of a run, which knows a training set's files."""
        sections: dict[str, Any] = {self.qualified: self.options} if self.options else {}
        pipeline, _ = build_transforms(
            HEIGHT, WIDTH, self.qualified, plugins=self.plugin_set, **sections
        )
        paths = [str(self.folder / f"{number}.png") for number in range(4)]
        for number, path in enumerate(paths):
            _image(HEIGHT, WIDTH, number).save(path)
        return pipeline.with_training_images(paths)


def _image(height: int, width: int, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def _changed(pipeline: Callable[[Any], Tensor], seed: int) -> Tensor:
    seed_generators(seed)
    return pipeline(_image(HEIGHT, WIDTH))


def _tensor(transform: PixelTransform | TensorTransform, seed: int) -> Tensor:
    """Return an image (3, height, width) as the transform's stage has it."""
    pixels = torch.from_numpy(np.array(_image(HEIGHT, WIDTH, seed))).permute(2, 0, 1)
    return pixels.contiguous() if transform.stage == "image" else pixels.float() / 255
