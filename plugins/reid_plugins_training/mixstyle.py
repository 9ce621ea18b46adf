"""MixStyle: the feature statistics of an image, its style, mixed with those of another.

Zhou, Yang, Qiao, Xiang, "Domain generalization with MixStyle" (ICLR 2021). Maps x become
``s * (x - mean(x)) / std(x) + m``, where s and m are between the deviation and mean of the image
and those of a partner, so that networks rely less on the style of the cameras that they know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from reid_plugins_training.named_layers import networks_with
from reid_plugins_training.per_run import PerRun
from reid_plugins_training.settings import Mix
from reidcore import hookimpl
from reidcore.errors import UserError

if TYPE_CHECKING:
    from reidcore.engine import Engine

_LEAST_VARIANCE = 1e-6


class MixStyle:
    """Mixes the styles of images behind some layers, in training steps alone.

    Nothing is put into the model: layers are listened to from a run's start to its end. Draws come
    from torch's generators, so that they repeat with the seed, and go on after a resume.

    Args:
        layers: dotted names of those whose maps ``(B, C, h, w)`` are mixed; the paper has the first
            stages of a network.
        p: how probable it is that a batch is mixed behind a layer.
        alpha: of the distribution Beta(alpha, alpha) of the own share; small ones are near 0 or 1.
        mix: ``random`` for any partner, ``crossdomain`` for one of another domain.
        domain: the column of the batch that tells domains apart: ``camid`` or ``dsetid``.

    Raises:
        pydantic.ValidationError: a ``ValueError``, if one of these is none.
    """

    def __init__(
        self,
        layers: str | Sequence[str],
        p: float = 0.5,
        alpha: float = 0.1,
        mix: str = "random",
        domain: str = "camid",
    ) -> None:
        options = {"layers": layers, "p": p, "alpha": alpha, "mix": mix, "domain": domain}
        self._settings = Mix.model_validate(options)
        self._runs: PerRun[_Mixer] = PerRun()

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Listen to the layers of a training."""
        if not engine.plan.test_only:
            self._runs.start(engine, _Mixer(engine, self._settings))

    @hookimpl
    def reid_run_end(self, engine: Engine) -> None:
        """Let the layers give what they give."""
        if mixer := self._runs.end(engine):
            mixer.close()


class _Mixer:
    """Mixes the styles of one run."""

    def __init__(self, engine: Engine, settings: Mix) -> None:
        self._engine, self._settings = engine, settings
        if settings.mix == "crossdomain":
            _require_two_domains(engine, settings.domain)
        layers = [
            (_layer(network, name), self._hook(network, name))
            for network, names in networks_with(engine, settings.layers)
            for name in names
        ]
        self._handles = [layer.register_forward_hook(hook) for layer, hook in layers]

    def close(self) -> None:
        """Stop listening."""
        for handle in self._handles:
            handle.remove()

    @property
    def _batch(self) -> Mapping[str, Any] | None:
        """The batch of the step under way; outside of steps there is none, and nothing is mixed."""
        run = self._engine.active_run
        return run.batch if run is not None else None

    def _hook(self, network: nn.Module, name: str) -> Callable[[nn.Module, Any, Any], Any]:
        # A function, which copies of the network share: an object would be copied with the engine.
        def mix(layer: nn.Module, inputs: Any, maps: Any) -> Any:
            if self._batch is None or not network.training:
                return maps
            if not isinstance(maps, Tensor) or maps.dim() != 4 or maps[0, 0].numel() < 2:
                raise UserError(
                    f"layer {name!r} gives no maps (B, C, h, w), whose styles could be mixed",
                    "Name convolutional stages in settings.training.mixstyle.layers.",
                )
            if torch.rand(()) >= self._settings.p:
                return maps
            return mix_styles(maps, self._partners(len(maps)), self._settings.alpha)

        return mix

    def _partners(self, count: int) -> Tensor:
        """Return (B,) the partner of each image."""
        if self._settings.mix == "random":
            return torch.randperm(count)
        assert self._batch is not None
        column = self._settings.domain
        labels = self._engine.batch_layout.per_image(self._batch, (column,))[column]
        domains = torch.as_tensor(labels)
        if len(domains) != count:
            raise UserError(
                f"a batch of {len(domains)} images came to a layer as {count}, whose domains are "
                "not known then",
                "Set settings.training.mixstyle.mix=random.",
            )
        return partners_of_other_domains(domains)


def mix_styles(maps: Tensor, partners: Tensor, alpha: float) -> Tensor:
    """Return maps with statistics between their own and those of their partners.

    No gradient goes through the statistics, which are computed in float32.

    Args:
        maps: (B, C, h, w).
        partners: (B,) rows of ``maps``.
        alpha: the own share of each image is drawn from Beta(alpha, alpha).

    Returns:
        (B, C, h, w), of the type of ``maps``.
    """
    shares = torch.distributions.Beta(alpha, alpha).sample((len(maps), 1, 1, 1)).to(maps.device)
    partners = partners.to(maps.device)
    with torch.autocast(maps.device.type, enabled=False):
        exact = maps.float()
        variance, mean = torch.var_mean(exact.detach(), dim=(2, 3), keepdim=True)  # (B, C, 1, 1)
        deviation = (variance + _LEAST_VARIANCE).sqrt()
        mixed_mean = torch.lerp(mean[partners], mean, shares)
        mixed_deviation = torch.lerp(deviation[partners], deviation, shares)
        mixed = (exact - mean) / deviation * mixed_deviation + mixed_mean
    return mixed.to(maps.dtype)


def partners_of_other_domains(domains: Tensor) -> Tensor:
    """Draw a partner of another domain for each image, itself where all are of one domain.

    Args:
        domains: (B,).

    Returns:
        (B,) rows.
    """
    others = domains[:, None] != domains[None, :]  # (B, B)
    alone = ~others.any(dim=1)
    return torch.multinomial((others | torch.diag(alone)).float(), 1).squeeze(1)


def _layer(network: nn.Module, name: str) -> nn.Module:
    layers: dict[str, nn.Module] = dict(network.named_modules())
    if name not in layers:
        raise UserError(f"{name!r} is a parameter, and gives no maps", "Name its layer.")
    return layers[name]


def _require_two_domains(engine: Engine, column: str) -> None:
    """Refuse to mix domains where the training images are known to be of one."""
    table = getattr(engine.datamanager, "train_table", None)
    domains = set(getattr(table, f"{column}s", ())) if table is not None else set()
    if len(domains) == 1:
        raise UserError(
            f"all training images have one {column}, and mix=crossdomain mixes several",
            "Set settings.training.mixstyle.mix=random, or another domain: camid or dsetid.",
        )
