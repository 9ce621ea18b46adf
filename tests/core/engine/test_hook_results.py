"""A plugin that answers a hook wrongly is named, and the defect is its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore import hookimpl
from reidcore.engine import Engine
from reidcore.errors import PluginDefectError

MakeEngine = Callable[..., Engine]


class LosesTerms:
    @hookimpl(wrapper=True)
    def reid_compute_losses(self) -> Any:
        yield
        return None


class VectorTerm:
    @hookimpl(wrapper=True)
    def reid_compute_losses(self, outputs: Any) -> Any:
        losses = yield
        return {**losses, "vector": outputs.features.norm(dim=1)}


class FloatTerm:
    @hookimpl(wrapper=True)
    def reid_compute_losses(self) -> Any:
        losses = yield
        return {**losses, "number": 1.0}


class ForgetsToReturn:
    @hookimpl(wrapper=True)
    def reid_forward_backward(self) -> Any:
        yield


class NumberStep:
    @hookimpl
    def reid_forward_backward(self) -> Any:
        return 3


class NumberState:
    @hookimpl
    def reid_checkpoint_save(self) -> Any:
        return 5


class ScalarFeatures:
    @hookimpl
    def reid_extract_features(self, images: torch.Tensor) -> Any:
        return images.mean()


class OneSide:
    @hookimpl
    def reid_transform_features(self, query: torch.Tensor) -> Any:
        return query


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (LosesTerms(), "plugin 'LosesTerms' gave None in reid_compute_losses"),
        (VectorTerm(), r"'VectorTerm' gave a tensor \(8,\) for the term 'vector'"),
        (FloatTerm(), "'FloatTerm' gave a float for the term 'number'"),
        (ForgetsToReturn(), "'ForgetsToReturn' gave None in reid_forward_backward"),
        (NumberStep(), "'NumberStep' gave an int in reid_forward_backward"),
        (NumberState(), "'NumberState' gave an int in reid_checkpoint_save"),
        (ScalarFeatures(), r"'ScalarFeatures' gave a tensor \(\) for \d+ images"),
        (OneSide(), "'OneSide' gave a tensor .* in reid_transform_features"),
    ],
)
def test_a_wrong_answer_is_the_plugins_defect(
    make_engine: MakeEngine, tmp_path: Path, plugin: object, message: str
) -> None:
    with pytest.raises(PluginDefectError, match=message):
        make_engine(plugin).run(save_dir=str(tmp_path), max_epoch=1)


def test_a_dictionary_of_numbers_is_a_fair_answer(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Numbers:
        @hookimpl
        def reid_forward_backward(self, engine: Engine, batch: Any) -> Any:
            losses = engine.losses(batch)
            engine.backward(losses)
            engine.optimizer_step()
            return {"loss": float(sum(losses.values()).detach())}

    result = make_engine(Numbers()).run(save_dir=str(tmp_path), max_epoch=1)
    assert result["training"][0]["loss"] > 0


def test_a_loss_that_a_step_gives_beside_its_terms_is_shown_as_given(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Numbers:
        @hookimpl
        def reid_forward_backward(self, engine: Engine, batch: Any) -> Any:
            engine.backward(engine.losses(batch))
            engine.optimizer_step()
            return {"loss_t": 1.0, "loss_x": 2.0, "loss": 2.5}

    result = make_engine(Numbers()).run(save_dir=str(tmp_path), max_epoch=1)
    first = result["training"][0]
    assert (first["loss_t"], first["loss_x"], first["loss"]) == (1.0, 2.0, 2.5)
