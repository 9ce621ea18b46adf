from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reidcore.config.options import DataOptions, LossOptions, OptimOptions, SamplingOptions
from reidcore.errors import ConfigError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"workers": -1}, r"^data\.workers is -1\. Expected at least 0\.$"),
        (
            {"cache": "disc"},
            r"^data\.cache is 'disc'\. Did you mean 'disk'\? Expected 'off', 'ram'",
        ),
        ({"heigth": 3}, r"^there is no key data\.heigth\. Did you mean 'height'"),
        ({"norm_mean": [1, "a"]}, r"^data\.norm_mean\[1\] is 'a'\. Expected a number\.$"),
        ({"width": 1.5, "draft": 3}, r"data\.draft is 3.*data\.width is 1\.5"),
    ],
)
def test_every_mistake_of_a_program_is_told_by_its_key(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        DataOptions.checked(**values)


def test_numbers_of_numpy_paths_tuples_and_single_names_are_taken() -> None:
    made = DataOptions.checked(
        height=np.int64(64), cache_gb=np.float32(2), root=Path("data"), sources="a", norm_std=(1, 1)
    )
    assert (made.height, made.cache_gb, made.root) == (64, 2.0, "data")
    assert (made.sources, made.norm_std) == (["a"], [1.0, 1.0])
    assert OptimOptions.checked(stepsize=range(10, 30, 10)).stepsize == [10, 20]


def test_a_word_that_yaml_takes_for_false_is_a_word() -> None:
    assert DataOptions(cache=False).cache == "off"  # type: ignore[arg-type]


def test_open_sections_carry_further_keys_and_closed_ones_do_not() -> None:
    assert SamplingOptions.checked(shuffle=True).model_extra == {"shuffle": True}
    assert LossOptions.checked(circle={"gamma": 1}).model_extra == {"circle": {"gamma": 1}}
    with pytest.raises(ConfigError):
        OptimOptions.checked(circle={})
