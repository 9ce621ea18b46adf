"""What a sampler does: an order for each epoch that anyone can ask for again."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch

from reid_plugins_scaffold.conformance.base import FactoryConformance
from reid_plugins_scaffold.conformance.contract import Broken, contract
from reidcore.data import Int64Array, Sample, SampleOrder, SampleTable, build_train_sampler
from reidcore.errors import UserError

BATCH = 8
EPOCHS = range(3)


class SamplerConformance(FactoryConformance):
    """Checks of samplers."""

    kind = "samplers"

    @contract(
        "order(epoch) gives the rows of an epoch as one flat array, at least a batch of them.",
        "Return numpy.concatenate(...) of the batches' rows; rows count from 0.",
    )
    def test_an_epoch_is_a_flat_array_of_rows(self) -> None:
        """Rows of the table."""
        for epoch in EPOCHS:
            order = self._order(self.table(), epoch)
            if len(order) < BATCH:
                raise Broken(
                    f"orders {len(order)} rows in epoch {epoch}, fewer than a batch of {BATCH}"
                )

    @contract(
        "The order depends on seed and epoch alone, in whatever sequence epochs are asked for, "
        "so that a run that resumes sees the same images.",
        "Make a generator of (seed, epoch) inside order: numpy.random.default_rng([seed, epoch]).",
    )
    def test_a_resumed_run_sees_the_same_order(self) -> None:
        """Asked in another sequence, and of another object."""
        source = self._source(self.table())
        forwards = [source.order(epoch) for epoch in EPOCHS]
        backwards = [source.order(epoch) for epoch in reversed(EPOCHS)][::-1]
        anew = [self._order(self.table(), epoch) for epoch in EPOCHS]
        for epoch, orders in enumerate(zip(forwards, backwards, anew, strict=True)):
            first, *others = map(np.asarray, orders)
            if not all(np.array_equal(first, other) for other in others):
                raise Broken(f"gives other orders for epoch {epoch} when it is asked again")

    @contract(
        "It leaves the program's random generators alone.",
        "Draw from a numpy generator of its own, not from random, numpy.random or torch.",
    )
    def test_global_generators_are_left_alone(self) -> None:
        """Processes of one run must stay in step."""
        source = self._source(self.table())
        before = _states()
        source.order(0)
        after = _states()
        if before != after:
            raise Broken("draws from a generator of the whole program")

    @contract(
        "Odd tables (one identity, one image of each, fewer images than a batch, one camera, none "
        "at all) give an order, or a UserError that says what is missing.",
        "Look at the table when the sampler is made, and raise reidcore.errors.UserError(what, "
        "hint).",
    )
    def test_odd_tables_are_ordered_or_refused(self) -> None:
        """No other exception, and no loop without end."""
        for what, samples in _odd_tables().items():
            try:
                self._order(SampleTable.of(samples), 0)
            except UserError:
                continue
            except Exception as error:
                raise Broken(
                    f"raised {type(error).__name__} for a table of {what}: {error}"
                ) from error

    def table(self) -> SampleTable:
        """Return the training samples: 6 identities by 4 cameras, in 2 sources."""
        return SampleTable.of(
            [
                Sample(f"{pid}_{camid}_{shot}.jpg", pid, camid, pid % 2)
                for pid in range(6)
                for camid in range(4)
                for shot in range(2 + pid % 3)
            ]
        )

    def _source(self, table: SampleTable) -> SampleOrder:
        asked = {"num_instances": 2, "num_cams": 2, "num_datasets": 2, **self.options}
        return build_train_sampler(
            table, self.qualified, BATCH, plugins=self.plugin_set, **asked
        ).source

    def _order(self, table: SampleTable, epoch: int) -> Int64Array:
        return self._source(table).order(epoch)


def _states() -> tuple[object, ...]:
    numbers = np.random.get_state(legacy=False)
    return random.getstate(), str(numbers), torch.get_rng_state().tolist()


def _odd_tables() -> dict[str, Sequence[Sample]]:
    return {
        "one identity": [Sample(f"{n}.jpg", 0, n % 2) for n in range(12)],
        "one image of each identity": [Sample(f"{n}.jpg", n, n % 2) for n in range(12)],
        "one camera": [Sample(f"{n}.jpg", n % 3, 0) for n in range(12)],
        "three images": [Sample(f"{n}.jpg", n, 0) for n in range(3)],
        "no images": [],
    }
