"""docs/recipes.md says what the recipes' files say, and what they cost."""

from __future__ import annotations

from types import ModuleType

import pytest

from reidcore.plugins import make_plugins
from reidcore.registry import entries


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
