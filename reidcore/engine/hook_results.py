"""What plugins answer to the engine's hooks, checked: a wrong answer is a PluginDefectError."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from reidcore._validation import kind_of
from reidcore.engine.loss_terms import RESERVED_FIGURES
from reidcore.engine.step import StepOutcome, as_outcome
from reidcore.errors import PluginDefectError, quoted
from reidcore.evaluation import Distances
from reidcore.models.build_args import origin_of
from reidcore.plugins import Plugin, Plugins
from reidcore.plugins.manager import wrong_hook_answer

if TYPE_CHECKING:
    from reidcore.engine.engine import Engine
    from reidcore.models import Outputs


def checked_losses(answer: Any, plugins: Plugins) -> dict[str, Tensor]:
    """Return the loss terms if they are scalar tensors by name."""
    hook, wanted = "reid_compute_losses", "scalar tensors by name"
    if not isinstance(answer, Mapping):
        raise wrong_hook_answer(plugins, hook, f"gave {kind_of(answer)}", wanted)
    # The sum of several terms is shown as "loss".
    reserved = RESERVED_FIGURES | ({"loss"} if len(answer) > 1 else set())
    for name, value in _items(answer, plugins, hook, wanted):
        _refuse_reserved(name, reserved, plugins, hook)
        if not isinstance(value, Tensor) or value.numel() != 1 or not value.is_floating_point():
            what = f"gave {kind_of(value)} for the term {name!r}"
            raise wrong_hook_answer(plugins, hook, what, "a scalar tensor")
    return {name: value.reshape(()) for name, value in answer.items()}


def checked_outcome(answer: Any, plugins: Plugins) -> StepOutcome:
    """Return what a step did, if it says so."""
    hook, wanted = "reid_forward_backward", "engine.outcome(losses), or numbers by name"
    if not isinstance(answer, StepOutcome | Mapping):
        raise wrong_hook_answer(plugins, hook, f"gave {kind_of(answer)}", wanted)
    try:
        outcome = as_outcome(answer, origin="the plugins")
        figures = dict(outcome.losses)
    except Exception as error:  # whatever a foreign object raises
        raise wrong_hook_answer(plugins, hook, f"gave {kind_of(answer)}", wanted) from error
    for name, value in figures.items():
        _refuse_reserved(name, RESERVED_FIGURES, plugins, hook)
        if not isinstance(value, Tensor) or value.numel() != 1:
            raise wrong_hook_answer(plugins, hook, f"gave {kind_of(value)} for {name!r}", wanted)
    return outcome


def check_outputs(outputs: Outputs, model: nn.Module, num_images: int) -> None:
    """Refuse what a model gives in training unless it is a vector for each image."""
    for name, found in (("logits", outputs.logits), ("features", outputs.features)):
        parts = list(found) if isinstance(found, tuple | list) else [found]
        for part in parts if found is not None else ():
            if not isinstance(part, Tensor) or part.dim() != 2 or len(part) != num_images:
                raise PluginDefectError(
                    f"{origin_of(model)} gave {kind_of(part)} as {name} of {num_images} images; "
                    f"it must give ({num_images}, n)"
                )


def checked_pair(answer: Any, plugins: Plugins, rows: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return transformed features of queries and gallery.

    Args:
        answer: what the hook gave.
        plugins: whose hooks took part.
        rows: the numbers of queries and of gallery images.

    Raises:
        PluginDefectError: if they are not two tensors of finite numbers, a vector for each image.
    """
    hook = "reid_transform_features"
    is_pair = isinstance(answer, tuple) and len(answer) == 2
    if not is_pair or not all(isinstance(part, Tensor) for part in answer):
        raise wrong_hook_answer(plugins, hook, f"gave {kind_of(answer)}", "(query, gallery)")
    query, gallery = answer
    shapes = [tuple(part.shape) for part in answer]
    wanted = [(count, query.shape[-1] if query.dim() else 0) for count in rows]
    if shapes != wanted:
        raise wrong_hook_answer(plugins, hook, f"gave tensors {shapes}", f"shapes {wanted}")
    if not (torch.isfinite(query).all() and torch.isfinite(gallery).all()):
        what = "gave NaN or infinite features"
        raise wrong_hook_answer(plugins, hook, what, "finite numbers")
    return query, gallery


def checked_distances(answer: Any, plugins: Plugins, shape: tuple[int, int]) -> Distances:
    """Return distances, if they are those of all queries to the whole gallery."""
    if not isinstance(answer, Distances) or tuple(answer.shape) != shape:
        of_shape = f" {tuple(answer.shape)}" if isinstance(answer, Distances) else ""
        wanted = f"Distances of the shape {shape}, such as MatrixDistances(matrix)"
        raise wrong_hook_answer(
            plugins, "reid_compute_distance", f"gave {kind_of(answer)}{of_shape}", wanted
        )
    return answer


def checked_state(answer: Any, plugin: Plugin) -> dict[str, Any]:
    """Return a plugin's part of a checkpoint, if it is a dictionary."""
    if not isinstance(answer, dict):
        raise PluginDefectError(
            f"plugin {plugin.origin} gave {kind_of(answer)} in reid_checkpoint_save; it must "
            "return a dict"
        )
    return answer


def checked_results(answer: Any, plugins: Plugins, targets: Iterable[str]) -> dict[str, Any]:
    """Return the results of a test, if there is one for each target."""
    wanted = set(targets)
    is_whole = isinstance(answer, Mapping) and set(answer) == wanted
    if not is_whole or not all(hasattr(result, "ranking") for result in answer.values()):
        named = f"the results of {', '.join(sorted(wanted))}"
        raise wrong_hook_answer(plugins, "reid_evaluate", f"gave {kind_of(answer)}", named)
    return dict(answer)


def checked_reason(answer: Any, plugins: Plugins) -> str | None:
    """Return why training stops, if it does, and in words."""
    if answer is not None and not (isinstance(answer, str) and answer):
        wanted = "a reason in words, or None"
        raise wrong_hook_answer(plugins, "reid_stop_training", f"gave {kind_of(answer)}", wanted)
    return answer


def files_of_runs(plugins: Plugins, folder: Path) -> list[str]:
    """Return the names, with wildcards, of what plugins write into the folders of runs.

    Raises:
        PluginDefectError: if one gives something else, or a name that begins with a wildcard.
    """
    names: list[str] = []
    for plugin, hook in plugins.one_by_one("reid_run_files"):
        for answer in hook(folder=folder):
            listed = answer if isinstance(answer, list | tuple) else [None]
            if not all(isinstance(n, str) and re.fullmatch(r"\w[^/\\]*", n) for n in listed):
                raise PluginDefectError(
                    f"plugin {plugin.origin} gave {quoted(answer)} in reid_run_files; it must "
                    "return a list of names of files"
                )
            names += answer
    return names


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
    for plugin, hook in engine.plugins.one_by_one("reid_figures"):
        for answer in hook(engine=engine):
            figures = _checked_figures(answer, plugin)
            twice = sorted(figures.keys() & {*taken, *gathered, *RESERVED_FIGURES})
            if twice:
                raise PluginDefectError(
                    f"plugin {plugin.origin} gave the figure {twice[0]!r} in reid_figures, which "
                    "is there already; it must choose another name"
                )
            gathered |= figures
    return gathered


def _checked_figures(answer: Any, plugin: Plugin) -> dict[str, float]:
    try:
        figures = {name: float(value) for name, value in answer.items()}
        if not all(isinstance(name, str) for name in figures):
            raise TypeError("a name that is no text")
        return figures
    except Exception as error:  # whatever a foreign object raises
        raise PluginDefectError(
            f"plugin {plugin.origin} gave {kind_of(answer)} in reid_figures; it must return "
            "numbers by name"
        ) from error


def _items(answer: Any, plugins: Plugins, hook: str, wanted: str) -> list[tuple[Any, Any]]:
    try:
        return list(answer.items())
    except Exception as error:  # whatever a foreign object raises
        raise wrong_hook_answer(plugins, hook, f"gave {kind_of(answer)}", wanted) from error


def _refuse_reserved(name: Any, reserved: Collection[str], plugins: Plugins, hook: str) -> None:
    """Refuse a name that the record has for a figure of its own."""
    if not isinstance(name, str) or name in reserved:
        wanted = f"another name: the record keeps {sorted(reserved)}"
        raise wrong_hook_answer(plugins, hook, f"gave a term named {name!r}", wanted)
