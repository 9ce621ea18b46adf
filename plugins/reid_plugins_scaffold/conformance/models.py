"""What a model does: features, logits, gradients, weights that can be kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid_plugins_scaffold.conformance.base import (
    FactoryConformance,
    copies_of,
    require_equal,
    require_finite,
    require_shape,
)
from reid_plugins_scaffold.conformance.contract import Broken, NotApplicable, contract
from reidcore.data import seed_generators
from reidcore.models import (
    Outputs,
    ReidModel,
    build_model,
    features_of,
    outputs_of,
    unwrap,
    wanted_columns,
)

CLASSES = 5
BATCH = 4


class ModelConformance(FactoryConformance):
    """Checks of models.

    Attributes:
        image_size: height and width of the images; by default small, or what the model asks for.
    """

    kind = "models"
    image_size: ClassVar[tuple[int, int] | None] = None

    @contract(
        "In evaluation mode it gives features (B, D), finite numbers.",
        "Return the embedding in evaluation mode; reidcore.models.ReidModel does so by itself.",
    )
    def test_evaluation_gives_features(self) -> None:
        """Features (B, D)."""
        features = self._features(self._model())
        require_shape("features", features, BATCH, "D")
        require_finite("features", features)
        declared = getattr(unwrap(self._model()), "feature_dim", features.shape[1])
        if declared != features.shape[1]:
            raise Broken(f"says feature_dim {declared}, and gave features of {features.shape[1]}")

    @contract(
        "Features of an image are the same each time, and whatever images are beside it.",
        "Draw nothing in evaluation mode, and let no layer look across the batch.",
    )
    def test_features_depend_on_the_image_alone(self) -> None:
        """The same twice, and alone."""
        model = self._model()
        features = self._features(model)
        require_equal("features of the same images", features, self._features(model))
        alone = features_of(model.eval(), self._images()[:1], self._labels(1))
        scale = max(1.0, float(features.detach().abs().max()))
        require_equal(
            "features of an image alone and among others", features[:1], alone, 1e-3 * scale
        )

    @contract(
        "In training it gives logits (B, C) of the training identities, and features.",
        "Return (logits, features), or a list of logits for each part, in training mode.",
    )
    def test_training_gives_logits_and_features(self) -> None:
        """Logits (B, C)."""
        outputs = self._outputs(self._model())
        for logits in _each(outputs.logits):
            require_shape("logits", logits, BATCH, CLASSES)
            require_finite("logits", logits)
        for features in _each(outputs.features):
            require_shape("features in training", features, BATCH, "D")

    @contract(
        "Each parameter that is to be trained gets a finite gradient from logits and features "
        "together.",
        "Leave out layers that nothing uses, or set requires_grad = False on their parameters: "
        "training on several GPUs would stop there.",
    )
    def test_gradients_reach_each_parameter(self) -> None:
        """No parameter is idle."""
        model = self._model()
        model.zero_grad()
        outputs = self._outputs(model)
        pids = self._labels()["pid"]
        losses = [F.cross_entropy(each, pids) for each in _each(outputs.logits)]
        losses += [each.square().mean() for each in _each(outputs.features)]
        torch.autograd.backward(torch.stack(losses).sum())
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        idle = [name for name, parameter in named if parameter.grad is None]
        if idle:
            shown = ", ".join(idle[:3])
            raise Broken(f"gives {len(idle)} of {len(named)} parameters no gradient: {shown}")
        for name, parameter in named:
            if parameter.grad is not None:
                require_finite(f"gradients of {name}", parameter.grad)

    @contract(
        "It can be copied and pickled, and the copy gives the same features.",
        "Define its classes and functions at the top of a module; keep no lambdas, open files or "
        "hooks on it.",
    )
    def test_it_is_copied_and_pickled(self) -> None:
        """As EMA, spawn and torch.save need it."""
        model = self._model()
        features = self._features(model)
        for how, copied in copies_of(model):
            require_equal(f"features, once {how}", features, self._features(copied))

    @contract(
        "The same seed gives the same weights, and its state dict holds all that its features "
        "depend on.",
        "Draw weights from torch's generator, and keep what is learnt or counted in parameters "
        "and buffers.",
    )
    def test_its_state_dict_is_all_there_is(self) -> None:
        """A state dict loaded into another one gives its features."""
        model, twin = self._build(seed=1), self._build(seed=1)
        for name, values in model.state_dict().items():
            require_equal(f"weights {name} of the same seed", values, twin.state_dict()[name])
        other = self._build(seed=2)
        other.load_state_dict(model.state_dict())
        found, again = self._features(model), self._features(other)
        require_equal("features after load_state_dict", found, again)

    @contract(
        "It leaves the images that it is given as they are.",
        "Change images out of place: images = images - mean, not images -= mean.",
    )
    def test_it_leaves_images_as_they_are(self) -> None:
        """Images are not written to."""
        images = self._images()
        kept = images.clone()
        features_of(self._model().eval(), images, self._labels())
        require_equal("images", kept, images)

    @contract(
        "With return_featuremaps=True it gives its last maps (B, channels, h, w).",
        "Define featuremaps(images) of reidcore.models.ReidModel.",
    )
    def test_feature_maps_have_four_dimensions(self) -> None:
        """Maps (B, channels, h, w), for activation maps."""
        network = unwrap(self._model())
        if not isinstance(network, ReidModel) or network.inputs:
            raise NotApplicable("it is no ReidModel of images alone")
        try:
            with torch.no_grad():
                maps = network.eval()(self._images(), return_featuremaps=True)
        except NotImplementedError:
            raise NotApplicable("it has no feature maps") from None
        require_shape("maps", maps, BATCH, "channels", "h", "w")

    def _model(self) -> nn.Module:
        return self.once("model", lambda: self._build(seed=0))

    def _build(self, seed: int) -> nn.Module:
        seed_generators(seed)
        return build_model(
            self.qualified,
            CLASSES,
            loss="triplet",
            pretrained=False,
            use_gpu=False,
            plugins=self.plugin_set,
            image_size=self.image_size,
            num_cameras=2,
            num_views=2,
            **self.options,
        )

    def _size(self) -> tuple[int, int]:
        network = unwrap(self._model())
        if self.image_size is not None:
            return self.image_size
        if not isinstance(network, ReidModel):
            return 256, 128
        return network.fixed_size or (max(64, network.min_size[0]), max(32, network.min_size[1]))

    def _images(self) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        return torch.randn(BATCH, 3, *self._size(), generator=generator)

    def _labels(self, count: int = BATCH) -> dict[str, Tensor]:
        numbers = torch.arange(count)
        return {"pid": numbers % CLASSES, "camid": numbers % 2, "view": numbers % 2}

    def _outputs(self, model: nn.Module) -> Outputs:
        labels = self._labels()
        columns = wanted_columns(model, labels)
        return outputs_of(model.train(), self._images(), labels["pid"], **columns)

    def _features(self, model: nn.Module) -> Tensor:
        with torch.no_grad():
            return features_of(model.eval(), self._images(), self._labels())


def _each(given: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """Return the tensors of a model with parts or branches, or the one of another."""
    return [given] if isinstance(given, Tensor) else list(given)
