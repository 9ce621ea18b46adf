"""From a configuration to a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from reidcore import hookimpl
from reidcore.config import Config, load_config
from reidcore.engine import Engine
from reidcore.engine.build import prepare
from reidcore.errors import CheckpointError, ConfigError, DataError, UserError
from reidcore.plugins import Plugins, make_plugins
from reidcore.testing import TinyWorld


class FeatureNorm(nn.Module):
    """A loss that a third party would bring."""

    def __init__(self, num_classes: int, target: float = 1.0) -> None:
        super().__init__()
        self.target = target

    def forward(self, features: torch.Tensor, pids: torch.Tensor) -> torch.Tensor:
        return (features.norm(dim=1) - self.target).square().mean()


class NormPlugin:
    @hookimpl
    def reid_register_losses(self, registry: Any) -> None:
        registry.add("feature_norm", FeatureNorm)


@pytest.fixture
def configure(root: Path, tmp_path: Path, plugins: Plugins) -> Any:
    """Return a function that reads a configuration of the tiny world."""

    def read(plugins: Plugins = plugins, **sections: Any) -> Config:
        base: dict[str, Any] = {
            "model": {"name": "tinynet", "pretrained": False},
            "data": {
                "root": str(root),
                "sources": ["tiny"],
                "targets": ["tiny"],
                "height": 32,
                "width": 16,
                "workers": 0,
                "save_dir": str(tmp_path / "log"),
            },
            "train": {"batch_size": 8, "max_epoch": 1},
        }
        for name, values in sections.items():
            base[name] = {**base.get(name, {}), **values} if isinstance(values, dict) else values
        return load_config(base, plugins=plugins)

    return read


def run(config: Config, plugins: Plugins) -> tuple[Engine, dict[str, Any]]:
    engine, plan = prepare(config, plugins)
    return engine, engine.execute(plan)


def test_a_configured_run_records_its_configuration(configure: Any, plugins: Plugins) -> None:
    engine, result = run(configure(), plugins)
    assert list(engine.terms) == ["softmax"]
    assert result["config"]["train"]["max_epoch"] == 1
    assert result["config"]["model"]["name"] == "tinynet"


def test_the_same_seed_gives_the_same_weights(configure: Any, plugins: Plugins) -> None:
    first, _ = run(configure(), plugins)
    second, _ = run(configure(), plugins)
    other, _ = run(configure(train={"batch_size": 8, "max_epoch": 1, "seed": 2}), plugins)
    state = first.model.state_dict()
    for key, value in second.model.state_dict().items():
        assert torch.equal(value, state[key])
    assert not torch.equal(other.model.state_dict()["conv.weight"], state["conv.weight"])


@pytest.mark.parametrize("how", [{"augment": "batch"}, {"cache": "ram", "workers": 1}])
def test_the_way_images_are_read_does_not_show_in_the_weights(
    configure: Any, plugins: Plugins, how: dict[str, Any]
) -> None:
    names = ["random_flip", "random_crop", "color_jitter", "random_erase"]
    plain, _ = run(configure(data={"transforms": names}), plugins)
    other, result = run(configure(data={"transforms": names, **how}), plugins)
    for key, value in other.model.state_dict().items():
        assert torch.equal(value, plain.model.state_dict()[key]), key
    assert how.items() <= result["config"]["data"].items()


def test_loss_terms_are_weighted_and_take_their_sections(configure: Any, plugins: Plugins) -> None:
    plugins.add(_candidate(NormPlugin()), requested=True)
    loss = {
        "terms": {"softmax": 0.5, "feature_norm": 2.0},
        "feature_norm": {"target": 3.0},
        "softmax": {"label_smooth": False},
    }
    engine, result = run(configure(loss=loss), plugins)
    assert engine.terms["feature_norm"][0] == 2.0
    assert engine.terms["feature_norm"][1].target == 3.0  # type: ignore[attr-defined]
    assert engine.terms["softmax"][1].eps == 0.0  # type: ignore[attr-defined]
    epoch = result["training"][0]
    assert epoch["loss"] == pytest.approx(epoch["softmax"] + epoch["feature_norm"], rel=1e-4)


def test_a_loss_alone_may_be_named(configure: Any, plugins: Plugins) -> None:
    plugins.add(_candidate(NormPlugin()), requested=True)
    engine, _ = run(configure(loss={"name": "feature_norm"}), plugins)
    assert list(engine.terms) == ["feature_norm"]


class Measured(FeatureNorm):
    """A loss that wants to know the features' size and the training samples."""

    def __init__(self, num_classes: int, feature_dim: int, train_table: Any) -> None:
        super().__init__(num_classes, target=feature_dim / len(train_table))


def test_a_loss_is_given_what_it_has_a_name_for(configure: Any, plugins: Plugins) -> None:
    class Plugin:
        @hookimpl
        def reid_register_losses(self, registry: Any) -> None:
            registry.add("measured", Measured)

    plugins.add(_candidate(Plugin()), requested=True)
    engine, _ = prepare(configure(loss={"name": "measured"}), plugins)
    table = engine.datamanager.train_table
    expected = engine.model.feature_dim / len(table)  # type: ignore[operator]
    assert engine.terms["measured"][1].target == expected  # type: ignore[attr-defined]


def test_two_losses_with_a_term_of_one_name_are_refused(configure: Any, plugins: Plugins) -> None:
    loss = {"terms": {"softmax": 1.0, "triplet": 1.0}, "triplet": {"weight_x": 1.0}}
    with pytest.raises(ConfigError, match=r"'triplet' brings a term 'softmax'.*loss\.triplet"):
        prepare(configure(loss=loss), plugins)


def test_a_run_resumes_from_its_configuration(
    configure: Any, plugins: Plugins, tmp_path: Path
) -> None:
    whole, _ = run(configure(train={"batch_size": 8, "max_epoch": 2}), plugins)
    half = configure(train={"batch_size": 8, "max_epoch": 1, "lr_scheduler": "single_step"})
    run(half, plugins)
    checkpoint = str(tmp_path / "log" / "model.pth.tar-1")
    resumed, result = run(
        configure(model={"resume": checkpoint}, train={"batch_size": 8, "max_epoch": 2}), plugins
    )
    assert [epoch["epoch"] for epoch in result["training"]] == [1, 2]
    for key, value in resumed.model.state_dict().items():
        assert torch.equal(value, whole.model.state_dict()[key]), key


def test_only_testing_needs_weights_and_no_training_images(
    configure: Any, plugins: Plugins, tmp_path: Path
) -> None:
    _, trained = run(configure(), plugins)
    weights = str(tmp_path / "log" / "model.pth.tar-1")
    config = configure(
        model={"load_weights": weights},
        test={"evaluate": True},
        train={"batch_size": 4096},
        data={"save_dir": str(tmp_path / "test")},
    )
    _, tested = run(config, plugins)
    assert tested["targets"]["tiny"]["mAP"] == pytest.approx(trained["targets"]["tiny"]["mAP"])
    assert tested["training"] == []
    assert not list((tmp_path / "test").glob("model*"))


def test_pictures_are_drawn_at_the_end(configure: Any, plugins: Plugins, tmp_path: Path) -> None:
    run(configure(test={"visrank": True, "visrank_topk": 3}), plugins)
    folder = tmp_path / "log" / "visrank_tiny"
    assert (folder / "overview.jpg").is_file()
    assert len(list(folder.glob("*.jpg"))) == 21  # of 20 of the 24 queries, and the overview


@pytest.mark.parametrize(
    ("sections", "error", "message"),
    [
        ({"train": {"batch_size": 4096}}, DataError, "batch of 4096 .*train.batch_size"),
        ({"data": {"sources": ["tinny"]}}, ConfigError, "Did you mean 'tiny'"),
        ({"data": {"root": "nowhere", "sources": ["market1501"]}}, DataError, "nowhere"),
        ({"model": {"load_weights": "gone.pth"}}, CheckpointError, "gone.pth"),
        ({"model": {"resume": "gone.pth"}}, CheckpointError, "gone.pth"),
        ({"test": {"dist_metric": "cosin"}}, UserError, "Did you mean 'cosine'"),
        ({"test": {"protocol": "marekt1501"}}, ConfigError, "Did you mean 'market1501'"),
        ({"data": {"type": "video"}}, DataError, "'tiny' holds images.*data.type=image"),
        (
            {"train": {"batch_size": 8, "fixbase_epoch": 1, "open_layers": ["clasifier"]}},
            UserError,
            "Did you mean 'classifier'",
        ),
    ],
)
def test_mistakes_are_found_before_the_first_step(
    configure: Any,
    plugins: Plugins,
    tmp_path: Path,
    sections: dict[str, Any],
    error: type[UserError],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        run(configure(**sections), plugins)
    assert not (tmp_path / "log").exists()


def _candidate(plugin: object) -> Any:
    from reidcore.plugins.discovery import object_candidate

    return object_candidate(plugin)


class OwnLosses(Engine):
    """An engine whose losses are its own."""

    def __init__(self, datamanager: Any, model: Any, optimizer: Any, **core: Any) -> None:
        core.pop("scheduler")
        super().__init__(datamanager, **core)
        self.register_model("model", model, optimizer)


class TwoModels(Engine):
    """An engine that asks the core for a further model, and for the loss terms."""

    def __init__(
        self, datamanager: Any, model: Any, optimizer: Any, terms: Any, build_state: Any
    ) -> None:
        super().__init__(datamanager, use_gpu=False)
        self.register_model("model", model, optimizer)
        further = build_state("")
        self.register_model("second", further.model, further.optimizer, further.scheduler)
        self.terms = terms


class EnginePlugin:
    @hookimpl
    def reid_register_engines(self, registry: Any) -> None:
        registry.add("own_losses", OwnLosses)
        registry.add("two_models", TwoModels)


def test_loss_terms_beside_an_engine_with_losses_of_its_own_are_refused(
    configure: Any, root: Path
) -> None:
    with make_plugins(extra=[TinyWorld(), EnginePlugin()]) as plugins:
        loss = {"name": "own_losses", "terms": {"softmax": 1.0}}
        with pytest.raises(ConfigError, match="whose losses are its own"):
            prepare(configure(plugins=plugins, loss=loss), plugins)


def test_an_engine_gets_further_models_and_the_loss_terms(configure: Any) -> None:
    with make_plugins(extra=[TinyWorld(), EnginePlugin()]) as plugins:
        loss = {"name": "two_models", "terms": {"softmax": 0.5}}
        engine, _ = prepare(configure(plugins=plugins, loss=loss), plugins)
    first, second = engine.states.values()
    assert not torch.equal(first.model.classifier.weight, second.model.classifier.weight)
    assert second.optimizer is not None
    assert second.optimizer is not first.optimizer
    assert second.scheduler is not None
    assert engine.terms["softmax"][0] == 0.5
    images = torch.rand(2, 3, 32, 16)
    batch = {"img": images, "pid": torch.tensor([0, 1])}
    engine.set_model_mode("eval")
    for name, state in engine.states.items():
        expected = state.model(images)
        torch.testing.assert_close(engine.outputs(batch, name).features, expected)
        torch.testing.assert_close(engine.extract_features(images, name=name), expected)
    torch.testing.assert_close(engine.extract_features(images), first.model(images))
