"""PCB: a ResNet-50 that describes a person strip by strip.

Sun et al., "Beyond Part Models: Person Retrieval with Refined Part Pooling (and A Strong
Convolutional Baseline)", ECCV 2018.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from torch import Tensor, nn
from torch.nn import functional as F

from reid_plugins_zoo.resnet import TRUNKS, ResidualMaps
from reidcore.models import Outputs, initialise, load_published_weights

_REDUCED = 256


class PCB(ResidualMaps):
    """Part-based convolutional baseline.

    Its maps are cut into horizontal strips. Each strip has a classifier, which sees fewer
    dimensions than the features that images are compared by.

    Args:
        parts: number of strips (P).
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``); logits are a list with P entries.
    """

    classifier: nn.ModuleList

    def __init__(self, parts: int, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(TRUNKS["resnet50"](), loss, last_stride=1)
        self.parts_avgpool = nn.AdaptiveAvgPool2d((parts, 1))
        self.dropout = nn.Dropout(0.5)
        self.conv5 = _reduction(self.channels)
        self.classifier = nn.ModuleList(nn.Linear(_REDUCED, num_classes) for _ in range(parts))
        self.feature_dim = parts * self.channels
        initialise(self.conv5)
        initialise(self.classifier)

    def embed(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> the strips (B, channels, P, 1)."""
        strips: Tensor = self.parts_avgpool(maps)
        return strips

    def heads(self, embedding: Tensor, pids: Tensor | None) -> Outputs:
        """Classify each strip; the features have seen the same dropout."""
        strips = self.dropout(embedding)
        reduced = self.conv5(strips).flatten(2).unbind(2)
        logits = [
            classifier(strip) for classifier, strip in zip(self.classifier, reduced, strict=True)
        ]
        return Outputs(logits, self.retrieval(strips))

    def retrieval(self, embedding: Tensor) -> Tensor:
        """Scale each strip to length 1 and string them together: (B, D)."""
        return F.normalize(embedding, dim=1).flatten(1)


def _reduction(channels: int) -> nn.Sequential:
    layers = (nn.Conv2d(channels, _REDUCED, 1, bias=False), nn.BatchNorm2d(_REDUCED), nn.ReLU())
    return nn.Sequential(OrderedDict(layers=nn.Sequential(*layers)))


def _build(
    parts: int, num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True
) -> PCB:
    """Build PCB with so many strips; it starts from the weights of a plain ResNet-50."""
    model = PCB(parts, num_classes, loss)
    if pretrained:
        load_published_weights(model, f"pcb_p{parts}")
    return model


Factory: TypeAlias = Callable[..., PCB]

pcb_p6: Factory = partial(_build, 6)
pcb_p4: Factory = partial(_build, 4)
