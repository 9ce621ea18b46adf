"""The triplet engine: its terms, its mistakes, and whole runs."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from reidcore.config import Config, load_config
from reidcore.engine import Engine, ImageTripletEngine
from reidcore.engine.build import prepare
from reidcore.errors import ConfigError, UserError
from reidcore.losses import CrossEntropyLoss, TripletLoss
from reidcore.models import build_model, outputs_of
from reidcore.optim import build_lr_scheduler, build_optimizer
from reidcore.plugins import Plugins


@pytest.fixture
def build(manage: Any) -> Any:
    """Return a function that builds an engine."""

    def make(
        engine_class: type[ImageTripletEngine] = ImageTripletEngine,
        data: dict[str, Any] | None = None,
        **options: Any,
    ) -> ImageTripletEngine:
        torch.manual_seed(0)
        datamanager = manage(**data or {})
        model = build_model("smallnet", datamanager.num_train_pids, loss="triplet")
        return engine_class(datamanager, model, build_optimizer(model, lr=0.01), **options)

    return make


def test_arguments_are_torchreids_in_their_order() -> None:
    names = list(inspect.signature(ImageTripletEngine).parameters)
    expected = "datamanager model optimizer margin weight_t weight_x scheduler use_gpu label_smooth"
    assert names[:9] == expected.split()


def test_there_is_one_loop() -> None:
    written = {
        name
        for kind in ImageTripletEngine.__mro__[: ImageTripletEngine.__mro__.index(Engine)]
        for name, value in vars(kind).items()
        if inspect.isfunction(value)
    }
    assert written == {"__init__"}


def test_losses_are_two_weighted_terms(build: Any) -> None:
    engine = build(margin=0.5, weight_t=0.7, weight_x=2, label_smooth=False)
    engine.set_model_mode("train")
    batch = next(iter(engine.train_loader))
    losses = engine.losses(batch)
    logits, features = outputs_of(engine.model, batch["img"])
    assert isinstance(features, Tensor)
    assert isinstance(logits, Tensor)
    triplet = TripletLoss(0.5)(features, batch["pid"])
    softmax = CrossEntropyLoss(5, label_smooth=False)(logits, batch["pid"])
    assert losses["triplet"].item() == pytest.approx(0.7 * triplet.item(), rel=1e-5)
    assert losses["softmax"].item() == pytest.approx(2 * softmax.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("weights", "left"),
    [
        ({"weight_x": 0}, ["triplet"]),
        ({"weight_t": 0}, ["softmax"]),
        ({}, ["triplet", "softmax"]),
    ],
)
def test_a_zero_weight_drops_its_term(
    build: Any, weights: dict[str, float], left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = build(**weights)
    for name, criterion in (("triplet", engine.criterion_t), ("softmax", engine.criterion_x)):
        if name not in left:
            monkeypatch.setattr(criterion, "forward", None)  # calling it would fail
    assert list(engine.losses(next(iter(engine.train_loader)))) == left


@pytest.mark.parametrize(
    "weights",
    [
        {"weight_t": 0, "weight_x": 0},
        {"weight_t": -1},
        {"weight_x": -0.1},
        {"weight_x": math.nan},
    ],
)
def test_weights_that_leave_nothing_are_refused(build: Any, weights: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="more than 0"):
        build(**weights)


def test_a_script_written_for_torchreid_runs(manage: Any, tmp_path: Path) -> None:
    datamanager = manage()
    model = build_model(
        name="smallnet", num_classes=datamanager.num_train_pids, loss="triplet", pretrained=False
    )
    optimizer = build_optimizer(model, optim="adam", lr=0.01)
    scheduler = build_lr_scheduler(optimizer, lr_scheduler="single_step", stepsize=20)
    engine = ImageTripletEngine(datamanager, model, optimizer, 0.3, 0.7, 1, scheduler, False, True)
    result = engine.run(save_dir=str(tmp_path), max_epoch=3, print_freq=10)
    first, *_, last = result["training"]
    assert last["loss"] < first["loss"]
    assert last["loss"] == pytest.approx(last["triplet"] + last["softmax"], rel=1e-4)
    assert 0 <= result["targets"]["small"]["mAP"] <= 1
    assert (tmp_path / "model.pth.tar-3").is_file()


class OwnStep(ImageTripletEngine):
    """A subclass as Torchreid's users write them."""

    def forward_backward(self, data: Any) -> dict[str, float]:
        images, pids = self.parse_data_for_train(data)
        outputs, features = self.model(images)
        loss_t = self.compute_loss(self.criterion_t, features, pids)
        loss_x = self.compute_loss(self.criterion_x, outputs, pids)
        loss = self.weight_t * loss_t + self.weight_x * loss_x
        assert self.optimizer is not None
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss_t": loss_t.item(), "loss_x": loss_x.item()}


def test_a_subclass_with_torchreids_step_learns_the_same(build: Any, tmp_path: Path) -> None:
    weights = []
    for number, kind in enumerate((ImageTripletEngine, OwnStep)):
        engine = build(kind, weight_t=0.5, use_gpu=False)
        engine.run(save_dir=str(tmp_path / str(number)), max_epoch=2)
        weights.append(engine.model.state_dict())
    for name, value in weights[0].items():
        assert torch.allclose(value, weights[1][name], atol=1e-6), name


def test_batches_without_triplets_name_the_sampler(build: Any, tmp_path: Path) -> None:
    engine = build(data={"num_instances": 1, "batch_size": 4})
    with pytest.raises(UserError, match=r"one image of each identity.*RandomIdentitySampler"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)
    engine = build(data={"num_instances": 4, "batch_size": 4})
    with pytest.raises(UserError, match=r"a batch of 4 images is of one identity.*num_instances"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


def test_new_layers_alone_need_the_cross_entropy(build: Any, tmp_path: Path) -> None:
    plan = {"max_epoch": 1, "fixbase_epoch": 1, "open_layers": "classifier"}
    with pytest.raises(UserError, match=r"fixbase_epoch=1.*weight_x=1"):
        build(weight_x=0).run(save_dir=str(tmp_path), **plan)
    assert not list(tmp_path.iterdir())
    engine = build(weight_x=0.5, use_gpu=False)
    before = {name: value.clone() for name, value in engine.model.state_dict().items()}
    engine.run(save_dir=str(tmp_path), **plan)
    after = engine.model.state_dict()
    assert torch.equal(before["conv.weight"], after["conv.weight"])
    assert not torch.equal(before["classifier.weight"], after["classifier.weight"])


def test_part_features_are_averaged(build: Any) -> None:
    engine = build()
    pids = torch.tensor([0, 0, 1, 1])
    parts = (torch.randn(4, 3), torch.randn(4, 3))
    alone = [engine.criterion_t(part, pids).item() for part in parts]
    together = engine.compute_loss(engine.criterion_t, parts, pids)
    assert together.item() == pytest.approx(sum(alone) / 2)


@pytest.fixture
def configure(root: Path, tmp_path: Path, plugins: Plugins) -> Any:
    """Return a function that reads a configuration of the tiny world."""

    def read(loss: dict[str, Any], **train: Any) -> Config:
        sections = {
            "model": {"name": "smallnet", "pretrained": False},
            "data": {
                "root": str(root),
                "sources": ["small"],
                "targets": ["small"],
                "height": 16,
                "width": 8,
                "workers": 0,
                "save_dir": str(tmp_path / "log"),
            },
            "sampler": {"train_sampler": "RandomIdentitySampler", "num_instances": 2},
            "train": {"batch_size": 8, "max_epoch": 1, **train},
            "loss": loss,
        }
        return load_config(sections, plugins=plugins)

    return read


def test_a_configuration_reaches_the_engine(configure: Any, plugins: Plugins) -> None:
    loss = {
        "name": "triplet",
        "triplet": {"margin": 0.6, "weight_t": 0.5, "weight_x": 2.0},
        "softmax": {"label_smooth": False},
    }
    engine, plan = prepare(configure(loss), plugins)
    assert isinstance(engine, Engine)
    weights = {name: weight for name, (weight, _) in engine.terms.items()}
    assert weights == {"triplet": 0.5, "softmax": 2.0}
    assert engine.terms["triplet"][1].margin == 0.6  # type: ignore[attr-defined]
    assert engine.terms["softmax"][1].eps == 0  # type: ignore[attr-defined]
    shown = next(iter(engine.train_loader))["pid"].reshape(4, 2)
    assert (shown[:, 0] == shown[:, 1]).all()
    result = engine.execute(plan)
    assert {"triplet", "softmax", "loss"} <= set(result["training"][0])


def test_the_cross_entropy_beside_it_has_the_options_of_softmax(
    configure: Any, plugins: Plugins
) -> None:
    softmax = {"eps": 0.2, "form": "k_minus_1", "branch_weights": [1.0, 0.5]}
    loss = {"name": "triplet", "triplet": {"weight_x": 1.0}, "softmax": softmax}
    engine, _ = prepare(configure(loss), plugins)
    criterion: Any = engine.terms["softmax"][1]
    assert criterion.weights == (1.0, 0.5)
    assert (criterion.criterion.eps, criterion.criterion.form) == (0.2, "k_minus_1")
    assert isinstance(engine.terms["triplet"][1], TripletLoss)


def test_torchreids_default_is_the_triplet_loss_alone(configure: Any, plugins: Plugins) -> None:
    engine, _ = prepare(configure({"name": "triplet"}), plugins)
    assert list(engine.terms) == ["triplet"]
    engine, plan = prepare(configure({"name": "triplet"}, fixbase_epoch=1), plugins)
    with pytest.raises(UserError, match=r"loss.triplet.weight_x"):
        engine.execute(plan)


def test_terms_take_the_same_sections(configure: Any, plugins: Plugins) -> None:
    loss = {"terms": {"softmax": 1.0, "triplet": 0.5}, "triplet": {"margin": 0.9}}
    engine, plan = prepare(configure(loss), plugins)
    weight, criterion = engine.terms["triplet"]
    assert (weight, criterion.margin) == (0.5, 0.9)  # type: ignore[attr-defined]
    assert "triplet" in engine.execute(plan)["training"][0]


def test_a_mistyped_option_is_refused(configure: Any) -> None:
    with pytest.raises(ConfigError, match="margin"):
        configure({"name": "triplet", "triplet": {"margn": 0.2}})
