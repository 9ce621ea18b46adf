"""Features of images: files, arrays or tensors in, vectors out."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reidcore._files import PathLike
from reidcore._logging import configure_if_bare
from reidcore.data.images.narrow import warn_of_narrow_use
from reidcore.data.images.resize import Pixels
from reidcore.errors import DataError, UserError, quoted
from reidcore.inference.checkpoint_metadata import CheckpointMetadata, read_metadata
from reidcore.inference.inputs import ImageInput, as_images, check_tensor, open_image
from reidcore.inference.prefetch import default_workers, prefetch
from reidcore.inference.preprocessing import choose_preprocessing
from reidcore.models import build_model, load_pretrained_weights
from reidcore.models.reid_model import check_finite, features_of, usual_size
from reidcore.models.weights.trained import loaded_files, warn_of_other_use, warn_of_plugin_files
from reidcore.models.weights.untrained import untrained_weights
from reidcore.plugins import Plugins, current_plugins
from reidcore.registry import find

_log = logging.getLogger(__name__)

OnBad = Callable[[int, UserError], None]

# A larger batch is slower on a CPU: its activations outgrow the caches.
_CPU_BATCH, _GPU_BATCH = 8, 64


class ExtractedBatch(NamedTuple):
    """Features of some of the images.

    Attributes:
        places: which images of the list these are, (B,).
        features: (B, D), on the extractor's device.
    """

    places: list[int]
    features: Tensor


class FeatureExtractor:
    """Turns images into features, with Torchreid's arguments.

    Call it with a path, an RGB array (H, W, 3), a PIL image or a list of them, which are read by
    one rule, resized and normalised; or with a float tensor (3, h, w) or (B, 3, h, w), which is
    taken as it is. It gives a tensor (B, D) on its device. Images are read by threads while the
    model works on the batch before, and no more than a few batches are held at a time.

    A checkpoint that an engine of ours wrote brings its preprocessing with it and, from a
    ``reidcore run``, the model's name and options; what is given here goes before that, and a
    difference is logged.

    Args:
        model_name: a registered model's name; may be left out where the checkpoint tells it.
        model_path: a checkpoint; without it the model has its published weights.
        image_size: height and width in pixels, or one number for both; otherwise the checkpoint's,
            or what the model takes: (256, 128), save for the few that take one size only.
        pixel_mean: mean of each channel in 0..1; otherwise the checkpoint's, or ImageNet's.
        pixel_std: standard deviation of each channel, likewise.
        pixel_norm: False leaves pixels in 0..1.
        device: where the model runs; the CPU if there is no such device, which is logged.
        verbose: log the model's size.
        batch_size: images at a time; by default 8 on a CPU and 64 elsewhere.
        workers: threads that read images; 0 reads in between.
        plugins: where the model is looked up and whose ``reid_extract_features`` is called; by
            default the current plugins.
        compile: compile the model at its first use, which takes a while and a compiler.
        reading: what images look like: ``viewer`` for what a viewer shows (upright, over white
            where transparent, more than 8 bits scaled), or ``torchreid`` for what Torchreid makes
            of them; otherwise the checkpoint's, or ``torchreid``.
        value_range: what becomes 0 and 255 of values of more than 8 bits and of floats; otherwise
            the checkpoint's, or the range of their type.

    Attributes:
        model: the network, in evaluation mode.
        preprocessing: what is done to files and arrays.
        device: where it runs.

    Raises:
        UserError: if the model is unknown, or an argument makes no sense.
        CheckpointError: if the weights cannot be loaded safely or belong to another model.

    Example:
        >>> extractor = FeatureExtractor("osnet_x1_0", "log/model.pth.tar-60")
        >>> extractor(["a.jpg", "b.jpg"]).shape
        torch.Size([2, 512])
    """

    def __init__(
        self,
        model_name: str = "",
        model_path: PathLike = "",
        image_size: int | Sequence[int] | None = None,
        pixel_mean: Sequence[float] | None = None,
        pixel_std: Sequence[float] | None = None,
        pixel_norm: bool = True,
        device: str | torch.device = "cuda",
        verbose: bool = True,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
        plugins: Plugins | None = None,
        compile: bool = False,
        reading: str | None = None,
        value_range: Sequence[float] | None = None,
    ) -> None:
        configure_if_bare()
        self.device = pick_device(device)
        self.plugins = plugins or current_plugins()
        self.batch_size = _number("batch_size", batch_size, self._usual_batch(), least=1)
        self.workers = _number("workers", workers, default_workers(), least=0)
        metadata = read_metadata(model_path) if model_path else CheckpointMetadata()
        warn_of_plugin_files(model_path, metadata.config, loaded_files(self.plugins))
        choose = partial(
            choose_preprocessing,
            metadata.preprocessing,
            pixel_mean=pixel_mean,
            pixel_std=pixel_std,
            pixel_norm=pixel_norm,
            reading=reading,
            value_range=value_range,
        )
        wanted = choose(image_size)
        name = model_name or metadata.model_name
        model = _build(name, model_path, metadata, (wanted.height, wanted.width), self.plugins)
        is_known = image_size is not None or bool(metadata.preprocessing)
        self.preprocessing = wanted if is_known else choose(usual_size(model))
        warn_of_other_use(model, self.preprocessing.record)
        if verbose:
            size = (self.preprocessing.height, self.preprocessing.width)
            from reidcore.plugins.bundled import compute_model_complexity

            costs = compute_model_complexity(model, (1, 3, *size))
            _log.info("Model: %s", name)
            _log.info("- params: {:,}\n- flops: {:,}".format(*costs))
        if weights := untrained_weights(model):
            _log.warning("These are features of %s: give trained ones, model_path=FILE", weights)
        self._has_looked = False
        self.model = model.eval().to(self.device).to(memory_format=torch.channels_last)
        if compile:
            self.model.compile()

    def __call__(self, input: ImageInput | list[ImageInput] | Tensor) -> Tensor:
        """Return the features (B, D) of one or several images.

        Raises:
            DataError: if there is no image, one is not of a kind or layout that is taken, a file
                cannot be read, or the features of an image are not finite.
        """
        if isinstance(input, Tensor):
            images = check_tensor(input)
            batches = torch.split(images, self.batch_size)
            features = torch.cat([self._features(self._placed(batch)) for batch in batches])
            check_finite(features, range(len(images)), self.plugins)
            return features
        return torch.cat([batch.features for batch in self.batches(input)])

    def batches(self, input: Any, on_bad: OnBad | None = None) -> Iterator[ExtractedBatch]:
        """Yield features batch by batch, for more images than fit into memory at once.

        Args:
            input: an image or a list of them, as for a call; no tensor.
            on_bad: called with the place of an image that cannot be read and the error; the image
                is left out. Without it the error is raised.

        Raises:
            DataError: as for a call.
        """
        images, reading = as_images(input, self.preprocessing.reading), self.preprocessing.reading
        if not self._has_looked:
            self._has_looked = True
            warn_of_narrow_use(images, reading)
        start = 0
        for read in prefetch(images, self._read, self.batch_size, self.workers):
            good = {}
            for place, result in enumerate(read, start):
                if not isinstance(result, DataError):
                    good[place] = result
                elif on_bad is None:
                    raise result
                else:
                    on_bad(place, result)
            start += len(read)
            if good:
                pixels = self.preprocessing.normalised(list(good.values()), self.device)
                features = self._features(pixels)
                check_finite(
                    features, [_name(images[place], place) for place in good], self.plugins
                )
                yield ExtractedBatch(list(good), features)

    def _read(self, image: ImageInput) -> Pixels | DataError:
        try:
            return self.preprocessing.resized(open_image(image, self.preprocessing.reading))
        except DataError as error:
            return error

    def _placed(self, images: Tensor) -> Tensor:
        return images.to(self.device, torch.float32, memory_format=torch.channels_last)

    def _features(self, images: Tensor) -> Tensor:
        with torch.inference_mode():
            features = features_of(self.plugins, self.model, images, {})
        # An ordinary tensor again, which may take part in a training.
        return features.clone()

    def _usual_batch(self) -> int:
        return _CPU_BATCH if self.device.type == "cpu" else _GPU_BATCH


def _name(image: ImageInput, place: int) -> str | int:
    """Return what an image is called in a message: its path, or its place in the list."""
    return os.fspath(image) if isinstance(image, str | os.PathLike) else place


def pick_device(wanted: str | torch.device) -> torch.device:
    """Return the requested device, or the CPU if unavailable, which is logged.

    Raises:
        UserError: if it is no device's name, or there are fewer GPUs.
    """
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise UserError(
            f"no device is named {quoted(wanted)}", "Use cpu, cuda, or cuda:1 for the second GPU."
        ) from error
    missing = {"cuda": not torch.cuda.is_available(), "mps": not torch.backends.mps.is_available()}
    if missing.get(device.type):
        _log.info("There is no %s device: features are extracted on the CPU", device.type)
        return torch.device("cpu")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise UserError(f"there is no {device}", f"The last of {count} is cuda:{count - 1}.")
    return device


def _build(
    name: str,
    path: PathLike,
    metadata: CheckpointMetadata,
    image_size: tuple[int, int],
    plugins: Plugins,
) -> nn.Module:
    if not name:
        raise UserError(
            "no model is named" + (f", and {str(path)!r} does not tell it" if path else ""),
            "Give model_name; 'reidcore ls models' lists the names.",
        )
    is_recorded = metadata.model_name in find("models", name, plugins).names
    options = metadata.model_options(plugins) if is_recorded else {}
    # A model that learnt a position for each patch keeps the size it was trained at.
    options["image_size"] = options.get("image_size") or image_size
    model = build_model(name, num_classes=1, pretrained=not path, plugins=plugins, **options)
    if path:
        load_pretrained_weights(model, path, plugins, features_only=True)
    return model


def _number(name: str, given: int | None, usual: int, least: int) -> int:
    if given is None:
        return usual
    if not isinstance(given, Integral) or given < least:
        raise UserError(f"{name}={quoted(given)}", f"Give {least} or more.")
    return given
