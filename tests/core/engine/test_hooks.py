"""Each engine and evaluation hook, seen from a plugin that implements it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore import hookimpl
from reidcore.engine import Engine, Precision, StepOutcome
from reidcore.errors import PluginDefectError
from reidcore.evaluation import MatrixDistances
from reidcore.models import features_of
from reidcore.utils import load_checkpoint

MakeEngine = Callable[..., Engine]
STEPS_IN_EPOCH = 3  # 24 training images in batches of 8


class Counting:
    """Notes which hooks were called, with the epoch at that time."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        self.calls.append(("run_start", engine.epoch))

    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        assert engine.model.training
        self.calls.append(("epoch_start", engine.epoch))

    @hookimpl
    def reid_step_end(self, engine: Engine, outcome: StepOutcome) -> None:
        assert outcome.losses["softmax"] > 0
        self.calls.append(("step_end", engine.epoch))

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        self.calls.append(("epoch_end", engine.epoch))

    @hookimpl
    def reid_run_end(self, engine: Engine, result: Any) -> None:
        self.calls.append(("run_end", engine.epoch))
        self.result = result


@pytest.fixture
def counting(make_engine: MakeEngine, tmp_path: Path) -> Counting:
    plugin = Counting()
    make_engine(plugin).run(save_dir=str(tmp_path), max_epoch=2)
    return plugin


def test_reid_run_start(counting: Counting) -> None:
    assert counting.calls[0] == ("run_start", 0)
    assert [name for name, _ in counting.calls].count("run_start") == 1


class StopAfterTwo:
    """Has seen enough after two epochs."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.tests: list[bool] = []

    @hookimpl
    def reid_stop_training(self, engine: Engine) -> str | None:
        self.asked.append(len(engine.record.history))
        return "enough is enough" if self.asked[-1] == 2 else None

    @hookimpl
    def reid_evaluate(self, engine: Engine) -> None:
        self.tests.append(engine.is_final_test)


def test_reid_stop_training(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stop = StopAfterTwo()
    with caplog.at_level(logging.INFO):
        result = make_engine(stop).run(save_dir=str(tmp_path), max_epoch=4, eval_freq=1)
    assert stop.asked == [0, 1, 2]
    assert stop.tests == [False, False]  # the weights of the last one are not tested twice
    assert [epoch["epoch"] for epoch in result["training"]] == [1, 2]
    assert (result["finished"], result["stopped"]) == (True, "enough is enough")
    assert "tiny" in result["targets"]
    assert "Training stops after 2 epochs: enough is enough" in caplog.messages
    names = {path.name for path in tmp_path.glob("model*")}
    assert names == {"model.pth.tar-1", "model.pth.tar-2", "model-best.pth.tar"}


def test_a_run_that_was_stopped_stays_so_when_it_is_resumed(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    whole = make_engine(StopAfterTwo()).run(save_dir=str(tmp_path), max_epoch=4)
    engine = make_engine(StopAfterTwo())
    start = engine.resume(str(tmp_path / "model.pth.tar-2"))
    again = engine.run(save_dir=str(tmp_path), max_epoch=4, start_epoch=start)
    assert [epoch["epoch"] for epoch in again["training"]] == [1, 2]
    assert again["stopped"] == "enough is enough"
    assert again["targets"]["tiny"]["mAP"] == whole["targets"]["tiny"]["mAP"]


def test_reid_epoch_start(counting: Counting) -> None:
    assert counting.calls[1] == ("epoch_start", 0)
    assert [call for call in counting.calls if call[0] == "epoch_start"] == [
        ("epoch_start", 0),
        ("epoch_start", 1),
    ]


def test_reid_step_end(counting: Counting) -> None:
    assert counting.calls[2 : 2 + STEPS_IN_EPOCH] == [("step_end", 0)] * STEPS_IN_EPOCH


def test_reid_epoch_end(counting: Counting) -> None:
    assert counting.calls[2 + STEPS_IN_EPOCH] == ("epoch_end", 0)


def test_reid_run_end(counting: Counting) -> None:
    assert counting.calls[-1] == ("run_end", 1)
    assert "tiny" in counting.result["targets"]


def test_reid_run_end_is_called_for_everyone_after_a_failure(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    seen: list[str] = []

    class Failing:
        @hookimpl
        def reid_step_end(self, outcome: Any) -> None:
            raise RuntimeError("the step's observer fails")

        @hookimpl
        def reid_run_end(self, result: Any) -> None:
            raise ValueError("and so does its end")

    class Tidy:
        @hookimpl
        def reid_run_end(self, result: Any, error: BaseException) -> None:
            seen.append("tidied")
            assert result is None
            assert str(error) == "the step's observer fails"

    with pytest.raises(RuntimeError, match="observer"):
        make_engine(Tidy(), Failing(), Tidy2(seen)).run(save_dir=str(tmp_path), max_epoch=1)
    assert seen == ["tidied", "tidied too"]


class Tidy2:
    def __init__(self, seen: list[str]) -> None:
        self.seen = seen

    @hookimpl
    def reid_run_end(self) -> None:
        self.seen.append("tidied too")


def test_reid_configure(tmp_path: Path, root: Path) -> None:
    """Run through the command line's own path, since only it reads a configuration."""
    from reidcore.cli import Arguments
    from reidcore.cli.run_config import execute
    from reidcore.cli.session import Session

    plugin = tmp_path / "shorter.py"
    plugin.write_text(
        "from pathlib import Path\n"
        "from reidcore import data, hookimpl\n"
        "@hookimpl\n"
        "def reid_register_datasets(registry):\n"
        "    registry.add('tiny', lambda root: data.from_folders(Path(root) / 'tiny'))\n"
        "@hookimpl\n"
        "def reid_configure(config):\n"
        "    config.train.max_epoch = 1\n"
        "    config.data.workers = 0\n"
    )
    words = ["quickstart", "train.max_epoch=9", "data.height=64", "data.width=32"]
    words += ["train.batch_size=8", f"data.save_dir={tmp_path}/log"]
    flags = {"sources": ["tiny"], "targets": ["tiny"], "root": str(root)}
    execute(Session(), Arguments.read(words, **flags, extra=(str(plugin),)))
    written = json.loads((tmp_path / "log" / "results.json").read_text())
    assert written["config"]["train"]["max_epoch"] == 1
    assert [epoch["epoch"] for epoch in written["training"]] == [1]


class Norm:
    """Adds a term: the features' mean norm, weighted."""

    @hookimpl(wrapper=True)
    def reid_compute_losses(self, engine: Engine, batch: Any, outputs: Any) -> Any:
        losses = yield
        return {**losses, "norm": 0.01 * outputs.features.norm(dim=1).mean()}


class Spread:
    """Adds another term."""

    @hookimpl(wrapper=True)
    def reid_compute_losses(self, outputs: Any) -> Any:
        losses = yield
        return {**losses, "spread": 0.02 * outputs.logits.std()}


class Twice:
    """Replaces the step: the batch is learned twice."""

    taken = 0

    @hookimpl
    def reid_forward_backward(self, engine: Engine, batch: Any) -> StepOutcome:
        self.taken += 1
        for _ in range(2):
            losses = engine.losses(batch)
            engine.backward(losses)
            engine.optimizer_step()
        return engine.outcome(losses)


class Guard:
    """Surrounds the step, and skips batches that it cannot learn from."""

    def __init__(self) -> None:
        self.skipped = 0

    @hookimpl(wrapper=True)
    def reid_forward_backward(self, engine: Engine, batch: Any) -> Any:
        try:
            return (yield)
        except FloatingPointError:
            self.skipped += 1
            return StepOutcome.skipped()


def test_reid_compute_losses(make_engine: MakeEngine, tmp_path: Path) -> None:
    result = make_engine(Norm()).run(save_dir=str(tmp_path), max_epoch=1)
    epoch = result["training"][0]
    assert epoch["norm"] > 0
    assert epoch["loss"] == pytest.approx(epoch["softmax"] + epoch["norm"], rel=1e-5)
    assert result["step"]["loss_wrappers"] == ["Norm"]


def test_reid_forward_backward(make_engine: MakeEngine, tmp_path: Path) -> None:
    twice = Twice()
    result = make_engine(twice).run(save_dir=str(tmp_path), max_epoch=1)
    assert twice.taken == STEPS_IN_EPOCH
    assert result["step"]["replacement"] == "Twice"


def test_the_three_levels_compose(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    guard = Guard()

    class Poison:
        steps = 0

        @hookimpl(wrapper=True)
        def reid_compute_losses(self, batch: Any) -> Any:
            losses = yield
            self.steps += 1
            poison = float("nan") if self.steps == 3 else 0.0
            return {name: value + poison for name, value in losses.items()}

    plugins = (Norm(), Spread(), Twice(), Poison(), guard)
    result = make_engine(*plugins).run(save_dir=str(tmp_path), max_epoch=1)
    epoch = result["training"][0]
    assert {"softmax", "norm", "spread", "loss"} <= epoch.keys()
    assert guard.skipped == 1
    assert torch.isfinite(torch.tensor(epoch["loss"]))
    assert "step: core <- Twice (replaces) <- Guard (wraps)" in caplog.text
    assert "losses: core <- Norm (wraps) <- Spread (wraps) <- Poison (wraps)" in caplog.text


def test_reid_checkpoint_save(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Remembering:
        @hookimpl
        def reid_checkpoint_save(self, engine: Engine) -> dict[str, Any]:
            return {"centre": torch.full((3,), 2.0), "steps": 5}

    make_engine(Remembering()).run(save_dir=str(tmp_path), max_epoch=1)
    kept = load_checkpoint(tmp_path / "model.pth.tar-1")["reidcore"]["hooks"]["Remembering"]
    assert kept["steps"] == 5
    assert kept["centre"].tolist() == [2.0, 2.0, 2.0]


def test_reid_checkpoint_save_refuses_what_cannot_be_loaded_safely(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Careless:
        @hookimpl
        def reid_checkpoint_save(self) -> dict[str, Any]:
            return {"path": Path("x")}

    with pytest.raises(PluginDefectError, match=r"'Careless' gave the checkpoint.*plain values"):
        make_engine(Careless()).run(save_dir=str(tmp_path), max_epoch=1)


def test_reid_checkpoint_load(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Memory:
        def __init__(self) -> None:
            self.loaded: Any = None

        @hookimpl
        def reid_checkpoint_save(self) -> dict[str, Any]:
            return {"count": 41}

        @hookimpl
        def reid_checkpoint_load(self, engine: Engine, state: dict[str, Any]) -> None:
            self.loaded = state

    class Stranger(Memory):
        pass

    make_engine(Memory()).run(save_dir=str(tmp_path), max_epoch=1)
    memory, stranger = Memory(), Stranger()
    engine = make_engine(memory, stranger)
    start = engine.resume(str(tmp_path / "model.pth.tar-1"))
    engine.run(save_dir=str(tmp_path), max_epoch=2, start_epoch=start)
    assert memory.loaded == {"count": 41}
    assert stranger.loaded is None


def test_reid_extract_features(make_engine: MakeEngine) -> None:
    class FlipTest:
        @hookimpl(wrapper=True)
        def reid_extract_features(self, model: Any, images: torch.Tensor, labels: Any) -> Any:
            seen.append(labels)
            features = yield
            return features + features_of(model, images.flip(-1), labels)

    seen: list[Any] = []
    images = torch.randn(2, 3, 32, 16)
    engine = make_engine(FlipTest())
    engine.model.eval()
    expected = engine.model(images) + engine.model(images.flip(-1))
    assert torch.allclose(engine.extract_features(images), expected)
    assert seen == [{}]
    engine.test()
    assert {"pid", "camid", "dsetid", "impath"} == seen[1].keys()
    assert len(seen[1]["camid"]) == len(seen[1]["impath"])


def test_reid_transform_features(make_engine: MakeEngine) -> None:
    plain = make_engine().test()["tiny"].ranking

    class Blank:
        @hookimpl(wrapper=True)
        def reid_transform_features(self, query: torch.Tensor, gallery: torch.Tensor) -> Any:
            query, gallery = yield
            return torch.zeros_like(query), torch.zeros_like(gallery)

    blank = make_engine(Blank()).test()["tiny"].ranking
    # All distances tie, and a tie counts against the match.
    assert blank.mAP < plain.mAP
    assert blank.cmc_at(1) == 0.0


def test_reid_compute_distance(make_engine: MakeEngine) -> None:
    metrics: list[str] = []

    class Backwards:
        @hookimpl
        def reid_compute_distance(
            self, query: torch.Tensor, gallery: torch.Tensor, metric: str
        ) -> Any:
            metrics.append(metric)
            return MatrixDistances(-torch.cdist(query, gallery))

    plain = make_engine().test()["tiny"].ranking
    backwards = make_engine(Backwards()).test(dist_metric="mine")["tiny"].ranking
    assert metrics == ["mine"]
    assert backwards.mAP < plain.mAP


def test_reid_report(make_engine: MakeEngine, tmp_path: Path) -> None:
    reported: dict[str, Any] = {}

    class Reporter:
        @hookimpl
        def reid_report(self, engine: Engine, results: Any) -> None:
            assert engine.model is not None
            reported.update(results)

    results = make_engine(Reporter()).test()
    assert reported["tiny"].ranking.mAP == results["tiny"].ranking.mAP
    query = reported["tiny"].query
    assert len(query) == len(reported["tiny"].ranking.ap)
    assert all(Path(path).is_file() for path in query.paths)


def test_reid_model_built(make_engine: MakeEngine) -> None:
    built: list[tuple[list[str], torch.nn.Module]] = []

    class Noting:
        @hookimpl
        def reid_model_built(self, engine: Engine, model: torch.nn.Module) -> None:
            built.append((engine.get_model_names(), model))

    engine = make_engine(Noting())
    second = torch.nn.Linear(2, 2)
    engine.register_model("second", second)
    assert built == [(["model"], engine.model), (["model", "second"], second)]


@pytest.mark.parametrize(("accumulate", "calls"), [(1, 3), (2, 2)])
def test_reid_before_optimizer_step(
    make_engine: MakeEngine, tmp_path: Path, accumulate: int, calls: int
) -> None:
    class Frozen:
        """Takes all gradients away, so that nothing is learned."""

        called = 0

        @hookimpl
        def reid_before_optimizer_step(self, engine: Engine) -> None:
            self.called += 1
            for parameter in engine.model.parameters():
                assert parameter.grad is not None
                parameter.grad.zero_()

    frozen = Frozen()
    engine = make_engine(frozen, precision=Precision(accumulate=accumulate))
    assert engine.optimizer is not None
    for group in engine.optimizer.param_groups:
        group["weight_decay"] = 0.0
    before = {key: value.clone() for key, value in engine.model.named_parameters()}
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert frozen.called == calls
    for key, value in engine.model.named_parameters():
        assert torch.equal(value, before[key]), key


class WeightNorm:
    """Shows the norm of the classifier's weights."""

    @hookimpl
    def reid_figures(self, engine: Engine) -> dict[str, float]:
        return {"norm": engine.model.classifier.weight.norm().item()}  # type: ignore[union-attr, operator]


def test_reid_figures(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    result = make_engine(WeightNorm()).run(save_dir=str(tmp_path), max_epoch=1)
    assert result["training"][0]["norm"] > 0
    steps = [text for text in caplog.messages if text.startswith("epoch: [1/1][3/3]")]
    assert len(steps) == 1
    assert " norm " in steps[0]


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({"lr": 1.0}, "'Odd' gave the figure 'lr' in reid_figures, which is there already"),
        ({"text": "much"}, "'Odd' gave a dict in reid_figures; it must return numbers by name"),
        (3, "'Odd' gave an int in reid_figures"),
    ],
)
def test_reid_figures_refuses_what_is_no_figure(
    make_engine: MakeEngine, tmp_path: Path, figures: Any, message: str
) -> None:
    class Odd:
        @hookimpl
        def reid_figures(self) -> Any:
            return figures

    with pytest.raises(PluginDefectError, match=message):
        make_engine(Odd()).run(save_dir=str(tmp_path), max_epoch=1)


def test_reid_evaluate(make_engine: MakeEngine, tmp_path: Path) -> None:
    class OtherWeights:
        """Tests with other weights than those that are trained."""

        @hookimpl(wrapper=True)
        def reid_evaluate(self, engine: Engine) -> Any:
            kept = {key: value.clone() for key, value in engine.model.state_dict().items()}
            for parameter in engine.model.parameters():
                parameter.data.zero_()
            try:
                return (yield)
            finally:
                engine.model.load_state_dict(kept)

    plain = make_engine().test()["tiny"].ranking
    engine = make_engine(OtherWeights())
    other = engine.test()["tiny"].ranking
    assert other.mAP < plain.mAP
    assert other.cmc_at(1) == 0.0  # all features are alike, and ties count against a match
    assert any(parameter.any() for parameter in engine.model.parameters())


def test_reid_evaluate_must_return_the_results(make_engine: MakeEngine) -> None:
    class Forgetful:
        @hookimpl(wrapper=True)
        def reid_evaluate(self) -> Any:
            yield

    with pytest.raises(PluginDefectError, match=r"'Forgetful'.* gave None in reid_evaluate.* tiny"):
        make_engine(Forgetful()).test()


def test_reid_target_tested(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Looking:
        seen: Any = None
        final = False

        @hookimpl
        def reid_target_tested(self, engine: Engine, tested: Any) -> None:
            self.seen, self.final = tested, engine.is_final_test
            note = tmp_path / "note.txt"
            note.write_text("seen")
            tested.result.files["note"] = note

    looking = Looking()
    result = make_engine(looking).run(save_dir=str(tmp_path), max_epoch=1)
    tested = looking.seen
    assert tested.name == "tiny"
    assert looking.final
    assert len(tested.query.table) == len(tested.query.features) == tested.distances.shape[0]
    again = [sum(len(rows) for _, rows in tested.distances.blocks()) for _ in range(2)]
    assert again == [len(tested.query.table)] * 2
    assert tested.matches.rows(0, 1).match.any()
    assert type(tested.protocol).__name__ == "Market1501"
    assert result["targets"]["tiny"]["mAP"] == tested.result.ranking.mAP
    assert result["targets"]["tiny"]["note"] == str(tmp_path / "note.txt")


def test_reid_target_tested_is_told_whether_training_is_over(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Asking:
        def __init__(self) -> None:
            self.final: list[bool] = []

        @hookimpl
        def reid_target_tested(self, engine: Engine) -> None:
            self.final.append(engine.is_final_test)

    asking = Asking()
    make_engine(asking).run(save_dir=str(tmp_path), max_epoch=3, eval_freq=1)
    assert asking.final == [False, False, True]


def test_reid_run_files(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Notes:
        @hookimpl
        def reid_run_files(self, folder: Path) -> list[str]:
            assert folder == tmp_path
            return ["notes.txt", "sketches_*"]

    (tmp_path / "model.pth.tar-3").write_text("of another run")
    for name in ("notes.txt", "sketches_1", "other.txt"):
        (tmp_path / name).write_text("")
    make_engine(Notes()).run(save_dir=str(tmp_path), max_epoch=1)
    aside = {path.name for path in (tmp_path / "earlier-1").iterdir()}
    assert aside == {"model.pth.tar-3", "notes.txt", "sketches_1"}
    assert (tmp_path / "other.txt").exists()
