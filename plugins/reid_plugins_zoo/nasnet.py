"""NASNet-A (4 @ 1056), the mobile one, with the keys and outputs of the public checkpoints.

Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018.
(torchvision has no NASNet.)
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from reid_plugins_zoo.nasnet_cells import NORMAL, REDUCTION, Cell, Place, named, norm
from reidcore.models import ReidModel, initialise, load_published_weights

_FILTERS = 44
_STEM_FILTERS = 32


def _places() -> Iterator[tuple[str, Place]]:
    yield "cell_stem_0", Place(REDUCTION, _FILTERS // 4, "as it is")
    yield "cell_stem_1", Place(REDUCTION, _FILTERS // 2, "halved", aligned=True)
    for stage, first in enumerate((0, 6, 12)):
        width = _FILTERS * 2**stage
        if stage:
            yield f"reduction_cell_{stage - 1}", Place(REDUCTION, width, "projected", aligned=True)
        yield f"cell_{first}", Place(NORMAL, width, "halved")
        for number in range(first + 1, first + 4):
            yield f"cell_{number}", Place(NORMAL, width, "projected")


class NASNetMobile(ReidModel):
    """A convolution, two cells that halve, three stages of four normal cells.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
    """

    min_size = (3, 3)

    def __init__(self, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(loss)
        stem = nn.Conv2d(3, _STEM_FILTERS, 3, stride=2, bias=False)
        self.conv0 = named(conv=stem, bn=norm(_STEM_FILTERS))
        places = dict(_places())
        before = current = _STEM_FILTERS
        for name, place in places.items():
            self.add_module(name, Cell(place, current, before))
            before, current = current, place.width * len(place.wiring.joined)
        self._cell_names = tuple(places)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout()
        self.feature_dim = current
        self.classifier = nn.Linear(current, num_classes)
        initialise(self)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 1056, H / 32, W / 32)."""
        before = current = self.conv0(images)
        for name in self._cell_names:
            before, current = current, self.get_submodule(name)(current, before)
        maps: Tensor = self.relu(current)
        return maps

    def embed(self, maps: Tensor) -> Tensor:
        """(B, 1056, h, w) -> (B, 1056), half of them dropped in training mode."""
        features: Tensor = self.dropout(maps.mean((2, 3)))
        return features


def nasnetmobile(
    num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True
) -> NASNetMobile:
    """Build a NASNet-A (4 @ 1056)."""
    model = NASNetMobile(num_classes, loss)
    if pretrained:
        load_published_weights(model, "nasnetmobile")
    return model
