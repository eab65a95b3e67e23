"""Write the measured parts of docs/performance.md, with its plot, of docs/benchmarks.md, and of README.md beside this,
from results/*.json.

python benchmarks/report.py
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import real_sets
from report_searches import search_goals, searches_text
from training import RIVALS, table

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE, DETAILS = ROOT / "docs" / "performance.md", ROOT / "benchmarks" / "README.md"
SETS = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "images" / "performance.png"
MEASURED = ("training", "memory", "tracking", "stages", "repro", "data", "evaluation", "search", "sweeps", "real_sets")
# times faster than keras fit, and than PyTorch, that we set out for
GOALS = {
    "linear 353x10": (60, 8),
    "logistic 448x30": (60, 8),
    "cnn 8x8, filters 8 16": (5, 2),
    "cnn 8x8, filters 32 64 128": (5, 2),
    "cnn 28x28, filters 16 32": (1.6, 2),
    "rnn simple, T=32": (1.8, 1.2),
    "rnn lstm, T=32": (1.8, 1.2),
    "rnn gru, T=32": (1.8, 1.2),
}
REPRO_GOAL, MEMORY_GOAL, TRACKING_GOAL, METRIC_GOAL = 0.4, 1.2, 1.02, 0.2
# of prepare: seconds and memory beside the code before it streamed, memory at ten times the rows, speed beside pyarrow
BEFORE_GOAL, HALF_GOAL, GROWTH_GOAL, CSV_GOAL = 1, 0.5, 1.2, 0.5
EVALUATION_GOAL = 1.4  # GiB, which is 1.5 GB


def plot(cases: dict[str, Any]) -> None:
    """Bars: how many times faster than each rival, on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5))
    names = list(cases)
    for i, (key, label) in enumerate(RIVALS.items()):
        found = [(k, cases[name]["ratio"][key]) for k, name in enumerate(names) if key in cases[name]["ratio"]]
        places = [k + (i - 1) * 0.27 for k, _ in found]
        bars = axes.barh(places, [ratio for _, ratio in found], height=0.25, label=label)
        axes.bar_label(bars, fmt="%.1f", padding=2, fontsize=7)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(yticks=range(len(names)), yticklabels=names, xscale="log", xlabel="times faster an epoch than")
    axes.invert_yaxis()
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(PLOT, dpi=110)


def other_text(found: dict[str, Any]) -> str:
    """The other figures as tables."""
    memory, tracking, no_op = found["memory"]["peak_mib"], found["tracking"], found["stages"]["no_op_seconds"]
    rows = [("peak memory, streamed (MiB)", memory["streamed"]), ("peak memory, in memory (MiB)", memory["resident"])]
    lines = ["| | 1x rows | 10x | 30x |", "|---|---|---|---|"]
    lines += [
        f"| {label} | {' | '.join(f'{peaks[size]:.0f}' for size in ('1', '10', '30'))} |" for label, peaks in rows
    ]
    lines += ["", "| | |", "|---|---|"]
    training, per_metric = tracking["training"], tracking["ms_per_metric"]
    metrics, everything = (100 * (training["ratio"][kind] - 1) for kind in ("metrics", "everything"))
    ours, theirs = per_metric["journal"], per_metric["a call for each epoch"]
    told = f"{ours:.2f} ms a metric; {theirs:.2f} by MLflow's call for each epoch"
    lines.append(f"| journal into MLflow on SQLite, beside the training | {told} |")
    figures = found["repro"]["figures"]
    costs = f"{metrics:+.1f} %, with TensorBoard {everything:+.1f} %, of {training['seconds']['nothing']:.0f} s"
    lines.append(f"| metrics tracked against nothing, cnn 8x8, 110 epochs (median of turns) | {costs} |")
    lines.append(f"| processor time of the process beside it | {training['follower']:.1f} s |")
    ours, theirs = figures["dvc repro, cold (s)"], figures["five plain scripts (s)"]
    lines.append(
        f"| cold `dvc repro` against five plain scripts | {ours:.0f} s, {theirs:.0f} s: {figures['ratio']:.2f} |"
    )
    stages = ", ".join(f"{count}: {value:.1f} s" for count, value in no_op.items())
    lines.append(f"| `dvc repro` with nothing to do, by number of stages | {stages} |")
    lines.append(evaluation_line(found["evaluation"]))
    return "\n".join([*lines, "", *data_lines(found["data"])])


def data_lines(data: dict[str, Any]) -> list[str]:
    """Seconds, seconds of the processor and peak memory of `prepare` as a table."""
    rows, csv = data["rows"], data["csv"]
    cases = [
        ("`prepare`, 1,000,000 rows x 30 numbers", rows["1000000"]["prepare"]),
        ("the same, by the code that took its rows whole", rows["1000000"].get("before")),
        ("`prepare`, 10,000,000 rows", rows["10000000"]["prepare"]),
        (f"`prepare`, CSV of {csv['megabytes']} MB", csv["prepare"]),
        ("a bare pyarrow.csv read of it, on two cores", csv["pyarrow"]),
    ]
    lines = ["| | s | s of the processor | peak memory (MiB) |", "|---|---|---|---|"]
    for label, of_case in cases:
        if of_case:
            lines.append(f"| {label} | {of_case['seconds']:.1f} | {of_case['cpu']:.1f} | {of_case['mib']:.0f} |")
    return lines


def evaluation_line(found: dict[str, Any]) -> str:
    cost = f"{found['mib'] / 1024:.2f} GiB, {found['seconds']:.0f} s with {found['resamples']} resamples"
    return f"| `evaluate`, {found['rows']:,} test rows of 20 numbers and a category, references included | {cost} |"


def goals_text(found: dict[str, Any]) -> str:
    """Each goal beside what came, and whether it was met."""

    def beside(value: float | None, goal: float, less: bool = False) -> str:
        if value is None:
            return f"{goal:g}: not measured"
        met = value <= goal if less else value >= goal
        return f"{goal:g}: {'met' if met else 'missed'}, {value:.3g}"

    lines = ["| goal | against keras fit | against PyTorch |", "|---|---|---|"]
    for case, goals in GOALS.items():
        ratio = found["training"]["cases"].get(case, {"ratio": {}})["ratio"]
        cells = [beside(ratio.get(rival), goal) for rival, goal in zip(("keras", "torch"), goals, strict=True)]
        lines.append(f"| {case}, times faster | {' | '.join(cells)} |")
    streamed = found["memory"]["peak_mib"]["streamed"]
    growth = beside(streamed["30"] / streamed["1"], MEMORY_GOAL, less=True)
    lines.append(f"| memory at 30 times the rows, streamed | {growth} | |")
    lines += data_goals(found["data"], beside)
    evaluated = beside(found["evaluation"]["mib"] / 1024, EVALUATION_GOAL, less=True)
    lines.append(f"| `evaluate`, GiB for 2,000,000 test rows | {evaluated} | |")
    repro = beside(found["repro"]["figures"]["ratio"], REPRO_GOAL, less=True)
    lines.append(f"| cold `dvc repro` / five plain scripts | {repro} | |")
    tracked = found["tracking"]["training"]["ratio"]["metrics"]
    metric = found["tracking"]["ms_per_metric"]["journal"]
    lines.append(f"| training with metrics tracked / without | {beside(tracked, TRACKING_GOAL, less=True)} | |")
    lines.append(f"| ms a metric, into MLflow on SQLite | {beside(metric, METRIC_GOAL, less=True)} | |")
    lines += search_goals(found["sweeps"]["figures"], found["search"], beside)
    return "\n".join(lines)


def data_goals(data: dict[str, Any], beside: Callable[..., str]) -> list[str]:
    """The goals of `prepare`."""
    once, ten = data["rows"]["1000000"], data["rows"]["10000000"]["prepare"]
    ours, before, csv = once["prepare"], once.get("before"), data["csv"]
    time, memory = ((ours[key] / before[key] if before else None) for key in ("seconds", "mib"))
    growth, speed = ten["mib"] / ours["mib"], csv["pyarrow"]["seconds"] / csv["prepare"]["seconds"]
    slower = beside(time, BEFORE_GOAL, less=True)
    return [
        f"| `prepare`, seconds / those of the code that took its rows whole | {slower} | |",
        f"| `prepare`, memory / that of the same code | {beside(memory, HALF_GOAL, less=True)} | |",
        f"| `prepare`, memory at 10 times the rows | {beside(growth, GROWTH_GOAL, less=True)} | |",
        f"| `prepare` of a CSV file, speed / a bare pyarrow.csv read | {beside(speed, CSV_GOAL)} | |",
    ]


def main() -> None:
    found = {name: json.loads((RESULTS / f"{name}.json").read_text()) for name in MEASURED}
    training = found["training"]
    plot(training["cases"])
    machine = training["machine"]
    measured = (
        f"Measured with {machine['cores']} cores ({machine['processor']}, Python {machine['python']}), medians of "
        f"{training['rounds']} rounds by turns{machine.get('torch', '')}.\n\n"
        f"{table(training['cases'], training['floors_ms'])}\n\n"
        f"![How many times faster an epoch is](images/{PLOT.name})"
    )
    write_between(PAGE, measured)
    write_between(PAGE, searches_text(found["sweeps"]["figures"], found["search"]), "searches")
    write_between(DETAILS, f"{other_text(found)}\n\n{goals_text(found)}")
    write_between(SETS, real_sets.table(found["real_sets"]["cases"]))


def write_between(page: Path, measured: str, mark: str = "measured") -> None:
    """Replace what stands between the marks of a page."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    text = page.read_text()
    before, after = text.split(begin)[0], text.split(end)[1]
    page.write_text(f"{before}{begin}\n{measured}\n{end}{after}")


if __name__ == "__main__":
    main()
