"""Who is where and when: the network of cameras, and everybody's way through it.

Times are seconds of one clock that all cameras share, whenever each begins to record.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from reid_plugins_synthetic.scene.settings import SceneSettings

_LONGEST_DELAY = 2.0  # seconds that a camera begins to record after the first


@dataclass(frozen=True)
class Visit:
    """One crossing of a camera's view.

    Attributes:
        person: number of the person, base 0.
        camera: number of the camera, base 0.
        start: when the person comes into view, in seconds.
        end: when the person leaves it.
    """

    person: int
    camera: int
    start: float
    end: float


@dataclass(frozen=True)
class Network:
    """The cameras and the ways between them.

    Attributes:
        starts: when each camera's first frame is recorded, in seconds.
        seconds: (from, to) -> the shortest and longest time on the way, in seconds.
        twins: two cameras that see the same place; None if there are none.
    """

    starts: tuple[float, ...]
    seconds: dict[tuple[int, int], tuple[float, float]]
    twins: tuple[int, int] | None

    def watching(self, place: int) -> tuple[int, ...]:
        """Return the cameras that see what a camera sees, itself among them."""
        return self.twins if self.twins and place in self.twins else (place,)


def draw_network(settings: SceneSettings) -> Network:
    """Draw a row of places; from each one walks to its neighbours, either way alike."""
    random = Random(f"{settings.seed}/scene/network")
    delays = [round(random.uniform(0, _LONGEST_DELAY), 2) for _ in range(1, settings.cameras)]
    last = settings.cameras - 1
    network = Network((0.0, *delays), {}, (last - 1, last) if settings.overlap else None)
    for place in range(_places(settings) - 1):
        low = round(random.uniform(3, 9), 1)
        high = round(low + random.uniform(2, 4), 1)
        for here in network.watching(place):
            for there in network.watching(place + 1):
                network.seconds[here, there] = network.seconds[there, here] = (low, high)
    return network


def draw_routes(settings: SceneSettings, network: Network) -> list[Visit]:
    """Draw everybody's visits, in the order of people and times."""
    people = range(settings.people)
    return [visit for person in people for visit in _route(settings, network, person)]


def _route(settings: SceneSettings, network: Network, person: int) -> list[Visit]:
    """Draw one person's visits: two to four places, each a neighbour of the one before."""
    random = Random(f"{settings.seed}/scene/route/{person}")
    time = _LONGEST_DELAY + settings.pause * (person + random.random())
    place = random.randrange(_places(settings))
    visits: list[Visit] = []
    for _ in range(random.randint(2, 4)):
        end = time + random.uniform(5, 8)
        visits += [Visit(person, camera, time, end) for camera in network.watching(place)]
        ways = [to for to in range(_places(settings)) if (place, to) in network.seconds]
        if not ways:
            break
        start, place = place, random.choice(ways)
        time = end + random.uniform(*network.seconds[start, place])
    return visits


def _places(settings: SceneSettings) -> int:
    """Return the number of places; of two cameras that see one, it has the number of the first."""
    return settings.cameras - settings.overlap
