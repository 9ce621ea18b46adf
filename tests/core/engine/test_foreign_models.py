"""Modules that are no ``ReidModel`` in an engine's care: used as they are, and left as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from reidcore.engine import Engine, ImageSoftmaxEngine
from reidcore.models import build_model, unwrap
from reidcore.utils import load_checkpoint


class Classifier(nn.Module):
    """Gives logits in either mode, as torchvision's networks do."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(6, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, h, w) -> (B, C)."""
        logits: Tensor = self.fc(self.body(images))
        return logits


def engine_of(model: nn.Module, make_engine: Callable[..., Engine]) -> Engine:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return ImageSoftmaxEngine(make_engine().datamanager, model, optimizer)


@pytest.mark.parametrize("wrap", [lambda model: model, nn.DataParallel])
def test_it_trains_and_is_tested_and_stays_what_it_is(
    wrap: Callable[[nn.Module], nn.Module], make_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    model = Classifier(make_engine().datamanager.num_train_pids)
    given = wrap(model)
    engine = engine_of(given, make_engine)
    assert engine.model is given
    result = engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert result["targets"]["tiny"]["mAP"] > 0
    assert type(model) is Classifier
    assert model.state_dict().keys() == Classifier(2).state_dict().keys()
    assert vars(model).keys() == vars(Classifier(2)).keys()
    held = load_checkpoint(tmp_path / "model.pth.tar-1")
    assert held["state_dict"].keys() == model.state_dict().keys()


def test_its_layers_open_by_their_own_names(
    make_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    model = Classifier(make_engine().datamanager.num_train_pids)
    body = [value.clone() for value in model.body.parameters()]
    engine_of(model, make_engine).run(
        save_dir=str(tmp_path), max_epoch=1, fixbase_epoch=1, open_layers="fc"
    )
    assert all(map(torch.equal, model.body.parameters(), body))


def test_a_registered_model_keeps_its_class(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    built = build_model("tinynet", 3, plugins=engine.plugins)
    for number, model in enumerate((Classifier(3), built, nn.DataParallel(Classifier(3)))):
        kind, inner = type(model), type(unwrap(model))
        engine.register_model(f"model {number}", model)
        assert (type(model), type(unwrap(model))) == (kind, inner)
