"""The run plan: what a run is to do, checked once and passed as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from reidcore.config.options.base import Names, NotNegative, OutputFolder, Positive
from reidcore.config.options.test import ScoringOptions
from reidcore.config.options.train import EpochOptions


class RunPlan(EpochOptions, ScoringOptions):
    """What a run is to do: the epochs, the tests, and where results go.

    Attributes:
        save_dir: where checkpoints, logs, pictures and ``results.json`` go.
        test_only: test and do not train.
        overwrites: a training that starts anew removes what an earlier run left in ``save_dir``,
            which is moved aside otherwise.
        protocol: the evaluation protocol's name.
        protocol_options: the protocol's own options.
    """

    model_config = ConfigDict(frozen=True)

    section: ClassVar[str] = ""

    save_dir: OutputFolder = "log"
    max_epoch: NotNegative = 0
    print_freq: Positive = 10
    open_layers: Names = []
    test_only: bool = False
    overwrites: bool = False
    protocol: str = "market1501"
    protocol_options: Mapping[str, Any] = {}

    @classmethod
    def of(cls, *sections: BaseModel, **others: Any) -> RunPlan:
        """Make a plan of the keys that it shares with sections of a configuration.

        Args:
            sections: such as ``config.train`` and ``config.test``.
            others: values that no section has, or that win over theirs.
        """
        shared = {
            key: getattr(section, key)
            for section in sections
            for key in type(section).model_fields
            if key in cls.model_fields
        }
        return cls.checked(**(shared | others))

    @classmethod
    def of_torchreid(cls, arguments: Mapping[str, Any]) -> RunPlan:
        """Make a plan of the arguments of Torchreid's ``engine.run`` or ``engine.test``, by name.

        Args:
            arguments: ``use_metric_cuhk03`` stands for a protocol, and ``others`` holds keys of a
                plan that Torchreid does not have.
        """
        values = {key: value for key, value in arguments.items() if key != "self"}
        is_cuhk03, others = values.pop("use_metric_cuhk03"), values.pop("others", {})
        if "open_layers" in values:
            values["open_layers"] = as_names(values["open_layers"])
        values["protocol"] = "cuhk03" if is_cuhk03 else "market1501"
        return cls.checked(**values | others)

    @property
    def reported_max_rank(self) -> int:
        """The CMC curve's length, long enough for every reported rank."""
        return max(self.max_rank, *self.ranks)

    def tests_after(self, done: int) -> bool:
        """Say whether to test once ``done`` epochs are done, before the last one."""
        if self.eval_freq <= 0 or done >= self.max_epoch:
            return False
        return done >= self.start_eval and done % self.eval_freq == 0


def as_names(value: str | Sequence[str] | None) -> list[str]:
    """Return names as a list, from one name, several, or None."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
