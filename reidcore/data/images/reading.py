"""How what an image holds becomes 8-bit RGB, and the error where it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from reidcore.config.options.data import LoadingOptions
from reidcore.errors import DataError, printable


class UnreadableImageError(DataError):
    """An image file is missing, truncated, too large or not an image.

    Attributes:
        path: The file.
        reason: What the decoder said.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"cannot read the image {printable(path, one_line=True)} ({reason})",
            "Repair or remove it, or leave such images out with data.on_bad_image=skip",
        )
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[UnreadableImageError], tuple[str, str]]:
        return type(self), (self.path, self.reason)


class ImageReading(NamedTuple):
    """How images are read, by every decoder alike and whatever they come as.

    Attributes:
        preset: ``viewer`` for what a viewer shows: turned upright as EXIF asks for, laid over
            white where transparent, values of more than 8 bits scaled to bytes. ``torchreid`` for
            the pixels that Torchreid's models were trained on: as they lie in the file, with the
            colours that transparency hides, and values that fit into bytes.
        value_range: What becomes 0 and 255 of values of more than 8 bits and of floats; None for
            the range of their type.
    """

    preset: str = "torchreid"
    value_range: tuple[float, float] | None = None

    @classmethod
    def recorded(cls, preprocessing: Mapping[str, Any]) -> Self:
        """Make one of what a data manager, a checkpoint or a program says.

        Args:
            preprocessing: May hold ``reading``, which is Torchreid's otherwise, and
                ``value_range``.

        Raises:
            ConfigError: There is no such preset, or the range is none.
        """
        asked = {"reading": preprocessing.get("reading", "torchreid")}
        if (ends := preprocessing.get("value_range")) is not None:
            asked["value_range"] = list(ends)
        return cls.of(LoadingOptions.checked(**asked))

    @classmethod
    def of(cls, options: LoadingOptions) -> Self:
        """Make one of a configuration's section."""
        ends = options.value_range
        return cls(options.reading, (ends[0], ends[1]) if ends else None)

    @property
    def is_viewer(self) -> bool:
        """Whether images look as in a viewer."""
        return self.preset == "viewer"


TORCHREID = ImageReading("torchreid")
VIEWER = ImageReading("viewer")
"""Images as a viewer shows them, values scaled by the range of their type."""
