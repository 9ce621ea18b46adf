"""Whatever a plugin's hook or component gives wrongly is told in the plugin's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from reidcore import hookimpl
from reidcore.cli.exit_codes import exit_code
from reidcore.config import load_config
from reidcore.config.options import DataOptions
from reidcore.config.options.plan import RunPlan
from reidcore.data import SampleTable
from reidcore.data.by_name import open_datasets
from reidcore.data.loader.sampling import make_order
from reidcore.data.transforms.build import make_transforms
from reidcore.engine import Engine
from reidcore.engine.build import build_engine
from reidcore.engine.evaluator import evaluate_target
from reidcore.engine.loss_terms import RESERVED_FIGURES, make_terms, weighted_terms
from reidcore.errors import PluginDefectError
from reidcore.inference import FeatureExtractor
from reidcore.models import Outputs, build_model
from reidcore.optim import build_lr_scheduler, build_optimizer
from reidcore.plugins import Plugins, make_plugins
from reidcore.registry import Chooser, choose
from reidcore.testing import TinyWorld

MakeEngine = Callable[..., Engine]


class Raises:
    """An object that can be asked for nothing."""

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__") and name != "__array__":
            return object.__getattribute__(self, name)
        raise RuntimeError(f"asked for {name}")

    def __iter__(self) -> Any:
        raise RuntimeError("iterated")

    def __len__(self) -> int:
        raise RuntimeError("measured")


ODD = [
    5,
    float("nan"),
    "text",
    b"bytes",
    [],
    [1, "a"],
    {1, 2},
    {"a": None},
    {1: 2},
    (5,),
    (1, 2, 3),
    (i for i in range(3)),
    object(),
    int,
    torch.zeros(3, 3, 3),
    np.array(["a"]),
    Raises(),
]


def named(odd: Any) -> str:
    return type(odd).__name__


HOOKS = {
    "reid_compute_losses": ODD,
    "reid_forward_backward": ODD,
    "reid_stop_training": [odd for odd in ODD if odd != "text"],
    "reid_figures": ODD,
    "reid_checkpoint_save": [odd for odd in ODD if not isinstance(odd, dict)],
    "reid_evaluate": ODD,
    "reid_extract_features": ODD,
    "reid_transform_features": ODD,
    "reid_compute_distance": ODD,
}
CASES = [(hook, odd) for hook, odds in HOOKS.items() for odd in odds]


def answering(hook: str, odd: Any) -> Any:
    """Return a plugin that answers a hook with an object; wrappers replace what there was."""

    def answer(self: Any) -> Any:
        return odd

    plugin = type("Culprit", (), {hook: hookimpl(answer)})()
    return plugin


@pytest.mark.parametrize(("hook", "odd"), CASES, ids=[f"{h}-{named(o)}" for h, o in CASES])
def test_a_wrong_answer_to_a_hook_names_its_plugin(
    make_engine: MakeEngine, tmp_path: Path, hook: str, odd: Any
) -> None:
    engine = make_engine(answering(hook, odd))
    with pytest.raises(PluginDefectError, match="Culprit") as told:
        engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert exit_code(told.value, debug=False) == 1


@pytest.mark.parametrize("name", sorted(RESERVED_FIGURES | {"loss"}))
def test_the_records_own_names_are_no_names_of_terms_or_figures(
    make_engine: MakeEngine, tmp_path: Path, name: str
) -> None:
    class Culprit:
        @hookimpl(wrapper=True)
        def reid_compute_losses(self) -> Any:
            losses = yield
            return {**losses, name: next(iter(losses.values())) * 2}

    with pytest.raises(PluginDefectError, match=f"'Culprit' gave a term named '{name}'"):
        make_engine(Culprit()).run(save_dir=str(tmp_path), max_epoch=1)
    if name in RESERVED_FIGURES:
        with pytest.raises(PluginDefectError, match=f"Culprit.*{name}"):
            make_engine(answering("reid_figures", {name: 1.0})).run(
                save_dir=str(tmp_path), max_epoch=1
            )


class Gives:
    """A plugin whose components of all kinds give one object.

    Args:
        given: what every factory gives.
    """

    def __init__(self, given: Any) -> None:
        self._given = given

    def _add(self, registry: Any, kind: str) -> None:
        registry.add("odd", lambda *args, **kwargs: self._given, aliases=(f"odd_{kind}",))

    for _kind in (
        *("models", "poolings", "classifiers", "datasets", "losses", "samplers", "engines"),
        *("transforms", "optimizers", "schedulers", "protocols"),
    ):
        vars()[f"reid_register_{_kind}"] = hookimpl(
            lambda self, registry, kind=_kind: self._add(registry, kind)
        )


TABLE = SampleTable.of([("a.jpg", 0, 0), ("b.jpg", 1, 1)])
NET = nn.Linear(2, 2)


def with_head(made: Plugins, **head: Any) -> Any:
    return build_model("tinynet", 3, plugins=made, image_size=(32, 16), head=head)


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD(NET.parameters(), lr=0.1)


def with_engine(made: Plugins) -> Any:
    """Return the engine that the bundled softmax would be, but for ``loss.name``."""
    config = load_config({"use_gpu": False, "loss": {"name": "odd_engines"}}, plugins=made)
    return build_engine(config, SimpleNamespace(train_table=TABLE), NET, 2, made)  # type: ignore[arg-type]


USES: dict[str, Callable[[Plugins], Any]] = {
    "model": lambda made: build_model("odd", 3, plugins=made),
    "pooling": lambda made: with_head(made, pool="odd"),
    "classifier": lambda made: with_head(made, classifier="odd"),
    "loss": lambda made: make_terms(
        {"odd": (1.0, choose("losses", "odd", plugins=made))}, num_classes=3
    ),
    "sampler": lambda made: make_order(choose("samplers", "odd", plugins=made), TABLE, 2, 0),
    "optimizer": lambda made: build_optimizer(NET, "odd", plugins=made),
    "scheduler": lambda made: build_lr_scheduler(sgd(), "odd", plugins=made),
    "dataset": lambda made: open_datasets(["odd"], "", Chooser(made)),
    "engine": lambda made: with_engine(made),
    "transform": lambda made: make_transforms(DataOptions(transforms=["odd"]), Chooser(made)),
}
GIVEN = [(kind, odd) for kind in USES for odd in [None, *ODD]]


@pytest.mark.parametrize(("kind", "odd"), GIVEN, ids=[f"{k}-{named(o)}" for k, o in GIVEN])
def test_a_factory_that_gives_something_else_names_its_plugin(kind: str, odd: Any) -> None:
    if odd is int and kind in ("loss", "transform"):
        pytest.skip("a callable, as it should be")
    made = make_plugins(extra=[TinyWorld(), Gives(odd)])
    with pytest.raises(PluginDefectError, match=f"{kind} 'odd' of plugin 'Gives'") as told:
        USES[kind](made)
    assert exit_code(told.value, debug=False) == 1


@pytest.mark.parametrize(
    "order",
    [
        None,
        5,
        "ab",
        [0, 2],
        [-1],
        [[0, 1]],
        [0.5],
        [0, None],
        np.array([True, False]),
        iter([0, 1]),
        Raises(),
    ],
    ids=named,
)
def test_an_order_of_other_than_rows_names_the_samplers_plugin(order: Any) -> None:
    class Orders:
        def order(self, epoch: int) -> Any:
            return order

    made = make_plugins(extra=[Gives(Orders())])
    checked = make_order(choose("samplers", "odd", plugins=made), TABLE, 2, 0)
    with pytest.raises(
        PluginDefectError, match=r"sampler 'odd' of plugin 'Gives' gave .* in order"
    ):
        checked.order(0)


@pytest.mark.parametrize("answer", [None, 5, "text", [1], object()], ids=named)
def test_a_transform_that_gives_no_image_names_its_plugin(answer: Any) -> None:
    from PIL import Image

    made = make_plugins(extra=[Gives(lambda image: answer)])
    train, _ = make_transforms(DataOptions(transforms=["odd"], height=8, width=8), Chooser(made))
    with pytest.raises(
        PluginDefectError, match=r"transform 'odd' of plugin 'Gives' gave .* its call"
    ):
        train(Image.new("RGB", (8, 8)))


@pytest.mark.parametrize("training", [True, False])
def test_a_model_that_gives_maps_is_named_with_its_plugin(
    make_engine: MakeEngine, tmp_path: Path, training: bool
) -> None:
    class Maps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 16, 1)

        def forward(self, images: torch.Tensor) -> Any:
            maps = self.layer(images)
            if self.training == training:
                return (maps, maps) if training else maps
            vectors = maps.mean((2, 3))
            return (vectors, vectors) if self.training else vectors

    made = make_plugins(extra=[Gives(Maps())])
    engine = make_engine()
    model = build_model("odd", engine.datamanager.num_train_pids, plugins=made)
    engine.states.clear()
    engine.register_model("model", model, torch.optim.SGD(model.parameters(), lr=0.1), None)
    with pytest.raises(Exception, match="model 'odd' of plugin 'Gives'"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


@pytest.mark.parametrize("answer", [None, 5, {"mAP": 1.0}], ids=named)
def test_a_protocol_that_gives_no_result_names_its_plugin(
    make_engine: MakeEngine, answer: Any
) -> None:
    class Protocol:
        def evaluate(self, *args: Any, **kwargs: Any) -> Any:
            return answer

    for given, told in ((Protocol(), "in evaluate"), (answer, "")):
        engine = make_engine(Gives(given))
        engine.plan = RunPlan(protocol="odd")
        match = f"protocol 'odd' of plugin 'Gives' gave .*{told}"
        with pytest.raises(PluginDefectError, match=match):
            evaluate_target(engine, next(iter(engine.test_loader)))


@pytest.mark.parametrize("answer", [None, 5, 0.5, "text", [1], torch.ones(2), torch.ones(3, 3)])
@pytest.mark.parametrize("takes_all", [True, False])
def test_a_loss_that_gives_no_scalar_is_named_with_its_plugin(
    make_engine: MakeEngine, tmp_path: Path, answer: Any, takes_all: bool
) -> None:
    def whole(outputs: Any, batch: Any) -> Any:
        return answer

    def of_logits(logits: Any, pids: Any) -> Any:
        return answer

    made = make_plugins(extra=[Gives(whole if takes_all else of_logits)])
    engine = make_engine()
    engine.terms = make_terms({"odd": (0.5, choose("losses", "odd", plugins=made))}, num_classes=6)
    with pytest.raises(
        PluginDefectError, match=r"loss 'odd' of plugin 'Gives' gave .* give a scalar"
    ):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


def test_a_loss_under_two_names_is_told_by_each_and_never_written_to() -> None:
    class Twice:
        @hookimpl
        def reid_register_losses(self, registry: Any) -> None:
            registry.add("first", lambda num_classes: F.cross_entropy)
            registry.add("second", lambda num_classes: F.cross_entropy)

    made = make_plugins(extra=[Twice()])
    losses = {n: (1.0, choose("losses", n, plugins=made)) for n in ("first", "second")}
    before = dict(vars(F.cross_entropy))
    terms = make_terms(losses, num_classes=6)
    assert vars(F.cross_entropy) == before
    outputs, batch = Outputs(torch.zeros(2, 6), None), {"pid": torch.tensor([0, 1])}
    with pytest.raises(PluginDefectError, match="loss 'first' of plugin 'Twice' gave"):
        weighted_terms(terms, outputs, batch, lambda *_: None)  # type: ignore[arg-type, return-value]


def test_the_extractor_checks_the_answer_that_it_asks_for_itself() -> None:
    for odd in [5, torch.zeros(3), torch.zeros(5, 8)]:
        made = make_plugins(extra=[TinyWorld(), answering("reid_extract_features", odd)])
        with pytest.raises(PluginDefectError, match=r"'Culprit' gave .* in reid_extract"):
            FeatureExtractor(
                "tinynet", image_size=(16, 8), device="cpu", verbose=False, plugins=made
            )(torch.zeros(2, 3, 16, 8))
