"""ShuffleNet: numbers of groups, and the shuffling itself."""

from __future__ import annotations

import pytest
import torch
from reid_plugins_zoo.shufflenet import shuffled, shufflenet

from reidcore.errors import ConfigError


@pytest.mark.parametrize(("groups", "width"), [(1, 576), (2, 800), (3, 960), (4, 1088), (8, 1536)])
def test_every_number_of_groups_of_the_paper(groups, width):
    with torch.device("meta"):
        model = shufflenet(num_classes=3, pretrained=False, num_groups=groups).eval()
        assert model(torch.empty(2, 3, 64, 32)).shape == (2, width)
    grouped = {layer.groups for name, layer in model.named_modules() if name.endswith("conv3")}
    assert grouped == {groups}


def test_another_number_is_refused():
    with pytest.raises(ConfigError, match=r"no ShuffleNet of 5 groups.*1, 2, 3, 4, 8"):
        shufflenet(num_classes=3, pretrained=False, num_groups=5)


def test_each_group_is_dealt_some_of_every_group():
    maps = torch.arange(6.0).reshape(1, 6, 1, 1).expand(2, 6, 3, 2)
    dealt = shuffled(maps, groups=2)
    assert dealt.shape == maps.shape
    assert dealt[1, :, 2, 1].tolist() == [0, 3, 1, 4, 2, 5]
