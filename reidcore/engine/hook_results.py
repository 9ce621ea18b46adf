"""What plugins answer to the engine's hooks, checked, so that a defect is told as theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from reidcore.engine.step import StepOutcome, as_outcome
from reidcore.errors import PluginDefectError
from reidcore.plugins import CORE, Plugins

if TYPE_CHECKING:
    from reidcore.engine.engine import Engine


def checked_losses(answer: Any, plugins: Plugins) -> dict[str, Tensor]:
    """Return the loss terms if they are scalar tensors by name.

    Raises:
        PluginDefectError: if they are not.
    """
    if not isinstance(answer, Mapping):
        raise _defect(
            plugins, "reid_compute_losses", f"gave {_kind(answer)}", "scalar tensors by name"
        )
    for name, value in answer.items():
        if not isinstance(value, Tensor) or value.numel() != 1:
            raise _defect(
                plugins,
                "reid_compute_losses",
                f"gave {_kind(value)} for the term {name!r}",
                "a scalar tensor",
            )
    return {name: value.reshape(()) for name, value in answer.items()}


def checked_outcome(answer: Any, plugins: Plugins) -> StepOutcome:
    """Return what a step did, if it says so.

    Raises:
        PluginDefectError: if it does not.
    """
    if isinstance(answer, StepOutcome):
        return answer
    if isinstance(answer, Mapping):
        return as_outcome(answer, origin="the plugins")
    raise _defect(
        plugins, "reid_forward_backward", f"gave {_kind(answer)}", "engine.outcome(losses)"
    )


def checked_features(answer: Any, plugins: Plugins, num_images: int) -> Tensor:
    """Return features if there is a row for each image.

    Raises:
        PluginDefectError: if there is not.
    """
    if not isinstance(answer, Tensor) or answer.dim() != 2 or len(answer) != num_images:
        raise _defect(
            plugins,
            "reid_extract_features",
            f"gave {_kind(answer)} for {num_images} images",
            f"a tensor ({num_images}, D)",
        )
    return answer


def checked_pair(answer: Any, plugins: Plugins) -> tuple[Tensor, Tensor]:
    """Return transformed features of queries and gallery.

    Raises:
        PluginDefectError: if they are not two tensors of finite numbers.
    """
    is_pair = isinstance(answer, tuple) and len(answer) == 2
    if not is_pair or not all(isinstance(part, Tensor) for part in answer):
        raise _defect(
            plugins, "reid_transform_features", f"gave {_kind(answer)}", "(query, gallery)"
        )
    query, gallery = answer
    if not (torch.isfinite(query).all() and torch.isfinite(gallery).all()):
        raise _defect(
            plugins, "reid_transform_features", "gave NaN or infinite features", "finite numbers"
        )
    return query, gallery


def checked_state(answer: Any, plugin: str) -> dict[str, Any]:
    """Return a plugin's part of a checkpoint, if it is a dictionary.

    Raises:
        PluginDefectError: if it is not.
    """
    if not isinstance(answer, dict):
        raise PluginDefectError(
            f"plugin {plugin!r} gave {_kind(answer)} in reid_checkpoint_save; it must return a dict"
        )
    return answer


def checked_results(answer: Any, plugins: Plugins, targets: Iterable[str]) -> dict[str, Any]:
    """Return the results of a test, if there is one for each target.

    Raises:
        PluginDefectError: if there is not.
    """
    wanted = set(targets)
    if not isinstance(answer, Mapping) or set(answer) != wanted:
        raise _defect(
            plugins,
            "reid_evaluate",
            f"gave {_kind(answer)}",
            f"the results of {', '.join(sorted(wanted))}",
        )
    return dict(answer)


def gathered_figures(engine: Engine, taken: Collection[str]) -> dict[str, float]:
    """Return the figures of all plugins.

    Args:
        engine: the engine.
        taken: the names of the core's own figures.

    Raises:
        PluginDefectError: if one gives something else than numbers by name, or a name that is
            there already.
    """
    gathered: dict[str, float] = {}
    for plugin in engine.plugins.active:
        if "reid_figures" not in plugin.hooks:
            continue
        hook = engine.plugins.subset_hook("reid_figures", [plugin])
        for answer in hook(engine=engine):
            figures = _checked_figures(answer, plugin.name)
            twice = sorted(figures.keys() & {*taken, *gathered})
            if twice:
                raise PluginDefectError(
                    f"plugin {plugin.name!r} gave the figure {twice[0]!r} in reid_figures, which "
                    "is there already; it must choose another name"
                )
            gathered |= figures
    return gathered


def _checked_figures(answer: Any, plugin: str) -> dict[str, float]:
    try:
        return {str(name): float(value) for name, value in (answer or {}).items()}
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise PluginDefectError(
            f"plugin {plugin!r} gave {_kind(answer)} in reid_figures; it must return numbers by "
            "name"
        ) from error


def _defect(plugins: Plugins, hook: str, gave: str, wanted: str) -> PluginDefectError:
    names = [plugin.name for plugin, _ in plugins.implementations(hook) if plugin.name != CORE]
    culprit = f"plugin {' or '.join(map(repr, names))}" if names else "the engine"
    return PluginDefectError(f"{culprit} {gave} in {hook}; it must return {wanted}")


def _kind(answer: Any) -> str:
    if isinstance(answer, Tensor):
        return f"a tensor {tuple(answer.shape)}"
    return "None" if answer is None else f"a {type(answer).__name__}"
