"""Batches of P identities with K images each, as the triplet loss needs them."""

from __future__ import annotations

from reid_plugins_engines.samplers.groups import GroupedOrder
from reid_plugins_engines.samplers.sharing import Epoch, batches_in, identities_in_batch
from reidcore.data import SampleTable


class RandomIdentitySampler(GroupedOrder):
    """Shows P identities with K images each in every batch, P = batch_size / K.

    An epoch shows every image of an identity at least once, unless the identity has so many that it
    would have to be in a batch twice; then it shows other ones in the next epoch. An identity with
    fewer than K images shows each of them several times, as evenly as can be. (Hermans et al., In
    Defense of the Triplet Loss, 2017, section 2, for P x K batches.)

    The K images of an identity are neighbours. A process's share of a batch therefore holds whole
    identities, P / N of them, if the number of processes N divides P.

    Args:
        table: Training samples.
        batch_size: Images in a batch over all processes; a multiple of ``num_instances``.
        seed: Seed of the run; orders are drawn from (seed, epoch).
        num_instances: Images of an identity in a batch, K.
        epoch: How long one is: ``all`` until every image was shown, so somewhat longer than the
            images fill batches, since identities show some twice; or ``size``, as many batches as
            the images fill, in which some wait. FastReID counts epochs so.

    Raises:
        ConfigError: The batch is no multiple of K, or asks for more identities than there are.
    """

    def __init__(
        self,
        table: SampleTable,
        batch_size: int,
        seed: int,
        num_instances: int = 4,
        epoch: Epoch = "all",
    ) -> None:
        identities = identities_in_batch(table, batch_size, num_instances)
        batches = batches_in(epoch, table, batch_size)
        super().__init__(table.pids, identities, num_instances, seed, batches)
