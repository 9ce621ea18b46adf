"""Precisions: what is measured when an extractor is made, and what cannot be had."""

from __future__ import annotations

import pytest
import torch

from reidcore.errors import UserError
from reidcore.inference import precision as module
from reidcore.inference.precision import check_closeness, probe_images


def test_bf16_is_near_and_says_how_near(make, caplog) -> None:
    images = torch.rand(5, 3, 32, 16)
    exact = make()(images)
    with caplog.at_level("INFO", logger="reidcore"):
        found = make(precision="bf16")(images)
    assert found.dtype == torch.float32
    assert not torch.equal(found, exact)
    assert torch.nn.functional.cosine_similarity(found, exact).min() > 0.999
    assert "precision=bf16: the cosine of features to those of fp32 is at least 0.99" in caplog.text


@pytest.mark.parametrize(
    ("cosine", "level"), [(1.0, "INFO"), (0.9995, "INFO"), (0.995, "WARNING"), (0.97, None)]
)
def test_distance_from_fp32_is_told_warned_of_and_refused(caplog, cosine, level) -> None:
    exact = torch.tensor([[1.0, 0], [1.0, 0]])
    found = torch.tensor([[1.0, 0], [cosine, (1 - cosine**2) ** 0.5]])
    if level is None:
        with pytest.raises(UserError, match=r"at least 0\.(97000|96999), and less than 0\.98"):
            check_closeness(found, exact, "bf16")
        return
    with caplog.at_level("INFO", logger="reidcore"):
        check_closeness(found, exact, "bf16")
    assert [record.levelname for record in caplog.records] == [level]


def test_features_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(UserError, match="Use bf16 or fp32"):
        check_closeness(torch.tensor([[float("nan"), 0]]), torch.ones(1, 2), "fp16")


@pytest.mark.parametrize(
    ("precision", "message"),
    [
        ("fp23", "precision='fp23'. Did you mean 'fp32'"),
        ("int8", "int8' is of exported files.*reidcore export --int8 DATA"),
        ("fp16", "slower than fp32 on a CPU. Use bf16"),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_fix(make, precision, message) -> None:
    with pytest.raises(UserError, match=message):
        make(precision=precision)


def test_images_for_measuring_are_always_the_same_and_as_normalised_ones() -> None:
    images = probe_images(4, 64, 32)
    assert torch.equal(images, probe_images(4, 64, 32))
    assert images.shape == (4, 3, 64, 32)
    assert abs(images.mean()) < 0.1
    assert 0.5 < images.std() < 1.2
    assert module.PRECISIONS[0] == "fp32"
