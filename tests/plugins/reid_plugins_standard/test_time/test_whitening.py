"""Whitening: worked by hand, what it does to the training features, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from reid_plugins_standard.test_time import Setting
from reid_plugins_standard.test_time import whitening as module
from reid_plugins_standard.test_time.whitening import Whiten
from torch import Tensor

from reidcore.errors import UserError
from reidcore.evaluation import Labels

CROSS = torch.tensor([[3.0, 1.0], [-1.0, 1.0], [1.0, 2.0], [1.0, 0.0]])  # about (1, 1)
LABELS = Labels([0], [0], [0], [1])


def learning_from(train: Tensor) -> Setting:
    return Setting(LABELS, lambda: train)


def test_axes_have_variance_1() -> None:
    """The variances are 2 and 1/2, so 2 and 1 become the square root of 2."""
    point = torch.tensor([[3.0, 2.0]])
    query, gallery = Whiten().transform(point, 1 + 0 * point, learning_from(CROSS))
    torch.testing.assert_close(query.abs(), torch.full((1, 2), 2**0.5))
    torch.testing.assert_close(gallery, torch.zeros(1, 2))


def test_shrinkage_mixes_in_a_sphere() -> None:
    point = torch.tensor([[3.0, 2.0]])
    query, _ = Whiten(shrinkage=0.5).transform(point, point, learning_from(CROSS))
    expected = torch.tensor([[2 / 1.625**0.5, 1 / 0.875**0.5]])  # between 2, 1/2 and 5/4
    torch.testing.assert_close(query.abs(), expected)


def test_the_axes_of_the_largest_variance_are_kept() -> None:
    point = torch.tensor([[3.0, 2.0]])
    query, _ = Whiten(dims=1).transform(point, point, learning_from(CROSS))
    torch.testing.assert_close(query.abs(), torch.tensor([[2**0.5]]))


def test_training_features_become_white(monkeypatch) -> None:
    monkeypatch.setattr(module, "_ROWS", 64)  # several parts
    draw = torch.Generator().manual_seed(0)
    train = torch.randn(300, 6, generator=draw) @ torch.randn(6, 6, generator=draw) + 10
    white, _ = Whiten(dims=4).transform(train, train[:1], learning_from(train))
    torch.testing.assert_close(white.T @ white / 300, torch.eye(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(white.mean(0), torch.zeros(4), atol=1e-4, rtol=0)


def test_features_that_do_not_vary_enough_are_refused() -> None:
    point = torch.ones(1, 2)
    train = torch.tensor([[0.0, 1.0], [2.0, 1.0], [5.0, 1.0]])
    with pytest.raises(UserError, match=r"keep 2 of 2 dimensions.* 3 training images vary in 1\."):
        Whiten().transform(point, point, learning_from(train))
    with pytest.raises(UserError, match="Give dims: 1 or fewer, or a shrinkage"):
        Whiten().transform(point, point, learning_from(train))
    assert Whiten(dims=1).transform(point, point, learning_from(train))[0].shape == (1, 1)
    Whiten(shrinkage=0.1).transform(point, point, learning_from(train))
    with pytest.raises(UserError, match="keep 3 of 2 dimensions"):
        Whiten(dims=3).transform(point, point, learning_from(CROSS))
    with pytest.raises(UserError, match="have one feature"):
        Whiten(dims=1).transform(point, point, learning_from(torch.ones(4, 2)))


def test_features_of_another_width_are_refused() -> None:
    point = torch.ones(1, 3)
    with pytest.raises(UserError, match="features of 2 dimensions, and is to transform 3"):
        Whiten().transform(point, point, learning_from(CROSS))


def test_training_features_are_needed() -> None:
    with pytest.raises(UserError, match="training images, and there are none"):
        Whiten().transform(torch.ones(1, 2), torch.ones(1, 2), Setting(LABELS))
