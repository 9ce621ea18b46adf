"""What a folder of vehicles is made from."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from reid_plugins_synthetic.marker import check_limits


@dataclass(frozen=True)
class VehicleSettings:
    """What vehicles are drawn from; equal settings give equal bytes.

    Args:
        ids: number of vehicles.
        cameras: number of cameras, 1 to 6.
        images_per_camera: pictures of each vehicle by each camera.
        height: height of a picture in pixels.
        width: width of a picture in pixels.
        seed: seed of everything drawn.
    """

    ids: int = 40
    cameras: int = 3
    images_per_camera: int = 4
    height: int = 96
    width: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        limits = {
            "ids": (1, 2000),
            "cameras": (1, 6),
            "images_per_camera": (1, 99),
            "height": (16, 2048),
            "width": (16, 2048),
        }
        check_limits(self, limits, "drawn vehicles'")

    def as_dict(self) -> dict[str, int]:
        """Return the settings by name."""
        return asdict(self)
