"""A checkpoint in place of a configuration: it tells how its model is tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reidcore.errors import UserError

# How files of torch.save begin: a zip, or a pickle.
_TORCH = (b"PK\x03\x04", b"\x80")
# A safetensors file begins with the length, in eight bytes, of the JSON object that follows. It is
# short enough to leave the upper bytes zero, which no text does.
_LENGTH, _JSON = 8, b"\0\0\0\0{"


def is_checkpoint(path: str) -> bool:
    """Tell a file of weights from a configuration by how it begins."""
    try:
        with Path(path).expanduser().open("rb") as file:
            head = file.read(_LENGTH + 1)
    except OSError:
        return False
    return head.startswith(_TORCH) or head.endswith(_JSON)


def configuration_of(checkpoint: str) -> dict[str, Any]:
    """Return the configuration that tests the model of a checkpoint; results go beside the file.

    Raises:
        CheckpointError: if it cannot be read.
        UserError: if it does not tell its model.
    """
    from reidcore.inference.checkpoint_metadata import read_metadata

    metadata = read_metadata(checkpoint)
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
