"""A recipe in full: what it says of itself, what it needs, and what it is estimated to cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from reid_plugins_inspect.recipe_card import Opening, read_opening
from reid_plugins_inspect.recipe_cost import BACKWARD, SPEED, TrainingCost, training_cost
from reid_plugins_inspect.recipe_needs import datasets_of, weights_of, where_weights_are
from reidcore.config import load_config, recipe_file
from reidcore.errors import UserError, counted
from reidcore.registry import Entry

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

Found = TypeVar("Found")

ASSUMPTIONS = (
    f"convolutions and linear layers of the forward pass times {1 + BACKWARD}, at "
    f"{SPEED / 1e12:.0f} TFLOP/s without a pause; every layer's output is kept"
)
"""What times and memory are estimated by."""

WITHOUT = "model.pretrained=false"
"""What starts a recipe from random weights."""


def summarize_recipe(entry: Entry, plugins: Plugins) -> dict[str, Any]:
    """Return what there is to know about a registered recipe.

    What cannot be found out, as of a recipe whose comment has a mistake, or whose plugin's network
    cannot be built here, is None, and ``problems`` says why.
    """
    text = recipe_file(entry).read_text(encoding="utf-8")
    problems: list[str] = []

    def tried(find: Callable[[], Found]) -> Found | None:
        try:
            return find()
        except UserError as error:
            problems.append(str(error))
            return None

    opening = tried(lambda: read_opening(text, entry.name)) or Opening()
    config = tried(lambda: load_config(entry.qualified_name, plugins=plugins))
    datasets = weights = cost = None
    if config is not None:
        datasets = tried(lambda: datasets_of(config, plugins))
        weights = tried(lambda: weights_of(config, opening, plugins))
        cost = tried(lambda: training_cost(config, plugins))
    state = None if weights is None else where_weights_are(weights, plugins)
    return {
        "command": opening.command,
        "about": opening.about,
        "card": None if opening.card is None else asdict(opening.card),
        "datasets": [asdict(each) for each in datasets or ()],
        "weights": None if weights is None else {**asdict(weights), "state": state},
        "cost": None if cost is None else asdict(cost),
        "batch_size": None if config is None else config.train.batch_size,
        "problems": problems,
        "text": text,
    }


def recipe_lines(record: Mapping[str, Any]) -> list[str]:
    """Return what a recipe needs and costs in lines, and its text."""
    return [*_needs(record), *_costs(record), "", *record["text"].splitlines()]


def cost_words(cost: TrainingCost, batch_size: int) -> str:
    """Say what a recipe costs, in a line."""
    time = f"{minutes(cost)} minutes for {counted(cost.images, 'image')}"
    return (
        f"{cost.parameters / 1e6:.1f} M parameters, {cost.multiply_adds / 1e9:.2f} G multiply-adds "
        f"an image; an epoch {time if cost.images else 'of unknown length'}; "
        f"memory {cost.memory / 1e9:.1f} GB for a batch of {batch_size}"
    )


def minutes(cost: TrainingCost) -> str:
    """Return the minutes of an epoch, those of small networks too."""
    shown = cost.seconds / 60
    return f"{shown:.1f}" if shown >= 0.1 else f"{shown:.3f}"


def _needs(record: Mapping[str, Any]) -> Iterator[str]:
    card, weights = record["card"], record["weights"]
    if card:
        yield f"follows {_licensed(card['code']['what'], card['code']['licence'])}"
    for need in record["datasets"]:
        called = f"{need['name']} ({need['title']})"
        yield f"needs dataset {_licensed(called, need['licence'])}"
    if weights:
        called = f"{weights['name']} ({weights['filename']})"
        yield f"needs weights {_licensed(called, weights['licence'])}"
        yield f"  {weights['state']}; without them: {WITHOUT}"
    elif card and card["weights"]:
        named = card["weights"]
        yield f"needs weights {_licensed(named['what'], named['licence'])}"
        yield f"  downloaded when the network is built; without them: {WITHOUT}"


def _licensed(what: str, licence: str) -> str:
    return f"{what}; licence: {licence}"


def _costs(record: Mapping[str, Any]) -> Iterator[str]:
    if record["cost"]:
        yield f"estimate: {cost_words(TrainingCost(**record['cost']), record['batch_size'])}"
        yield f"  ({ASSUMPTIONS})"
    for problem in record["problems"]:
        yield f"not known: {problem}"
