"""What plugins answer to the engine's hooks, checked, so that a defect is told as theirs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from reidcore._validation import kind_of
from reidcore.engine.loss_terms import RESERVED_FIGURES
from reidcore.engine.step import StepOutcome, as_outcome
from reidcore.errors import PluginDefectError
from reidcore.evaluation import Distances
from reidcore.models.build_args import origin_of
from reidcore.plugins import CORE, Plugins

if TYPE_CHECKING:
    from reidcore.engine.engine import Engine
    from reidcore.models import Outputs


def checked_losses(answer: Any, plugins: Plugins) -> dict[str, Tensor]:
    """Return the loss terms if they are scalar tensors by name.

    Raises:
        PluginDefectError: if they are not.
    """
    if not isinstance(answer, Mapping):
        raise _defect(
            plugins, "reid_compute_losses", f"gave {kind_of(answer)}", "scalar tensors by name"
        )
    hook = "reid_compute_losses"
    # The sum of several terms is shown as "loss".
    reserved = RESERVED_FIGURES | ({"loss"} if len(answer) > 1 else set())
    for name, value in _items(answer, plugins, hook, "scalar tensors by name"):
        _refuse_reserved(name, reserved, plugins, hook)
        if not isinstance(value, Tensor) or value.numel() != 1 or not value.is_floating_point():
            raise _defect(
                plugins,
                "reid_compute_losses",
                f"gave {kind_of(value)} for the term {name!r}",
                "a scalar tensor",
            )
    return {name: value.reshape(()) for name, value in answer.items()}


def checked_outcome(answer: Any, plugins: Plugins) -> StepOutcome:
    """Return what a step did, if it says so.

    Raises:
        PluginDefectError: if it does not.
    """
    hook, wanted = "reid_forward_backward", "engine.outcome(losses), or numbers by name"
    if not isinstance(answer, StepOutcome | Mapping):
        raise _defect(plugins, hook, f"gave {kind_of(answer)}", wanted)
    try:
        outcome = as_outcome(answer, origin="the plugins")
        figures = dict(outcome.losses)
    except Exception as error:  # whatever a foreign object raises
        raise _defect(plugins, hook, f"gave {kind_of(answer)}", wanted) from error
    for name, value in figures.items():
        _refuse_reserved(name, RESERVED_FIGURES, plugins, hook)
        if not isinstance(value, Tensor) or value.numel() != 1:
            raise _defect(plugins, hook, f"gave {kind_of(value)} for {name!r}", wanted)
    return outcome


def check_outputs(outputs: Outputs, model: nn.Module, num_images: int) -> None:
    """Refuse what a model gives in training unless it is a vector for each image.

    Raises:
        PluginDefectError: naming the model and its plugin.
    """
    for name, found in (("logits", outputs.logits), ("features", outputs.features)):
        parts = list(found) if isinstance(found, tuple | list) else [found]
        for part in parts if found is not None else ():
            if not isinstance(part, Tensor) or part.dim() != 2 or len(part) != num_images:
                raise PluginDefectError(
                    f"{origin_of(model)} gave {kind_of(part)} as {name} of {num_images} images; "
                    f"it must give ({num_images}, n)"
                )


def checked_features(answer: Any, plugins: Plugins, num_images: int, model: nn.Module) -> Tensor:
    """Return features if there is a row for each image.

    Raises:
        PluginDefectError: if there is not.
    """
    if not isinstance(answer, Tensor) or answer.dim() != 2 or len(answer) != num_images:
        raise _defect(
            plugins,
            "reid_extract_features",
            f"gave {kind_of(answer)} for {num_images} images",
            f"a tensor ({num_images}, D)",
            otherwise=origin_of(model),
        )
    return answer


def checked_pair(answer: Any, plugins: Plugins, rows: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return transformed features of queries and gallery.

    Args:
        answer: what the hook gave.
        plugins: whose hooks took part.
        rows: the numbers of queries and of gallery images.

    Raises:
        PluginDefectError: if they are not two tensors of finite numbers, a vector for each image.
    """
    is_pair = isinstance(answer, tuple) and len(answer) == 2
    if not is_pair or not all(isinstance(part, Tensor) for part in answer):
        raise _defect(
            plugins, "reid_transform_features", f"gave {kind_of(answer)}", "(query, gallery)"
        )
    query, gallery = answer
    shapes = [tuple(part.shape) for part in answer]
    wanted = [(count, query.shape[-1] if query.dim() else 0) for count in rows]
    if shapes != wanted:
        raise _defect(
            plugins, "reid_transform_features", f"gave tensors {shapes}", f"shapes {wanted}"
        )
    if not (torch.isfinite(query).all() and torch.isfinite(gallery).all()):
        raise _defect(
            plugins, "reid_transform_features", "gave NaN or infinite features", "finite numbers"
        )
    return query, gallery


def checked_distances(answer: Any, plugins: Plugins, shape: tuple[int, int]) -> Distances:
    """Return distances, if they are those of all queries to the whole gallery.

    Raises:
        PluginDefectError: if they are not.
    """
    if not isinstance(answer, Distances) or tuple(answer.shape) != shape:
        of_shape = f" {tuple(answer.shape)}" if isinstance(answer, Distances) else ""
        wanted = f"Distances of the shape {shape}, such as MatrixDistances(matrix)"
        raise _defect(plugins, "reid_compute_distance", f"gave {kind_of(answer)}{of_shape}", wanted)
    return answer


def checked_state(answer: Any, plugin: str) -> dict[str, Any]:
    """Return a plugin's part of a checkpoint, if it is a dictionary.

    Raises:
        PluginDefectError: if it is not.
    """
    if not isinstance(answer, dict):
        raise PluginDefectError(
            f"plugin {plugin!r} gave {kind_of(answer)} in reid_checkpoint_save; it must return a "
            "dict"
        )
    return answer


def checked_results(answer: Any, plugins: Plugins, targets: Iterable[str]) -> dict[str, Any]:
    """Return the results of a test, if there is one for each target.

    Raises:
        PluginDefectError: if there is not.
    """
    wanted = set(targets)
    is_whole = isinstance(answer, Mapping) and set(answer) == wanted
    if not is_whole or not all(hasattr(result, "ranking") for result in answer.values()):
        raise _defect(
            plugins,
            "reid_evaluate",
            f"gave {kind_of(answer)}",
            f"the results of {', '.join(sorted(wanted))}",
        )
    return dict(answer)


def files_of_runs(plugins: Plugins) -> list[str]:
    """Return the names, with wildcards, of what plugins write into the folders of runs.

    Raises:
        PluginDefectError: if one gives something else, or a name that begins with a wildcard.
    """
    names: list[str] = []
    for plugin in [each for each in plugins.active if "reid_run_files" in each.hooks]:
        for answer in plugins.subset_hook("reid_run_files", [plugin])():
            if not isinstance(answer, list | tuple) or not all(map(_names_files, answer)):
                raise PluginDefectError(
                    f"plugin {plugin.name!r} gave {answer!r:.80} in reid_run_files; it must return "
                    "a list of names of files"
                )
            names += answer
    return names


def _names_files(name: Any) -> bool:
    return isinstance(name, str) and re.fullmatch(r"\w[^/\\]*", name) is not None


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
            twice = sorted(figures.keys() & {*taken, *gathered, *RESERVED_FIGURES})
            if twice:
                raise PluginDefectError(
                    f"plugin {plugin.name!r} gave the figure {twice[0]!r} in reid_figures, which "
                    "is there already; it must choose another name"
                )
            gathered |= figures
    return gathered


def _checked_figures(answer: Any, plugin: str) -> dict[str, float]:
    try:
        figures = {name: float(value) for name, value in answer.items()}
        if not all(isinstance(name, str) for name in figures):
            raise TypeError("a name that is no text")
        return figures
    except Exception as error:  # whatever a foreign object raises
        raise PluginDefectError(
            f"plugin {plugin!r} gave {kind_of(answer)} in reid_figures; it must return numbers by "
            "name"
        ) from error


def _items(answer: Any, plugins: Plugins, hook: str, wanted: str) -> list[tuple[Any, Any]]:
    try:
        return list(answer.items())
    except Exception as error:  # whatever a foreign object raises
        raise _defect(plugins, hook, f"gave {kind_of(answer)}", wanted) from error


def _refuse_reserved(name: Any, reserved: Collection[str], plugins: Plugins, hook: str) -> None:
    """Refuse a name that the record has for a figure of its own."""
    if not isinstance(name, str) or name in reserved:
        wanted = f"another name: the record keeps {sorted(reserved)}"
        raise _defect(plugins, hook, f"gave a term named {name!r}", wanted)


def _defect(
    plugins: Plugins, hook: str, gave: str, wanted: str, otherwise: str = "the engine"
) -> PluginDefectError:
    taking_part = [plugin for plugin, _ in plugins.implementations(hook) if plugin.name != CORE]
    names = " or ".join(dict.fromkeys(plugin.origin for plugin in taking_part))
    culprit = f"plugin {names}" if names else otherwise
    return PluginDefectError(f"{culprit} {gave} in {hook}; it must return {wanted}")
