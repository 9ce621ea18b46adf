"""The clothes-based adversarial loss, and the classifier of outfits that it plays against."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from reid_plugins_engines.losses.clothes_adversarial import (
    ClothesAdversarial,
    ClothesClassifier,
    clothes_adversarial_terms,
)
from torch import Tensor

from reidcore import hookimpl
from reidcore.data import Sample, SampleTable, Splits, from_folders
from reidcore.errors import ConfigError, UserError
from reidcore.models import Outputs
from reidcore.testing import TinyRun, fake_dataset, tiny_run

Batch = dict[str, Tensor]
SCALE, EPS, WIDTH = 4.0, 0.1, 6

# Identity and clothes of each outfit: the first person has three, the last one has one.
OUTFITS = [(0, 0), (0, 1), (0, 4), (1, 2), (1, 3), (2, 5)]


def _table(outfits: list[tuple[int, int]], times: int = 2) -> SampleTable:
    rows = [each for each in outfits for _ in range(times)]
    samples = [Sample(f"{n}.jpg", pid, n % 2) for n, (pid, _) in enumerate(rows)]
    return SampleTable.of(samples, columns={"clothes": np.array([c for _, c in rows])})


def _terms(
    outfits: list[tuple[int, int]] = OUTFITS, **options: Any
) -> tuple[ClothesAdversarial, ClothesClassifier]:
    torch.manual_seed(0)
    given: dict[str, Any] = {"scale": SCALE, "eps": EPS, "start_epoch": 0, **options}
    made = clothes_adversarial_terms(3, WIDTH, _table(outfits), **given)
    assert [weight for weight, _ in made.values()] == [1.0, 1.0]
    return made["clothes_adversarial"][1], made["clothes"][1]


def _batch(rows: list[tuple[int, int]]) -> tuple[Outputs, Batch]:
    torch.manual_seed(1)
    features = torch.randn(len(rows), WIDTH, requires_grad=True)
    pids, clothes = torch.tensor(rows).unbind(1)
    return Outputs(torch.zeros(len(rows), 3), features), {"pid": pids, "clothes": clothes}


def _cosines(features: Tensor, weight: Tensor) -> np.ndarray:
    f, w = (each.detach().double().numpy() for each in (features, weight))
    lengths = np.linalg.norm(f, axis=1)[:, None] * np.linalg.norm(w, axis=1)[None]
    return np.asarray(SCALE * (f @ w.T) / lengths)


def _naive(z: np.ndarray, rows: list[tuple[int, int]], outfits: list[tuple[int, int]]) -> Any:
    """Return both terms, image by image and outfit by outfit."""
    named, confused = [], []
    for logits, row in zip(z, rows, strict=True):
        own = outfits.index(row)
        named.append(math.log(sum(math.exp(each) for each in logits)) - logits[own])
        mine = [o for o, (pid, _) in enumerate(outfits) if pid == row[0]]
        others = sum(math.exp(logits[o]) for o in range(len(outfits)) if o not in mine)
        loss = 0.0
        for o in mine:
            target = EPS / len(mine) + (1 - EPS) * (o == own)
            loss -= target * math.log(math.exp(logits[o]) / (math.exp(logits[o]) + others))
        confused.append(loss)
    return np.mean(named), np.mean(confused)


ROWS = [(0, 4), (1, 2), (0, 0), (2, 5), (1, 3), (0, 4)]


def test_both_terms_are_the_papers() -> None:
    adversarial, classifier = _terms()
    outputs, batch = _batch(ROWS)
    named, confused = _naive(_cosines(outputs.features, classifier.weight), ROWS, OUTFITS)
    assert classifier(outputs, batch).item() == pytest.approx(named, rel=1e-5)
    assert adversarial(outputs, batch).item() == pytest.approx(confused, rel=1e-5)


def test_numbers_of_clothes_may_be_each_persons_own() -> None:
    """0, 1, 2 for everybody: an outfit is a person's."""
    outfits = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 7), (2, 1)]
    rows = [(1, 7), (2, 1), (0, 1)]
    adversarial, classifier = _terms(outfits)
    outputs, batch = _batch(rows)
    named, confused = _naive(_cosines(outputs.features, classifier.weight), rows, outfits)
    assert classifier(outputs, batch).item() == pytest.approx(named, rel=1e-5)
    assert adversarial(outputs, batch).item() == pytest.approx(confused, rel=1e-5)


def test_options_left_out_are_the_authors() -> None:
    adversarial, classifier = (
        term for _, term in clothes_adversarial_terms(3, WIDTH, _table(OUTFITS)).values()
    )
    assert (classifier.scale, adversarial.eps, classifier.start_epoch) == (16.0, 0.1, 25)
    (group,) = classifier.make_optimizer().param_groups
    assert (group["lr"], group["weight_decay"]) == (0.00035, 0.0005)


def test_someone_behind_the_last_outfit_whose_clothes_are_unknown_does_not_count() -> None:
    adversarial, classifier = _terms()
    outputs, batch = _batch([*ROWS, (4, -1)])
    without = Outputs(outputs.logits, outputs.features[: len(ROWS)]), _batch(ROWS)[1]
    for term in (adversarial, classifier):
        torch.testing.assert_close(term(outputs, batch), term(*without))


def test_each_term_teaches_its_own_side_alone() -> None:
    adversarial, classifier = _terms()
    outputs, batch = _batch(ROWS)
    loss = classifier(outputs, batch)
    loss.backward()
    assert outputs.features.grad is None
    assert classifier.weight.grad is not None
    assert classifier.weight.grad.abs().sum() > 0
    classifier.weight.grad = None
    adversarial(outputs, batch).backward()
    assert outputs.features.grad is not None
    assert outputs.features.grad.abs().sum() > 0
    assert classifier.weight.grad is None


def test_confusing_a_persons_outfits_costs_less_than_confusing_people() -> None:
    """A feature between two outfits of its person against one between two people."""
    adversarial, classifier = _terms(scale=16.0)
    with torch.no_grad():
        classifier.weight.copy_(torch.eye(6))
    batch = {"pid": torch.tensor([0]), "clothes": torch.tensor([0])}
    among_own = Outputs(torch.zeros(1, 3), torch.tensor([[1.0, 1.0, 0, 0, 0, 0]]))
    among_people = Outputs(torch.zeros(1, 3), torch.tensor([[1.0, 0, 0, 1.0, 0, 0]]))
    assert adversarial(among_own, batch) < adversarial(among_people, batch) / 4


def test_nothing_happens_before_the_first_epoch() -> None:
    adversarial, classifier = _terms(start_epoch=2)
    outputs, batch = _batch(ROWS)
    optimizer = classifier.make_optimizer()
    before = classifier.weight.detach().clone()
    for epoch, has_started in ((0, False), (1, False), (2, True), (1, False), (30, True)):
        classifier.set_epoch(epoch)
        losses = adversarial(outputs, batch), classifier(outputs, batch)
        assert all((loss.item() > 0) == has_started for loss in losses)
        if not has_started:
            sum(losses).backward()
            optimizer.step()  # which would decay the weights of a gradient of zero
            assert torch.equal(classifier.weight, before)


def test_images_whose_clothes_are_not_known_do_not_count() -> None:
    adversarial, classifier = _terms([*OUTFITS, (2, -1), (0, -1)])
    assert classifier.weight.shape == (6, WIDTH)
    outputs, batch = _batch([*ROWS, (0, -1), (2, -3)])
    first = Outputs(outputs.logits, outputs.features[:6])
    labels = {name: column[:6] for name, column in batch.items()}
    for term in (adversarial, classifier):
        assert term(outputs, batch).item() == pytest.approx(term(first, labels).item(), rel=1e-6)
    none = {"pid": batch["pid"], "clothes": torch.full((8,), -1)}
    assert adversarial(outputs, none).item() == 0


def test_half_precision_is_computed_in_full() -> None:
    adversarial, classifier = _terms(scale=64.0)
    outputs, batch = _batch(ROWS)
    halved = Outputs(outputs.logits, outputs.features.detach().half())
    for term in (adversarial, classifier):
        loss = term(halved, batch)
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(term(outputs, batch).item(), rel=5e-3)


def test_what_it_cannot_learn_from_is_refused() -> None:
    plain = SampleTable.of([Sample("a.jpg", 0, 0), Sample("b.jpg", 1, 0)])
    with pytest.raises(ConfigError, match="no numbers in a column 'clothes'"):
        clothes_adversarial_terms(2, WIDTH, plain)
    unknown = replace(plain, columns={"clothes": np.array([-1, -1])})
    with pytest.raises(ConfigError, match="who wears what"):
        clothes_adversarial_terms(2, WIDTH, unknown)
    with pytest.raises(ConfigError, match="how many features"):
        clothes_adversarial_terms(2, None, _table(OUTFITS))
    adversarial, classifier = _terms()
    outputs, batch = _batch(ROWS)
    with pytest.raises(UserError, match="without the column 'clothes'"):
        classifier(outputs, {"pid": batch["pid"]})
    several = Outputs(outputs.logits, (outputs.features, outputs.features))
    with pytest.raises(UserError, match="one feature vector"):
        adversarial(several, batch)


class Dressed:
    """Brings ``dressed``, in which each camera saw people in other clothes."""

    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        registry.add("dressed", self.dressed)

    @staticmethod
    def dressed(root: str) -> Splits:
        tables = map(SampleTable.of, from_folders(f"{root}/dressed"))
        return Splits(*(replace(each, columns={"clothes": each.camids % 2}) for each in tables))


def _run(folder: Path, root: Path, epochs: int, *keys: str) -> TinyRun:
    if not (root / "dressed").exists():
        fake_dataset(root / "dressed")
    overrides = [
        "loss.terms={softmax: 1.0, clothes_adversarial: 0.5}",
        "loss.clothes_adversarial.start_epoch=1",
        f"train.max_epoch={epochs}",
        *keys,
    ]
    return tiny_run(Dressed(), save_dir=folder, root=root, dataset="dressed", overrides=overrides)


def _weight(run: TinyRun) -> Tensor:
    classifier = run.engine.terms["clothes"][1]
    assert isinstance(classifier, ClothesClassifier)
    return classifier.weight.detach()


def test_a_run_learns_it_in_time_and_resumes_exactly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "data"
    whole = _run(tmp_path / "whole", root, 3)
    first = _run(tmp_path / "parts", root, 1)
    assert "'clothes' begins after 1 epoch, and the training has 1: it never does" in caplog.text
    assert not first.engine.loss_optimizers["clothes"].state  # it has made no step
    middle = _run(tmp_path / "parts", root, 2, f"model.resume={tmp_path}/parts/model.pth.tar-1")
    assert not torch.equal(_weight(middle), _weight(first))
    resumed = _run(tmp_path / "parts", root, 3, f"model.resume={tmp_path}/parts/model.pth.tar-2")
    assert torch.equal(_weight(whole), _weight(resumed))
    for key, value in whole.engine.model.state_dict().items():
        assert torch.equal(value, resumed.engine.model.state_dict()[key]), key
    main = [id(each) for group in whole.engine.optimizer.param_groups for each in group["params"]]  # type: ignore[union-attr]
    assert id(whole.engine.terms["clothes"][1].weight) not in main  # type: ignore[attr-defined]
    assert whole.engine.loss_optimizers["clothes"].param_groups[0]["lr"] == 0.00035


def test_a_run_on_people_of_unknown_clothes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ltcc, prcc or vc_clothes"):
        tiny_run(save_dir=tmp_path, overrides=["loss.terms={softmax: 1, clothes_adversarial: 1}"])
