"""What poolings and classifiers of heads do."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reid_plugins_scaffold.conformance.base import (
    FactoryConformance,
    copies_of,
    require_equal,
    require_finite,
    require_shape,
)
from reid_plugins_scaffold.conformance.contract import Broken, contract

BATCH, CHANNELS, CLASSES = 4, 8, 5


class PoolingConformance(FactoryConformance):
    """Checks of poolings."""

    kind = "poolings"

    @contract(
        "It turns maps (B, channels, h, w) into one vector (B, D) each, D being the same for maps "
        "of every size.",
        "Reduce over the last two dimensions, whatever their sizes.",
    )
    def test_maps_become_vectors(self) -> None:
        """(B, channels, h, w) -> (B, D)."""
        pool = self._made()
        width = pool(_maps()).shape[-1]
        for size in ((4, 2), (1, 1), (3, 5)):
            require_shape(f"vectors of maps {size}", pool(_maps(size)), BATCH, width)

    @contract(
        "Vectors and gradients are finite, also of maps that are zero everywhere, as behind a "
        "ReLU that let nothing through.",
        "Keep powers, roots and logarithms off zero: clamp by a small number first.",
    )
    def test_zero_maps_do_no_harm(self) -> None:
        """Finite, with gradients that are."""
        for maps in (_maps(), torch.zeros(BATCH, CHANNELS, 4, 2)):
            maps.requires_grad_()
            pooled = self._made()(maps)
            require_finite("vectors", pooled)
            pooled.square().sum().backward()
            if maps.grad is None:
                raise Broken("lets no gradient through")
            require_finite("gradients", maps.grad)

    @contract(
        "In evaluation mode it gives the same each time, and so does a copy or a pickled one.",
        "Draw nothing in evaluation mode; define its classes at the top of a module.",
    )
    def test_copies_give_the_same(self) -> None:
        """As a model that holds it must."""
        pool = self._made().eval()
        for how, copied in (("asked again", pool), *copies_of(pool)):
            require_equal(f"vectors, {how}", pool(_maps()), copied(_maps()))

    def _made(self) -> nn.Module:
        made = self.component.make(channels=CHANNELS)
        if not isinstance(made, nn.Module):
            raise Broken(f"is a {type(made).__name__}, where a torch.nn.Module is wanted")
        return made


class ClassifierConformance(FactoryConformance):
    """Checks of classifiers."""

    kind = "classifiers"

    @contract(
        "It is called as classifier(features, pids) and gives logits (B, C); pids is None where "
        "labels are not known, in training too.",
        "Give pids the default None, and leave the margin out where there are none.",
    )
    def test_features_become_logits(self) -> None:
        """(B, D) -> (B, C)."""
        for bias in (True, False):
            made = self._made(bias)
            for mode in (made.train(), made.eval()):
                for pids in (_pids(), None):
                    logits = mode(_features(), pids)
                    require_shape("logits", logits, BATCH, CLASSES)
                    require_finite("logits", logits)

    @contract(
        "Labels change logits in training alone.",
        "Ask self.training before a margin is applied.",
    )
    def test_evaluation_knows_no_labels(self) -> None:
        """No margin in evaluation mode."""
        made = self._made().eval()
        plain, labelled = made(_features(), None), made(_features(), _pids())
        require_equal("logits without and with labels", plain, labelled)

    @contract(
        "Gradients are finite, also of features that are zero, or that point where the class does "
        "or away from it.",
        "Keep norms, roots and inverse cosines off their ends, where slopes are infinite.",
    )
    def test_odd_features_have_gradients(self) -> None:
        """Zero features, and features in the direction of a class."""
        made = self._made().train()
        weights = next((p for p in made.parameters() if p.shape == (CLASSES, CHANNELS)), None)
        odd = [_features(), torch.zeros(BATCH, CHANNELS)]
        if weights is not None:
            towards = weights.detach()[_pids()]
            odd += [towards.clone(), -towards]
        for features in odd:
            features.requires_grad_()
            logits = made(features, _pids())
            torch.autograd.backward(nn.functional.cross_entropy(logits, _pids()))
            if features.grad is None:
                raise Broken("lets no gradient through to the features")
            require_finite("gradients", features.grad)

    @contract(
        "A copy or a pickled one, and one with its state dict, gives the same logits.",
        "Keep what is learnt in parameters and buffers; define classes at the top of a module.",
    )
    def test_copies_give_the_same(self) -> None:
        """As a model that holds it must."""
        made, other = self._made().eval(), self._made().eval()
        other.load_state_dict(made.state_dict())
        for how, copied in (("of its state dict", other), *copies_of(made)):
            require_equal(f"logits, {how}", made(_features(), None), copied(_features(), None))

    def _made(self, bias: bool = True) -> nn.Module:
        made = self.component.make(feature_dim=CHANNELS, num_classes=CLASSES, bias=bias)
        if not isinstance(made, nn.Module):
            raise Broken(f"is a {type(made).__name__}, where a torch.nn.Module is wanted")
        return made


def _maps(size: tuple[int, int] = (4, 2)) -> Tensor:
    return torch.rand(BATCH, CHANNELS, *size, generator=torch.Generator().manual_seed(0))


def _features() -> Tensor:
    return torch.randn(BATCH, CHANNELS, generator=torch.Generator().manual_seed(0))


def _pids() -> Tensor:
    return torch.arange(BATCH) % CLASSES
