"""What a trainer is."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.config import TrainerConfig
from pipeline.training.job import Job
from pipeline.training.lifecycle import Lifecycle


@dataclass(frozen=True)
class Trainer:
    """`config` is the dataclass of its configuration: `TrainerConfig`, or a subclass with more fields or checks.

    `train(job, lifecycle)` changes the weights of `job.core` in place. It begins with the epoch that `lifecycle.begin`
    returns. For example, a loop of your own over the epochs, in a file of its own::

        def train(job: Job, lifecycle: Lifecycle) -> None:
            optimizer = build_optimizer(job.config.optimizer, job.steps_per_epoch * job.config.epochs)
            optimizer.build(job.core.trainable_variables)
            epoch = lifecycle.begin(optimizer)
            while epoch < job.config.epochs and not lifecycle.stopped:
                lifecycle.begin_epoch()
                values = train_one_epoch(job, optimizer, epoch)  # a number for each of job.value_names
                lifecycle.end_epoch(dict(zip(job.value_names, values, strict=True)))
                lifecycle.checkpoint_if_due()
                epoch += 1
            lifecycle.end()

        TRAINER = Trainer(TrainerConfig, train)

    The other fields say what the trainer can do; pipeline/matching.py refuses a configuration that asks for more. A
    `convex_only` trainer trains only families that are `convex`. A trainer that `takes_xla` lets XLA compile its graph
    where `job.xla` is true. A trainer that `takes_strategies` divides each batch among replicas where `job.shared` is
    true.
    """

    config: type[TrainerConfig]
    train: Callable[[Job, Lifecycle], None]
    convex_only: bool = False
    takes_xla: bool = False
    takes_strategies: bool = False
