"""What a scene is made from."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from reid_plugins_synthetic.cameras import CAMERAS
from reid_plugins_synthetic.marker import check_limits


@dataclass(frozen=True)
class SceneSettings:
    """What a synthetic scene is made from; equal settings give equal bytes.

    Args:
        people: number of people who walk about.
        cameras: number of cameras in a row, 2 to 6; one walks from each to its neighbours.
        fps: frames a second.
        width: width of a frame in pixels.
        height: height of a frame in pixels.
        pause: seconds between the first appearance of one person and that of the next.
        fragments: mean number of times a minute that a tracker loses somebody without a cause.
        overlap: let the last camera see the same place as the one before, at the same time.
        seed: seed of everything drawn.
    """

    people: int = 12
    cameras: int = 3
    fps: int = 4
    width: int = 320
    height: int = 180
    pause: float = 3.0
    fragments: float = 2.0
    overlap: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        limits = {
            "people": (1, 1500),
            "cameras": (2, len(CAMERAS)),
            "fps": (1, 60),
            "width": (64, 4096),
            "height": (48, 4096),
            "pause": (0.1, 600),
            "fragments": (0, 60),
        }
        check_limits(self, limits, "synthetic scene")

    def as_dict(self) -> dict[str, float]:
        """Return the settings by name."""
        return asdict(self)

    @property
    def camera_names(self) -> tuple[str, ...]:
        """The cameras by what they see: ``hall``, ``street`` and so on."""
        return tuple(camera.scene for camera in CAMERAS[: self.cameras])
