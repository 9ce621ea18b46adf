"""The average of the weights is tested and kept as the model; training goes on with its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from reid_plugins_inspect.checkpoint_summary import summarize_checkpoint, summary_lines
from reid_plugins_training.averaging import MovingAverage
from torch import Tensor

from reidcore import hookimpl
from reidcore.engine import Engine, ImageSoftmaxEngine
from reidcore.errors import CheckpointError, ConfigError
from reidcore.plugins import make_plugins
from reidcore.testing import TinyRun, TinyWorld
from reidcore.utils import load_checkpoint, save_checkpoint
from tests.plugins.reid_plugins_training.comparing import assert_same, weights
from tests.plugins.reid_plugins_training.test_clipping import ByHand, Overflow

Train = Callable[..., TinyRun]
Weights = dict[str, Tensor]

DECAY = "settings.training.ema.decay=0.8"


def copied(model: torch.nn.Module) -> Weights:
    return {key: value.clone() for key, value in model.state_dict().items()}


class Watch:
    """Keeps the weights after each step of the optimizer, and those that tests see."""

    def __init__(self) -> None:
        self.stepped: list[Weights] = []
        self.tested: list[Weights] = []

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        engine.optimizers[0].register_step_post_hook(
            lambda *_: self.stepped.append(copied(engine.model))
        )

    @hookimpl
    def reid_evaluate(self, engine: Engine) -> None:
        self.tested.append(copied(engine.model))


def averaged(stepped: list[Weights], decay: Callable[[int], float]) -> Weights:
    """Return the average of the weights after each step, computed one number after the other."""
    average = {key: value.double() for key, value in stepped[0].items()}
    for number, current in enumerate(stepped[1:], 2):
        share = decay(number)
        for key, value in current.items():
            average[key] = share * average[key] + (1 - share) * value.double()
    counters = {key for key, value in stepped[0].items() if not value.is_floating_point()}
    return {key: stepped[-1][key] if key in counters else average[key] for key in average}


def assert_close(found: Weights, wanted: Weights) -> None:
    assert found.keys() == wanted.keys()
    for key, value in found.items():
        torch.testing.assert_close(value.double(), wanted[key].double(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        pytest.param([], 6, id="each batch"),
        pytest.param(["train.accumulate=2"], 4, id="two batches and a rest"),
    ],
)
def test_it_is_the_average_after_each_step_and_the_model_of_tests_and_checkpoints(
    train: Train, settings: list[str], steps: int
) -> None:
    watch = Watch()
    run = train("run", DECAY, *settings, plugins=(watch,))
    wanted = averaged(watch.stepped, lambda _: 0.8)
    assert len(watch.stepped) == steps
    assert_close(weights(run), wanted)
    assert_close(watch.tested[-1], wanted)
    assert_close(copied(run.engine.model), wanted)  # what the run leaves in memory
    assert not torch.allclose(watch.stepped[-1]["conv.weight"], weights(run)["conv.weight"])


def test_buffers_are_averaged_too_and_counters_are_those_of_training(train: Train) -> None:
    watch = Watch()
    held = weights(train("run", DECAY, plugins=(watch,)))
    assert not torch.allclose(held["norm.running_mean"], watch.stepped[-1]["norm.running_mean"])
    assert held["norm.num_batches_tracked"] == 6


def test_a_ramp_begins_with_the_mean_of_all_steps(train: Train) -> None:
    watch = Watch()
    run = train("run", "settings.training.ema={decay: 0.7, ramp: true}", plugins=(watch,))
    assert_close(weights(run), averaged(watch.stepped, lambda t: min(0.7, 1 - 1 / t)))
    assert_close(
        averaged(watch.stepped[:3], lambda t: min(0.7, 1 - 1 / t)),
        {
            key: sum(each[key].double() for each in watch.stepped[:3]) / 3
            if value.is_floating_point()
            else watch.stepped[2][key]
            for key, value in watch.stepped[0].items()
        },
    )


def test_training_is_what_it_is_without_an_average(train: Train) -> None:
    watch = Watch()
    train("with", DECAY, "test.eval_freq=1", plugins=(watch,))
    alone = train("without", "test.eval_freq=1")
    assert_close(watch.stepped[-1], copied(alone.engine.model))


def test_the_checkpoint_tests_as_the_run_did(train: Train, tmp_path: Path) -> None:
    run = train("run", DECAY)
    path = tmp_path / "run" / "model.pth.tar-2"
    again = train("test", f"model.load_weights={path}", "test.evaluate=true")
    assert again.result["targets"]["tiny"]["mAP"] == run.result["targets"]["tiny"]["mAP"]
    lines = list(summary_lines(summarize_checkpoint(str(path))))
    assert "its weights are an average of those in training" in lines


def test_the_best_checkpoint_holds_the_average_that_was_tested(
    train: Train, tmp_path: Path
) -> None:
    watch = Watch()
    train("run", DECAY, "test.eval_freq=1", plugins=(watch,))
    best = load_checkpoint(tmp_path / "run" / "model-best.pth.tar")
    assert best["reidcore"]["averaged"] is True
    assert_close(best["state_dict"], watch.tested[best["epoch"] - 1])


def test_a_step_by_hand_is_averaged_too(train: Train) -> None:
    watch = Watch()
    run = train("run", DECAY, plugins=(watch, ByHand()))
    assert_close(weights(run), averaged(watch.stepped, lambda _: 0.8))


def test_a_step_that_overflows_under_fp16_is_no_part_of_it(train: Train) -> None:
    watch = Watch()
    run = train("run", DECAY, "train.amp=fp16", plugins=(watch, Overflow()))
    assert len(watch.stepped) == 5
    assert_close(weights(run), averaged(watch.stepped, lambda _: 0.8))


def test_nor_is_one_that_a_fused_optimizer_leaves_out_itself(train: Train) -> None:
    class Fuse:
        @hookimpl
        def reid_run_start(self, engine: Engine) -> None:
            engine.optimizers[0].param_groups[0].update(fused=True, foreach=False)
            engine.optimizers[0]._step_supports_amp_scaling = True  # type: ignore[attr-defined]

    watch = Watch()
    run = train("run", DECAY, "train.amp=fp16", plugins=(watch, Overflow(), Fuse()))
    assert len(watch.stepped) == 6
    assert_close(weights(run), averaged(watch.stepped[1:], lambda _: 0.8))


@pytest.mark.parametrize("batches", [1, 2, 3, 4])
def test_a_resumed_run_is_the_run_that_never_stopped(
    train: Train, train_in_parts: Train, batches: int
) -> None:
    settings = [
        "settings.training.ema={decay: 0.8, ramp: true}",
        "settings.training.clip.norm=0.5",
        "train.accumulate=2",
        "train.fixbase_epoch=1",
        "train.open_layers=[classifier]",
    ]
    assert_same(train("whole", *settings), train_in_parts("parts", *settings, batches=batches))


def test_a_run_that_failed_leaves_the_weights_in_training(train: Train) -> None:
    class Fail:
        engine: Engine

        @hookimpl
        def reid_evaluate(self, engine: Engine) -> None:
            self.engine, self.inside = engine, copied(engine.model)
            raise RuntimeError("no test today")

    watch, fail = Watch(), Fail()
    with pytest.raises(RuntimeError, match="no test today"):
        train("run", DECAY, plugins=(watch, fail))
    assert_close(fail.inside, averaged(watch.stepped, lambda _: 0.8))
    assert_close(copied(fail.engine.model), watch.stepped[-1])
    assert fail.engine.states["model"].averaged is None


def test_going_on_without_it_is_told(
    train: Train, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train("run", DECAY, "train.max_epoch=1")
    with caplog.at_level(logging.WARNING):
        train("on", f"model.resume={tmp_path / 'run' / 'model.pth.tar-1'}")
    assert [each for each in caplog.messages if "without the plugin 'training.ema'" in each]


@pytest.mark.parametrize("part", [{}, {"weights": {}, "steps": 3}, {"weights": 3, "steps": 3}])
def test_a_doctored_part_is_refused(train: Train, tmp_path: Path, part: dict[str, Any]) -> None:
    train("run", DECAY, "train.max_epoch=1")
    held = load_checkpoint(tmp_path / "run" / "model.pth.tar-1")
    held["reidcore"]["hooks"]["training.ema"] = {"model": part}
    path = save_checkpoint(held, tmp_path, name="doctored")
    with pytest.raises(CheckpointError, match="weights in training of model 'model'"):
        train("on", DECAY, f"model.resume={path}")


@pytest.mark.parametrize("decay", ["0", "1", "fast"])
def test_a_decay_that_is_none_is_refused(train: Train, decay: str) -> None:
    with pytest.raises(ConfigError, match=r"settings.training.ema.decay: expected"):
        train("run", f"settings.training.ema.decay={decay}")


class BothLearn(Engine):
    """Trains two networks on the same batches."""

    def forward_backward(self, data: Any) -> dict[str, float]:
        images, pids = self.parse_data_for_train(data)
        for held in self.states.values():
            assert held.optimizer is not None
            loss = torch.nn.functional.cross_entropy(held.model(images), pids)
            held.optimizer.zero_grad()
            loss.backward()
            held.optimizer.step()
        return {"loss": float(loss.detach())}


@pytest.fixture
def parts(root: Path) -> Iterator[tuple[Any, list[tuple[Any, Any]], Any]]:
    from reidcore.data import ImageDataManager
    from reidcore.models import build_model
    from reidcore.optim import build_optimizer
    from reidcore.utils import set_random_seed

    with make_plugins(extra=[TinyWorld(), MovingAverage(decay=0.8)]) as plugins:
        set_random_seed(1)
        data = ImageDataManager(
            root=str(root), sources="tiny", height=32, width=16, batch_size=8, workers=0
        )
        models = [build_model("tinynet", data.num_train_pids) for _ in range(2)]
        yield data, [(model, build_optimizer(model, lr=0.01)) for model in models], plugins


def test_by_hand_and_of_several_networks_each_its_own(parts: Any, tmp_path: Path) -> None:
    data, networks, plugins = parts
    engine = BothLearn(data, use_gpu=False, plugins=plugins)
    stepped: dict[str, list[Weights]] = {"one": [], "two": []}
    for name, (model, optimizer) in zip(stepped, networks, strict=True):
        engine.register_model(name, model, optimizer)
        optimizer.register_step_post_hook(
            lambda *_, name=name, model=model: stepped[name].append(copied(model))
        )
    engine.run(save_dir=str(tmp_path), max_epoch=2)
    for name, each in stepped.items():
        held = load_checkpoint(tmp_path / f"{name}.pth.tar-2")["state_dict"]
        assert_close(held, averaged(each, lambda _: 0.8))


def test_a_second_run_of_an_engine_begins_an_average_of_its_own(parts: Any, tmp_path: Path) -> None:
    data, ((model, optimizer), _), plugins = parts
    engine = ImageSoftmaxEngine(data, model, optimizer, use_gpu=False, plugins=plugins)
    engine.run(save_dir=str(tmp_path / "first"), max_epoch=1)
    stepped: list[Weights] = []
    optimizer.register_step_post_hook(lambda *_: stepped.append(copied(model)))
    engine.run(save_dir=str(tmp_path / "second"), max_epoch=1)
    held = load_checkpoint(tmp_path / "second" / "model.pth.tar-1")["state_dict"]
    assert_close(held, averaged(stepped, lambda _: 0.8))


class FallingMAP:
    """Lets each test on held-out identities be worse than the one before."""

    @hookimpl(wrapper=True, tryfirst=True)
    def reid_evaluate(self, engine: Engine) -> Iterator[None]:
        results = yield
        ranking = {
            name: replace(result.ranking, mAP=1 / (engine.epoch + 2))
            for name, result in results.items()
        }
        return {name: replace(each, ranking=ranking[name]) for name, each in results.items()}


def test_the_average_that_validation_chose_is_tested_and_left(train: Train) -> None:
    watch = Watch()
    settings = ["test.select_on=validation", "test.validation_share=0.3", "test.eval_freq=1"]
    settings += ["test.select_metric=mAP", "train.max_epoch=2", DECAY]
    run = train("chosen", *settings, plugins=[watch, FallingMAP()])
    first, second, chosen = watch.tested  # after both epochs, and the targets at the end
    assert run.result["selection"]["tested_epoch"] == 1
    assert not torch.equal(first["conv.weight"], second["conv.weight"])
    left = run.engine.model.state_dict()
    for key, value in first.items():
        assert torch.equal(value, chosen[key]), key
        assert torch.equal(value, left[key]), key
