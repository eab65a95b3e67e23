"""What XLA saves in a step and what it takes to compile, from which training/compilation.py has its constants.

python benchmarks/compilation.py [--only cnn]

Each model trains once without XLA and once with it, in processor time, which other work on the machine disturbs least.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from rivals.cases import CASES, RNN, Case
from rivals.compiled import config_of, schema_of, split_of, train

from pipeline.config import TrainerConfig
from pipeline.tensorflow_process import load_tensorflow

CNN = {"filters": [32, 64, 128], "pool_every": 2, "dropout": 0.3}
WIDE = {"filters": [16, 16], "pool_every": 2}
GRU = {"cell": "gru", "units": [64, 64], "bidirectional": True, "dropout": 0.3}
EPOCHS = {"linear": 600, "logistic": 300, "cnn": 8, "rnn": 8}
MODELS = {name: replace(case, epochs=EPOCHS[case.family]) for name, case in CASES.items()} | {
    "logistic 8x8": Case("logistic", 1257, (8, 8, 1), 10, 150),
    "logistic 28x28, batch 128": Case("logistic", 8192, (28, 28, 1), 10, 20, {}, 128),
    "cnn 8x8, filters 32 64 128, dropout": Case("cnn", 1257, (8, 8, 1), 10, 12, CNN),
    "cnn 28x28, filters 32 64, batch 64": Case("cnn", 1024, (28, 28, 1), 10, 8, {"filters": [32, 64]}, 64),
    "cnn 28x28, filters 16 16, not pooled": Case("cnn", 512, (28, 28, 1), 10, 8, WIDE),
    "cnn 8x8, filters 128 128 128": Case("cnn", 256, (8, 8, 1), 10, 8, CNN | {"filters": [128] * 3, "dropout": 0.0}),
    "rnn gru, two bidirectional, T=8, dropout": Case("rnn", 1257, (8, 8, 1), 10, 12, GRU),
    "rnn lstm 28x28, 128 units, batch 128": Case(
        "rnn", 1024, (28, 28, 1), 10, 8, {**RNN, "cell": "lstm", "units": [128]}, 128
    ),
}


def measure(case: Case, xla: str) -> tuple[float, float]:
    """Processor seconds until the first epoch has ended, less that epoch's steps, and of a step."""
    steps = -(-case.rows // case.batch_size)
    start = time.process_time()
    train(replace(case, epochs=2), xla=xla)
    short = time.process_time()
    train(replace(case, epochs=2 + case.epochs), xla=xla)
    step = (time.process_time() - short - (short - start)) / case.epochs / steps
    return short - start - 2 * steps * step, step


def estimate(case: Case) -> bool:
    """What `trainer.xla=auto` decides for 1,000 steps of it."""
    from pipeline.model.assembly import assemble
    from pipeline.training.compilation import pays

    schema = schema_of(case)
    config = config_of(replace(case, epochs=1000 // -(-case.rows // case.batch_size)))
    return pays(assemble(config, schema, split_of(case, schema, 0)).core, config.trainer, case.rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="a part of the models' names")
    arguments = parser.parse_args()
    load_tensorflow(TrainerConfig("compiled", 1).tensorflow)
    print("| model | s to compile | ms saved in a step | pays after so many steps | auto, 1,000 steps |")
    print("|---|---|---|---|---|")
    for name in [name for name in MODELS if arguments.only in name]:
        (begin, step), (compiling, fast) = (measure(MODELS[name], xla) for xla in ("off", "on"))
        cost, saved = compiling - begin, step - fast
        pays_after = f"{cost / saved:.0f}" if saved > 0 else "never"
        auto = "on" if estimate(MODELS[name]) else "off"
        print(f"| {name} | {cost:.1f} | {1000 * saved:.2f} | {pays_after} | {auto} |", flush=True)


if __name__ == "__main__":
    main()
