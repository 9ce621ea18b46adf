"""Distillation: loss terms by which a network learns from a trained one, whatever the engine."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from reid_plugins_training.per_run import PerRun
from reid_plugins_training.settings import Distill
from reid_plugins_training.soft_targets import soft_target_loss
from reid_plugins_training.teacher import Teacher, sha256_of
from reidcore import hookimpl
from reidcore.engine import Engine
from reidcore.errors import UserError
from reidcore.models import Outputs, unwrap

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")

_ANY_WIDTH = "settings.training.distill.cosine=0 settings.training.distill.relation=1"


class Distillation:
    """Adds the terms of a teacher to the losses of a run; each model of an engine learns from it.

    The teacher sees the student's own images, after augmentation. It is no part of the student's
    checkpoints, which keep the sum of its file, so that a resumed run with another one is told.

    Args:
        teacher: the checkpoint of a trained network.
        logits: weight of ``distill_logits``, the divergence of the predictions, softened by the
            temperature (Hinton et al., Distilling the Knowledge in a Neural Network, 2015); it
            needs the same identities.
        temperature: softens them.
        cosine: weight of ``distill_cosine``, one minus the cosine between the features of an image;
            it needs features of one width.
        relation: weight of ``distill_relation``, the mean squared difference between the cosines
            of all pairs of images (after Tung and Mori, Similarity-Preserving Knowledge
            Distillation, ICCV 2019).

    Raises:
        pydantic.ValidationError: a ``ValueError``, if all weights are 0 or a number is negative.
    """

    def __init__(
        self,
        teacher: str | os.PathLike[str],
        logits: float = 1.0,
        temperature: float = 4.0,
        cosine: float = 0.0,
        relation: float = 0.0,
    ) -> None:
        self.settings = Distill(
            teacher=os.fspath(teacher),
            logits=logits,
            temperature=temperature,
            cosine=cosine,
            relation=relation,
        )
        self._runs: PerRun[_Lessons] = PerRun()

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Build the teacher for a training, and see whether the student can learn from it.

        Raises:
            UserError: if it has other classes, or features of another width, that a term needs.
        """
        if engine.plan.test_only:
            return
        sha256 = sha256_of(self.settings.teacher)
        teacher = Teacher(self.settings.teacher, engine)
        if self.settings.logits:
            teacher.check_classes(engine)
        if self.settings.cosine:
            for state in engine.states.values():
                width = getattr(unwrap(state.model), "feature_dim", None)
                if isinstance(width, int) and teacher.feature_dim is not None:
                    _check_widths(width, teacher.feature_dim)
        self._runs.start(engine, _Lessons(teacher, sha256))

    @hookimpl(wrapper=True)
    def reid_compute_losses(
        self, engine: Engine, batch: Mapping[str, Any], outputs: Outputs
    ) -> Generator[None, dict[str, Tensor], dict[str, Tensor]]:
        """Add the terms, in the steps of a run."""
        losses = yield
        lessons = self._runs.get(engine)
        return losses if lessons is None else losses | self._terms(outputs, lessons.on(batch))

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        """Let go of the batch."""
        if lessons := self._runs.get(engine):
            lessons.given = None

    @hookimpl
    def reid_checkpoint_save(self, engine: Engine) -> dict[str, Any]:
        """Keep which teacher it was."""
        lessons = self._runs.get(engine)
        return {"teacher": self.settings.teacher, "sha256": lessons.sha256 if lessons else ""}

    @hookimpl
    def reid_checkpoint_load(self, state: Mapping[str, Any]) -> None:
        """Tell of another teacher."""
        if state.get("sha256") != sha256_of(self.settings.teacher):
            _log.warning(
                "Resumed with another teacher: %s, and before %s",
                self.settings.teacher,
                state.get("teacher"),
            )

    @hookimpl
    def reid_run_end(self, engine: Engine) -> None:
        """Forget the run."""
        self._runs.end(engine)

    def _terms(self, outputs: Outputs, given: Outputs) -> dict[str, Tensor]:
        weights, terms = self.settings, {}
        if weights.logits:
            loss = soft_target_loss(outputs, given, weights.temperature)
            terms["distill_logits"] = weights.logits * loss
        if weights.cosine or weights.relation:
            own, its = _joined(outputs), _joined(given)
        if weights.cosine:
            terms["distill_cosine"] = weights.cosine * cosine_loss(own, its)
        if weights.relation:
            terms["distill_relation"] = weights.relation * relation_loss(own, its)
        return terms


@dataclass
class _Lessons:
    """A teacher of one run.

    Attributes:
        teacher: the network.
        sha256: the sum of its file.
        given: the batch of the step under way and what the teacher gave of it.
    """

    teacher: Teacher
    sha256: str
    given: tuple[Mapping[str, Any], Outputs] | None = None

    def on(self, batch: Mapping[str, Any]) -> Outputs:
        """Return what the teacher gives, once for all networks that learn from a batch."""
        if self.given is None or self.given[0] is not batch:
            self.given = batch, self.teacher(batch)
        return self.given[1]


def cosine_loss(features: Tensor, targets: Tensor) -> Tensor:
    """Return one minus the mean cosine between the features of each image, a scalar.

    Args:
        features: (B, D) of the network that learns.
        targets: (B, D) of the teacher.

    Raises:
        UserError: if they are of two widths.
    """
    _check_widths(features.shape[1], targets.shape[1])
    return 1 - F.cosine_similarity(features.float(), targets.detach().float()).mean()


def relation_loss(features: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared difference between the cosines of all pairs, a scalar.

    Args:
        features: (B, D) of the network that learns.
        targets: (B, E) of the teacher, of any width.
    """
    with torch.autocast(features.device.type, enabled=False):  # products in float32
        own, its = (F.normalize(each.float(), dim=1) for each in (features, targets.detach()))
        return F.mse_loss(own @ own.T, its @ its.T)  # (B, B) each


def _joined(outputs: Outputs) -> Tensor:
    """Return the features (B, D), those of several branches in a row."""
    if outputs.features is None:  # of a foreign module that gives logits alone
        raise UserError(
            "a network without features cannot be compared by them",
            "Return (logits, features) in training, or subclass ReidModel.",
        )
    found = outputs.features
    return found if isinstance(found, Tensor) else torch.cat(list(found), dim=1)


def _check_widths(own: int, its: int) -> None:
    if own != its:
        raise UserError(
            f"the features have {own} numbers and the teacher's {its}: distill_cosine compares "
            "them one by one",
            f"Compare images among themselves, which takes any widths: {_ANY_WIDTH}.",
        )
