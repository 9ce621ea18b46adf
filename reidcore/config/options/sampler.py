"""The order of training."""

from __future__ import annotations

from typing import ClassVar

from reidcore.config.options.base import OpenOptions, Positive


class SamplingOptions(OpenOptions):
    """Which samplers order the training images; further keys are options of those in use.

    Attributes:
        train_sampler: the sampler of the sources.
        train_sampler_t: the sampler of the targets' training images.
        num_instances: images of an identity in a batch, for samplers that ask for it.
        num_cams: cameras in a batch, for samplers that ask for it.
        num_datasets: datasets in a batch, for samplers that ask for it.
    """

    section: ClassVar[str] = "sampler"

    train_sampler: str = "RandomSampler"
    train_sampler_t: str = "RandomSampler"
    num_instances: Positive = 4
    num_cams: Positive = 1
    num_datasets: Positive = 1
