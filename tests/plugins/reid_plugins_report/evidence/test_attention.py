from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from reid_plugins_report.evidence import attention


class Dataset(list):
    """Images by their place, of which the table tells the paths."""

    data = (("a.jpg", 1, 0), ("b.jpg", 2, 0), (("c1.jpg", "c2.jpg", "c3.jpg"), 3, 0))


@pytest.mark.parametrize("height", [4, 300])
def test_maps_are_those_of_the_images_that_are_asked_for(height, monkeypatch) -> None:
    """The third is a clip, whose middle frame is looked at."""
    rising = torch.arange(height) / (height - 1)
    images = [number * rising[None, :, None].expand(3, height, 2) for number in (0.25, 0.5, 1.0)]
    clip = torch.stack([torch.zeros_like(images[2]), images[2], torch.zeros_like(images[2])])
    dataset = Dataset({"img": each} for each in (images[0], images[1], clip))
    monkeypatch.setattr(
        attention, "activation_maps", lambda model, given, labels: given[:, 0].numpy()
    )
    engine = SimpleNamespace(
        test_loader={"x": {"query": SimpleNamespace(dataset=dataset)}},
        model=torch.nn.Linear(1, 1),
        device=torch.device("cpu"),
    )
    paths = [dataset.data[2][0], "a.jpg"]
    found = attention.attention_of(engine, "x", paths)
    assert engine.model.training
    assert found.path.tolist() == ["c2.jpg", "a.jpg"]
    step = 1 if height == 4 else 3  # no more than 128 pixels
    expected = [255 * each[0].numpy()[::step, ::step] for each in (images[2], images[0])]
    np.testing.assert_array_equal(found.heat, np.round(expected).astype(np.uint8))


class LooksWhereTheCameraSays(torch.nn.Module):
    """Active in the row that has the camera's number, and nowhere if it is not told."""

    inputs = ("camid", "view")

    def forward(self, images, camid=None, view=None, return_featuremaps=False):
        assert return_featuremaps
        assert view is None
        maps = torch.zeros_like(images)
        maps[torch.arange(len(images)), :, camid] = 1
        return maps


def test_the_network_is_told_the_cameras_that_it_wants() -> None:
    dataset = Dataset({"img": torch.zeros(3, 4, 2), "camid": camera} for camera in (2, 0, 1))
    engine = SimpleNamespace(
        test_loader={"x": {"query": SimpleNamespace(dataset=dataset)}},
        model=LooksWhereTheCameraSays(),
        device=torch.device("cpu"),
    )
    found = attention.attention_of(engine, "x", ["b.jpg", "a.jpg"])
    assert found.heat.argmax(1).tolist() == [[0, 0], [2, 2]]
