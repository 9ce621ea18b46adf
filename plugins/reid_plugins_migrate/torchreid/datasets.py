"""Torchreid's classes of datasets: each makes the dataset of its name, as a view of one split."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from reidcore.data import Dataset, init_image_dataset, init_video_dataset

__all__ = [
    "CUHK01",
    "CUHK02",
    "CUHK03",
    "CUHKSYSU",
    "DukeMTMCVidReID",
    "DukeMTMCreID",
    "GRID",
    "MSMT17",
    "Market1501",
    "Mars",
    "PRID",
    "PRID2011",
    "SenseReID",
    "University1652",
    "VIPeR",
    "iLIDS",
    "iLIDSVID",
]

Factory: TypeAlias = Callable[..., Dataset]

CUHK01: Factory = partial(init_image_dataset, "cuhk01")
CUHK02: Factory = partial(init_image_dataset, "cuhk02")
CUHK03: Factory = partial(init_image_dataset, "cuhk03")
CUHKSYSU: Factory = partial(init_image_dataset, "cuhksysu")
DukeMTMCreID: Factory = partial(init_image_dataset, "dukemtmcreid")
GRID: Factory = partial(init_image_dataset, "grid")
MSMT17: Factory = partial(init_image_dataset, "msmt17")
Market1501: Factory = partial(init_image_dataset, "market1501")
PRID: Factory = partial(init_image_dataset, "prid")
SenseReID: Factory = partial(init_image_dataset, "sensereid")
University1652: Factory = partial(init_image_dataset, "university1652")
VIPeR: Factory = partial(init_image_dataset, "viper")
iLIDS: Factory = partial(init_image_dataset, "ilids")

DukeMTMCVidReID: Factory = partial(init_video_dataset, "dukemtmcvidreid")
Mars: Factory = partial(init_video_dataset, "mars")
PRID2011: Factory = partial(init_video_dataset, "prid2011")
iLIDSVID: Factory = partial(init_video_dataset, "ilidsvid")
