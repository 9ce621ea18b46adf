"""How images are read, as the configuration says it."""

from __future__ import annotations

import pytest

from reidcore.config import load_config
from reidcore.errors import ConfigError


@pytest.mark.parametrize(
    ("override", "expected"),
    [("data.cache=off", "off"), ("data.cache=ram", "ram"), ("data.cache=disk", "disk")],
)
def test_the_cache_is_chosen_by_a_word_that_yaml_may_take_for_false(
    override: str, expected: str
) -> None:
    assert load_config(None, [override]).data.cache == expected


@pytest.mark.parametrize(
    "override", ["data.cache=on", "data.cache=disc", "data.cache_gb=0", "data.augment=gpu"]
)
def test_what_cannot_be_is_refused_by_its_key(override: str) -> None:
    with pytest.raises(ConfigError, match=override.partition("=")[0].replace(".", r"\.")):
        load_config(None, [override])


def test_the_bound_may_be_a_whole_number() -> None:
    assert load_config(None, ["data.cache_gb=2"]).data.cache_gb == 2.0
