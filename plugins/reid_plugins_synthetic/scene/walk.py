"""How a person crosses the view of a camera: place, size, direction and step, moment by moment."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random

from reid_plugins_synthetic.cameras import BACK, FRONT, LEFT, Camera
from reid_plugins_synthetic.people import Person
from reid_plugins_synthetic.pose import Pose, draw_pose
from reid_plugins_synthetic.view import View

_FAR, _NEAR = 0.4, 0.62  # height of a person, as a share of the frame's
_FAR_GROUND, _NEAR_GROUND = 0.8, 0.97  # row of the feet, likewise
_STEPS = 0.9  # double steps a second


@dataclass(frozen=True)
class Place:
    """Where somebody is in a frame.

    Attributes:
        column: of the person's axis, in pixels.
        ground: row of the feet, in pixels.
        height: of an average person there, in pixels.
    """

    column: float
    ground: float
    height: float


@dataclass(frozen=True)
class Walk:
    """A way through the view of one camera.

    Attributes:
        camera: what sees it.
        person: who walks.
        columns: share of the frame's width where it begins and ends.
        nearness: how near to the camera it begins and ends, from 0 to 1.
        yaw: where the person faces, in radians.
        pose: arms and stride; the step goes on by itself.
    """

    camera: Camera
    person: Person
    columns: tuple[float, float]
    nearness: tuple[float, float]
    yaw: float
    pose: Pose

    def place(self, share: float, size: tuple[int, int]) -> Place:
        """Return where the person is after a share of the way, in a frame of (width, height)."""
        column, near = (a + share * (b - a) for a, b in (self.columns, self.nearness))
        ground = _FAR_GROUND + near * (_NEAR_GROUND - _FAR_GROUND)
        height = _FAR + near * (_NEAR - _FAR)
        return Place(column * size[0], ground * size[1], height * size[1])

    def pose_at(self, seconds: float) -> Pose:
        """Return the moment of the step after some seconds."""
        return replace(self.pose, phase=self.pose.phase + 2 * math.pi * _STEPS * seconds)

    def view(self, height: float, column: float, ground: float) -> View:
        """Return how the person is seen, of a height in pixels, at a column and row."""
        tilt = self.camera.tilt
        scale = height * (1 + 0.6 * (self.person.stature - 1))
        scale /= math.cos(tilt) + 0.06 * math.sin(tilt)
        return View(self.yaw, tilt, scale, column, ground)


def draw_walk(camera: Camera, person: Person, random: Random) -> Walk:
    """Draw a way in one of the directions in which people mostly walk in front of a camera."""
    facing = random.choice(camera.facings)
    pose = draw_pose(random)
    pose = replace(pose, stride=max(pose.stride, 0.25))
    if facing in (FRONT, BACK):
        begin, end = random.uniform(0.2, 0.8), random.uniform(0.2, 0.8)
        near = (0.0, 1.0) if facing == FRONT else (1.0, 0.0)
        slant = 0.6 * (end - begin) * (1 if facing == FRONT else -1)
        return Walk(camera, person, (begin, end), near, facing + slant, pose)
    depth = random.random()
    across = (1.04, -0.04) if facing == LEFT else (-0.04, 1.04)
    yaw = facing + random.uniform(-0.4, 0.4)
    return Walk(camera, person, across, (depth, depth), yaw, pose)
