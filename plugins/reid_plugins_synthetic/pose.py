"""How a person stands or walks: the joints of the body for a moment of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from reid_plugins_synthetic.people import Person
from reid_plugins_synthetic.view import Point

HIP, KNEE_LENGTH, SHIN_LENGTH = 0.485, 0.235, 0.225
SHOULDER, UPPER_ARM, FOREARM = 0.785, 0.15, 0.14


@dataclass(frozen=True)
class Pose:
    """A moment of the step.

    Args:
        phase: where in the step, in radians.
        stride: swing of the thighs in radians; 0 stands still.
        arms: what each arm (left, right) does: "swing", "phone" or "pocket".
    """

    phase: float
    stride: float
    arms: tuple[str, str]


@dataclass(frozen=True)
class Leg:
    """The joints of one leg, in units of stature."""

    hip: Point
    knee: Point
    ankle: Point
    toe: Point


@dataclass(frozen=True)
class Arm:
    """The joints of one arm, in units of stature."""

    shoulder: Point
    elbow: Point
    hand: Point


def draw_pose(random: Random) -> Pose:
    """Draw a pose: mostly walking, sometimes standing, a hand now and then at a phone."""
    phase = random.uniform(0, 2 * math.pi)
    stride = random.uniform(0.25, 0.5) if random.random() < 0.75 else random.uniform(0.0, 0.1)
    arms = [random.choices(("swing", "phone", "pocket"), (8, 1, 1))[0] for _ in range(2)]
    return Pose(phase, stride, (arms[0], arms[1]))


def leg_of(person: Person, pose: Pose, left: bool) -> Leg:
    """Return the joints of a leg."""
    side = 1.0 if left else -1.0
    swing = side * math.sin(pose.phase)
    thigh = pose.stride * swing
    lift = max(0.0, side * math.cos(pose.phase))
    shin = thigh - pose.stride * (0.25 + 1.1 * lift)
    hip = (side * 0.047 * person.girth, 0.0, HIP)
    knee = _down(hip, thigh, KNEE_LENGTH)
    ankle = _down(knee, shin, SHIN_LENGTH)
    toe = (ankle[0] + side * 0.01, ankle[1] + 0.075, max(0.008, ankle[2] - 0.012))
    return Leg(hip, knee, ankle, toe)


def arm_of(person: Person, pose: Pose, left: bool) -> Arm:
    """Return the joints of an arm; it swings against the leg of its side."""
    side = 1.0 if left else -1.0
    action = pose.arms[0 if left else 1]
    shoulder = (side * 0.1 * person.girth, 0.0, SHOULDER)
    spread = side * 0.026
    if action == "phone":
        elbow = _down(shoulder, 0.15, UPPER_ARM, spread)
        return Arm(shoulder, elbow, (elbow[0] - spread, elbow[1] + 0.11, elbow[2] + 0.11))
    if action == "pocket":
        elbow = _down(shoulder, -0.35, UPPER_ARM, spread * 1.6)
        return Arm(shoulder, elbow, (side * 0.085 * person.girth, 0.05, 0.53))
    swing = -side * math.sin(pose.phase) * pose.stride * 0.9
    elbow = _down(shoulder, swing, UPPER_ARM, spread)
    return Arm(shoulder, elbow, _down(elbow, swing + 0.2, FOREARM, spread * 0.4))


def _down(start: Point, angle: float, length: float, sideways: float = 0.0) -> Point:
    """Return the end of a limb that hangs from `start`, swung forward by `angle`."""
    forward, up = math.sin(angle) * length, -math.cos(angle) * length
    return start[0] + sideways, start[1] + forward, start[2] + up
