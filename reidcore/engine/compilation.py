"""``train.compile``: networks compiled by ``torch.compile``, or run as they are if that fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, fx, nn

from reidcore.errors import UserError, did_you_mean, quoted
from reidcore.plugins import describe

_log = logging.getLogger(__name__)

COMPILE_MODES = ("off", "default", "reduce-overhead", "max-autotune")

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

    def __init__(self, mode: str, backend: Backend | None = None) -> None:
        if mode not in COMPILE_MODES:
            raise UserError(
                f"train.compile is {quoted(mode)}",
                did_you_mean(mode, COMPILE_MODES) or f"Use one of: {', '.join(COMPILE_MODES)}.",
            )
        self.mode = mode
        self.is_on = mode != "off"
        self._backend = backend or _inductor
        self._has_failed = False

    def apply(self, model: nn.Module) -> None:
        """Let a network be compiled when it is called first; wrap it afterwards, in DDP as well."""
        if self.is_on:
            model.compile(backend=self._compiled)

    def paused(self) -> AbstractContextManager[object]:
        """Return the context in which compiled networks run as they are.

        A test has batches of other sizes, each of which would be compiled anew.
        """
        return torch.compiler.set_stance("force_eager") if self.is_on else nullcontext()

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
