"""``train.compile``: networks compiled by ``torch.compile``, or run as they are if that fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, fx, nn

from reidcore import hookimpl
from reidcore.errors import UserError, did_you_mean, quoted
from reidcore.plugins import describe

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")

COMPILE_MODES = ("default", "reduce-overhead", "max-autotune")

Compiled = Callable[..., Any]
Backend = Callable[[fx.GraphModule, Sequence[Tensor], str], Compiled]


class Compilation:
    """Compiles networks in place, so that their keys and classes stay as they are.

    What is compiled is told with its seconds, which the first steps take longer. A graph that the
    backend cannot compile (no compiler on the machine, say) is told once, and run without it.

    Args:
        mode: one of `COMPILE_MODES`, as ``torch.compile`` names them.
        backend: makes a function of a graph, its example inputs and the mode; Inductor by default.

    Raises:
        UserError: if there is no such mode.
    """

    def __init__(self, mode: str = "default", backend: Backend | None = None) -> None:
        if mode not in COMPILE_MODES:
            raise UserError(
                f"train.compile is {quoted(mode)}",
                did_you_mean(mode, COMPILE_MODES) or f"Use one of: {', '.join(COMPILE_MODES)}.",
            )
        self.mode = mode
        self._backend = backend or _inductor
        self._has_failed = False

    @hookimpl
    def reid_model_built(self, model: nn.Module) -> None:
        """Let a network be compiled when it is called first; whoever wraps it does so later."""
        model.compile(backend=self._compiled)

    @hookimpl(wrapper=True)
    def reid_evaluate(self) -> Generator[None, Any, Any]:
        """Run networks as they are: a test has batches of other sizes, each to be compiled anew."""
        with torch.compiler.set_stance("force_eager"):
            return (yield)

    def _compiled(self, graph: fx.GraphModule, inputs: Sequence[Tensor]) -> Compiled:
        started = time.perf_counter()
        try:
            compiled = self._backend(graph, inputs, self.mode)
        except Exception as error:  # whatever a compiler raises
            if not self._has_failed:
                _log.warning(
                    "train.compile=%s: the network runs without it, since compiling failed: %s",
                    self.mode,
                    describe(error).splitlines()[0],
                )
            self._has_failed = True
            return graph.forward
        _log.info(
            "train.compile=%s: %d operations compiled in %.1f s",
            self.mode,
            len(graph.graph.nodes),
            time.perf_counter() - started,
        )
        return compiled


def _inductor(graph: fx.GraphModule, inputs: Sequence[Tensor], mode: str) -> Compiled:
    # Imported here, since it takes seconds. Lists of options by mode are what torch.compile reads.
    from torch._inductor import list_mode_options
    from torch._inductor.compile_fx import compile_fx

    return cast("Compiled", compile_fx(graph, inputs, config_patches=list_mode_options(mode)))
