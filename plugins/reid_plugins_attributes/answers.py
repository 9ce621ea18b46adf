"""What a network has learnt to answer: the questions, and the layer that answers them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

import torch
from torch import Tensor

from reid_plugins_attributes.loss import AttributeLoss
from reid_plugins_attributes.questions import Question
from reidcore.engine import Engine
from reidcore.errors import CheckpointError, ConfigError, UserError
from reidcore.inference import read_metadata

OWNER = "attributes"
"""The plugin whose part of a checkpoint it is."""


@dataclass(frozen=True, eq=False)
class LearntAttributes:
    """A linear layer that answers questions from features.

    Attributes:
        questions: A of them.
        weight: (A, D).
        bias: (A,).
    """

    questions: tuple[Question, ...]
    weight: Tensor
    bias: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """Return (N, A) of features (N, D): above 0 is yes.

        Raises:
            UserError: if there are not as many features.
        """
        if features.shape[1] != self.weight.shape[1]:
            raise UserError(
                f"attributes were learnt from {self.weight.shape[1]} features, and there are "
                f"{features.shape[1]}",
                "A step of the test that changes their number, such as pooling, is in the way.",
            )
        return features.float() @ self.weight.T + self.bias

    def record(self) -> dict[str, Any]:
        """Return all of it in plain values and tensors, for a checkpoint."""
        return {
            "questions": [list(astuple(each)) for each in self.questions],
            "weight": self.weight,
            "bias": self.bias,
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> LearntAttributes:
        """Return what a checkpoint's record holds.

        Raises:
            CheckpointError: if it is something else.
        """
        try:
            questions = tuple(_question(*each) for each in record["questions"])
            weight, bias = record["weight"].float(), record["bias"].float()
            fits = weight.shape[:1] == bias.shape == (len(questions),)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(
                f"the checkpoint's record of attributes is damaged ({error!r})",
                "Train again, or take another checkpoint of the run.",
            ) from error
        if not fits:
            raise CheckpointError(
                f"the checkpoint has {len(questions)} attributes and a layer {tuple(weight.shape)}",
                "It is damaged: take another checkpoint of the run.",
            )
        return cls(questions, weight, bias)

    def check_record(self, record: Mapping[str, Any]) -> None:
        """Refuse a checkpoint of other questions.

        Raises:
            CheckpointError: naming the first that differ.
        """
        before = self.of_record(record).questions
        if before != self.questions:
            others = sorted({each.name for each in before} ^ {each.name for each in self.questions})
            told = f"; they differ in {', '.join(others[:3])}" if others else ""
            raise CheckpointError(
                f"the checkpoint learnt {len(before)} attributes, and the training images have "
                f"{len(self.questions)}{told}",
                "Go on with the training images that it began with.",
            )

    def check_features(self, engine: Engine) -> None:
        """Make sure that a test gives the features that attributes are learnt from.

        Raises:
            ConfigError: if the head gives tests what lies on the other side of its neck.
        """
        head = getattr(engine.model, "head", None)
        sides = [getattr(head, key, None) for key in ("metric_features", "test_features")]
        if getattr(head, "neck", None) is not None and sides[0] != sides[1]:
            raise ConfigError(
                f"attributes are learnt from the features {str(sides[0]).replace('_', ' ')}, and "
                f"tests compare those {str(sides[1]).replace('_', ' ')}",
                f"Set model.head.test_features={sides[0]}, or metric_features={sides[1]}.",
            )


def _question(name: Any, column: Any, yes: Any, no: Any = None) -> Question:
    """Return a question of a record; the first ones did not say what means no."""
    return Question(str(name), str(column), int(yes), None if no is None else int(no))


def learnt_attributes(engine: Engine) -> LearntAttributes | None:
    """Return what an engine's model has learnt to answer; None without attributes.

    It is that of the loss being trained or, in a test, that of the checkpoint of the weights.
    """
    if engine.plan.test_only:
        weights = (engine.config or {}).get("model", {}).get("load_weights")
        return read_attributes(weights) if weights else None
    for _, criterion in engine.terms.values():
        if isinstance(criterion, AttributeLoss):
            layer = criterion.classifier
            weight, bias = (each.detach().cpu().clone() for each in (layer.weight, layer.bias))
            return LearntAttributes(criterion.questions, weight, bias)
    return None


def read_attributes(checkpoint: str) -> LearntAttributes | None:
    """Return what a checkpoint's model has learnt to answer; None if it learnt no attributes.

    Raises:
        CheckpointError: if the file is missing, damaged or refused.
    """
    record = read_metadata(checkpoint).hooks.get(OWNER)
    return LearntAttributes.of_record(record) if record else None


def probabilities(learnt: LearntAttributes, features: Tensor) -> Tensor:
    """Return the probability of a yes (N, A) of features (N, D), in float32 on the CPU."""
    return torch.sigmoid(learnt.logits(features.cpu()))
