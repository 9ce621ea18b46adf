"""The licences on a card."""

from __future__ import annotations

from reid_plugins_start.licences import licences

RANDOM, PUBLISHED = ({"name": "osnet_x0_25", "pretrained": known} for known in (False, True))


def test_what_nobody_said_is_unknown():
    assert "* Data: unknown" in licences(RANDOM)
    assert "none: random ones" in licences(RANDOM)
    assert "reidcore show weights osnet_x0_25" in licences(PUBLISHED)


def test_what_somebody_filled_in_stays_but_for_the_weights_which_may_be_others():
    card = licences(RANDOM).replace("unknown; it depends on both.", "CC BY 4.0")
    again = licences(PUBLISHED, f"## Licences\n\n{card}\n\n## How it was made\n")
    assert "* This model: CC BY 4.0" in again
    assert "* Data: unknown" in again
    assert "random" not in again
