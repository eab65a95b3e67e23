"""How often the intervals of report.json hold the true value, beside the percentile bootstrap.

python benchmarks/intervals.py [--samples 400]

The first table is computed: for a proportion, every number of right rows has a known probability. The others are
simulated: so many test splits are drawn, and how many intervals hold the value of endless rows is counted. In the last
table, rows are not independent of one another, and intervals by single rows stand beside those by groups and blocks.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pipeline.config import EvaluationConfig
from pipeline.data.related import Groups, Related, Stretches
from pipeline.evaluation import resampling
from pipeline.evaluation.intervals import clopper_pearson, intervals, values_of
from pipeline.evaluation.units import units_of
from pipeline.tasks import TASKS
from pipeline.tasks.scores import Scores, estimates

ROWS, SHARES = (20, 50, 100, 200, 500, 1000), (0.5, 0.7, 0.9, 0.95, 0.98, 0.99, 0.995)
CONFIDENCE = 0.95
ENDLESS = 400_000
Draw = Callable[[int, np.random.Generator], Scores]


def percentile(hits: int, rows: int, tail: float) -> tuple[float, float]:
    """What a percentile bootstrap of a proportion ends with: a resample's right rows are binomial."""
    low, high = stats.binom.ppf([tail, 1 - tail], rows, hits / rows) / rows
    return float(low), float(high)


def coverage_of_proportions(method: Callable[[int, int, float], tuple[float, float]]) -> NDArray[np.float64]:
    """The probability (rows, shares) that the interval holds the true share."""
    table = np.zeros((len(ROWS), len(SHARES)))
    for i, rows in enumerate(ROWS):
        low, high = np.array([method(hits, rows, (1 - CONFIDENCE) / 2) for hits in range(rows + 1)]).T
        for j, share in enumerate(SHARES):
            held = (low - 1e-12 <= share) & (share <= high + 1e-12)
            table[i, j] = stats.binom.pmf(np.arange(rows + 1), rows, share)[held].sum()
    return table


def classes(num_classes: int, sharpness: float) -> Draw:
    """Rows of equally frequent classes, whose logits rise by `sharpness` at the right one."""

    def draw(rows: int, random: np.random.Generator) -> Scores:
        target = random.integers(0, num_classes, rows)
        logits = random.normal(size=(rows, num_classes)) + sharpness * np.eye(num_classes)[target]
        scores = np.exp(logits - logits.max(axis=1, keepdims=True))
        return TASKS["multiclass"].scores(target, scores / scores.sum(axis=1, keepdims=True))

    return draw


def numbers(rows: int, random: np.random.Generator) -> Scores:
    """Errors with the tails of Student's t at five degrees of freedom, of a target that explains most."""
    target = random.normal(size=rows)
    return TASKS["regression"].scores(target, target + 0.5 * random.standard_t(5, rows))


CASES: dict[str, Draw] = {
    "2 classes, many wrong": classes(2, 1.0),
    "2 classes, few wrong": classes(2, 3.0),
    "2 classes, hardly any wrong": classes(2, 4.5),
    "10 classes, few wrong": classes(10, 4.0),
    "10 classes, hardly any wrong": classes(10, 6.0),
    "numbers": numbers,
}


def simulated(draw: Draw, rows: int, samples: int) -> dict[str, tuple[float, float]]:
    """By metric, how often the percentile bootstrap and our interval hold the value of ENDLESS rows."""
    random = np.random.default_rng(rows)
    task = TASKS["regression" if draw is numbers else "multiclass"]
    truth = estimates(draw(ENDLESS, random))
    held = {name: np.zeros(2) for name in truth}
    for sample in range(samples):
        scored = draw(rows, random)
        config = EvaluationConfig(seed=sample, confidence=CONFIDENCE)
        values = values_of(scored.values, resampling.bootstrap_weights(rows, config.resamples, sample))
        ours = intervals(scored, task.metrics, config)
        for name, value in truth.items():
            low, high = np.quantile(values[name], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
            held[name] += [low <= value <= high, ours[name].low <= value <= ours[name].high]
    return {name: (float(a), float(b)) for name, (a, b) in ((n, h / samples) for n, h in held.items())}


@dataclass(frozen=True)
class Dependent:
    """Test splits of rows that are not independent. `draw` gives one; of all of them, `metric` is `truth`."""

    draw: Callable[[np.random.Generator], tuple[Scores, Related]]
    task: str
    metric: str
    truth: float


def speakers(count: int, share: float, correlation: float) -> Dependent:
    """48 recordings of each speaker. The shares that are right follow a beta distribution."""
    total, speaker = 1 / correlation - 1, np.repeat(np.arange(count), 48)

    def draw(random: np.random.Generator) -> tuple[Scores, Related]:
        right = random.random(len(speaker)) < random.beta(share * total, (1 - share) * total, count)[speaker]
        target = np.zeros(len(speaker), np.int64)
        scores = TASKS["binary"].scores(target, np.eye(2)[1 - right.astype(int)])
        return scores, Groups("speaker", speaker.astype(np.uint64))

    return Dependent(draw, "binary", "accuracy", share)


def forecasts(rows: int, ahead: int) -> Dependent:
    """Forecasts of a random walk so many steps ahead, which say that it will stay where it is."""
    begin = np.arange(rows)

    def draw(random: np.random.Generator) -> tuple[Scores, Related]:
        steps = random.normal(size=rows + ahead - 1) / np.sqrt(ahead)
        error = np.convolve(steps, np.ones(ahead), "valid")
        return TASKS["regression"].scores(error, np.zeros(rows)), Stretches(begin, begin + ahead)

    return Dependent(draw, "regression", "mae", float(np.sqrt(2 / np.pi)))


DEPENDENT = {
    **{
        f"{count} speakers, {share:g} right, intraclass correlation {correlation:g}": speakers(
            count, share, correlation
        )
        for count in (6, 11, 30)
        for share, correlation in ((0.8, 0.1), (0.93, 0.1), (0.93, 0.3))
    },
    **{f"{rows} forecasts 24 steps ahead": forecasts(rows, 24) for rows in (400, 1000, 3000)},
}


def by_rows_and_by_units(case: Dependent, samples: int) -> tuple[float, float]:
    """How often the interval of independent rows holds the true value, and how often that of groups or blocks does."""
    random, held = np.random.default_rng(0), np.zeros(2)
    chosen = {case.metric: TASKS[case.task].metrics[case.metric]}
    for sample in range(samples):
        scores, related = case.draw(random)
        for i, units in enumerate((None, units_of(related))):
            found = intervals(scores, chosen, EvaluationConfig(seed=sample, confidence=CONFIDENCE), units)
            held[i] += found[case.metric].low <= case.truth <= found[case.metric].high
    return float(held[0] / samples), float(held[1] / samples)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=400)
    samples = parser.parse_args().samples
    for name, method in (("Clopper-Pearson", clopper_pearson), ("percentile bootstrap", percentile)):
        table = coverage_of_proportions(method)
        print(f"| {name}: rows | " + " | ".join(f"p = {share:g}" for share in SHARES) + " |")
        print("|---" * (len(SHARES) + 1) + "|")
        for rows, line in zip(ROWS, table, strict=True):
            print(f"| {rows} | " + " | ".join(f"{value:.3f}" for value in line) + " |")
        print(f"\nleast {table.min():.3f}, mean {table.mean():.3f}\n")
    print("| what is drawn | rows | metric | percentile bootstrap | ours |\n|---|---|---|---|---|")
    for name, draw in CASES.items():
        for rows in (20, 50, 200):
            for metric, (percentiles, ours) in simulated(draw, rows, samples).items():
                print(f"| {name} | {rows} | {metric} | {percentiles:.3f} | {ours:.3f} |", flush=True)
    print("\n| rows that are not independent | by rows | by groups or blocks |\n|---|---|---|")
    for name, case in DEPENDENT.items():
        of_rows, of_units = by_rows_and_by_units(case, samples)
        print(f"| {name} | {of_rows:.3f} | {of_units:.3f} |", flush=True)


if __name__ == "__main__":
    main()
