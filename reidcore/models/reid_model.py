"""The model contract: what every re-identification network returns, and when."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from reidcore._validation import kind_of
from reidcore.errors import DataError, UnknownNameError, UserError, counted, did_you_mean, quoted
from reidcore.models.build_args import origin_of
from reidcore.models.head.slot import Head
from reidcore.models.layers import unwrap
from reidcore.plugins import CORE, Plugins
from reidcore.plugins.manager import wrong_hook_answer

Logits: TypeAlias = Tensor | Sequence[Tensor]
Features: TypeAlias = Tensor | tuple[Tensor, ...]

USUAL_SIZE = (256, 128)
"""Height and width of the images, in pixels, where neither the model nor the user says one."""


class Outputs(NamedTuple):
    """Everything a loss may look at.

    Attributes:
        logits: (B, C); a sequence of them, one for each part or branch, for a part model.
        features: (B, D); a tuple of them for a model that trains several branches.
    """

    logits: Logits
    features: Features


# What a bare ``model(images)`` gives in training mode, by the loss that the model was built for.
_TRAINING_RETURNS: dict[str, Callable[[Outputs], Any]] = {
    "softmax": lambda outputs: outputs.logits,
    "triplet": lambda outputs: outputs,
}


class ReidModel(nn.Module):
    """Base of re-identification networks: a subclass writes layers, this class the contract.

    Most networks define ``featuremaps``, ``embed`` and a ``classifier``. One with parts, branches
    or a margin classifier also defines ``heads`` (what is trained) and ``retrieval`` (what is
    compared), one that is no chain of maps and pooling defines ``describe``.

    One that wants further columns of the batch beside the images, such as their cameras, names them
    in ``inputs`` and defines ``describe`` with parameters of these names; they are None where a
    column is not known. ``featuremaps`` may have such parameters as well.

    Shapes: B batch, D feature dim, C classes, h and w the size of the last maps.

    Args:
        loss: ``"softmax"`` (training returns logits) or ``"triplet"`` (logits and features). It
            concerns a bare call alone: ``outputs="all"`` gives both under either.

    Attributes:
        inputs: the columns wanted beside the images, such as ``("camid", "view")``, (B,) each.
        head: what ``attach_head`` put between the last maps and the classifier, if anything.
        fixed_size: the one input size (height, width) that the network takes, if it takes one only.
        min_size: the smallest input size (height, width) that leaves maps to pool.
        stages: the names of the layers of each stage that pretrained weights are for, from the
            images on.

    Raises:
        UnknownNameError: if ``loss`` is neither.
    """

    classifier: nn.Module
    feature_dim: int
    inputs: tuple[str, ...] = ()
    fixed_size: tuple[int, int] | None = None
    min_size: tuple[int, int] = (1, 1)
    stages: Sequence[Sequence[str]] = ()

    _columns_of_maps: frozenset[str] = frozenset()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._columns_of_maps = frozenset(inspect.signature(cls.featuremaps).parameters)

    def __init__(self, loss: str = "softmax") -> None:
        super().__init__()
        self.loss = checked_loss(loss)
        self.head: Head | None = None

    def featuremaps(self, images: Tensor) -> Tensor:
        """Return the last convolutional maps (B, channels, h, w) of ``images`` (B, 3, H, W)."""
        raise NotImplementedError(f"{type(self).__name__} defines no featuremaps(images)")

    def embed(self, maps: Tensor) -> Any:
        """Pool maps (B, channels, h, w) into the embedding: features (B, D) for most networks."""
        raise NotImplementedError(f"{type(self).__name__} defines no embed(maps)")

    def describe(self, images: Tensor) -> Any:
        """Return the embedding that ``heads`` and ``retrieval`` read."""
        return self.embed(self.last_maps(images))

    def heads(self, embedding: Any, pids: Tensor | None) -> Outputs:
        """Return what the losses see; ``pids`` (B,) are there for classifiers with a margin."""
        return Outputs(self.classifier(embedding), embedding)

    def retrieval(self, embedding: Any) -> Tensor:
        """Return the features (B, D) by which images are compared."""
        features: Tensor = embedding
        return features

    def layer_depths(self) -> dict[str, int]:
        """Return the depth of each parameter by its name, 0 the nearest to the images.

        Used by a decay of learning rates with depth. Parameters of new layers are left out; nothing
        at all is returned where `stages` names no layer.
        """
        return {
            f"{layer}.{name}": depth
            for depth, stage in enumerate(self.stages)
            for layer in stage
            for name, _ in self.get_submodule(layer).named_parameters()
        }

    def last_maps(self, images: Tensor, **columns: Any) -> Tensor:
        """Return ``featuremaps``, behind the head's non-local block if there is one.

        Args:
            images: (B, 3, H, W).
            **columns: those that ``inputs`` names; ``featuremaps`` gets what it has a name for.
        """
        taken = {key: value for key, value in columns.items() if key in self._columns_of_maps}
        maps = self.featuremaps(images, **taken)
        return maps if self._slot is None else self._slot.attend(maps)

    def resampled(self, name: str, entry: Tensor) -> Tensor | None:
        """Return an entry of a file in the size of this network's, if the images' size decides it.

        Loading asks for what would be left out for its size, such as a position for each patch.

        Args:
            name: the entry's name in this network's state dict.
            entry: what the file holds.

        Returns:
            The entry in this network's size; None, as by default, for one that has no such size.
        """
        return None

    def forward(
        self,
        images: Tensor,
        return_featuremaps: bool = False,
        outputs: Literal["auto", "all"] = "auto",
        pids: Tensor | None = None,
        **columns: Any,
    ) -> Any:
        """Run the network on ``images`` (B, 3, H, W).

        Args:
            images: normalised images.
            return_featuremaps: give the last maps (B, channels, h, w) and stop there.
            outputs: ``"all"`` gives ``Outputs(logits, features)`` in either mode.
            pids: labels (B,) of the images, for classifiers that need them.
            **columns: those that ``inputs`` names, (B,) each, or None.

        Returns:
            By default features (B, D) in evaluation mode and, in training mode, logits or
            ``(logits, features)`` according to ``loss``.

        Raises:
            UserError: if the images have a size that the network cannot take.
        """
        self._check_size(images)
        if return_featuremaps:
            return self.last_maps(images, **columns)
        embedding = self._embedding(images, columns)
        if outputs == "all":
            return self._outputs(embedding, pids)
        if not self.training:
            return self._compared(embedding)
        return trained_on(self.loss, self._outputs(embedding, pids))

    @property
    def _slot(self) -> Head | None:
        # A network may have a layer of its own that is named "head".
        return self.head if isinstance(self.head, Head) else None

    def _embedding(self, images: Tensor, columns: dict[str, Any]) -> Any:
        head = self._slot
        if head is None:
            return self.describe(images, **columns)
        if head.pool is None:
            return head.embed(self.describe(images, **columns))
        return head.embed(head.pool(self.last_maps(images, **columns)))

    def _outputs(self, embedding: Any, pids: Tensor | None) -> Outputs:
        if self._slot is None:
            return self.heads(embedding, pids)
        classified, metric = self._slot.trained(embedding)
        return Outputs(self.classifier(classified, pids), metric)

    def _compared(self, embedding: Any) -> Tensor:
        return self.retrieval(embedding) if self._slot is None else self._slot.retrieve(embedding)

    def _check_size(self, images: Tensor) -> None:
        """Refuse images that the network was not made for, before a layer fails on them."""
        height, width = images.shape[-2:]
        if self.fixed_size is not None and (height, width) != self.fixed_size:
            wanted = "{}x{}".format(*self.fixed_size)
        elif height < self.min_size[0] or width < self.min_size[1]:
            wanted = "{}x{} or larger".format(*self.min_size)
        else:
            return
        raise UserError(
            f"{type(self).__name__} takes images of {wanted} (height x width), and these are "
            f"{height}x{width}",
            "Set data.height and data.width (in Python image_size), or resize the images.",
        )


def usual_size(model: nn.Module) -> tuple[int, int]:
    """Return the image size (height, width) of a model, or 256x128 where it takes any."""
    network = unwrap(model)
    if not isinstance(network, ReidModel):
        return USUAL_SIZE
    if network.fixed_size is not None:
        return network.fixed_size
    return max(USUAL_SIZE[0], network.min_size[0]), max(USUAL_SIZE[1], network.min_size[1])


def features_of(
    plugins: Plugins, model: nn.Module, images: Tensor, labels: Mapping[str, Any]
) -> Tensor:
    """Return the features (B, D) that the hook ``reid_extract_features`` gives of images.

    Raises:
        PluginDefectError: if there is not a row for each image.
    """
    answer: Any = plugins.hook.reid_extract_features(model=model, images=images, labels=labels)
    if not isinstance(answer, Tensor) or answer.dim() != 2 or len(answer) != len(images):
        raise wrong_hook_answer(
            plugins,
            "reid_extract_features",
            f"gave {kind_of(answer)} for {len(images)} images",
            f"a tensor ({len(images)}, D)",
            otherwise=origin_of(model),
        )
    return answer


def check_finite(features: Tensor, images: Sequence[Any], plugins: Plugins) -> None:
    """Refuse features that no distance can be computed of.

    Args:
        features: (B, D), as the hook ``reid_extract_features`` gave them.
        images: what they were computed from, to name one.
        plugins: whose hooks took part.

    Raises:
        DataError: if one is NaN, infinite or complex.
    """
    kind = "complex" if features.is_complex() else "not finite"
    good = torch.isfinite(features).flatten(1).all(dim=1) & (kind != "complex")
    bad = (~good).nonzero().flatten().tolist()
    if not bad:
        return
    taking_part = plugins.implementations("reid_extract_features")
    names = [plugin.name for plugin, _ in taking_part if plugin.name != CORE]
    makers = " and ".join(["the model", *(f"plugin {name!r}" for name in names)])
    raise DataError(
        f"{makers} gave features that are {kind} for {len(bad)} of "
        f"{counted(len(images), 'image')}, such "
        f"as {images[bad[0]]!r}",
        "Look for NaN in the weights, which a training that diverged leaves; under train.amp=fp16 "
        "try bf16 or off.",
    )


def checked_loss(loss: str) -> str:
    """Return ``loss`` if it names something a bare call can return in training mode."""
    if isinstance(loss, str) and loss in _TRAINING_RETURNS:
        return loss
    raise UnknownNameError(
        f"a model cannot be built for loss {quoted(loss)}",
        f"{did_you_mean(loss, _TRAINING_RETURNS)} Use 'softmax' (it returns logits) or 'triplet' "
        "(logits and features); outputs='all' returns both whatever the loss.".strip(),
    )


def trained_on(loss: str, outputs: Outputs) -> Any:
    """Return the part of ``outputs`` that training under ``loss`` expects from a bare call."""
    return _TRAINING_RETURNS[loss](outputs)
