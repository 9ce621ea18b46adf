import pytest
import torch

from reidcore.metrics import accuracy


@pytest.fixture
def scores():
    return torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.1, 0.2, 0.7], [0.1, 0.8, 0.1]])


def test_accuracy_is_a_percentage_for_each_k(scores):
    top1, top2 = accuracy(scores, torch.tensor([0, 1, 2, 0]), topk=(1, 2))
    assert (top1.item(), top2.shape) == (50.0, (1,))
    assert top2.item() >= 75.0


def test_of_several_outputs_the_first_counts(scores):
    (top1,) = accuracy((scores, scores.flip(1)), torch.tensor([0, 2, 2, 1]))
    assert top1.item() == 100.0


def test_a_k_beyond_the_classes_counts_them_all(scores):
    (top5,) = accuracy(scores, torch.tensor([2, 0, 0, 2]), topk=(5,))
    assert top5.item() == 100.0
