"""A checkpoint in place of a configuration: it tells how its model is tested."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reidcore.errors import UserError

if TYPE_CHECKING:
    from reidcore.config import Config, Draft
    from reidcore.config.recorded import RecordedValues
    from reidcore.plugins import Plugins

_log = logging.getLogger(__name__)

# How files of torch.save begin: a zip, or a pickle.
_TORCH = (b"PK\x03\x04", b"\x80")
# A safetensors file begins with the length, in eight bytes, of the JSON object that follows. It is
# short enough to leave the upper bytes zero, which no text does.
_LENGTH, _JSON = 8, b"\0\0\0\0{"
# A download that broke off, or a web page, is told as what its name promises.
_NAMED = re.compile(r"\.(pth|pt|safetensors)(\.tar)?(-\d+)?$")


def is_checkpoint(path: str) -> bool:
    """Tell a file of weights from a configuration by its name, or else by how it begins."""
    try:
        with Path(path).expanduser().open("rb") as file:
            head = file.read(_LENGTH + 1)
    except OSError:
        return False
    return bool(_NAMED.search(path)) or head.startswith(_TORCH) or head.endswith(_JSON)


def configuration_of(checkpoint: str, added: Sequence[str] = ()) -> dict[str, Any]:
    """Return the configuration that tests the model of a checkpoint; results go beside the file.

    Args:
        checkpoint: the file.
        added: the plugins that the user names; a file that only the record names is told.

    Raises:
        CheckpointError: if it cannot be read.
        UserError: if it does not tell its model.
    """
    from reidcore.inference.checkpoint_metadata import read_metadata
    from reidcore.models.weights.trained import warn_of_plugin_files

    metadata = read_metadata(checkpoint)
    warn_of_plugin_files(checkpoint, metadata.config, added)
    if not metadata.model_name:
        raise UserError(
            f"{checkpoint!r} does not tell its model",
            "Give a configuration, and model.load_weights=FILE with it.",
        )
    values = metadata.configuration()
    model = {"pretrained": False, "resume": "", "load_weights": str(checkpoint)}
    values["model"] = {**values["model"], **model}
    values["data"] = {**values["data"], "save_dir": str(Path(checkpoint).parent)}
    return values


def with_checkpoint_found(draft: Draft) -> Draft:
    """Return a draft in which ``model.resume`` is a file, whatever stood for it, or empty.

    Raises:
        CheckpointError: if a folder has no complete checkpoint.
    """
    named = draft.config.model.resume
    if not named:
        return draft
    from reidcore.engine.agreement import on_main_process
    from reidcore.engine.latest import checkpoint_to_resume

    folder, place = draft.config.data.save_dir, ("model", "resume")
    found = on_main_process(lambda: checkpoint_to_resume(named, folder))
    draft.layer.set(place, str(found or ""), draft.layer.origins[place])
    return type(draft)(draft.layer)


def recorded_values(draft: Draft, added: Sequence[str] = ()) -> RecordedValues | None:
    """Return what the checkpoint that a draft names records for its run; None without one.

    A resumed training is that of the checkpoint. Who uses its weights has its model, images and
    distance: a test also where a recipe has others, a training where nobody has.

    Args:
        draft: what was given.
        added: the plugins that the user names beside those of the draft; a file that only the
            checkpoint's record names is told.

    Raises:
        CheckpointError: if it cannot be read.
    """
    config = draft.config
    path, tests = config.model.resume or config.model.load_weights, config.test.evaluate
    if not path or not is_checkpoint(path):
        return None
    from reidcore.config.recorded import RecordedValues
    from reidcore.inference.checkpoint_metadata import read_metadata
    from reidcore.models.weights.trained import warn_of_plugin_files

    metadata = read_metadata(path)
    warn_of_plugin_files(path, metadata.config, [*added, *(draft.plugins or ())])
    if tests or not config.model.resume:
        if not (tests or metadata.preprocessing):
            return None  # weights of nobody's run, to begin with
        return RecordedValues(path, metadata.of_weights(config.data.transforms), tests)
    values = metadata.of_training()
    values["data"] = {**values.get("data", {}), "save_dir": str(Path(path).parent)}
    return RecordedValues(path, values)


def tell_differences(
    recorded: RecordedValues, draft: Draft, config: Config, plugins: Plugins
) -> None:
    """Log where a run and its checkpoint differ, a line for each key.

    What a test, or a training that begins with weights, does otherwise is told by the engine, which
    sees it on every road.

    Raises:
        CheckpointError: if they differ in what the state of a resumed run has no meaning without.
    """
    differences = list(recorded.differences(draft, config, plugins))
    if config.model.resume and not config.test.evaluate:
        recorded.refuse_another_meaning(differences)
    else:
        differences = [each for each in differences if each.origin is None]
    for difference in differences:
        _log.info("From %s: %s", recorded.checkpoint, difference)
