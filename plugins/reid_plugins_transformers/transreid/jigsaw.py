"""Patches in groups that each see all of a person: the jigsaw patch module of TransReID.

He et al., "TransReID: Transformer-based Object Re-Identification", ICCV 2021. B images, N patches,
D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reidcore.errors import ConfigError


@dataclass(frozen=True)
class Jigsaw:
    """Shifts patches, shuffles them, and cuts their row into parts.

    Attributes:
        shift: how far patches move; those in front come to the end. One less than this, as in the
            authors' code, by which their figures were made.
        groups: of the shuffle: patches are dealt out as from so many packs in turn.
        parts: number of parts.
    """

    shift: int = 5
    groups: int = 2
    parts: int = 4

    def check(self, patches: int) -> None:
        """Refuse settings that so many patches cannot be cut by.

        Raises:
            ConfigError: naming the setting.
        """
        ranges = {
            "jpm_shift": (self.shift, 1, patches),
            "jpm_groups": (self.groups, 1, patches),
            "jpm_parts": (self.parts, 1, patches),
        }
        for name, (value, least, most) in ranges.items():
            if not least <= value <= most:
                raise ConfigError(
                    f"model.{name} is {value}, of {patches} patches",
                    f"Give {least} to {most}; TransReID has shift 5 (vehicles 8), 2 groups and "
                    "4 parts.",
                )

    def cut(self, patches: Tensor) -> Tensor:
        """Return the parts, in order: (B, N, D) -> (B, parts, N // parts, D).

        Patches that are left over at the end are in no part.
        """
        length = patches.shape[1] // self.parts
        shuffled = self._shuffled(patches)[:, : length * self.parts]
        return torch.unflatten(shuffled, 1, (self.parts, length))

    def _shuffled(self, patches: Tensor) -> Tensor:
        moved = patches.roll(1 - self.shift, dims=1)
        missing = -moved.shape[1] % self.groups
        if missing:  # with the last patch but one, as the authors do; of two packs it is dealt last
            filling = moved[:, -2:-1].expand(-1, missing, -1)
            moved = torch.cat([moved, filling], dim=1)
        # (B, groups, M, D) -> (B, M, groups, D) -> (B, M * groups, D)
        return torch.unflatten(moved, 1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)
