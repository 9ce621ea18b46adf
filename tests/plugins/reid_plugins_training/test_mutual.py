"""Mutual learning: two networks learn from each other, and each is told, kept and tested apart."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from reidcore import hookimpl
from reidcore.data import ImageDataManager
from reidcore.engine import Engine, ImageDMLEngine
from reidcore.errors import ConfigError, UserError
from reidcore.models import Outputs, build_model
from reidcore.optim import build_lr_scheduler, build_optimizer
from reidcore.plugins import make_plugins
from reidcore.testing import TinyRun, TinyWorld, tiny_run
from reidcore.utils import set_random_seed

DML = ["loss.name=dml", "sampler.train_sampler=RandomIdentitySampler", "sampler.num_instances=2"]


class CentreNorm(nn.Module):
    """A loss with a state of its own."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.zeros(num_classes, 8))

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        return (features - self.centres[pids]).square().mean()


class Losses:
    @hookimpl
    def reid_register_losses(self, registry: Any) -> None:
        registry.add("centre_norm", CentreNorm)
        registry.add("spread", lambda num_classes: spread)


def spread(features: Tensor, pids: Tensor) -> Tensor:
    return features.square().mean()


@pytest.fixture
def learn(root: Path, tmp_path: Path) -> Callable[..., TinyRun]:
    """Return a function that trains in the tiny world."""

    def run(*overrides: str, folder: str = "log", plugins: tuple[Any, ...] = ()) -> TinyRun:
        return tiny_run(
            *plugins, save_dir=tmp_path / folder, root=root, overrides=[*DML, *overrides]
        )

    return run


@pytest.fixture
def by_hand(root: Path) -> Callable[..., Engine]:
    """Return a function that builds Torchreid's engine by hand."""

    def build(twins: bool = False, **options: Any) -> Engine:
        plugins = make_plugins(extra=[TinyWorld()])
        set_random_seed(4)
        data = ImageDataManager(
            *(str(root), "tiny"),
            **{"height": 32, "width": 16, "batch_size_train": 8, "workers": 0},
            train_sampler="RandomIdentitySampler",
            num_instances=2,
            plugins=plugins,
        )
        model = build_model("tinynet", data.num_train_pids, plugins=plugins)
        other = build_model("tinynet", data.num_train_pids, plugins=plugins)
        parts: list[Any] = []
        for each in (model, copy.deepcopy(model) if twins else other):
            optimizer = build_optimizer(each, lr=0.01)
            parts += [each, optimizer, build_lr_scheduler(optimizer, "cosine", max_epoch=2)]
        return ImageDMLEngine(data, *parts, plugins=plugins, **options)

    return build


def weights(path: Path) -> Mapping[str, Tensor]:
    state: Mapping[str, Tensor] = torch.load(path, weights_only=False)["state_dict"]
    return state


def require_equal(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> None:
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []


# -- training --------------------------------------------------------------------------------------


def test_each_network_shows_its_own_figures(learn: Callable[..., TinyRun]) -> None:
    (epoch,) = learn().result["training"]
    for term in ("softmax", "triplet", "mutual"):
        first, second = epoch[f"model/{term}"], epoch[f"model2/{term}"]
        assert first != second
        assert min(first, second) >= 0
    terms = [value for name, value in epoch.items() if "/" in name and not name.endswith("acc")]
    assert epoch["loss"] == pytest.approx(sum(terms), rel=1e-5)
    assert "model2/acc" in epoch


def test_a_network_learns_from_the_other_and_not_for_it(by_hand: Callable[..., Engine]) -> None:
    engine = by_hand(weight_t=0.0)
    losses = engine.losses(next(iter(engine.train_loader)))
    first, second = (engine.states[name].model for name in ("model1", "model2"))
    assert sorted(losses) == [f"model{n}/{term}" for n in (1, 2) for term in ("mutual", "softmax")]
    own = torch.autograd.grad(
        losses["model1/mutual"],
        [first.classifier.weight, second.classifier.weight],
        allow_unused=True,
    )
    assert own[0].abs().sum() > 0
    assert own[1] is None


def test_the_accuracy_shown_is_the_first_ones(by_hand: Callable[..., Engine]) -> None:
    engine = by_hand()
    with torch.no_grad():  # the first knows nothing but identity 0, the second nothing but 1
        for pid, state in enumerate(engine.states.values()):
            state.model.classifier.bias[pid] = 1e4
    batch = next(iter(engine.train_loader))
    batch["pid"] = torch.tensor([0] * 5 + [1] * 3)  # so that the two differ
    outcome = engine.outcome(engine.losses(batch))
    share = [100 * (batch["pid"] == pid).float().mean() for pid in (0, 1)]
    assert outcome.accuracy == pytest.approx(share[0])
    assert outcome.losses["model2/acc"] == pytest.approx(share[1])


def test_mutual_learning_brings_predictions_together(
    by_hand: Callable[..., Engine], tmp_path: Path
) -> None:
    def distance(weight: float) -> float:
        engine = by_hand(weight_ml=weight)
        engine.run(str(tmp_path / str(weight)), max_epoch=2)
        images = next(iter(engine.train_loader))["img"]
        with torch.no_grad():
            both = [each.model.eval()(images, outputs="all") for each in engine.states.values()]
        left, right = (each.logits.softmax(dim=1) for each in both)
        return float((left - right).abs().sum(dim=1).mean())

    assert distance(30.0) < distance(0.0)


def test_the_base_of_both_is_frozen_at_first(by_hand: Callable[..., Engine]) -> None:
    engine = by_hand()
    engine.two_stepped_transfer_learning(0, 1, ["classifier"])
    for state in engine.states.values():
        assert not state.model.conv.weight.requires_grad
        assert state.model.classifier.weight.requires_grad
    engine.two_stepped_transfer_learning(1, 1, ["classifier"])
    assert all(state.model.conv.weight.requires_grad for state in engine.states.values())


def test_a_plugin_adds_its_term_to_each_network(learn: Callable[..., TinyRun]) -> None:
    class Adds:
        @hookimpl(wrapper=True)
        def reid_compute_losses(self, outputs: Outputs) -> Any:
            losses = yield
            return losses | {"size": outputs.features.square().mean()}

    (epoch,) = learn(plugins=(Adds(),)).result["training"]
    assert epoch["model/size"] != epoch["model2/size"]


def test_loss_terms_of_the_configuration_are_each_networks(learn: Callable[..., TinyRun]) -> None:
    run = learn("loss.terms={softmax: 0.5, spread: 2}", plugins=(Losses(),))
    (epoch,) = run.result["training"]
    assert {"model2/softmax", "model2/spread", "model2/mutual"} <= epoch.keys()
    assert "model/triplet" not in epoch


def test_three_networks_in_mixed_precision_with_accumulation(
    learn: Callable[..., TinyRun],
) -> None:
    run = learn("loss.dml.models=['','']", "train.amp=bf16", "train.accumulate=2")
    (epoch,) = run.result["training"]
    assert epoch["model3/mutual"] > 0
    assert list(run.engine.states) == ["model", "model2", "model3"]


def test_clips_are_learnt_as_frames(by_hand: Callable[..., Engine]) -> None:
    from reidcore.engine import ClipBatches

    engine = by_hand()
    engine.batch_layout = ClipBatches()
    batch = next(iter(engine.train_loader))
    clips = {**batch, "img": batch["img"].unflatten(0, (-1, 2)), "pid": batch["pid"][::2]}
    losses = engine.losses({**clips, "camid": batch["camid"][::2], "impath": batch["impath"][::2]})
    assert all(torch.isfinite(each) for each in losses.values())
    assert engine.trace.pids is not None
    assert len(engine.trace.pids) == len(batch["img"])


# -- checkpoints and tests -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model", "model2"])
def test_a_run_resumed_from_either_checkpoint_gives_the_same_weights(
    name: str, learn: Callable[..., TinyRun], tmp_path: Path
) -> None:
    learn("train.max_epoch=2", "test.eval_freq=1", folder="whole")
    resume = f"model.resume={tmp_path / 'whole' / f'{name}.pth.tar-1'}"
    learn("train.max_epoch=2", resume, folder="rest")
    for file in ("model.pth.tar-2", "model2.pth.tar-2"):
        require_equal(weights(tmp_path / "whole" / file), weights(tmp_path / "rest" / file))


def test_a_run_that_is_stopped_within_an_epoch_gives_the_same_weights(
    train: Callable[..., TinyRun], train_in_parts: Callable[..., TinyRun], tmp_path: Path
) -> None:
    train("whole", *DML)
    train_in_parts("parts", *DML, batches=2)
    for file in ("model.pth.tar-2", "model2.pth.tar-2"):
        require_equal(weights(tmp_path / "whole" / file), weights(tmp_path / "parts" / file))


@pytest.mark.parametrize(("deploy", "width"), [("model1", 8), ("model2", 8), ("both", 16)])
def test_what_is_tested_is_chosen(
    deploy: str, width: int, by_hand: Callable[..., Engine], tmp_path: Path
) -> None:
    engine = by_hand(deploy=deploy)
    engine.set_model_mode("eval")
    images = next(iter(engine.train_loader))["img"]
    features = engine.extract_features(images)
    assert features.shape == (8, width)
    if deploy != "both":
        torch.testing.assert_close(features, engine.states[deploy].model(images))
    results = engine.test(save_dir=str(tmp_path))
    assert 0 < results["tiny"].ranking.mAP <= 1


def test_a_test_of_all_networks_needs_the_weights_of_all(
    learn: Callable[..., TinyRun], tmp_path: Path
) -> None:
    learn(folder="whole")
    checkpoint = tmp_path / "whole" / "model.pth.tar-1"
    test = ("test.evaluate=true", "loss.dml.deploy=all")
    with pytest.raises(UserError, match="nobody trained 'model2'"):
        learn(*test, f"model.load_weights={checkpoint}", folder="bare")
    engine = learn(*test, f"model.resume={checkpoint}", folder="test").engine
    second = engine.states["model2"].model.state_dict()
    require_equal(second, weights(tmp_path / "whole" / "model2.pth.tar-1"))


# -- what is refused -------------------------------------------------------------------------------


def test_copies_of_one_network_are_refused(by_hand: Callable[..., Engine]) -> None:
    with pytest.raises(UserError, match="would learn nothing from each other"):
        by_hand(twins=True)


def test_an_unknown_network_to_test_is_refused(learn: Callable[..., TinyRun]) -> None:
    with pytest.raises(ConfigError, match=r"deploy='modle2' is no network.*model2"):
        learn("loss.dml.deploy=modle2")


def test_one_network_alone_is_refused(learn: Callable[..., TinyRun]) -> None:
    with pytest.raises(UserError, match="needs two networks"):
        learn("loss.dml.models=[]")


def test_networks_need_a_loss_of_their_own(learn: Callable[..., TinyRun]) -> None:
    with pytest.raises(ConfigError, match="learn no identities"):
        learn("loss.dml.weight_x=0", "loss.dml.weight_t=0")


def test_a_loss_with_a_state_cannot_be_shared(learn: Callable[..., TinyRun]) -> None:
    with pytest.raises(UserError, match="'centre_norm' has a state of its own"):
        learn("loss.terms={softmax: 1, centre_norm: 1}", plugins=(Losses(),))


def test_an_unknown_further_network_is_refused_with_the_nearest(
    learn: Callable[..., TinyRun],
) -> None:
    with pytest.raises(UserError, match="tinynet"):
        learn("loss.dml.models=[tinynett]")
