"""The steps of the model, by what came before them."""

from __future__ import annotations

import pytest
from reid_plugins_start.context import Context, Wishes
from reid_plugins_start.folders import Place
from reid_plugins_start.journal import Entry, Journal
from reid_plugins_start.model_steps import calibrate_step, export_step
from reid_plugins_start.source import Source

from reidcore.plugins import make_plugins


@pytest.fixture
def context(tmp_path):
    """A road whose training is done."""
    place = Place(tmp_path / "out")
    place.run.mkdir(parents=True)
    for epoch in (9, 10):
        (place.run / f"model.pth.tar-{epoch}").touch()
    with make_plugins() as plugins:
        journal = Journal(place.journal)
        yield Context(Source(tmp_path / "crops"), place, Wishes(), journal, plugins)


@pytest.mark.parametrize("state", ["left out", "failed"])
def test_a_model_without_a_threshold_is_exported_and_handed_over_as_it_was_trained(context, state):
    context.place.model.touch()  # of an earlier training
    calibrate_step(context).otherwise()
    assert not context.place.model.exists()
    context.journal.note("calibrate", Entry(state, "key", told="too few"))
    trained = context.place.run / "model.pth.tar-10"
    assert context.model == trained
    assert export_step(context).command[1] == trained


def test_a_model_with_a_threshold_is_exported_with_it(context):
    assert export_step(context).command[1] == context.place.model
    context.journal.note("calibrate", Entry("done", "key"))
    assert context.model == context.place.model


def test_the_steps_of_start_itself_are_told_all_that_was_asked_for(tmp_path):
    wishes = Wishes("van", "cpu", 2.5, 3, "coco", ["frames=here"])
    with make_plugins() as plugins:
        place, journal = Place(tmp_path), Journal(tmp_path / "start.json")
        words = Context(Source(tmp_path), place, wishes, journal, plugins).own_command("choose")
    assert [str(word) for word in words[2:-4]] == [
        *("frames=here", "--format", "coco", "--class", "van", "--minutes", "2.5"),
        *("--seed", "3", "--device", "cpu"),
    ]
