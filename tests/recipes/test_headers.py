"""The comment that a recipe opens with says what the form asks for, and nothing that is wrong."""

from __future__ import annotations

import pytest
from reid_plugins_inspect.recipe_card import read_opening

from reidcore.config import load_config, recipe_file
from reidcore.registry import Entry, entries, find
from tests.recipes.table import rows

PUBLISHED = sorted(row.recipe for row in rows())


@pytest.mark.parametrize("entry", entries("configs"), ids=lambda entry: entry.name)
def test_the_command_is_the_recipes_own(entry: Entry) -> None:
    opening = read_opening(recipe_file(entry).read_text(encoding="utf-8"), entry.name)
    assert opening.command.split()[:3] == ["reidcore", "run", entry.name]
    assert opening.about
    assert load_config(entry.name).data.save_dir == f"log/{entry.name}"


@pytest.mark.parametrize("recipe", PUBLISHED)
def test_the_card_of_a_published_recipe_is_whole(recipe: str) -> None:
    card = read_opening(
        recipe_file(find("configs", recipe)).read_text(encoding="utf-8"), recipe
    ).card
    assert card is not None
    datasets = {entry.name for entry in entries("datasets")}
    assert {
        each for figures in card.published for each in (figures.source, figures.target)
    } <= datasets
    model = load_config(recipe).model
    assert (card.weights is not None) == bool(model.pretrained or model.load_weights)
