"""Where images come from and how they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from reidcore._validation import wanted
from reidcore.config.options.base import (
    MOST,
    Channels,
    Location,
    Names,
    NotNegative,
    Options,
    OutputFolder,
    listed,
    switched,
)

Pixels = Annotated[int, Field(ge=1, le=8192)]
Deviations = Annotated[list[Annotated[float, Field(ge=1e-6, le=MOST)]], *Channels.__metadata__]
CacheKind = Literal["off", "ram", "disk"]
ReadingPreset = Literal["viewer", "torchreid"]


def _ascending(ends: list[float]) -> list[float]:
    if len(ends) != 2 or ends[0] >= ends[1]:
        raise wanted("two numbers, of which the first is smaller")
    return ends


def _one_each(datasets: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for name, given in datasets.items():
        place = next(iter(given.values()), None)
        is_right = len(given) == 1 and isinstance(place, str | Mapping | None)
        if not (is_right and re.fullmatch(r"\w[\w.-]*", name)):
            raise wanted(
                "for each name (of letters, digits, _, - and .) one dataset with its place or its "
                "options, as in {shop: {csv: shop.csv}}"
            )
    return datasets


ValueRange = Annotated[list[float], BeforeValidator(listed), AfterValidator(_ascending)]
Datasets = Annotated[dict[str, dict[str, Any]], AfterValidator(_one_each)]


class LoadingOptions(Options):
    """How a loader reads images.

    Attributes:
        workers: worker processes a loader, at most one a CPU; 0 reads in the main process.
        on_bad_image: ``error``, or ``skip`` to leave unreadable images out.
        augment: where random changes are made: ``image``, where each image is read, or ``batch``,
            on the device that the batch is moved to.
        resize: what resizes images: ``torch``, or ``pillow`` for the bytes that Torchreid's models
            were trained on, at most 2 of 255 apart; ``pillow_bicubic`` is sharper.
        reading: what an image looks like: as a ``viewer`` shows it (upright, over white where it is
            transparent, more than 8 bits scaled), or as in ``torchreid``.
        value_range: what becomes 0 and 255 of values of more than 8 bits and of floats; their
            type's range if null, which signed integers and floats have not.
        draft: decode JPEG files without detail that their size would not show, which is faster and
            changes pixels slightly.
        cache: where decoded and resized images are kept.
        cache_gb: bound of the cache, in units of 10^9 bytes.
    """

    section: ClassVar[str] = "data"

    workers: Annotated[int, Field(ge=0, le=4096)] = 4
    on_bad_image: Literal["error", "skip"] = "error"
    augment: Literal["image", "batch"] = "image"
    resize: Literal["torch", "pillow", "pillow_bicubic"] = "torch"
    reading: ReadingPreset = "viewer"
    value_range: ValueRange | None = None
    draft: bool = False
    cache: Annotated[CacheKind, BeforeValidator(switched)] = "off"
    cache_gb: Annotated[float, Field(gt=0, le=MOST)] = 8.0


class DataOptions(LoadingOptions):
    """The datasets of a run, and what becomes of their images.

    Attributes:
        type: whether samples are images or tracklets.
        root: folder below which the datasets lie.
        datasets: names of your own for datasets, as in ``{shop: {csv: shop.csv}}``: for each the
            registered dataset that reads it, with its place or its options.
        sources: datasets to learn from; none to test only.
        targets: datasets to test on; none to train only.
        split_id: zero-based split, for datasets that have several.
        height: of the images, pixels.
        width: of the images, pixels.
        combineall: learn from query and gallery of the sources as well.
        transforms: training transforms.
        k_tfm: how often a training image is transformed, independently.
        norm_mean: mean of each channel, of values in 0..1.
        norm_std: standard deviation of each channel.
        save_dir: where everything is written.
        load_train_targets: also load the targets' training images, for domain adaptation.
        check_images: which images are looked at before a training: ``test``, those to be tested
            on; ``all``, those to learn from too; ``none``.
    """

    type: Literal["image", "video"] = "image"
    root: Location = "reid-data"
    datasets: Datasets = {}
    sources: Names = ["market1501"]
    targets: Names = ["market1501"]
    split_id: NotNegative = 0
    height: Pixels = 256
    width: Pixels = 128
    combineall: bool = False
    transforms: Names = ["random_flip"]
    k_tfm: Annotated[int, Field(ge=1, le=1000)] = 1
    norm_mean: Channels = [0.485, 0.456, 0.406]
    norm_std: Deviations = [0.229, 0.224, 0.225]
    save_dir: OutputFolder = "log"
    load_train_targets: bool = False
    check_images: Literal["none", "test", "all"] = "test"


class VideoOptions(Options):
    """Frames taken from a tracklet, and how their features are pooled.

    Attributes:
        seq_len: frames read of a tracklet.
        sample_method: which ones.
        pooling_method: how the features of a clip's frames become one.
    """

    section: ClassVar[str] = "video"

    seq_len: Annotated[int, Field(ge=1, le=10_000)] = 15
    sample_method: Literal["evenly", "random", "all", "evenly_torchreid"] = "evenly"
    pooling_method: Literal["avg", "max"] = "avg"
