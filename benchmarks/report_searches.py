"""What report.py says of searches."""

from collections.abc import Callable
from typing import Any

# of searches: throughput beside a process for each trial, two workers beside one, the part of the epochs that pruning
# saves, seconds of a trial beside its training, and milliseconds of asking and telling
THROUGHPUT_GOAL, WORKERS_GOAL, SAVED_GOAL, BESIDE_GOAL, ASKING_GOAL = 8, 1.7, 0.5, 0.15, 10


def searches_text(figures: dict[str, Any], asking: dict[str, Any]) -> str:
    """What a search takes, as a table."""
    ours, theirs = figures["search of 32 trials (s)"], 32 * figures["a process with keras fit and autolog (s)"]
    one, two = figures["one worker (s)"], figures["two workers (s)"]
    taken = asking["ms_per_trial"]["tpe"]
    rows = {
        "32 small trainings (logistic, 20 epochs), start and end included": f"{ours:.0f} s; {theirs:,.0f} s as "
        f"processes of their own with keras `fit` and autolog: {theirs / ours:.0f} times the throughput",
        "of a trial of these, beside its training": f"{figures['of which beside its training (s)']:.2f} s",
        f"of which to suggest and note it, TPE, {asking['trials']} trials": f"{taken['ours']:.0f} ms; Optuna's own ask "
        f"and tell {taken['optuna']:.0f} ms",
        "32 CNNs of like length, `trainer.threads=1`, start and end included": f"{one:.0f} s by one worker, "
        f"{two:.0f} s by two: {one / two:.2f} times as fast",
    }
    rows |= orders(asking)
    if "epochs saved" in figures:
        rows["epochs of `sweep=cnn`, best validation loss"] = (
            f"{figures['epochs with the pruner']:.0f}, {figures['best val_loss with the pruner']:.4f}; without its "
            f"pruner {figures['epochs without']:.0f}, {figures['best val_loss without']:.4f}"
        )
        rows["its best trial on test rows, 95 % interval"] = (
            f"{figures['its best trial on test rows, with the pruner']}; without its pruner "
            f"{figures['its best trial on test rows, without']}"
        )
    return "\n".join(["| | |", "|---|---|", *(f"| {label} | {told} |" for label, told in rows.items())])


def orders(found: dict[str, Any]) -> dict[str, str]:
    """What a search in order costs, and what it is worth; runs of many processes in one store."""
    rows = {}
    if "lags" in found:
        lags = ", ".join(f"{lag}: {ratio:.1f}" for lag, ratio in found["lags"].items())
        rows["mode `ordered`, four workers / one, trials that sleep, by `sweep.lag`"] = f"{lags} times as fast"
    if kills := found.get("kills"):
        crews = ", ".join(map(str, kills["workers"]))
        label = f"mode `ordered`, {crews} workers, {kills['kills of each']} kills each, {kills['trials']} trials"
        rows[label] = "the same trials, the same best one" if kills["same"] else "other trials"
    if store := found.get("store"):
        label = (
            f"{store['processes']} processes bring {store['runs']} runs of {store['epochs']} epochs to a fresh SQLite"
        )
        rows[label] = f"{store['seconds']:.0f} s, none lost or doubled"
    return rows


def search_goals(sweeps: dict[str, float], asking: dict[str, Any], beside: Callable[..., str]) -> list[str]:
    """The goals of searches."""
    taken = asking["ms_per_trial"]["tpe"]
    goals = [
        ("search of 32 trials / a process with keras fit and autolog for each", "throughput, ratio", THROUGHPUT_GOAL),
        ("two workers / one, 32 CNNs of like length, start and end included", "workers, ratio", WORKERS_GOAL),
        ("part of the epochs that `sweep=cnn` saves by pruning", "epochs saved", SAVED_GOAL),
    ]
    lines = [f"| {label} | {beside(sweeps.get(key), goal)} | |" for label, key, goal in goals]
    beside_training = beside(sweeps["of which beside its training (s)"], BESIDE_GOAL, less=True)
    asked = beside(taken["ours"], ASKING_GOAL, less=True)
    return [
        *lines,
        f"| s of a trial beside its training | {beside_training} | |",
        f"| ms to suggest and note a trial by TPE, of {asking['trials']} (Optuna {taken['optuna']:.1f}) | {asked} | |",
    ]
