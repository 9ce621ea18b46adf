"""Nothing is left untrained in silence, and what the user froze stays frozen."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from reid_plugins_engines import loss_state
from reid_plugins_engines.losses import triplet_terms
from reid_plugins_engines.trainability import layers_of
from torch import Tensor, nn

from reidcore import hookimpl
from reidcore.data import ImageDataManager
from reidcore.engine import Engine, ImageSoftmaxEngine, Interrupted, RunPlan, Stage
from reidcore.errors import CheckpointError, UserError
from reidcore.losses import CrossEntropyLoss
from reidcore.models import unwrap
from reidcore.optim import build_lr_scheduler, build_optimizer
from reidcore.testing import TinyNet, TinyRun, TinyWorld, fake_dataset, make_plugins, tiny_run
from reidcore.utils import load_checkpoint, set_random_seed
from tests.stopping import StopAfter

MakeEngine = Callable[..., Engine]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny dataset: six people, 24 pictures to train on."""
    folder = tmp_path_factory.mktemp("data")
    fake_dataset(folder / "tiny")
    return folder


@pytest.fixture
def make_engine(root: Path) -> MakeEngine:
    """Return a function that builds an engine for three batches an epoch."""

    def build(*extra: Any, engine_class: type[Engine] | None = None) -> Engine:
        made = make_plugins(TinyWorld(), *extra)
        set_random_seed(3)
        folder = str(root)
        sized = {"height": 32, "width": 16, "transforms": [], "batch_size": 8, "workers": 0}
        datamanager = ImageDataManager(root=folder, sources="tiny", plugins=made, **sized)
        model = TinyNet(datamanager.num_train_pids)
        optimizer = build_optimizer(model, lr=0.01)
        schedule = build_lr_scheduler(optimizer, "cosine", max_epoch=4)
        if engine_class is None:
            return ImageSoftmaxEngine(datamanager, model, optimizer, schedule, plugins=made)
        engine = engine_class(datamanager, plugins=made)
        engine.register_model("model", model, optimizer, schedule)
        return engine

    return build


def softmax_engine(like: Engine, model: nn.Module, optimizer: Any) -> Engine:
    return ImageSoftmaxEngine(like.datamanager, model, optimizer, plugins=like.plugins)


def parameters(model: nn.Module) -> dict[str, Tensor]:
    return {name: each.detach().clone() for name, each in model.named_parameters()}


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said of who is trained, where a bare script shows it."""
    ours = [each for each in caplog.records if each.name.startswith("reidcore.")]
    return [each.getMessage() for each in ours if each.msg.startswith("trained: ")]


# -- runs that could change nothing ----------------------------------------------------------------


def test_a_run_without_an_optimizer_is_refused(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = softmax_engine(make_engine(), TinyNet(6), None)
    with pytest.raises(UserError, match="no optimizer was given for model 'model'"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert engine.run(save_dir=str(tmp_path), test_only=True)["targets"]


@pytest.mark.parametrize("turn", [copy.deepcopy, lambda model: TinyNet(6)])
def test_an_optimizer_of_another_model_is_refused(
    make_engine: MakeEngine, tmp_path: Path, turn: Callable[[nn.Module], nn.Module]
) -> None:
    model = TinyNet(6)
    engine = softmax_engine(make_engine(), turn(model), build_optimizer(model))
    with pytest.raises(UserError, match=r"of model 'model' holds none of its 6 parameters: .*copy"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


def test_a_model_that_is_all_frozen_is_refused(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    engine.model.requires_grad_(False)
    with pytest.raises(UserError, match="0 of 6 parameters of model 'model'; frozen: conv, norm"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


def test_losses_that_all_weigh_nothing_are_refused(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    engine.terms = {name: (0.0, criterion) for name, (_, criterion) in engine.terms.items()}
    with pytest.raises(UserError, match=r"all losses have the weight 0 \(softmax\)"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


def test_so_they_are_not_where_a_plugin_adds_one(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Added:
        @hookimpl(wrapper=True)
        def reid_compute_losses(self, outputs: Any) -> Generator[None, Any, Any]:
            terms = yield
            return terms | {"size": outputs.logits.square().mean()}

    engine = make_engine(Added())
    engine.terms = {name: (0.0, criterion) for name, (_, criterion) in engine.terms.items()}
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert engine.record.history[0]["size"] > 0


@pytest.mark.parametrize(
    "terms",
    [{"triplet": 1.0}, {"triplet": 1.0, "softmax": 0.0}],
    ids=["features_of_branches", "logits_of_no_weight"],
)
def test_a_classifier_that_no_loss_reads_cannot_be_trained_alone(
    make_engine: MakeEngine, tmp_path: Path, terms: dict[str, float]
) -> None:
    criteria = {
        "triplet": triplet_terms(6, branch_weights=[1.0])["triplet"][1],
        "softmax": CrossEntropyLoss(6),
    }
    engine = make_engine()
    engine.terms = {name: (weight, criteria[name]) for name, weight in terms.items()}
    with pytest.raises(UserError, match="but no loss reads the classifier's logits"):
        engine.run(save_dir=str(tmp_path), max_epoch=2, fixbase_epoch=1, open_layers="classifier")


def test_frozen_layers_cannot_be_trained_alone(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    engine.model.get_submodule("classifier").requires_grad_(False)
    with pytest.raises(UserError, match="fixbase_epoch=1 trains classifier alone at first, and no"):
        engine.run(save_dir=str(tmp_path), max_epoch=2, fixbase_epoch=1, open_layers="classifier")


class Staged(ImageSoftmaxEngine):
    """Trains the classifier in a first stage, and in the second what its optimizer holds."""

    def stages(self, plan: RunPlan) -> Sequence[Stage]:
        return [Stage("classifier", 1, self.train_classifier), Stage("all", 1)]

    def train_classifier(self) -> None:
        self.states["model"].optimizer = build_optimizer(self.model.get_submodule("classifier"))


def test_each_stage_is_looked_at_where_it_begins(
    make_engine: MakeEngine,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level("INFO")
    placed: list[str] = []
    monkeypatch.setattr(loss_state, "place", lambda engine: placed.append(engine.stage.name))
    parts = make_engine()
    staged = Staged(parts.datamanager, parts.model, parts.optimizer, plugins=parts.plugins)
    staged.run(save_dir=str(tmp_path / "sound"), max_epoch=1)
    assert told(caplog) == [
        "trained: 2 of 6 parameters of model 'model'; in no optimizer: conv, norm"
    ]
    assert placed == ["classifier", "all"]
    copied = Staged(
        parts.datamanager, parts.model, build_optimizer(TinyNet(6)), plugins=parts.plugins
    )
    with pytest.raises(UserError, match="of model 'model' holds none of its 6 parameters"):
        copied.run(save_dir=str(tmp_path / "odd"), max_epoch=1)
    assert copied.epoch == 1


def test_an_optimizer_over_several_registered_models_is_right(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    engine = make_engine()
    second, teacher = TinyNet(6), TinyNet(6)
    engine.optimizer.add_param_group({"params": list(second.parameters())})  # type: ignore[union-attr]
    engine.states["model"].scheduler.base_lrs.append(0.01)  # type: ignore[union-attr]
    engine.register_model("second", second)
    engine.register_model("teacher", teacher)
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert told(caplog) == [  # of those that are trained whole there is nothing to say
        "trained: 0 of 6 parameters of model 'teacher'; in no optimizer: conv, norm, classifier",
    ]


# -- what the user froze, chose or forgot ----------------------------------------------------------


@pytest.mark.parametrize("fixbase", [{}, {"fixbase_epoch": 1, "open_layers": ["classifier"]}])
def test_frozen_layers_stay_frozen(
    make_engine: MakeEngine, tmp_path: Path, fixbase: dict[str, Any]
) -> None:
    engine = make_engine()
    engine.model.get_submodule("conv").requires_grad_(False)
    before = parameters(engine.model)
    engine.run(save_dir=str(tmp_path), max_epoch=2, **fixbase)
    same = [
        name for name, each in parameters(engine.model).items() if torch.equal(each, before[name])
    ]
    assert same == ["conv.weight", "conv.bias"]


@pytest.mark.parametrize("max_epoch", [1, 2])
def test_what_a_run_froze_for_a_while_is_open_after_it(
    make_engine: MakeEngine, tmp_path: Path, max_epoch: int
) -> None:
    engine = make_engine()
    engine.model.get_parameter("norm.bias").requires_grad_(False)
    fixbase = {"fixbase_epoch": 1, "open_layers": "classifier"}
    engine.run(save_dir=str(tmp_path), max_epoch=max_epoch, **fixbase)  # type: ignore[arg-type]
    closed = [name for name, each in engine.model.named_parameters() if not each.requires_grad]
    assert closed == ["norm.bias"]


def test_so_it_is_after_a_run_that_was_stopped(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine(StopAfter(1))
    with pytest.raises(Interrupted):
        engine.run(save_dir=str(tmp_path), max_epoch=2, fixbase_epoch=1, open_layers="classifier")
    assert all(each.requires_grad for each in engine.model.parameters())


def test_the_layers_that_train_alone_are_told_in_a_sentence(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    make_engine().run(
        save_dir=str(tmp_path), max_epoch=1, fixbase_epoch=1, open_layers=["norm", "classifier"]
    )
    assert "Training norm and classifier alone (epoch 1/1)" in caplog.messages


def test_who_is_trained_is_told_by_name(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    engine = make_engine()
    engine.model.get_submodule("norm").requires_grad_(False)
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert told(caplog) == ["trained: 4 of 6 parameters of model 'model'; frozen: norm"]


def test_a_layer_made_after_the_optimizer_is_told_by_name(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine()
    engine.model.classifier = nn.Linear(8, 6)
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert told(caplog) == [
        "trained: 4 of 6 parameters of model 'model'; in no optimizer: classifier"
    ]


def test_layers_are_named_as_wholes_where_they_are() -> None:
    names = ["stem.weight", "block.a.weight", "block.a.bias", "block.b.weight", "scale"]
    assert layers_of(names, names) == ["stem", "block", "scale"]
    assert layers_of(["block.a.weight", "block.a.bias"], names) == ["block.a"]
    assert layers_of(["block.a.bias", "scale"], names) == ["block.a.bias", "scale"]


# -- losses that learn -----------------------------------------------------------------------------


class Centres(nn.Module):
    """The squared distance of features to the centre of their identity."""

    takes = "features"

    def __init__(self, num_classes: int, feature_dim: int) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.zeros(num_classes, feature_dim))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        self.seen += len(pids)
        return (features - self.centres[pids]).square().sum(1).mean()


class Losses:
    @hookimpl
    def reid_register_losses(self, registry: Any) -> None:
        registry.add("centres", Centres)


def centres_run(save_dir: Path, root: Path, *overrides: str, extra: Any = ()) -> TinyRun:
    terms = "loss.terms={softmax: 1.0, centres: 0.5}"
    settings = [terms, "train.lr_scheduler=cosine", "data.transforms=[]", *overrides]
    return tiny_run(Losses(), *extra, save_dir=save_dir, root=root, overrides=settings)


def centres_of(run: TinyRun) -> Centres:
    criterion = run.engine.terms["centres"][1]
    assert isinstance(criterion, Centres)
    return criterion


def test_a_loss_that_learns_has_a_group_of_its_own(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "reidcore")
    run = centres_run(tmp_path, root, "train.staged_lr=true", "train.new_layers=[classifier]")
    learnt = centres_of(run).centres
    assert run.engine.optimizer is not None
    assert [each is learnt for each in run.engine.optimizer.param_groups[-1]["params"]] == [True]
    assert learnt.abs().sum() > 0
    assert "trained: 1 of 1 parameter of loss 'centres'" in told(caplog)


def test_what_a_loss_learnt_is_resumed_bit_for_bit(root: Path, tmp_path: Path) -> None:
    class StopsInTheSecondEpoch:
        @hookimpl
        def reid_step_end(self, engine: Engine) -> None:
            if engine.epoch == 1:
                engine.interruption.ask()

    whole = centres_run(tmp_path / "whole", root, "train.max_epoch=3")
    with pytest.raises(Interrupted):
        centres_run(tmp_path, root, "train.max_epoch=3", extra=[StopsInTheSecondEpoch()])
    checkpoint = tmp_path / "model-interrupted.pth.tar-1"
    rest = centres_run(tmp_path, root, "train.max_epoch=3", f"model.resume={checkpoint}")
    assert load_checkpoint(checkpoint)["reidcore"]["hooks"]["engines"]["centres"]["seen"] == 24 + 8
    assert torch.equal(centres_of(rest).centres, centres_of(whole).centres)
    assert centres_of(rest).seen == centres_of(whole).seen == 3 * 24
    for name, value in unwrap(whole.engine.model).state_dict().items():
        assert torch.equal(unwrap(rest.engine.model).state_dict()[name], value), name


def test_a_loss_of_another_size_is_refused(make_engine: MakeEngine, tmp_path: Path) -> None:
    def with_centres(num_classes: int) -> Engine:
        engine = make_engine()
        engine.terms = {**engine.terms, "centres": (0.5, Centres(num_classes, 8))}
        return engine

    with_centres(6).run(save_dir=str(tmp_path), max_epoch=1)
    engine = with_centres(7)
    start = engine.resume(str(tmp_path / "model.pth.tar-1"))
    with pytest.raises(CheckpointError, match="the loss 'centres' in the checkpoint does not fit"):
        engine.run(save_dir=str(tmp_path), max_epoch=2, start_epoch=start)


class Queue(nn.Module):
    """Keeps the features that it was shown, within a module of its own, and costs nothing."""

    takes = "features"

    def __init__(self) -> None:
        super().__init__()
        self.memory = nn.Module()
        self.memory.register_buffer("shown", torch.empty(0, 8))

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        self.memory.shown = torch.cat([self.memory.shown, features.detach()])  # type: ignore[operator, list-item]
        return 0 * features.sum()


def test_a_queue_that_grew_is_resumed(make_engine: MakeEngine, tmp_path: Path) -> None:
    def with_queue() -> tuple[Engine, Queue]:
        engine, queue = make_engine(), Queue()
        engine.terms = {**engine.terms, "queue": (1.0, queue)}
        return engine, queue

    first, shown = with_queue()
    first.run(save_dir=str(tmp_path), max_epoch=1)
    second, resumed = with_queue()
    start = second.resume(str(tmp_path / "model.pth.tar-1"))
    second.run(save_dir=str(tmp_path), max_epoch=2, start_epoch=start)
    seen = len(shown.memory.shown)  # type: ignore[arg-type]
    assert seen > 0
    assert torch.equal(resumed.memory.shown[:seen], shown.memory.shown)  # type: ignore[index, arg-type]
    assert len(resumed.memory.shown) == 2 * seen  # type: ignore[arg-type]


def test_a_loss_that_no_optimizer_holds_is_told(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine()
    engine.terms = {**engine.terms, "centres": (0.5, Centres(6, 8))}
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert told(caplog) == ["trained: 0 of 1 parameter of loss 'centres'; in no optimizer: centres"]


# -- fewer classes than identities -----------------------------------------------------------------


def test_a_model_with_fewer_classes_than_identities_is_refused(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    model = TinyNet(5)
    engine = softmax_engine(make_engine(), model, build_optimizer(model))
    with pytest.raises(UserError, match="the model has 5 classes, and the loss 6 identities"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


def test_so_it_is_by_the_loss_in_a_step_of_ones_own(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Own(Engine):
        def forward_backward(self, data: Any) -> dict[str, float]:
            images, pids = self.parse_data_for_train(data)
            criterion = CrossEntropyLoss(self.datamanager.num_train_pids)
            return {"loss": self.compute_loss(criterion, self.model(images), pids).item()}

    model = TinyNet(5)
    engine = make_engine(engine_class=Own)
    engine.states.clear()
    engine.register_model("model", model, build_optimizer(model))
    with pytest.raises(UserError, match="the model has 5 classes, and the loss 6 identities"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


@pytest.mark.parametrize("criterion", [nn.CrossEntropyLoss(), nn.NLLLoss()])
def test_so_it_is_by_torchs_losses_in_a_step_of_ones_own(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture, criterion: nn.Module
) -> None:
    class Own(Engine):
        def forward_backward(self, data: Any) -> dict[str, float]:
            images, pids = self.parse_data_for_train(data)
            return {"loss": criterion(self.model(images), pids).item()}

    model = TinyNet(2)
    engine = make_engine(engine_class=Own)
    engine.states.clear()
    engine.register_model("model", model, build_optimizer(model))
    told = "the model has 2 classes, and the data 6 identities"
    with pytest.raises(UserError, match=told) as refused:
        engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert isinstance(refused.value.__cause__, IndexError)
    assert told in caplog.text


def test_an_index_of_ones_own_that_is_wrong_stays_what_it_is(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Own(Engine):
        def forward_backward(self, data: Any) -> Any:
            return [][3]

    with pytest.raises(IndexError, match="list index"):
        make_engine(engine_class=Own).run(save_dir=str(tmp_path), max_epoch=1)


def test_more_classes_than_identities_are_fine(make_engine: MakeEngine, tmp_path: Path) -> None:
    model = TinyNet(9)
    engine = softmax_engine(make_engine(), model, build_optimizer(model))
    assert engine.run(save_dir=str(tmp_path), max_epoch=1)["finished"]
