"""Whitening by principal components, learnt on the features of training images."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from reid_plugins_standard.test_time.setting import Setting
from reidcore.errors import DataError, UserError, counted

_ROWS = 4096  # features that are held in float64 together


class Whiten:
    """Rotates features to the principal axes of training features, and scales these to variance 1.

    Jegou and Chum, "Negative evidences and co-occurrences in image retrieval: the benefit of PCA
    and whitening" (ECCV 2012). Shrinkage is that of Ledoit and Wolf, "A well-conditioned estimator
    for large-dimensional covariance matrices" (2004), with a share that is given.

    Args:
        dims: how many axes of the largest variance to keep; all of them unless it is given.
        shrinkage: the share of a sphere of the same mean variance in the covariance, which tempers
            axes that few images decide.
    """

    learns = True

    def __init__(
        self,
        dims: Annotated[int, Field(ge=1)] | None = None,
        shrinkage: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    ) -> None:
        self.dims, self.shrinkage = dims, shrinkage

    def transform(self, query: Tensor, gallery: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
        """Return both sides, whitened, (Q, dims) and (G, dims).

        Raises:
            UserError: if there are no training features, or they are too few or of another width.
        """
        train = setting.train_features()
        if train.size(1) != query.size(1):
            raise UserError(
                f"whiten learns from features of {counted(train.size(1), 'dimension')}, and is to "
                f"transform {counted(query.size(1), 'dimension')}",
                "Extract both with the same model.",
            )
        mean, axes = self._learn(train.to(query.device))

        def whitened(side: Tensor) -> Tensor:
            parts = torch.split(side, _ROWS)
            return torch.cat([((part.double() - mean) @ axes).to(side.dtype) for part in parts])

        return whitened(query), whitened(gallery)

    def _learn(self, train: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean (D,) and the scaled axes (D, dims), in float64."""
        mean = train.mean(0, dtype=torch.float64)
        size = len(mean)
        covariance = mean.new_zeros(size, size)
        for part in torch.split(train, _ROWS):
            centred = part.double() - mean
            covariance.addmm_(centred.T, centred, alpha=1 / len(train))
        variance = covariance.trace() / size
        covariance *= 1 - self.shrinkage
        covariance.diagonal().add_(self.shrinkage * variance)
        variances, axes = torch.linalg.eigh(covariance)  # ascending
        variances, axes = variances.flip(0), axes.flip(1)
        kept = self._kept(variances, len(train))
        return mean, axes[:, :kept] * variances[:kept].rsqrt()

    def _kept(self, variances: Tensor, images: int) -> int:
        """Return how many axes are kept, each of which must have some variance."""
        size = len(variances)
        kept = size if self.dims is None else self.dims
        smallest = variances[0] * size * torch.finfo(torch.float32).eps
        varying = int((variances > smallest).sum()) if variances[0] > 0 else 0
        if kept > min(varying, size):
            raise DataError(
                f"whiten is to keep {kept} of {counted(size, 'dimension')}, and the features of "
                f"{counted(images, 'training image')} vary in {varying}",
                f"Give dims: {varying} or fewer, or a shrinkage such as 0.1."
                if varying
                else "All training images have one feature: look at the model.",
            )
        return kept
