"""docs/recipes.md says what the recipes' files say, and what they cost."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from reid_plugins_inspect.recipe_card import read_opening

from reidcore.config import recipe_file
from reidcore.plugins import make_plugins
from reidcore.registry import entries, find


@pytest.fixture(scope="module")
def generator(load_script) -> ModuleType:
    return load_script("docs/generate/recipes.py")


@pytest.fixture(scope="module")
def page(generator: ModuleType) -> str:
    return generator.PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def costs(generator: ModuleType, page: str) -> dict[str, str]:
    """What the page says that recipes cost, which takes too long to reckon for all of them."""
    rows = [line for line in page.splitlines() if line.startswith("| [`")]
    cells = {row.split("`")[1]: row.removesuffix(" |").split(" | ") for row in rows}
    return {name: " | ".join(each[-generator.COST_CELLS :]) for name, each in cells.items()}


def test_the_page_is_the_one_that_make_docs_would_write(generator, page, costs) -> None:
    listed = entries("configs")
    assert set(costs) == {entry.name for entry in listed}
    assert page == generator.page(listed, costs)


@pytest.mark.parametrize("recipe", ["quickstart", "osnet_x1_0_market1501"])
def test_the_costs_are_those_that_are_reckoned(generator, costs, recipe: str) -> None:
    assert costs[recipe] == generator.cost_cells(recipe, make_plugins())


ROOT = Path(__file__).parents[2]


def published(recipe: str) -> str:
    """Return rank 1 and mAP on Market-1501, as the recipe's file has them."""
    text = recipe_file(find("configs", recipe)).read_text(encoding="utf-8")
    card = read_opening(text, recipe).card
    assert card is not None
    figures = next(each for each in card.published if each.source == each.target == "market1501")
    return f"{figures.rank1} / {figures.mAP}"


def test_the_readme_gives_the_figures_of_the_recipes() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("| Recipe |") :].split("\n\n")[0].splitlines()[2:]
    assert table
    for row in table:
        _, names, _, figures, _ = row.split("|")
        assert figures.strip() == ", ".join(map(published, re.findall("`(.+?)`", names)))


def test_the_how_to_gives_the_figures_of_the_recipes() -> None:
    text = (ROOT / "docs" / "recipes-howto.md").read_text(encoding="utf-8")
    given = re.findall(r"`(\w+)` \((\d+\.\d / \d+\.\d)\)", text)
    assert given
    assert given == [(recipe, published(recipe)) for recipe, _ in given]
