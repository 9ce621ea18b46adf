"""The configuration as TensorBoard's hyper-parameters, beside the run's figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reid_plugins_runs.flat_config import hyperparameters

from reid_plugins_writers.tensorboard import add_summary
from reid_plugins_writers.writer import Writer

if TYPE_CHECKING:
    from reidcore.engine import Engine


class HyperParameters(Writer):
    """Tells TensorBoard that a run's folder is a session, with what values, and that it ended.

    ``SummaryWriter.add_hparams`` would make a further folder for it, apart from the scalars. Which
    columns and metrics there are is left to TensorBoard, which finds out from all runs that it
    shows: a run that listed its own would hide what only others have.

    Args:
        engine: has a configuration.
    """

    def __init__(self, engine: Engine) -> None:
        from torch.utils.tensorboard import summary

        session_of: Callable[..., Any] = summary.hparams
        # Of the three summaries the first would list the columns.
        _, start, self._end = session_of(hyperparameters(engine.config or {}, engine.plugins), {})
        self._has_failed = False
        add_summary(engine, start)

    def failed(self, engine: Engine, error: BaseException) -> None:
        """Remember that the run does not come to its end."""
        self._has_failed = True

    def close(self, engine: Engine) -> None:
        """Tell that the session has come to its end, if it has."""
        if not self._has_failed:
            add_summary(engine, self._end)
