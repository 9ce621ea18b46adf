"""Each check finds the component that breaks its contract, and says which and what to do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from reidcore import data, hookimpl
from reidcore.data import PixelTransform
from reidcore.engine import Engine
from reidcore.evaluation import Market1501
from reidcore.testing import TinyNet, conformance, fake_dataset

DEFECTS: list[Any] = []
numbers = count()


def defect(kind: str, check: str, message: str) -> Callable[[Any], Any]:
    """Note a component that breaks a contract (a decorator)."""

    def note(target: Any) -> Any:
        DEFECTS.append(pytest.param(kind, target, check, message, id=f"{kind}-{check}"))
        return target

    return note


class Registering:
    """A plugin with one component."""

    def __init__(self, kind: str, target: Any, summary: str = "odd") -> None:
        def register(registry: Any) -> None:
            registry.add("odd", target, summary=summary)

        setattr(self, f"reid_register_{kind}", hookimpl(register))


# -- models ----------------------------------------------------------------------------------------


@defect("models", "evaluation_gives_features", r"says feature_dim 9, and gave features of 8")
class WrongWidth(TinyNet):
    feature_dim = 9


@defect("models", "features_depend_on_the_image_alone", "alone and among others that differ")
class LooksAcrossTheBatch(TinyNet):
    def embed(self, maps: Tensor) -> Tensor:
        return super().embed(maps) - maps.mean(dim=(0, 2, 3))


@defect("models", "training_gives_logits_and_features", r"logits \(4, 6\), where \(4, 5\)")
def one_class_too_many(num_classes: int, loss: str = "softmax") -> nn.Module:
    return TinyNet(num_classes + 1, loss)


@defect("models", "gradients_reach_each_parameter", r"gives 2 of 8 parameters no gradient: spare")
class WithSpareLayer(TinyNet):
    def __init__(self, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(num_classes, loss)
        self.spare = nn.Linear(2, 2)


@defect("models", "it_is_copied_and_pickled", "cannot be pickled")
class WithLambda(TinyNet):
    def __init__(self, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(num_classes, loss)
        self.act = lambda maps: maps


@defect("models", "its_state_dict_is_all_there_is", "after load_state_dict that differ")
class WithHiddenState(TinyNet):
    def __init__(self, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(num_classes, loss)
        self.shift = torch.randn(8)

    def embed(self, maps: Tensor) -> Tensor:
        return super().embed(maps) + self.shift


@defect("models", "it_leaves_images_as_they_are", "gave images that differ")
class WritesToImages(TinyNet):
    def featuremaps(self, images: Tensor) -> Tensor:
        return super().featuremaps(images.sub_(1))


@defect("models", "feature_maps_have_four_dimensions", r"gave maps \(4, 8, \d+\), where")
class FlatMaps(TinyNet):
    def featuremaps(self, images: Tensor) -> Tensor:
        return super().featuremaps(images).flatten(2)

    def embed(self, maps: Tensor) -> Tensor:
        return maps.mean(dim=2)


# -- poolings and classifiers ----------------------------------------------------------------------


@defect("poolings", "maps_become_vectors", r"of maps \(1, 1\) \(4, 8\), where \(4, 64\)")
def flattening() -> nn.Module:
    return nn.Flatten()


@defect("poolings", "zero_maps_do_no_harm", "gradients that are not finite")
class RootPool(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return maps.square().mean((2, 3)).sqrt()


@defect("poolings", "copies_give_the_same", "cannot be pickled")
class LambdaPool(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pool = lambda maps: maps.mean((2, 3))

    def forward(self, maps: Tensor) -> Tensor:
        return self.pool(maps)


class Linear(nn.Module):
    """A sound classifier for defects to begin with."""

    def __init__(self, feature_dim: int, num_classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_classes, feature_dim))

    def forward(self, features: Tensor, pids: Tensor | None = None) -> Tensor:
        return features @ self.weight.T


@defect("classifiers", "features_become_logits", "raised TypeError")
class NeedsLabels(Linear):
    def forward(self, features: Tensor, pids: Tensor | None = None) -> Tensor:
        return super().forward(features) - pids[:, None]


@defect("classifiers", "evaluation_knows_no_labels", "without and with labels that differ")
class MarginInTests(Linear):
    def forward(self, features: Tensor, pids: Tensor | None = None) -> Tensor:
        return super().forward(features) - (0 if pids is None else 1)


@defect("classifiers", "odd_features_have_gradients", "gradients that are not finite")
class UnguardedCosine(Linear):
    def forward(self, features: Tensor, pids: Tensor | None = None) -> Tensor:
        return super().forward(features / features.square().sum(1, keepdim=True).sqrt())


@defect("classifiers", "copies_give_the_same", "of its state dict that differ")
class HiddenCentres(Linear):
    def __init__(self, feature_dim: int, num_classes: int) -> None:
        super().__init__(feature_dim, num_classes)
        self.centres = torch.randn(num_classes)

    def forward(self, features: Tensor, pids: Tensor | None = None) -> Tensor:
        return super().forward(features) + self.centres


# -- losses ----------------------------------------------------------------------------------------


@defect("losses", "it_gives_a_number", r"gave a tensor \(8,\)")
def not_reduced(num_classes: int) -> Any:
    return lambda outputs, batch: outputs.features.norm(dim=1)


@defect("losses", "it_teaches_the_model", "no gradient by logits or features")
def detached(num_classes: int) -> Any:
    return lambda outputs, batch: outputs.features.detach().mean()


@defect("losses", "odd_batches_give_finite_numbers", "for a batch of one image")
def spread(num_classes: int) -> Any:
    return lambda outputs, batch: outputs.features.std(dim=0).mean()


@defect("losses", "it_depends_on_the_batch_alone", "for one batch in the term")
def drawn(num_classes: int) -> Any:
    rng = np.random.default_rng()
    return lambda outputs, batch: outputs.features.mean() * rng.random()


@defect("losses", "mixed_precision_serves", "raised RuntimeError")
def in_double(num_classes: int) -> Any:
    return lambda outputs, batch: (outputs.features @ torch.ones(8)).mean()


@defect("losses", "copies_give_the_same", "cannot be pickled")
class LocalLoss(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.reduce = lambda values: values.mean()

    def forward(self, outputs: Any, batch: Any) -> Tensor:
        return self.reduce(outputs.features)


# -- samplers --------------------------------------------------------------------------------------


class Rows:
    """A sound sampler for defects to begin with."""

    def __init__(self, table: Any, batch_size: int, seed: int) -> None:
        self.rows, self.seed = len(table), seed

    def order(self, epoch: int) -> Any:
        return np.random.default_rng([self.seed, epoch]).permutation(self.rows)


@defect("samplers", "an_epoch_is_a_flat_array_of_rows", "it must give a flat array of rows")
class CountsFromOne(Rows):
    def order(self, epoch: int) -> Any:
        return super().order(epoch) + 1


@defect("samplers", "a_resumed_run_sees_the_same_order", "when it is asked again")
class OneGenerator(Rows):
    def order(self, epoch: int) -> Any:
        self.rng = getattr(self, "rng", np.random.default_rng(self.seed))
        return self.rng.permutation(self.rows)


@defect("samplers", "global_generators_are_left_alone", "a generator of the whole program")
class GlobalGenerator(Rows):
    def order(self, epoch: int) -> Any:
        np.random.random()
        return super().order(epoch)


@defect("samplers", "odd_tables_are_ordered_or_refused", "raised ValueError for a table of one id")
class TwoIdentities(Rows):
    def __init__(self, table: Any, batch_size: int, seed: int) -> None:
        super().__init__(table, batch_size, seed)
        np.random.default_rng(0).choice(np.unique(table.pids), 2, replace=False)


# -- transforms ------------------------------------------------------------------------------------


@defect(
    "transforms",
    "images_of_all_sizes_have_the_size_of_the_run",
    r"gave an Image RGB \(16, 64\) in its call; it must give bytes \(64, 32, 3\)",
)
class HalfWidth:
    def __init__(self, height: int, width: int) -> None:
        self.size = (width // 2, height)

    def __call__(self, image: Image.Image) -> Image.Image:
        return image.resize(self.size)


class Same:
    """A sound transform for defects to begin with."""

    def __init__(self, height: int, width: int) -> None:
        self.size = (height, width)

    def __call__(self, image: Image.Image) -> Image.Image:
        return image


@defect("transforms", "the_same_seed_gives_the_same_image", "for one seed that differ")
class OwnGenerator(Same):
    def __call__(self, image: Image.Image) -> Image.Image:
        shift = np.random.default_rng().integers(1, 255)
        return Image.fromarray(np.array(image) + np.uint8(shift))


@defect("transforms", "workers_get_the_same", "cannot be pickled")
def local_function(height: int, width: int) -> Any:
    def change(image: Image.Image) -> Image.Image:
        return image

    return change


@defect("transforms", "it_leaves_the_image_as_it_is", "writes to the image")
class WritesToImage(Same):
    def __call__(self, image: Image.Image) -> Image.Image:
        image.putpixel((0, 0), (1, 2, 3))
        return image


@defect("transforms", "a_batch_is_changed_as_its_images_are", "alone and in a batch that differ")
class FirstForAll(PixelTransform):
    def __init__(self, height: int, width: int) -> None:
        pass

    def make_params(self, height: int, width: int) -> Any:
        return [float(np.random.randint(100))]

    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        return images // 2 + params[0].to(torch.uint8)


# -- optimizers and schedulers ---------------------------------------------------------------------


@defect("optimizers", "it_takes_groups_with_their_rates", "has the rates")
def one_rate(groups: Any, lr: float, weight_decay: float) -> Any:
    return torch.optim.SGD([each for group in groups for each in group["params"]], lr=lr)


@defect("optimizers", "it_learns", "takes a loss from")
def uphill(groups: Any, lr: float, weight_decay: float) -> Any:
    return torch.optim.SGD(groups, lr=lr, maximize=True)


@defect("optimizers", "it_goes_on_from_a_checkpoint", "with a stop and without that differ")
class Forgetful(torch.optim.SGD):
    def __init__(self, groups: Any, lr: float, weight_decay: float) -> None:
        super().__init__(groups, lr=lr, momentum=0.9)

    def state_dict(self) -> Any:
        return {**super().state_dict(), "state": {}}


@defect("schedulers", "rates_are_rates", r"gives the rates \[.*-")
def below_zero(optimizer: Any) -> Any:
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 - epoch)


@defect("schedulers", "it_goes_on_from_a_checkpoint", "other rates after a stop in epoch 1")
class Stateless(torch.optim.lr_scheduler.ExponentialLR):
    def __init__(self, optimizer: Any) -> None:
        super().__init__(optimizer, 0.5)

    def step(self, epoch: Any = None) -> None:
        self.seen = getattr(self, "seen", -1) + 1
        for group in self.optimizer.param_groups:
            group["lr"] = 0.01 * 0.5**self.seen

    def state_dict(self) -> Any:
        return {}


# -- protocols -------------------------------------------------------------------------------------


@defect("protocols", "it_gives_figures", "gave mAP 9")
class InPercent(Market1501):
    def evaluate(self, *given: Any, **options: Any) -> Any:
        return replace(super().evaluate(*given, **options), mAP=95.0)


@defect("protocols", "its_own_figures_are_numbers", "has the figure 'TPIR': 'high'")
class WordForFigure(Market1501):
    def evaluate(self, *given: Any, **options: Any) -> Any:
        return replace(super().evaluate(*given, **options), figures={"TPIR": "high"})


@defect("protocols", "it_says_what_its_figures_are", "conditions that are no JSON")
class OddConditions(Market1501):
    def conditions(self) -> dict[str, Any]:
        return {"threshold": float("nan")}


@defect("protocols", "it_says_what_its_figures_are", "'TPIR' of each query, whose mean is not")
class OtherMean(Market1501):
    def evaluate(self, *given: Any, **options: Any) -> Any:
        found = super().evaluate(*given, **options)
        return replace(found, figures={"TPIR": 0.5}, per_query={"TPIR": 0 * found.ap})


@defect("protocols", "a_perfect_ranking_is_perfect", "for a perfect ranking")
class HalfOfIt(Market1501):
    def evaluate(self, *given: Any, **options: Any) -> Any:
        found = super().evaluate(*given, **options)
        return replace(found, mAP=found.mAP / 2)


@defect("protocols", "order_does_not_matter", "in another order")
class FirstQuery(Market1501):
    def evaluate(self, *given: Any, **options: Any) -> Any:
        found = super().evaluate(*given, **options)
        return replace(found, mAP=float(found.ap[0]))


@defect("protocols", "no_match_at_all_is_told", "for a gallery of strangers")
class ZeroForNone(Market1501):
    def evaluate(self, distances: Any, labels: Any, *given: Any, **options: Any) -> Any:
        labels.g_pids = np.where(np.isin(labels.g_pids, labels.q_pids), labels.g_pids, 0)
        return super().evaluate(distances, labels, *given, **options)


# -- datasets and engines --------------------------------------------------------------------------


@defect("datasets", "a_missing_folder_is_told", "reads an empty folder without a word")
def silent(root: Path) -> Any:
    return data.Splits([], [], [])


@defect("datasets", "its_files_are_there", "a file that is not there: 'nowhere.png'")
def invented(root: Path) -> Any:
    splits = data.from_folders(root / "odd")
    return splits._replace(train=[*splits.train, ("nowhere.png", 1, 1)])


@defect("datasets", "it_reads_the_same_again", "in another order, in train")
def shuffled(root: Path) -> Any:
    splits = data.from_folders(root / "odd")
    return splits._replace(train=list(splits.train)[next(numbers) :])


@defect("datasets", "its_splits_fit_together", "learns from 24 queries, such as")
def leaking(root: Path) -> Any:
    splits = data.from_folders(root / "odd")
    return splits._replace(train=[*splits.train, *splits.query])


@defect("engines", "it_trains", "left the weights as they were")
class StandsStill(Engine):
    def __init__(
        self,
        datamanager: Any,
        model: Any,
        optimizer: Any = None,
        scheduler: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(datamanager, **options)
        self.register_model("model", model, optimizer, scheduler)
        self.terms = {"softmax": (1.0, nn.CrossEntropyLoss())}

    def forward_backward(self, data: Any) -> Any:
        return self.outcome(self.losses(data))


@defect("engines", "plugins_take_part", "never asked for the losses")
class AloneAtWork(StandsStill):
    def forward_backward(self, data: Any) -> Any:
        images, pids = self.parse_data_for_train(data)
        loss = nn.functional.cross_entropy(self.model(images), pids)
        self.backward({"own": loss})
        self.optimizer_step()
        return self.outcome({"own": loss})


@defect("engines", "it_resumes", "with a stop and without, that differ")
class DrawsItself(StandsStill):
    def forward_backward(self, data: Any) -> Any:
        losses = self.losses(data)
        self.rng = getattr(self, "rng", np.random.default_rng(0))
        self.backward({name: loss * self.rng.random() for name, loss in losses.items()})
        self.optimizer_step()
        return self.outcome(losses)


# -- every kind ------------------------------------------------------------------------------------


@defect("losses", "its_defaults_have_the_types_of_its_options", "has a default that it refuses")
def wrong_default(num_classes: int, *, power: int = 0.5) -> Any:  # type: ignore[assignment]
    return lambda outputs, batch: outputs.features.mean() * power


@pytest.mark.parametrize(("kind", "target", "check", "message"), DEFECTS)
def test_a_check_names_the_defect_its_contract_and_the_remedy(
    kind: str, target: Any, check: str, message: str, tmp_path: Path
) -> None:
    fake_dataset(tmp_path / "odd")
    found = {
        each.method.removeprefix("test_"): each
        for each in conformance.checks(Registering(kind, target), root=tmp_path)
    }
    outcome = found[check].outcome()
    assert outcome.state == "failed"
    what, rule, place, remedy = outcome.text.split("\n  ")
    assert what.partition(" of plugin ")[0].endswith("'odd'")
    with pytest.raises(AssertionError, match=message):
        found[check]()
    assert rule == f"contract: {found[check].contract.rule}"
    assert place == f"documented: docs/contracts.md#{kind}"
    assert remedy == f"to do: {found[check].contract.remedy}"


def test_every_check_of_a_component_has_a_defect_that_it_finds() -> None:
    from reid_plugins_scaffold.conformance.base import checks_of
    from reid_plugins_scaffold.conformance.checking import CLASSES, class_of

    shared = {"it_says_what_it_is", "its_defaults_have_the_types_of_its_options"}
    elsewhere = {"commands", "configs", "weights"}
    tried = {(each.values[0], each.values[2]) for each in DEFECTS}
    there = {
        (kind, name)
        for kind in CLASSES.keys() - elsewhere
        for name in (method.removeprefix("test_") for method in checks_of(class_of(kind)))
        if name not in shared
    }
    assert there <= tried


def test_a_component_without_a_summary_is_told() -> None:
    plugin = Registering("poolings", RootPool, summary="")
    check = next(each for each in conformance.checks(plugin) if "says" in each.id)
    assert "has the summary ''" in check.outcome().text


# -- recipes, weights and commands -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "check", "message"),
    [
        ("data: {sources: [synthetic]}\ntrian: {max_epoch: 1}", "a_configuration", "trian"),
        ("data: {sources: [synthetic], root: /home/me}", "names_no_machine", "'/home/me' in data"),
    ],
)
def test_a_recipe_is_held_to_its_contract(text: str, check: str, message: str, site: Any) -> None:
    site.write("recipe_box.shelf", "")
    (site.folder / "recipe_box" / "odd.yaml").write_text(text)

    class Recipes:
        @hookimpl
        def reid_register_configs(self, registry: Any) -> None:
            registry.add("odd", "recipe_box:odd.yaml", summary="odd")

    found = next(each for each in conformance.checks(Recipes()) if each.id.endswith(check))
    with pytest.raises(AssertionError, match=message):
        found()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("odd: {filename: a.pth, url: 'https://a.b/a.pth', origin: us}", "has no licence"),
        ("odd: {filename: a.pth, url: 'http://a.b/a', origin: u, licence: l}", "no https address"),
    ],
)
def test_a_row_of_weights_is_held_to_its_contract(row: str, message: str, site: Any) -> None:
    site.write("weight_box.shelf", "")
    (site.folder / "weight_box" / "weights.yaml").write_text(row)

    class Weights:
        @hookimpl
        def reid_register_weights(self, registry: Any) -> None:
            registry.table("weight_box:weights.yaml")

    found = [each for each in conformance.checks(Weights()) if each.id.endswith("where_it_is_from")]
    with pytest.raises(AssertionError, match=message):
        found[0]()


@click.command()
@click.option("--size", default=1)
def silent_command(size: int) -> None: ...


@click.command()
@click.option("--size", default=1, help="How large.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def lenient(size: int, words: Any) -> None:
    """Take whatever comes."""


lenient.context_settings["ignore_unknown_options"] = True


@pytest.mark.parametrize(
    ("command", "check", "message"),
    [
        (math.sqrt, "test_it_is_a_click_command", "is a builtin"),
        (silent_command, "test_it_says_what_it_is", "has no help"),
        (lenient, "test_help_and_mistakes_have_their_exit_codes", "--no-such-option with exit"),
    ],
)
def test_a_command_is_held_to_its_contract(command: Any, check: str, message: str) -> None:
    attributes: Mapping[str, Any] = {"command": command, "name": "odd"}
    made = type("Odd", (conformance.CommandConformance,), dict(attributes))()
    made.setup_method()
    with pytest.raises(AssertionError, match=rf"(?s)^command 'odd' .*{message}.*docs/contracts.md"):
        getattr(made, check)()
