"""Columns of the dataset's table on their way into a model that names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reidcore import data, hookimpl
from reidcore.data.table import SampleTable
from reidcore.engine import ImageSoftmaxEngine
from reidcore.engine.batch_layout import ClipBatches
from reidcore.models import ReidModel
from reidcore.testing import TinyNet, fake_dataset, tiny_run


class Aware(TinyNet):
    """Notes the columns that it is given."""

    inputs = ("camid", "view", "weather")

    def __init__(
        self,
        num_classes: int,
        loss: str = "softmax",
        num_cameras: int | None = None,
        num_views: int | None = None,
    ) -> None:
        super().__init__(num_classes, loss)
        self.counts = (num_cameras, num_views)
        self.seen: dict[bool, list[tuple[Any, ...]]] = {True: [], False: []}

    def describe(
        self, images: Tensor, camid: Any = None, view: Any = None, weather: Any = None
    ) -> Any:
        self.seen[self.training].append((camid, view, weather))
        return super().describe(images)


def viewed(root: Path) -> data.Splits:
    """Return the tiny dataset with a column of views, 0 to 2."""
    splits = data.from_folders(root / "viewed")

    def with_views(samples: Any) -> SampleTable:
        table = SampleTable.of(samples)
        return SampleTable.of(table, columns={"view": np.arange(len(table)) % 3})

    return data.Splits(*map(with_views, splits))


class Norm(nn.Module):
    """Notes what its factory was given."""

    made: list[tuple[Any, ...]] = []  # noqa: RUF012

    def __init__(self, num_classes: int, feature_dim: int, train_table: SampleTable) -> None:
        super().__init__()
        self.made.append((num_classes, feature_dim, train_table))

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        return features.norm(dim=1).mean()


class World:
    @hookimpl
    def reid_register_models(self, registry: Any) -> None:
        registry.add("aware", Aware)

    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        registry.add("viewed", viewed)

    @hookimpl
    def reid_register_losses(self, registry: Any) -> None:
        registry.add("norm", Norm)


@pytest.mark.parametrize("transforms", ["[]", "[random_flip]"])
def test_columns_reach_the_model_in_training_and_in_tests(tmp_path: Path, transforms: str) -> None:
    fake_dataset(tmp_path / "viewed")
    Norm.made.clear()
    overrides = [
        *("model.name=aware", f"data.root={tmp_path}", "data.sources=[viewed]"),
        *("data.targets=[viewed]", f"data.transforms={transforms}"),
        "loss.terms={softmax: 1.0, norm: 0.1}",
    ]
    engine = tiny_run(World(), save_dir=tmp_path / "log", overrides=overrides).engine
    model = engine.model
    assert isinstance(model, Aware)
    table = engine.datamanager.train_table
    assert model.counts == (engine.datamanager.num_train_cams, 3)
    assert Norm.made == [(engine.datamanager.num_train_pids, 8, table)]
    for training, calls in model.seen.items():
        views = torch.cat([view for _, view, _ in calls])
        assert set(views.tolist()) == {0, 1, 2}, training
        assert all(len(camid) == len(view) for camid, view, _ in calls)
        assert all(weather is None for _, _, weather in calls)


def test_frames_have_the_columns_of_their_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reidcore.engine.batch_layout.FRAMES_AT_ONCE", 4)
    calls: list[dict[str, Any]] = []

    def extract(images: Tensor, labels: Any) -> Tensor:
        calls.append(dict(labels))
        return images.flatten(1)[:, :2]

    labels = {"camid": torch.tensor([5, 7]), "impath": ["a", "b"]}
    features = ClipBatches().features(torch.rand(2, 3, 3, 4, 2), labels, extract)
    assert features.shape == (2, 2)
    assert [each["camid"].tolist() for each in calls] == [[5, 5, 5, 7], [7, 7]]
    assert [each["impath"] for each in calls] == [["a", "a", "a", "b"], ["b", "b"]]


def test_an_engine_of_torchreids_extracts_from_images_alone(tmp_path: Path) -> None:
    class Own(ImageSoftmaxEngine):
        def extract_features(self, input: Tensor) -> Tensor:  # type: ignore[override]
            calls.append(input)
            features: Tensor = self.model(input)
            return features

    calls: list[Tensor] = []

    class Engines:
        @hookimpl
        def reid_register_engines(self, registry: Any) -> None:
            registry.add("own", Own)

    tiny_run(Engines(), save_dir=tmp_path, overrides=["loss.name=own"])
    assert calls


def test_a_wanted_column_is_none_where_it_is_not_known() -> None:
    assert issubclass(Aware, ReidModel)
    model = Aware(3).eval()
    model(torch.zeros(1, 3, 8, 8))
    assert model.seen[False] == [(None, None, None)]
