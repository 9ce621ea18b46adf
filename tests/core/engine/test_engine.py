"""The engine's surface: what Torchreid's users call and override."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from reidcore.engine import Engine, ImageSoftmaxEngine, Precision
from reidcore.errors import DataError, UserError
from reidcore.losses import CrossEntropyLoss

MakeEngine = Callable[..., Engine]


class OwnEngine(Engine):
    """An engine as Torchreid's documentation teaches to write one."""

    def forward_backward(self, data: Mapping[str, Any]) -> dict[str, float]:
        images, pids = self.parse_data_for_train(data)
        if self.use_gpu:
            images, pids = images.cuda(), pids.cuda()
        criterion = CrossEntropyLoss(num_classes=self.datamanager.num_train_pids)
        loss = self.compute_loss(criterion, self.model(images), pids)
        assert self.optimizer is not None
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.item()}


def test_a_subclass_of_the_bare_engine_trains_like_the_softmax_engine(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    own = make_engine(engine_class=OwnEngine)
    own.run(save_dir=str(tmp_path / "own"), max_epoch=2)
    bundled = make_engine()
    bundled.run(save_dir=str(tmp_path / "bundled"), max_epoch=2)
    for key, value in bundled.model.state_dict().items():
        assert torch.allclose(own.model.state_dict()[key], value, atol=1e-6), key


def test_training_lowers_the_loss(make_engine: MakeEngine, tmp_path: Path) -> None:
    result = make_engine(max_epoch=6).run(save_dir=str(tmp_path), max_epoch=6)
    losses = [epoch["softmax"] for epoch in result["training"]]
    assert losses[-1] < losses[0] - 0.1


def test_results_json_holds_what_a_run_needs_to_be_repeated(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    returned = make_engine().run(save_dir=str(tmp_path), max_epoch=1)
    written = json.loads((tmp_path / "results.json").read_text())
    assert written == json.loads(json.dumps(returned))
    target = written["targets"]["tiny"]
    assert 0 < target["mAP"] <= 1
    assert {"mINP", "rank1", "rank5", "num_valid_queries", "timings"} <= target.keys()
    assert {"torch", "numpy", "reidcore"} <= written["versions"].keys()
    assert {"engines", "standard"} <= {plugin["name"] for plugin in written["plugins"]}
    assert set(written["dataset"]["tiny"]) == {"train", "query", "gallery"}
    assert written["timings"]["total_seconds"] > 0


def test_tensorboard_has_losses_rates_times_and_test_figures(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    make_engine().run(save_dir=str(tmp_path), max_epoch=2, print_freq=1, eval_freq=1)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    tags = set(events.Tags()["scalars"])
    assert {"Train/softmax", "Train/acc", "Train/lr", "Train/time", "Train/data"} <= tags
    assert {"Test/tiny/rank1", "Test/tiny/mAP", "Test/tiny/mINP"} <= tags
    assert [event.step for event in events.Scalars("Test/tiny/mAP")] == [1, 2]
    assert len(events.Scalars("Train/softmax")) == 6
    losses, terms = (events.Scalars(f"Train/{name}") for name in ("loss", "softmax"))
    assert [each.value for each in losses] == [each.value for each in terms]


def test_test_returns_every_target(make_engine: MakeEngine) -> None:
    results = make_engine().test(ranks=[1, 3])
    assert list(results) == ["tiny"]
    assert results["tiny"].ranking.num_valid == 24


def test_normalised_euclidean_ranks_as_cosine(make_engine: MakeEngine) -> None:
    engine = make_engine()
    cosine = engine.test(dist_metric="cosine")["tiny"].ranking
    euclidean = engine.test(normalize_feature=True)["tiny"].ranking
    assert euclidean.mAP == pytest.approx(cosine.mAP, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_epoch": -1}, "max_epoch is -1"),
        ({"print_freq": 0}, "print_freq is 0"),
        ({"ranks": []}, "ranks"),
        ({"dist_metric": "cosin"}, "Did you mean 'cosine'"),
    ],
)
def test_mistaken_arguments_are_told_by_name(
    make_engine: MakeEngine, tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        make_engine().run(save_dir=str(tmp_path), test_only=True, **arguments)


def test_an_unwritable_folder_is_refused_before_training(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot create the folder"):
        make_engine().run(save_dir=str(tmp_path / "file" / "log"), max_epoch=1)


def test_a_failing_test_loses_no_training(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    for split in ("query", "gallery"):
        for sample in engine.datamanager.test_loader["tiny"][split].dataset.data:
            assert sample
    engine.test_loader = {"tiny": {"query": [], "gallery": []}}
    with pytest.raises(DataError, match="query of tiny is empty"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert (tmp_path / "model.pth.tar-1").is_file()


def test_registering_a_name_twice_is_refused(make_engine: MakeEngine) -> None:
    engine = make_engine()
    with pytest.raises(UserError, match="registered as 'model' already"):
        engine.register_model("model", nn.Linear(1, 1))


def test_an_unknown_model_name_is_refused_with_the_nearest(make_engine: MakeEngine) -> None:
    with pytest.raises(UserError, match="Did you mean 'model'"):
        make_engine().get_current_lr("modle")


def test_frozen_layers_stay_as_they_are_in_the_first_epochs(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    before = engine.model.get_submodule("conv").weight.detach().clone()  # type: ignore[operator]
    engine.run(save_dir=str(tmp_path), max_epoch=1, fixbase_epoch=1, open_layers="classifier")
    assert torch.equal(engine.model.get_submodule("conv").weight, before)  # type: ignore[arg-type]


@pytest.mark.parametrize(("max_epoch", "is_told"), [(1, True), (2, False)])
def test_layers_that_stay_frozen_to_the_end_are_told(
    make_engine: MakeEngine,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    max_epoch: int,
    is_told: bool,
) -> None:
    engine, fixed = make_engine(), {"fixbase_epoch": 1, "open_layers": "classifier"}
    engine.run(save_dir=str(tmp_path), max_epoch=max_epoch, **fixed)  # type: ignore[arg-type]
    told = "trains classifier alone, and the training has 1 epoch: the other layers never learn"
    assert (told in caplog.text) == is_told


def test_a_mistyped_open_layer_is_refused(make_engine: MakeEngine, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Did you mean 'classifier'"):
        make_engine().run(
            save_dir=str(tmp_path), max_epoch=1, fixbase_epoch=1, open_layers="clasifier"
        )


def test_accumulating_two_batches_updates_half_as_often(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine(precision=Precision(accumulate=2), scheduler="single_step")
    steps: list[int] = []
    assert engine.optimizer is not None
    engine.optimizer.register_step_post_hook(lambda *_: steps.append(1))
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert len(steps) == 2  # of 3 batches: two together, and the last one alone


def test_bf16_and_channels_last_train(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine(precision=Precision(amp="bf16", channels_last=True))
    result = engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert result["training"][0]["softmax"] > 0
    weight = engine.model.get_submodule("conv").weight
    assert weight.is_contiguous(memory_format=torch.channels_last)  # type: ignore[operator]


def test_the_public_engine_defines_nothing_of_its_own() -> None:
    assert set(vars(ImageSoftmaxEngine)) <= {
        "__module__",
        "__doc__",
        "__firstlineno__",
        "__static_attributes__",
        "__annotations__",
    }


def test_weighted_terms_take_what_they_need(make_engine: MakeEngine, tmp_path: Path) -> None:
    class OnOutputs(nn.Module):
        def forward(self, outputs: Any, batch: Any) -> torch.Tensor:
            return outputs.logits.mean() ** 2 + 0 * batch["camid"].sum()

    class OnFeatures(nn.Module):
        def forward(self, features: torch.Tensor, pids: torch.Tensor) -> torch.Tensor:
            assert features.shape == (8, 8)
            return features.square().mean()

    engine = make_engine(engine_class=Engine)
    engine.terms = {
        "id": (1.0, CrossEntropyLoss(6)),
        "centred": (0.5, OnOutputs()),
        "small": (2.0, OnFeatures()),
    }
    epoch = engine.run(save_dir=str(tmp_path), max_epoch=1)["training"][0]
    total = epoch["id"] + epoch["centred"] + epoch["small"]
    assert epoch["loss"] == pytest.approx(total, rel=1e-4)


def test_an_engine_without_a_loss_says_what_to_do(make_engine: MakeEngine, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Engine has no loss terms.*forward_backward"):
        make_engine(engine_class=Engine).run(save_dir=str(tmp_path), max_epoch=1)


def test_accuracy_is_shown_only_where_the_classifier_learns(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Small(nn.Module):
        def forward(self, features: torch.Tensor, pids: torch.Tensor) -> torch.Tensor:
            return features.square().mean()

    engine = make_engine(engine_class=Engine)
    engine.terms = {"small": (1.0, Small())}
    epoch = engine.run(save_dir=str(tmp_path), max_epoch=1)["training"][0]
    assert "acc" not in epoch


def test_a_torchreid_engine_that_overrides_train_is_honoured(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    epochs: list[tuple[int, int]] = []

    class Counting(ImageSoftmaxEngine):
        def train(
            self, print_freq: int = 10, fixbase_epoch: int = 0, open_layers: Any = None
        ) -> None:
            epochs.append((self.epoch, print_freq))
            super().train(print_freq, fixbase_epoch, open_layers)

    base = make_engine()
    engine = Counting(base.datamanager, base.model, base.optimizer, plugins=base.plugins)
    engine.run(save_dir=str(tmp_path), max_epoch=2, print_freq=3)
    assert epochs == [(0, 3), (1, 3)]


def test_training_outside_a_run_says_what_to_call(make_engine: MakeEngine) -> None:
    with pytest.raises(UserError, match=r"no run is under way.*run\(max_epoch"):
        make_engine().train()


def test_a_test_leaves_the_record_of_the_training(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    before = (tmp_path / "results.json").read_text()
    engine.run(save_dir=str(tmp_path), test_only=True)
    assert (tmp_path / "results.json").read_text() == before
    assert json.loads((tmp_path / "test_results.json").read_text())["training"] == []


def test_what_is_done_is_recorded_when_a_run_fails(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    engine.test_loader = {**engine.test_loader, "gone": {"query": [], "gallery": []}}
    with pytest.raises(DataError, match="query of gone is empty"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)
    record = json.loads((tmp_path / "results.json").read_text())
    assert record["finished"] is False
    assert record["targets"]["tiny"]["mAP"] > 0
    assert len(record["training"]) == 1


def test_images_that_were_left_out_are_counted_at_the_end(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine()
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert "left out" not in caplog.text
    engine.datamanager.train_loader.skipped.update({"a.jpg": "truncated", "b.jpg": "no image"})
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert "2 unreadable images were left out: 'a.jpg', 'b.jpg'" in caplog.text


def test_a_foreign_model_is_tested_by_its_features_from_the_start(make_engine: MakeEngine) -> None:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3)
            self.head = nn.Linear(8, 6)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.head(self.conv(images).mean(dim=(2, 3)))

    base = make_engine()
    engine = ImageSoftmaxEngine(base.datamanager, Plain(), plugins=base.plugins)
    engine.set_model_mode("eval")
    assert engine.extract_features(torch.zeros(2, 3, 32, 16)).shape == (2, 8)


def test_a_request_to_stop_does_not_outlive_its_run(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    engine.interruption.ask()
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert (tmp_path / "model.pth.tar-1").is_file()


def test_a_target_without_a_valid_query_is_refused_before_training(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    splits = engine.datamanager.test_dataset["tiny"]
    lonely = [sample._replace(pid=999) for sample in splits["query"]]
    engine.datamanager.test_dataset["tiny"] = {"query": lonely, "gallery": splits["gallery"]}
    with pytest.raises(DataError, match=r"target .tiny.: none of its .* queries has a match"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert not list(tmp_path.iterdir())


def test_a_batch_of_one_is_refused_where_the_model_normalises_it(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine(batch_size=1)
    engine.model.add_module("last", nn.BatchNorm1d(8))
    with pytest.raises(UserError, match=r"batch of one.*train.batch_size"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


def test_a_share_of_one_is_refused_where_the_model_normalises_it(
    make_engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(batch_size=4)
    engine.model.add_module("last", nn.BatchNorm1d(8))
    monkeypatch.setattr("reidcore.engine.sanity_checks.rank_and_world", lambda: (0, 4))
    with pytest.raises(UserError, match=r"one image in each process.*train.batch_size to 8"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


def test_an_image_that_is_left_alone_ends_a_run_of_several_processes(
    make_engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(batch_size=4)
    engine.model.add_module("last", nn.BatchNorm1d(8))
    loader = engine.train_loader
    batch = {**next(iter(loader)), "impath": ["a.jpg"], "skipped": [("b.jpg", "no image")]}
    engine.train_loader = [batch]
    monkeypatch.setattr("reidcore.engine.run.rank_and_world", lambda: (0, 4))
    with pytest.raises(DataError, match=r"share of a batch is one image.*b.jpg \(no image\)"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)
