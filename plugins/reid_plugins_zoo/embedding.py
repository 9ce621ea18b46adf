"""What most networks of the zoo end in: pooled maps, fully connected layers, a classifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from reidcore.models import ReidModel, initialise


def fully_connected(
    c_in: int, widths: Sequence[int], dropout: float | None = None
) -> nn.Sequential:
    """Linear layers with batch norm and ReLU: (B, c_in) -> (B, widths[-1]).

    Args:
        c_in: size of what comes in.
        widths: size of each layer's output.
        dropout: the share of values dropped after each layer; None for no such layer.
    """
    return nn.Sequential(*_layers(c_in, widths, dropout))


class PooledModel(ReidModel):
    """A network whose features are the mean over its maps, and perhaps layers upon that.

    A subclass defines ``featuremaps`` and calls ``add_head`` once its other layers are there, for
    checkpoints keep this order.
    """

    fc: nn.Sequential | None

    def add_head(
        self,
        channels: int,
        num_classes: int,
        widths: Sequence[int] = (),
        dropout: float | None = None,
    ) -> None:
        """Add pooling, fully connected layers and the classifier, with their starting weights.

        Args:
            channels: channels of the maps.
            num_classes: number of training identities (C).
            widths: size of each fully connected layer; the last is the size of the features (D).
            dropout: see ``fully_connected``.
        """
        self.global_avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = fully_connected(channels, widths, dropout) if widths else None
        self.feature_dim = widths[-1] if widths else channels
        self.classifier = nn.Linear(self.feature_dim, num_classes)
        for layer in (self.fc, self.classifier):
            if layer is not None:
                initialise(layer)

    def embed(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, D)."""
        pooled: Tensor = self.global_avgpool(maps).flatten(1)
        return pooled if self.fc is None else self.fc(pooled)


def _layers(c_in: int, widths: Sequence[int], dropout: float | None) -> Iterator[nn.Module]:
    for width in widths:
        yield nn.Linear(c_in, width)
        yield nn.BatchNorm1d(width)
        yield nn.ReLU(inplace=True)
        if dropout is not None:
            yield nn.Dropout(dropout)
        c_in = width
