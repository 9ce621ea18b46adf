"""Features of images: files, arrays or tensors in, vectors out."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from numbers import Integral
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from reidcore._files import PathLike
from reidcore._logging import configure_if_bare
from reidcore.data.images.narrow import warn_of_narrow_use
from reidcore.data.images.resize import Pixels
from reidcore.errors import DataError, UserError, quoted
from reidcore.inference.backend import open_exported
from reidcore.inference.boxes import cut_crops
from reidcore.inference.folding import fold_normalisation
from reidcore.inference.inputs import (
    KINDS,
    ImageInput,
    as_images,
    check_image,
    check_tensor,
    open_image,
)
from reidcore.inference.loading import ImagesAsked, exported_network, load_network, log_size
from reidcore.inference.precision import (
    check_closeness,
    check_in_torch,
    check_precision,
    computing_in,
    probe_images,
)
from reidcore.inference.prefetch import default_workers, prefetch
from reidcore.inference.preprocessing import two_sides
from reidcore.models.reid_model import check_finite, features_of
from reidcore.plugins import Plugins, current_plugins

_log = logging.getLogger(__name__)

OnBad = Callable[[int, UserError], None]

# A larger batch is slower on a CPU: its activations outgrow the caches.
_CPU_BATCH, _GPU_BATCH = 8, 64


class ExtractedBatch(NamedTuple):
    """Features of some of the images.

    Attributes:
        places: which images these are, counted from 0, (B,).
        features: (B, D), on the extractor's device.
    """

    places: list[int]
    features: Tensor


class _Read(NamedTuple):
    """An image that was read.

    Attributes:
        place: which it is.
        name: what it is called in a message: its path, or its place.
        pixels: (h, w, 3) in the model's size.
    """

    place: int
    name: str | int
    pixels: Pixels


class _Unread(NamedTuple):
    """An image that could not be read."""

    place: int
    error: DataError


class FeatureExtractor:
    """Turns images into features, with Torchreid's arguments.

    Call it with a path, an RGB array (H, W, 3), a PIL image or a list of them, which are read by
    one rule, resized and normalised; or with a float tensor (3, h, w) or (B, 3, h, w), which is
    taken as it is. It gives a tensor (B, D) on its device, (0, D) where there is no image. Images
    are read by threads while the model works on the batch before, and no more than a few batches
    are held at a time.

    A checkpoint that an engine of ours wrote brings its preprocessing with it and, from a
    ``reidcore run``, the model's name and options; what is given here goes before that, and a
    difference is logged. So does a file that ``reidcore export`` wrote.

    Args:
        model_name: a registered model's name; may be left out where the checkpoint tells it.
        model_path: a checkpoint, or an exported file; without it the model has its published
            weights.
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
        backend: what runs the model: ``torch``, or one that a plugin brings, such as ``onnx``; by
            default what the file's ending tells. A checkpoint is exported for it once.
        precision: ``fp32``, ``bf16``, ``fp16`` (a GPU's) or, of exported files, ``int8``. How near
            the features are to those of ``fp32`` is measured and logged.
        normalize: divide features by their length, so that it is 1.

    Attributes:
        model: the network, in evaluation mode; batch normalisations that follow convolutions are
            folded into them, which changes features by no more than rounding.
        preprocessing: what is done to files and arrays.
        device: where features are; the CPU of exported files, wherever they run.
        precision: as it was given; ``int8`` of a file that was quantised.
        metadata: what the file says of itself: ``model``, ``preprocessing``, ...

    Raises:
        UserError: if the model or backend is unknown or not installed, an argument makes no sense,
            or a file of others does not tell what it takes.
        CheckpointError: if the weights cannot be loaded safely or belong to another model.

    Example:
        >>> extractor = FeatureExtractor("osnet_x1_0", "log/model.pth.tar-60")
        >>> extractor(["a.jpg", "b.jpg"]).shape
        torch.Size([2, 512])
        >>> extractor.crops(frame, boxes, format="ltwh", color="bgr").shape
        torch.Size([17, 512])
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
        backend: str | None = None,
        precision: str = "fp32",
        normalize: bool = False,
    ) -> None:
        self._arguments = {**locals()}
        del self._arguments["self"]
        configure_if_bare()
        self.plugins = plugins or current_plugins()
        wanted = pick_device(device)
        self.batch_size = _number("batch_size", batch_size, _usual_batch(wanted), least=1)
        self.workers = _number("workers", workers, default_workers(), least=0)
        asked = ImagesAsked(image_size, pixel_mean, pixel_std, pixel_norm, reading, value_range)
        check_precision(precision)
        exported = open_exported(
            backend,
            model_path,
            device=wanted,
            precision=precision,
            threads=None,
            plugins=self.plugins,
            model_name=model_name,
            image_size=None if image_size is None else two_sides(image_size),
        )
        if exported is None:
            check_in_torch(precision, wanted)
            self._network = load_network(model_name, model_path, asked, wanted, self.plugins)
        else:
            self._network = exported_network(exported, model_path, asked)
        if verbose:
            log_size(self._network)
        self.model = self._network.model
        self.preprocessing = self._network.preprocessing
        self.device = self._network.device
        self.metadata = self._network.metadata
        self.normalize = normalize
        is_quantised = self.metadata.get("precision") == "int8"
        self.precision, self._autocast = "int8" if is_quantised else precision, "fp32"
        self._feature_dim: int | None = None
        self._has_looked = self._has_told = False
        if exported is None:
            fold_normalisation(self.model, self._probe(1))
        if compile:
            self.model.compile()
        if exported is None and precision != "fp32":
            self._compute_in(precision)

    def _probe(self, count: int) -> Tensor:
        size = (self.preprocessing.height, self.preprocessing.width)
        return self._network.placed(probe_images(count, *size))

    def _compute_in(self, precision: str) -> None:
        """Change the precision, and tell how near the features are to what they were."""
        images = self._probe(4)
        exact, self._autocast = self._features(images), precision
        check_closeness(self._features(images), exact, precision)

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        """Let another process make the same extractor anew, of the same file.

        Raises:
            UserError: if it was given plugins, which stay in their process.
        """
        if self._arguments["plugins"] is not None:
            raise UserError(
                "an extractor with plugins of its own cannot be sent to another process",
                "Leave plugins= out, or make one in each process.",
            )
        return partial(type(self), **{**self._arguments, "verbose": False}), ()

    @property
    def feature_dim(self) -> int:
        """How many numbers a feature has."""
        if self._feature_dim is None:
            done = self.preprocessing
            blank = np.zeros((done.height, done.width, 3), dtype=np.uint8)
            self._feature_dim = self._features(self._network.images_of([blank])).size(1)
        return self._feature_dim

    def __call__(self, input: ImageInput | list[ImageInput] | Tensor) -> Tensor:
        """Return the features (B, D) of one or several images, (0, D) of none.

        Raises:
            DataError: if an image is not of a kind or layout that is taken, a file cannot be read,
                or the features of an image are not finite.
        """
        if isinstance(input, Tensor):
            images = check_tensor(input)
            batches = torch.split(images, self.batch_size) if len(images) else ()
            found = [self._features(self._network.placed(batch)) for batch in batches]
            features = self._together(found)
            check_finite(features, range(len(images)), self.plugins)
            return features
        return self._together([batch.features for batch in self.batches(input)])

    def crops(
        self,
        frame: Any,
        boxes: Any,
        format: str = "xyxy",
        color: str = "rgb",
        on_bad: Literal["raise", "zero"] = "raise",
    ) -> Tensor:
        """Return the features (N, D) of what is in the boxes of a frame, (0, D) without boxes.

        Args:
            frame: (H, W, 3) uint8.
            boxes: (N, 4) numbers, in pixels; what lies outside of the frame is cut off.
            format: ``xyxy`` (left, top, right, bottom), ``xywh`` (the centre, width, height) or
                ``ltwh`` (left, top, width, height).
            color: what the frame's channels are, ``rgb`` or ``bgr`` (as OpenCV reads them).
            on_bad: what becomes of a box that holds no pixel of the frame: ``raise`` an error, or
                ``zero`` for a row of zeros, which is logged the first time.

        Raises:
            UserError: if there is no such format or colour.
            DataError: if this is no frame, these are no boxes, or one holds nothing of the frame.
        """
        features, bad = features_in_boxes(self, frame, boxes, format, color, on_bad)
        if bad and not self._has_told:
            self._has_told = True
            _log.warning("%s: its features are zeros, as those of others to come", bad[0])
        return features

    def batches(self, input: Any, on_bad: OnBad | None = None) -> Iterator[ExtractedBatch]:
        """Yield the features of a list of images batch by batch, as `extract` does.

        Args:
            input: an image or a list of them, as for a call; no tensor.
            on_bad: as of `extract`.

        Raises:
            DataError: as for a call.
        """
        images = as_images(input, self.preprocessing.reading)
        self._look_at(images)
        yield from self.extract(images, on_bad)

    def extract(
        self, images: Iterable[ImageInput], on_bad: OnBad | None = None
    ) -> Iterator[ExtractedBatch]:
        """Yield features batch by batch, for more images than fit into memory at once.

        The iterable is asked for images as they are needed, no more than three batches ahead of
        what was yielded, and nothing of them is kept.

        Args:
            images: paths, RGB arrays or PIL images, as many as there are.
            on_bad: called with the place of an image that cannot be read and the error; the image
                is left out. Without it the error is raised.

        Raises:
            DataError: as for a call.
        """
        coming = iter(images)
        first = list(islice(coming, self.batch_size))
        self._look_at(first)
        numbered = enumerate(chain(first, coming))
        for read in prefetch(numbered, self._read, self.batch_size, self.workers):
            good = []
            for each in read:
                if isinstance(each, _Read):
                    good.append(each)
                elif on_bad is None:
                    raise each.error
                else:
                    on_bad(each.place, each.error)
            if good:
                features = self._features(self._network.images_of([each.pixels for each in good]))
                check_finite(features, [each.name for each in good], self.plugins)
                yield ExtractedBatch([each.place for each in good], features)

    def _look_at(self, images: Sequence[Any]) -> None:
        if not self._has_looked:
            self._has_looked = True
            known = [image for image in images if isinstance(image, KINDS)]
            warn_of_narrow_use(known, self.preprocessing.reading)

    def _read(self, numbered: tuple[int, ImageInput]) -> _Read | _Unread:
        place, image = numbered
        reading = self.preprocessing.reading
        name = os.fspath(image) if isinstance(image, str | os.PathLike) else place
        try:
            check_image(image, f"element {place}", reading)
            return _Read(place, name, self.preprocessing.resized(open_image(image, reading)))
        except DataError as error:
            return _Unread(place, error)

    def _features(self, images: Tensor) -> Tensor:
        with torch.inference_mode(), computing_in(self._autocast, self.device):
            features = features_of(self.plugins, self.model, images, {})
        # An ordinary tensor again, which may take part in a training.
        features = features.float() if features.dtype.itemsize < 4 else features.clone()
        self._feature_dim = features.size(1)
        return nn.functional.normalize(features) if self.normalize else features

    def _together(self, features: list[Tensor]) -> Tensor:
        if features:
            return torch.cat(features)
        return torch.zeros(0, self.feature_dim, device=self.device)


def features_in_boxes(
    describe: Callable[[list[Any]], Tensor],
    frame: Any,
    boxes: Any,
    format: str,
    color: str,
    on_bad: str,
) -> tuple[Tensor, list[DataError]]:
    """Return what `FeatureExtractor.crops` does, whatever describes the crops.

    Args:
        describe: gives features (B, D) of RGB arrays.
        frame: as of `FeatureExtractor.crops`, and so are the others.
        boxes: likewise.
        format: likewise.
        color: likewise.
        on_bad: likewise.

    Returns:
        Features (N, D), and why rows of zeros are there.
    """
    if on_bad not in ("raise", "zero"):
        raise UserError(f"on_bad={quoted(on_bad)}", "Use raise or zero.")
    bad: dict[int, DataError] = {}
    note = bad.__setitem__ if on_bad == "zero" else None
    features = describe(list(cut_crops(frame, boxes, format, color, note)))
    if not bad:
        return features, []
    rows = features.new_zeros(len(features) + len(bad), features.size(1))
    rows[[row for row in range(len(rows)) if row not in bad]] = features
    return rows, list(bad.values())


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


def _usual_batch(device: torch.device) -> int:
    return _CPU_BATCH if device.type == "cpu" else _GPU_BATCH


def _number(name: str, given: int | None, usual: int, least: int) -> int:
    if given is None:
        return usual
    if not isinstance(given, Integral) or given < least:
        raise UserError(f"{name}={quoted(given)}", f"Give {least} or more.")
    return given
