"""Steps that change each feature by itself, or by what its camera's features have in common."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from reid_plugins_standard.test_time.setting import Setting

_log = logging.getLogger(f"reidcore.{__name__}")


class Normalize:
    """Scales features to length 1, after which euclidean distances rank as cosines do.

    Before ``flip`` or ``multi_scale`` it scales the features of each view.
    """

    def extract(self, features_of: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        """Return features (B, D) of length 1 of images (B, 3, h, w)."""
        return F.normalize(features_of(images), dim=1)

    def each(self, features: Tensor) -> Tensor:
        """Return features (N, D) of length 1; zero stays zero."""
        return F.normalize(features, dim=1)

    def transform(self, query: Tensor, gallery: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
        """Return both sides with length 1."""
        return self.each(query), self.each(gallery)


class CameraMean:
    """Takes off each feature the mean of all features of its camera, queries and gallery together.

    Song, Park and Lee, "Exploring the camera bias of person re-identification" (ICLR 2025). Cameras
    are known in any deployment, identities are not looked at.

    Args:
        deviation: also divide by the standard deviation of each dimension within the camera.
        least: a camera with fewer images than this has the mean and deviation of all images.
    """

    def __init__(self, deviation: bool = False, least: Annotated[int, Field(ge=1)] = 2) -> None:
        self.deviation, self.least = deviation, least

    def transform(self, query: Tensor, gallery: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
        """Return both sides, centred by camera, in the type that they had."""
        features = torch.cat([query, gallery])
        labels = setting.labels
        camids = np.concatenate([labels.q_camids, labels.g_camids])
        _, places, counts = np.unique(camids, return_inverse=True, return_counts=True)
        place, sizes = torch.from_numpy(places).to(features.device), torch.from_numpy(counts)
        small = (sizes < self.least).to(features.device)[place]
        centred = torch.empty_like(features)
        if small.all():
            _log.warning(
                "camera_mean.least is %d, and no camera has so many images: all are centred alike",
                self.least,
            )
        if small.any():
            centred[small] = self._standardised(features)[small]
        for camera in (sizes >= self.least).nonzero().flatten().tolist():
            rows = (place == camera).nonzero().flatten()
            centred[rows] = self._standardised(features[rows])
        return centred[: len(query)], centred[len(query) :]

    def _standardised(self, features: Tensor) -> Tensor:
        wide = features.double()
        wide -= wide.mean(0)
        if self.deviation:
            deviation = wide.square().mean(0).sqrt()
            # A dimension that does not vary within a camera is 0 there, whatever it is divided by.
            wide /= torch.where(deviation > 0, deviation, torch.ones_like(deviation))
        return wide.to(features.dtype)
