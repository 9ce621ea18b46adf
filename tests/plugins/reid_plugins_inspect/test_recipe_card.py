"""The labelled comment of a recipe is read whole, and a mistake in it is told."""

from __future__ import annotations

import pytest
from reid_plugins_inspect.recipe_card import Figures, Licensed, read_opening

from reidcore.errors import ConfigError

HEADER = """\
# reidcore run some_recipe --root DIR
#
# A network: with a colon. It is used
# like this.
#
# Paper: A. Uthor, "On Names",
#   CVPR 2020.
# Code: github.com/a/b (MIT)
# Weights: resnet50, ImageNet-1k (BSD-3-Clause)
# Published: market1501 94.1 / 85.7; msmt17 63.4 / 45.1 / 12.4; vehicleid 85.2;
#   market1501 -> msmt17 - / 30
# Published by: the authors' README
# Differs: nothing.

model: {name: resnet50}
# Paper: none of the comment at the top
"""


def test_a_header_is_read_whole() -> None:
    opening = read_opening(HEADER, "some_recipe")
    assert opening.command == "reidcore run some_recipe --root DIR"
    assert opening.about == "A network: with a colon. It is used like this."
    card = opening.card
    assert card is not None
    assert card.paper == 'A. Uthor, "On Names", CVPR 2020.'
    assert card.code == Licensed("github.com/a/b", "MIT")
    assert card.weights == Licensed("resnet50, ImageNet-1k", "BSD-3-Clause")
    assert card.published == (
        Figures("market1501", "market1501", 94.1, 85.7, None),
        Figures("msmt17", "msmt17", 63.4, 45.1, 12.4),
        Figures("vehicleid", "vehicleid", 85.2, None, None),
        Figures("market1501", "msmt17", None, 30.0, None),
    )
    assert (card.published_by, card.differs) == ("the authors' README", "nothing.")


def test_paragraphs_stay_apart_and_commands_stay_lines() -> None:
    commands = "#\n#     reidcore test a\n#     reidcore test b\n#\n# Then\n# look.\n#\n# Paper:"
    opening = read_opening(HEADER.replace("#\n# Paper:", commands, 1), "some_recipe")
    assert opening.about == (
        "A network: with a colon. It is used like this.\n\n"
        "    reidcore test a\n    reidcore test b\n\nThen look."
    )
    assert opening.card is not None


def test_figures_are_written_as_they_are_read() -> None:
    card = read_opening(HEADER, "some_recipe").card
    assert card is not None
    assert "; ".join(map(str, card.published)) == (
        "market1501 94.1 / 85.7; msmt17 63.4 / 45.1 / 12.4; vehicleid 85.2; "
        "market1501 -> msmt17 - / 30.0"
    )


def test_none_is_no_weights_and_no_figures() -> None:
    text = HEADER.replace("resnet50, ImageNet-1k (BSD-3-Clause)", "none")
    published = text[text.index("Published:") : text.index("# Published by")]
    card = read_opening(text.replace(published, "Published: none\n"), "some_recipe").card
    assert card is not None
    assert card.weights is None
    assert card.published == ()


@pytest.mark.parametrize("text", ["model: {name: a}\n", "# Mine: a ResNet.\nmodel: {}\n", ""])
def test_a_recipe_without_labels_has_no_card(text: str) -> None:
    opening = read_opening(text, "mine")
    assert (opening.command, opening.card) == ("", None)
    assert opening.about == ("Mine: a ResNet." if text.startswith("#") else "")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# Differs: nothing.\n", "", "no label 'Differs'"),
        (
            "# Published by:",
            "# Publishd by:",
            "line 12 .*'Publishd by' where a label.*Published by",
        ),
        ("#   CVPR 2020.", "# CVPR 2020.", "line 7 .*'CVPR 2020.' where a label .*indented"),
        ("# Differs: nothing.", "# Paper: Another.", "line 13 .* gives 'Paper' again"),
        (" (MIT)", "", "Code .*without a licence"),
        ("94.1 / 85.7", "94,1 / 85,7", "Published .*'market1501 94,1 / 85,7'"),
        ("vehicleid 85.2", "vehicleid", "Published .*'vehicleid'"),
        ("vehicleid 85.2", "vehicleid 852", "'vehicleid 852'.*at most 100"),
        ("vehicleid 85.2", "vehicleid - / -", "'vehicleid - / -'.*one of them is given"),
    ],
)
def test_a_malformed_header_is_told(old: str, new: str, message: str) -> None:
    assert old in HEADER
    with pytest.raises(ConfigError, match=message):
        read_opening(HEADER.replace(old, new), "some_recipe")
