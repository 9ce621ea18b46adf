"""Distillation: what a student learns from a frozen teacher, and which teachers are refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from reid_plugins_training.distillation import Distillation, cosine_loss, relation_loss
from reid_plugins_training.teacher import Teacher, rebuild_model
from torch import Tensor

from reidcore import hookimpl
from reidcore.engine import ClipBatches, Engine
from reidcore.errors import CheckpointError, UserError
from reidcore.inference import read_metadata
from reidcore.registry import Registrar
from reidcore.testing import TinyNet, TinyRun, fake_dataset, tiny_run

Train = Callable[..., TinyRun]
DISTILL = "settings.training.distill"
ALL_TERMS = [f"{DISTILL}.cosine=1", f"{DISTILL}.relation=1"]


class WideNet(TinyNet):
    """A network of wider features."""

    feature_dim = 16

    def embed(self, maps: Tensor) -> Tensor:
        return super().embed(maps).repeat(1, 2)

    def __init__(self, num_classes: int, **options: Any) -> None:
        super().__init__(num_classes, **options)
        self.classifier = torch.nn.Linear(16, num_classes)


class Wide:
    @hookimpl
    def reid_register_models(self, registry: Registrar) -> None:
        registry.add("widenet", WideNet)


class Catches:
    """Keeps the teacher of a run, and what it was at the start."""

    def __init__(self) -> None:
        self.before: dict[str, Tensor] = {}
        self.network: Any = None

    @hookimpl(trylast=True)
    def reid_run_start(self, engine: Engine) -> None:
        (plugin,) = [each for each in engine.plugins.active if each.name.endswith("distill")]
        self.network = plugin.obj._runs.get(engine).teacher._network
        self.before = {n: each.clone() for n, each in self.network.state_dict().items()}


@pytest.fixture(scope="module")
def teacher(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a trained network."""
    folder = tmp_path_factory.mktemp("teacher")
    pixels = ["data.norm_mean=[0.3,0.5,0.6]", "data.norm_std=[0.2,0.2,0.2]"]
    tiny_run(save_dir=folder, root=root, overrides=["train.lr=0.01", *pixels])
    return folder / "model.pth.tar-1"


@pytest.fixture
def learn(train: Train, teacher: Path) -> Train:
    """Return a function that trains a student."""

    def run(name: str, *settings: str, plugins: tuple[Any, ...] = ()) -> TinyRun:
        return train(name, f"{DISTILL}.teacher={teacher}", *settings, plugins=plugins)

    return run


# -- the terms -------------------------------------------------------------------------------------


def test_golden_values_of_the_terms_on_features() -> None:
    own, its = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[3.0, 0.0], [4.0, 0.0]])
    assert cosine_loss(own, its).item() == pytest.approx(0.5)  # cosines 1 and 0
    assert relation_loss(own, its).item() == pytest.approx(0.5)  # cosines 0 and 1 off the diagonal
    assert relation_loss(own, torch.tensor([[5.0], [5.0]])).item() == pytest.approx(0.5)


def test_a_student_that_equals_its_teacher_has_nothing_to_learn() -> None:
    features = torch.randn(6, 5)
    assert cosine_loss(features, 2 * features).item() == pytest.approx(0, abs=1e-6)
    assert relation_loss(features, 2 * features).item() == pytest.approx(0, abs=1e-6)


def test_relations_are_exact_under_mixed_precision() -> None:
    torch.manual_seed(0)
    own, its = torch.randn(8, 64), torch.randn(8, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = relation_loss(own, its)
    assert mixed.item() == relation_loss(own, its).item()


# -- a run -----------------------------------------------------------------------------------------


def test_a_run_shows_the_terms_and_who_adds_them(learn: Train, teacher: Path) -> None:
    run = learn("log", *ALL_TERMS)
    last = run.result["training"][-1]
    assert {"distill_logits", "distill_cosine", "distill_relation", "softmax"} <= last.keys()
    assert run.result["step"]["loss_wrappers"] == ["training.distill"]
    state = torch.load(Path(run.engine.plan.save_dir, "model.pth.tar-2"), weights_only=False)
    kept = state["reidcore"]["hooks"]["training.distill"]
    assert kept["teacher"] == str(teacher)
    assert sorted(kept) == ["sha256", "teacher"]  # and not its weights


def test_a_student_comes_near_its_teacher(learn: Train) -> None:
    settings = ("train.max_epoch=6", "train.lr=0.05", f"{DISTILL}.cosine=20")
    epochs = learn("log", *settings).result["training"]
    assert epochs[-1]["distill_cosine"] < 0.7 * epochs[0]["distill_cosine"]


def test_the_teacher_stays_as_it_is_and_evaluates(learn: Train) -> None:
    caught = Catches()
    learn("log", *ALL_TERMS, plugins=(caught,))
    assert not caught.network.training
    assert not any(each.requires_grad for each in caught.network.parameters())
    after = caught.network.state_dict()
    assert "norm.running_mean" in after
    assert all(torch.equal(after[name], before) for name, before in caught.before.items())


def test_no_distillation_is_in_the_step_of_other_runs(train: Train) -> None:
    assert train("log").result["step"]["loss_wrappers"] == []


def test_each_frame_of_a_clip_has_what_the_teacher_gives_of_it(learn: Train, teacher: Path) -> None:
    engine = learn("log").engine
    batch = next(iter(engine.train_loader))
    frames = Teacher(teacher, engine)(engine.parse(batch))
    engine.batch_layout = ClipBatches()
    halves = {name: batch[name][::2] for name in ("pid", "camid", "impath")}
    clips = {**halves, "img": batch["img"].unflatten(0, (-1, 2))}
    given = Teacher(teacher, engine)(engine.parse(clips))
    assert isinstance(given.logits, Tensor)
    torch.testing.assert_close(given.logits, frames.logits)


def test_two_students_under_mixed_precision_and_accumulation(learn: Train) -> None:
    settings = ("loss.name=dml", "loss.dml.weight_t=0", "train.amp=bf16", "train.accumulate=2")
    last = learn("log", *settings).result["training"][-1]
    assert last["model/distill_logits"] != last["model2/distill_logits"]


def test_a_stopped_run_ends_with_the_same_weights(
    learn: Train, train_in_parts: Train, teacher: Path
) -> None:
    whole = learn("whole").engine.model.state_dict()
    parts = train_in_parts("parts", f"{DISTILL}.teacher={teacher}", batches=2)
    assert all(torch.equal(v, whole[k]) for k, v in parts.engine.model.state_dict().items())


def test_another_teacher_is_told_on_resuming(
    learn: Train, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    learn("first", "test.eval_freq=1")
    checkpoint = tmp_path / "first" / "model.pth.tar-1"
    other = tmp_path / "first" / "model.pth.tar-2"
    with caplog.at_level(logging.WARNING):
        learn("again", f"model.resume={checkpoint}")
    assert not [each for each in caplog.messages if "another teacher" in each]
    with caplog.at_level(logging.WARNING):
        learn("other", f"model.resume={checkpoint}", f"{DISTILL}.teacher={other}")
    assert [each for each in caplog.messages if "Resumed with another teacher" in each]


def test_the_teacher_sees_images_as_in_its_training(learn: Train, teacher: Path) -> None:
    engine = learn("log").engine  # the student's images have others
    images = next(iter(engine.train_loader))["img"]
    given = Teacher(teacher, engine)({"img": images})
    own = engine.data_facts.preprocessing
    assert own is not None
    mean, std = (torch.tensor(own[key]).view(1, 3, 1, 1) for key in ("norm_mean", "norm_std"))
    its_mean = torch.tensor([0.3, 0.5, 0.6]).view(1, 3, 1, 1)
    as_trained = (images * std + mean - its_mean) / 0.2
    network = rebuild_model(teacher, read_metadata(teacher), engine.plugins).eval()
    torch.testing.assert_close(given.features, network(as_trained), atol=1e-4, rtol=1e-4)


def test_a_teacher_of_larger_images_gets_them(learn: Train, train: Train, tmp_path: Path) -> None:
    train("large", "data.height=64", "data.width=32")
    large = f"{DISTILL}.teacher={tmp_path / 'large' / 'model.pth.tar-2'}"
    engine = learn("log", large).engine
    seen: list[torch.Size] = []
    teacher = Teacher(tmp_path / "large" / "model.pth.tar-2", engine)
    teacher._network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape))
    teacher({"img": torch.zeros(2, 3, 32, 16)})
    assert seen == [torch.Size([2, 3, 64, 32])]


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("people", "message"), [(4, "has 4 classes"), (6, "has classes of other identities")]
)
def test_a_teacher_of_other_classes_is_refused_for_its_logits_alone(
    people: int, message: str, learn: Train, tmp_path: Path
) -> None:
    other_names = "{pid:04d}_c{camid}_{image:03d}.png"
    fake_dataset(tmp_path / "others" / "tiny", ids=people, name=other_names)
    tiny_run(save_dir=tmp_path / "other", root=tmp_path / "others")
    other = f"{DISTILL}.teacher={tmp_path / 'other' / 'model.pth.tar-1'}"
    with pytest.raises(UserError, match=message) as error:
        learn("log", other)
    assert "distill.logits=0" in error.value.hint
    assert learn("relations", other, f"{DISTILL}.logits=0", f"{DISTILL}.relation=1")


def test_features_of_another_width_are_refused_where_they_are_compared(
    learn: Train, train: Train, tmp_path: Path
) -> None:
    train("wide", "model.name=widenet", plugins=(Wide(),))
    wide = f"{DISTILL}.teacher={tmp_path / 'wide' / 'model.pth.tar-2'}"
    with pytest.raises(UserError, match="8 numbers and the teacher's 16"):
        learn("log", wide, f"{DISTILL}.cosine=1", plugins=(Wide(),))
    assert learn("relations", wide, f"{DISTILL}.relation=1", plugins=(Wide(),))


def test_a_teacher_is_built_again_with_its_head_and_classifier(tmp_path: Path) -> None:
    trained = tiny_run(save_dir=tmp_path, overrides=["model.head.neck=bnneck"]).engine
    path = tmp_path / "model.pth.tar-1"
    again = rebuild_model(path, read_metadata(path), trained.plugins).eval()
    images = torch.rand(2, 3, 32, 16)
    own, its = (each(images, outputs="all") for each in (trained.model.eval(), again))
    torch.testing.assert_close(its.logits, own.logits)
    torch.testing.assert_close(again(images), trained.model(images))


def test_a_file_without_a_record_is_refused(learn: Train, tmp_path: Path) -> None:
    torch.save({"state_dict": TinyNet(6).state_dict(), "epoch": 1}, tmp_path / "bare.pth")
    with pytest.raises(CheckpointError, match="does not tell how its network was built"):
        learn("log", f"{DISTILL}.teacher={tmp_path / 'bare.pth'}")
    with pytest.raises(CheckpointError, match="cannot be read"):
        learn("log", f"{DISTILL}.teacher={tmp_path / 'missing.pth'}")


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="one of logits, cosine and relation above 0"):
        Distillation("teacher.pth", logits=0)
