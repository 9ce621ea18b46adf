"""Training in two stages: what learns in each, by which losses, at which rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_transformers.clip.engine import ClipReidEngine, image_text_contrast
from torch import Tensor, nn
from torch.nn import functional as F

from reidcore import hookimpl
from reidcore.engine import Engine, Interrupted
from reidcore.errors import ConfigError, UserError
from reidcore.models import Outputs, build_model
from reidcore.testing import TinyRun
from tests.stopping import StopAfter

Train = Callable[..., TinyRun]


# -- the loss of images and sentences --------------------------------------------------------------


def naive_contrast(asked: Tensor, answers: Tensor, pids: list[int]) -> float:
    total = 0.0
    for row, pid in enumerate(pids):
        scores = [float(asked[row] @ answer) for answer in answers]
        whole = math.log(sum(map(math.exp, scores)))
        own = [score - whole for score, other in zip(scores, pids, strict=True) if other == pid]
        total -= sum(own) / len(own)
    return total / len(pids)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=7), st.integers(0, 99))
def test_contrast_is_the_mean_over_images_and_over_their_own_sentences(
    pids: list[int], seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    asked, answers = torch.randn(2, len(pids), 5, generator=generator, dtype=torch.float64)
    labels = torch.tensor(pids)
    found = image_text_contrast(asked, answers, labels)
    assert float(found) == pytest.approx(naive_contrast(asked, answers, pids))
    order = torch.randperm(len(pids), generator=generator)
    shuffled = image_text_contrast(asked[order], answers[order], labels[order])
    torch.testing.assert_close(shuffled, found)


# -- the stages ------------------------------------------------------------------------------------


class Watcher:
    """Keeps the weights at each epoch's start, the rate, and what was learning."""

    def __init__(self) -> None:
        self.weights: list[dict[str, Tensor]] = []
        self.seen: list[tuple[str, float, set[str]]] = []
        self.loss_calls: list[str] = []

    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        named = engine.model.named_parameters()
        learning = {name.partition(".")[0] for name, each in named if each.requires_grad}
        self.seen.append((engine.stage.name, engine.get_current_lr(), learning))
        self._keep(engine)

    @hookimpl
    def reid_run_end(self, engine: Engine) -> None:
        self._keep(engine)

    @hookimpl(wrapper=True)
    def reid_compute_losses(
        self, engine: Engine, batch: Mapping[str, Any], outputs: Outputs
    ) -> Generator[None, Any, Any]:
        self.loss_calls.append(engine.stage.name)
        return (yield)

    def _keep(self, engine: Engine) -> None:
        state = engine.model.state_dict()
        self.weights.append({name: value.clone() for name, value in state.items()})

    def changed(self, first: int, last: int) -> set[str]:
        """Return the parts of the network that changed between two of the moments."""
        one, other = self.weights[first], self.weights[last]
        return {name.partition(".")[0] for name in one if not torch.equal(one[name], other[name])}


@pytest.mark.parametrize("model", ["clipreid_vit_b", "clipreid_rn50"])
def test_the_words_learn_alone_and_then_all_but_them_and_the_texts(
    train: Train, model: str
) -> None:
    watcher = Watcher()
    run = train("log", plugins=(watcher,), model=model)
    images = {"image_encoder", "bottleneck", "bottleneck_proj", "classifier", "classifier_proj"}
    assert [(name, learning) for name, _, learning in watcher.seen] == [
        *[("prompts", {"prompt_learner"})] * 2,
        *[("images", images)] * 2,
    ]
    assert watcher.changed(0, 2) == {"prompt_learner"}
    assert watcher.changed(2, 4) == images
    assert set(watcher.loss_calls) == {"images"}  # plugins add nothing to sentences
    losses = [set(epoch) & {"i2t", "t2i", "softmax", "triplet"} for epoch in run.result["training"]]
    assert losses == [{"i2t", "t2i"}] * 2 + [{"softmax", "triplet", "i2t"}] * 2
    assert run.result["targets"]["tiny"]["mAP"] > 0


def test_the_rate_of_the_words_is_the_authors(train: Train) -> None:
    """Theirs is set at an epoch's beginning by its number from 1: a rise, then half a cosine."""
    settings = [f"loss.clipreid.prompt_{key}" for key in ("epochs=6", "warmup_epochs=2")]
    settings += [
        f"loss.clipreid.prompt_{key}" for key in ("lr=0.3", "warmup_lr=0.1", "min_lr=0.01")
    ]
    watcher = Watcher()
    train("log", *settings, "train.max_epoch=1", plugins=(watcher,))
    falling = [0.01 + 0.29 * (1 + math.cos(math.pi * epoch / 6)) / 2 for epoch in (2, 3, 4, 5)]
    wanted = [0.1 + 0.2 / 2, *falling, 0.01, 0.001]
    assert [rate for _, rate, _ in watcher.seen] == pytest.approx(wanted)


def test_a_step_of_the_words_is_adams_on_both_contrasts(train: Train) -> None:
    class First:
        @hookimpl
        def reid_step_end(self, engine: Engine) -> None:
            if not hasattr(self, "batch"):
                self.batch = engine.active_run.batch  # type: ignore[union-attr]
                self.words = network(engine).prompt_learner.cls_ctx.detach().clone()
                self.rate = engine.get_current_lr()

        @hookimpl
        def reid_run_start(self, engine: Engine) -> None:
            self.before = network(engine).prompt_learner.cls_ctx.detach().clone()

    first = First()
    run = train(
        "log", "train.max_epoch=1", "loss.clipreid.prompt_weight_decay=0.5", plugins=(first,)
    )
    batch: Any = first.batch
    clip = network(run.engine)
    words = first.before.requires_grad_(True)
    prompts = clip.prompt_learner
    rows = words[batch["pid"]]
    parts = [prompts.token_prefix, prompts.token_suffix]
    prefix, suffix = (part.expand(len(rows), -1, -1) for part in parts)
    texts = clip.text_encoder(torch.cat([prefix, rows, suffix], dim=1))
    scores = batch["img"] @ texts.T
    own = (batch["pid"][:, None] == batch["pid"]).float()
    loss = torch.zeros(())
    for each in (scores, scores.T):
        likely = each - each.exp().sum(1, keepdim=True).log()
        loss = loss - ((likely * own).sum(1) / own.sum(1)).mean()
    (slope,) = torch.autograd.grad(loss, words)
    slope = slope + 0.5 * words.detach()  # Adam's own weight decay
    moved = words.detach() - first.rate * slope / (slope.abs() + 1e-8)
    torch.testing.assert_close(first.words, moved, rtol=1e-4, atol=1e-5)


def network(engine: Engine) -> Any:
    model: Any = engine.model
    return model


@pytest.mark.parametrize(("smooth", "epsilon"), [("true", 0.1), ("false", 0.0)])
def test_images_are_told_apart_by_raw_products_with_all_sentences(
    train: Train, smooth: str, epsilon: float
) -> None:
    options = ["loss.clipreid.weight_i2t=2", f"loss.clipreid.label_smooth={smooth}"]
    engine = train("log", "train.max_epoch=1", *options).engine
    assert isinstance(engine, ClipReidEngine)
    features = torch.randn(4, 16, requires_grad=True)
    pids = torch.tensor([0, 5, 2, 2])
    outputs = Outputs([torch.zeros(4, 6)] * 2, (torch.randn(4, 64), torch.randn(4, 64), features))
    with torch.no_grad():
        sentences = network(engine).text_features(torch.arange(6))
    losses = engine.compute_terms({"pid": pids}, outputs)
    likely = torch.log_softmax(features @ sentences.T, dim=1)
    wanted = -(1 - epsilon) * likely[range(4), pids].mean() - epsilon * likely.mean()
    torch.testing.assert_close(losses["i2t"], 2 * wanted)
    slopes = [torch.autograd.grad(each, features)[0] for each in (losses["i2t"], 2 * wanted)]
    torch.testing.assert_close(*slopes)  # images learn by it, sentences are constants
    torch.testing.assert_close(losses["softmax"], torch.tensor(0.5 * math.log(6)))


def test_sentences_are_read_anew_once_the_words_have_learnt(train: Train) -> None:
    class Early:
        @hookimpl
        def reid_run_start(self, engine: ClipReidEngine) -> None:
            self.before = engine.sentences

    early = Early()
    engine = train("log", "train.max_epoch=1", plugins=(early,)).engine
    assert isinstance(engine, ClipReidEngine)
    with torch.no_grad():
        torch.testing.assert_close(engine.sentences, network(engine).text_features(torch.arange(6)))
    assert not torch.allclose(engine.sentences, early.before, atol=1e-3)


def test_without_an_epoch_for_the_words_there_is_one_stage(train: Train) -> None:
    watcher = Watcher()
    train("log", "loss.clipreid.prompt_epochs=0", "train.max_epoch=1", plugins=(watcher,))
    assert [name for name, _, _ in watcher.seen] == ["images"]


def test_it_trains_in_mixed_precision(train: Train) -> None:
    run = train("log", "train.amp=bf16", "train.max_epoch=1")
    assert all(math.isfinite(epoch["i2t"]) for epoch in run.result["training"])


# -- stopped and resumed ---------------------------------------------------------------------------


# Each epoch has three batches, and each stage two epochs.
@pytest.mark.parametrize("batches", [1, 5, 6, 8], ids="after{}".format)
def test_a_run_resumed_in_either_stage_equals_one_that_never_stopped(
    train: Train, whole: TinyRun, tmp_path: Path, batches: int
) -> None:
    with pytest.raises(Interrupted):
        train("parts", plugins=(StopAfter(batches),))
    (stopped,) = (tmp_path / "parts").glob("model-interrupted.pth.tar-*")
    assert_equal(whole, train("parts", f"model.resume={stopped}"))


def assert_equal(one: TinyRun, other: TinyRun) -> None:
    own, others = (run.engine.model.state_dict() for run in (one, other))
    assert all(torch.equal(own[name], others[name]) for name in own)
    kept = [
        [{k: v for k, v in epoch.items() if "seconds" not in k} for epoch in run.result["training"]]
        for run in (one, other)
    ]
    assert kept[0] == kept[1]


def test_a_checkpoint_is_tested_without_a_stage_of_words(train: Train, whole: TinyRun) -> None:
    checkpoint = Path(whole.engine.plan.save_dir) / "model.pth.tar-4"
    tested = train("test", f"model.load_weights={checkpoint}", "test.evaluate=true")
    assert tested.result["targets"]["tiny"]["mAP"] == whole.result["targets"]["tiny"]["mAP"]
    assert not tested.result.get("training")


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("loss.terms=null", "no losses for its second stage"),
        ("loss.clipreid.prompt_warmup_epochs=2", "prompt_warmup_epochs, or raise"),
        ("loss.clipreid.prompt_lr=0", "prompt_lr"),
        ("data.height=8", "fill no patch"),
        ("model.prompt=cat", "person"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_run(
    train: Train, setting: str, what: str
) -> None:
    with pytest.raises(ConfigError, match=what):
        train("log", setting)


def test_other_networks_are_refused(train: Train) -> None:
    with pytest.raises(UserError, match="the model is a TinyNet"):
        train("log", model="tinynet")


def test_identities_that_there_are_no_sentences_about_are_refused(
    whole: TinyRun, root: Path
) -> None:
    toy: dict[str, Any] = {"width": 64, "depth": 1, "text_width": 64, "text_depth": 1}
    small = build_model("clipreid_vit_b", 4, pretrained=False, image_size=(32, 32), **toy)
    terms = {"softmax": (1.0, F.cross_entropy)}
    options: dict[str, Any] = {"prompt_epochs": 1, "prompt_warmup_epochs": 0, "use_gpu": False}
    engine = ClipReidEngine(whole.engine.datamanager, small, None, None, terms, **options)
    with pytest.raises(UserError, match="sentences about 4 identities, and the data have 6"):
        engine.run(save_dir=str(root / "unused"), max_epoch=1)


def test_data_without_identities_are_refused(train: Train, tmp_path: Path) -> None:
    run = train("log", "test.evaluate=true")
    with pytest.raises(UserError, match=r"made for testing.*data\.sources"):
        run.engine.run(save_dir=str(tmp_path / "again"), max_epoch=1)


def test_tracklets_are_refused(whole: TinyRun) -> None:
    class Tracklets:
        data_type, num_train_pids = "video", 6
        test_loader: ClassVar[dict[str, Any]] = {}

    network = whole.engine.model
    with pytest.raises(UserError, match="images, not tracklets"):
        ClipReidEngine(Tracklets(), network, terms={"plain": (1.0, nn.Identity())})  # type: ignore[arg-type]


# -- several processes -----------------------------------------------------------------------------


def _process(rank: int, folder: Path, train: Train) -> None:
    """Train as one of two processes; keep the weights."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    run = train("log")
    torch.save(run.engine.model.state_dict(), folder / f"weights{rank}")
    dist.destroy_process_group()


def test_two_processes_share_features_and_sentences(
    train: Train, whole: TinyRun, tmp_path: Path
) -> None:
    start: Any = mp.start_processes  # type: ignore[attr-defined]
    start(_process, args=(tmp_path, train), nprocs=2, start_method="fork")
    weights = [torch.load(tmp_path / f"weights{rank}") for rank in range(2)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    # The words learn from whole batches; batch norms of images see half of theirs.
    alone = whole.engine.model.state_dict()["prompt_learner.cls_ctx"]
    torch.testing.assert_close(weights[0]["prompt_learner.cls_ctx"], alone, rtol=1e-3, atol=1e-4)
