"""Weights from a file into a model, as far as names and sizes agree."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from reidcore._files import PathLike, check_isfile
from reidcore._logging import configure_if_bare
from reidcore.errors import CheckpointError, counted, did_you_mean, quoted
from reidcore.models.build_args import build_args_of
from reidcore.models.layers import bare_key, kind_fault, unwrap
from reidcore.models.reid_model import ReidModel
from reidcore.models.weights.cache import WeightsStore
from reidcore.models.weights.catalog import KeyMap, PublishedWeights, find_published
from reidcore.models.weights.files import FileOfWeights, read_weights
from reidcore.models.weights.key_maps import WeightsLayout, arrange
from reidcore.models.weights.trained import remember_training
from reidcore.models.weights.untrained import remember_loading
from reidcore.registry import entries

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

_log = logging.getLogger(__name__)

# Weights are of this model if they fill so much of it, or are themselves used up so far.
_SHARE_OF_MODEL = 0.5
_SHARE_OF_FILE = 0.9


@dataclass(frozen=True)
class LoadedWeights:
    """What became of a file of weights.

    Attributes:
        loaded: entries of the model that the file filled.
        discarded: entries of the file that the model lacks or has in another size.
        untouched: entries of the model that the file did not fill.
        reasons: why each entry was discarded.
        layout: whose keys the file has; empty if they are the model's own.
        resampled: entries that were loaded, and of another size in the file.
    """

    loaded: list[str]
    discarded: list[str]
    untouched: list[str]
    reasons: Mapping[str, str] = field(default_factory=dict)
    layout: str = ""
    resampled: Sequence[str] = ()


def load_pretrained_weights(
    model: nn.Module,
    weight_path: PathLike,
    plugins: Plugins | None = None,
    *,
    features_only: bool = False,
) -> LoadedWeights:
    """Fill a model from a file or from published weights, leaving out what does not fit.

    A file is one that ``torch.save`` wrote, a state dict or a checkpoint with one under
    ``state_dict`` or ``model``, or a safetensors file. Its keys may be ours, which are Torchreid's
    and torchvision's, or those of a plugin's layout, such as FastReID's; those of a network inside
    another, below a common prefix, are found as well, and so are those of wrappers (DataParallel,
    DDP, ``torch.compile``) on either side. A classifier for other identities is left out, as any
    layer of another size, save what a model can bring into its own (``ReidModel.resampled``), such
    as a position for each patch.

    Args:
        model: the network, wrapped or not; changed in place.
        weight_path: the file, or the name of published weights (``reidcore weights ls``).
        plugins: where a name is looked up; by default the current plugins.
        features_only: nobody will ask the model for logits, so that a classifier which is left out
            is no news.

    Returns:
        The entries that were loaded, discarded and untouched, and why.

    Raises:
        CheckpointError: if there is no such file or name, the file cannot be loaded safely or holds
            no weights, they are those of another architecture, or a part of this model's is
            missing from a file that says it is of this model; the model is then as it was.
        UserError: if published weights cannot be downloaded.
    """
    if check_isfile(Path(weight_path).expanduser()):
        return load_state(model, weight_path, None, plugins, features_only)
    published = _published(weight_path, plugins)
    file = WeightsStore().require(published)
    return load_state(model, file, published.key_map(), plugins, features_only)


def load_published_weights(
    model: nn.Module, name: str, plugins: Plugins | None = None
) -> LoadedWeights:
    """Fill a model with published weights: what a factory's ``pretrained=True`` does.

    They are looked up in the tables that plugins publish, taken from the cache or downloaded into
    it. A classifier of other classes keeps its own weights.

    Args:
        model: the network; changed in place.
        name: the weights' name, which is most often the model's.
        plugins: where they are looked up; by default the current plugins.

    Returns:
        What was loaded, discarded and left untouched.

    Raises:
        UnknownNameError: if no plugin publishes such weights.
        UserError: if they are in no cache and cannot be downloaded; names the ways out.
        CheckpointError: if the file is damaged or belongs to another model.
    """
    weights = find_published(name, plugins)
    return load_state(model, WeightsStore().require(weights), keys=weights.key_map())


def load_state(
    model: nn.Module,
    path: PathLike,
    keys: KeyMap | None = None,
    plugins: Plugins | None = None,
    features_only: bool = False,
) -> LoadedWeights:
    """Fill a model from a file, as ``load_pretrained_weights`` does.

    Args:
        model: the network, wrapped or not; changed in place.
        path: the file.
        keys: turns a key of the file into the model's, or into None where it has no such entry.
        plugins: those of who uses the model; by default the current plugins.
        features_only: as for ``load_pretrained_weights``.
    """
    configure_if_bare()
    network = unwrap(model)
    held = read_weights(path)
    found = _mapped(held.tensors, keys) if keys else held.tensors
    # A network may itself have a child named "module": then its own keys lose that prefix as well.
    own_key = {bare_key(key): key for key in network.state_dict()}
    wanted = {bare_key(key): value for key, value in network.state_dict().items()}
    arranged, resampled = _resampled(network, arrange(network, found, wanted, plugins), wanted)
    fitting = arranged.fitting(wanted)
    _check_architecture(network, path, held, arranged, wanted, fitting)
    _check_whole(network, path, held, arranged, wanted)
    _check_kinds(path, {name: arranged.tensors[name] for name in fitting}, wanted)
    network.load_state_dict(
        {own_key[name]: arranged.tensors[name] for name in fitting}, strict=False
    )
    remember_loading(network)
    used = {arranged.file_keys.get(name) for name in fitting}
    names = {key: name for name, key in arranged.file_keys.items()}
    reasons = {key: _reason(names[key], found[key], wanted) for key in names if key not in used}
    report = LoadedWeights(
        loaded=[own_key[name] for name in fitting],
        discarded=list(reasons),
        untouched=[own_key[name] for name in wanted if name not in set(fitting)],
        reasons=reasons,
        layout=arranged.name,
        resampled=[own_key[name] for name in resampled],
    )
    _log_report(report, path, features_only)
    if arranged.advice:
        _log.warning("%s", arranged.advice)
    if held.not_loaded:
        _log.info(
            "Not loaded of %r, being neither tensors nor plain values: %s",
            *(os.fspath(path), _listed(held.not_loaded, 6)),
        )
    _log_other_form(network, path, held)
    remember_training(network, path, held.record, plugins)
    return report


def _published(name: PathLike, plugins: Plugins | None) -> PublishedWeights:
    listed = entries("weights", plugins)
    names = [each for entry in listed for each in (entry.name, entry.qualified_name)]
    if str(name) not in names:
        raise CheckpointError(
            f"no checkpoint at {os.fspath(name)!r}, and no published weights of that name",
            f"{did_you_mean(str(name), names)} See: reidcore weights ls".strip(),
        )
    return find_published(str(name), plugins)


def _mapped(tensors: Mapping[str, Tensor], keys: KeyMap) -> dict[str, Tensor]:
    return {name: value for key, value in tensors.items() if (name := keys(key)) is not None}


def _resampled(
    network: nn.Module, arranged: WeightsLayout, wanted: Mapping[str, Tensor]
) -> tuple[WeightsLayout, list[str]]:
    """Let the network bring entries of another size into its own; also return their names."""
    if not isinstance(network, ReidModel):
        return arranged, []
    brought = {
        name: own
        for name, entry in arranged.tensors.items()
        if name in wanted
        and entry.shape != wanted[name].shape
        and (own := network.resampled(name, entry)) is not None
    }
    return replace(arranged, tensors={**arranged.tensors, **brought}), list(brought)


def _check_architecture(
    network: nn.Module,
    path: PathLike,
    held: FileOfWeights,
    arranged: WeightsLayout,
    wanted: Mapping[str, Tensor],
    fitting: Sequence[str],
) -> None:
    """Refuse weights of another architecture, of which a few entries fit by chance."""
    distinctive = [name for name in fitting if _is_distinctive(name)]
    share_of_model = len(distinctive) / max(1, sum(map(_is_distinctive, wanted)))
    share_of_file = len(distinctive) / max(1, sum(map(_is_distinctive, arranged.tensors)))
    if share_of_model >= _SHARE_OF_MODEL or share_of_file >= _SHARE_OF_FILE:
        return
    kind, file = type(network).__name__, repr(os.fspath(path))
    who = f", of a {held.model_name!r}," if held.model_name else ""
    few = (
        f"too little ({len(distinctive)} of {counted(len(wanted), 'entry', 'entries')})"
        if distinctive
        else "nothing"
    )
    raise CheckpointError(
        f"{few} in {file}{who} fits {kind}: {'; '.join(_differences(arranged, wanted))}",
        "Build the model that these weights belong to.",
    )


def _check_whole(
    network: nn.Module,
    path: PathLike,
    held: FileOfWeights,
    arranged: WeightsLayout,
    wanted: Mapping[str, Tensor],
) -> None:
    """Refuse a file that says it is of this very model and lacks a part of it, save its head."""
    if not held.model_name or held.model_name != build_args_of(network).get("name"):
        return
    distinctive = [
        name for name in wanted if _is_distinctive(name) and not name.startswith("head.")
    ]
    missing = [name for name in distinctive if name not in arranged.tensors]
    here, there = (each.get("head") or {} for each in (build_args_of(network), _model_of(held)))
    if missing and here != there:
        raise CheckpointError(
            f"{os.fspath(path)!r} is of a {held.model_name!r} with the head {there}, the model has "
            f"{here or 'its own'}: {_listed(missing, 3)} would keep its random weights",
            f"Build the model with head={there}, or set model.head so.",
        )
    if missing:
        raise CheckpointError(
            f"{os.fspath(path)!r}, of a {held.model_name!r}, lacks {len(missing)} of its "
            f"{counted(len(distinctive), 'entry', 'entries')}: {_listed(missing, 3)}",
            "Copy or download the whole file again.",
        )


def _check_kinds(path: PathLike, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Refuse numbers of another kind, of which a cast would lose or misread a part."""
    for name, value in given.items():
        if (fault := kind_fault(value, wanted[name])) is not None:
            raise CheckpointError(
                f"{os.fspath(path)!r} has {name} {fault}",
                "Save the weights as the numbers that the model computes with.",
            )


def _differences(arranged: WeightsLayout, wanted: Mapping[str, Tensor]) -> Iterator[str]:
    """Say what a model expects and what was found, by an example or two."""
    for name, value in arranged.tensors.items():
        if _is_distinctive(name) and name in wanted and wanted[name].shape != value.shape:
            expected, found = tuple(wanted[name].shape), tuple(value.shape)
            yield f"expected {name} of size {expected}, found {found}"
            break
    strange = [name for name in arranged.tensors if name not in wanted]
    missing = [name for name in wanted if name not in arranged.tensors]
    if strange:
        yield f"the file holds {_listed(strange, 3)}"
    if missing:
        yield f"the model wants {_listed(missing, 3)}"


def _is_distinctive(name: str) -> bool:
    """Say whether an entry tells architectures apart: not a counter, nor of the classifier."""
    return not name.endswith("num_batches_tracked") and not _is_of_classifier(name)


def _is_of_classifier(name: str) -> bool:
    return name.startswith("classifier")


def _reason(name: str, value: Tensor, wanted: Mapping[str, Tensor]) -> str:
    if name in wanted:
        return f"size {tuple(value.shape)}, the model's is {tuple(wanted[name].shape)}"
    return "the model has no such entry"


def _log_report(report: LoadedWeights, path: PathLike, features_only: bool) -> None:
    total = len(report.loaded) + len(report.untouched)
    whose = f" ({report.layout})" if report.layout else ""
    _log.info(
        "Loaded %d of the model's %s from %r%s",
        *(len(report.loaded), counted(total, "entry", "entries"), os.fspath(path), whose),
    )
    if report.resampled:
        _log.info("Resampled for the size of the images: %s", ", ".join(report.resampled))
    sized = [f"{key} ({why})" for key, why in report.reasons.items() if why.startswith("size")]
    unknown = [key for key, why in report.reasons.items() if not why.startswith("size")]
    if sized:
        is_news = not (
            features_only and all(_is_of_classifier(bare_key(k)) for k in report.untouched)
        )
        level = logging.INFO if is_news else logging.DEBUG
        _log.log(level, "Left out for their size: %s", _listed(sized, 6))
    if unknown:
        near = did_you_mean(unknown[0], report.untouched)
        left_out = f"Left out, unknown to the model: {_listed(unknown, 12)}. {near}".strip()
        # Weights of a deeper network of the family fill this one, and leave that much over.
        most = (1 - _SHARE_OF_FILE) * (len(report.loaded) + len(report.discarded))
        _log.log(logging.WARNING if len(unknown) > most else logging.INFO, "%s", left_out)
    missing = [
        key
        for key in report.untouched
        if bare_key(key) not in report.reasons and _is_distinctive(bare_key(key))
    ]
    if missing:
        _log.warning("Not in the file and left as they were: %s", _listed(missing, 12))


def _log_other_form(network: nn.Module, path: PathLike, held: FileOfWeights) -> None:
    """Say where a network was built otherwise than the one that a file's weights are of."""
    own, recorded = build_args_of(network), _model_of(held)
    if not own or own.get("name") != recorded.get("name"):
        return
    for part in ("options", "head"):
        here, there = (each.get(part) or {} for each in (own, recorded))
        for key in dict.fromkeys((*here, *there)):
            if here.get(key) != there.get(key):
                told = "the model was built with %s %s=%s, that of %s with %s"
                values = map(quoted, (here.get(key), path, there.get(key)))
                _log.warning(told, part, key, *values)


def _model_of(held: FileOfWeights) -> Mapping[str, Any]:
    return held.record.get("model") or {}


def _listed(keys: Sequence[str], most: int) -> str:
    shown = ", ".join(keys[:most])
    return shown if len(keys) <= most else f"{shown} and {len(keys) - most} more"
