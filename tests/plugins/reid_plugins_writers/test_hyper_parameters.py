"""The configuration in TensorBoard's tab HPARAMS."""

from __future__ import annotations

from pathlib import Path

from reidcore.testing import tiny_run


def test_runs_are_told_apart_by_their_values_and_have_their_figures(tmp_path: Path) -> None:
    from tensorboard import context
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams.backend_context import Context

    data = tmp_path / "data"
    tiny_run(save_dir=tmp_path / "log" / "a", root=data, overrides=["train.lr=0.5"])
    tiny_run(save_dir=tmp_path / "log" / "b", root=data, overrides=["data.transforms=[]"])
    runs = EventMultiplexer()
    runs.AddRunsFromDirectory(str(tmp_path / "log"))
    runs.Reload()
    provider = MultiplexerDataProvider(runs, str(tmp_path / "log"))
    shown, request = Context(TBContext(data_provider=provider)), context.RequestContext()
    metadata = shown.hparams_metadata(request, "")
    assert metadata.keys() == {"a", "b"}
    found = shown.hparams_from_data_provider(request, "", 100)
    experiment = shown.experiment_from_metadata(request, "", True, metadata, found)
    assert {"train.lr", "data.transforms"} <= {each.name for each in experiment.hparam_infos}
    metrics = {each.name.tag for each in experiment.metric_infos}
    assert {"Test/tiny/mAP", "Train/softmax"} <= metrics
