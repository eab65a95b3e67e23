"""`python -m pipeline.register [experiment=cnn_digits]`: bring MLflow up to date, register, promote the better."""

import sys
from typing import Any

from pipeline.cli import run_command


def register() -> None:
    """Sync, register and judge every experiment of params.yaml, or the one named; print one table. Runs again without
    effect."""
    from pipeline import locks
    from pipeline.compose import choose_experiments, load_params
    from pipeline.files import write_json
    from pipeline.layout import Layout
    from pipeline.tracking.settings import set_defaults

    set_defaults()
    from pipeline.tracking.store import Store
    from pipeline.tracking.sweep_sync import sync_sweeps
    from pipeline.tracking.sync import sync_all
    from pipeline.training.identity import read_identity

    layout = Layout.find()
    params = load_params(layout)
    chosen = choose_experiments(params, sys.argv[1:])
    store = Store(layout)
    rows = []
    with locks.hold(layout.home / ".register.lock", "the registry"):
        for experiment in chosen:
            rows.append(register_one(store, experiment, params.promotion))
        others = sync_all(store) + sync_sweeps(store)
    if len(chosen) == len(params.experiments):
        write_json(layout.registered, {name: read_identity(layout.trained(name))["identity"] for name in chosen})
    print(table(rows))
    print(f"MLflow: {store.shown_uri}" + (f", {others} more runs delivered" if others else ""))


def register_one(store: Any, experiment: str, rule: Any) -> list[str]:
    """Sync, register and judge one experiment; return its row of the table."""
    from pipeline.registry import versions
    from pipeline.registry.evidence import check_outputs, read_report
    from pipeline.registry.promotion import decide
    from pipeline.tracking.rebuild import ensure_run
    from pipeline.tracking.results import log_results
    from pipeline.training.identity import read_identity

    layout = store.layout
    identity = read_identity(layout.trained(experiment))
    check_outputs(layout, experiment)
    metrics = read_report(layout.evaluated(experiment))
    run_id = ensure_run(store, experiment, identity)
    log_results(store, layout, experiment, identity, run_id)
    with store.guard():
        version = versions.register_version(store, experiment, identity, run_id)
        champion = versions.champion_of(store, experiment)
        if champion is not None and champion.version == version.version:
            verdict, reason = versions.CHAMPION, version.tags.get(versions.REASON_TAG, "")
        else:
            decided = decide(store, experiment, identity, champion, rule)
            versions.apply_verdict(store, version, champion, decided)
            verdict, reason = versions.CHAMPION if decided.promoted else versions.CHALLENGER, decided.reason
    name = metrics["primary"]
    score = metrics["test"][name]
    return [
        experiment + (" (on its training rows)" if metrics["split"] == "none" else ""),
        name,
        f"{score['value']:.4f} [{score['low']:.4f}, {score['high']:.4f}]",
        f"{metrics['reference'][name]:.4f}",
        verdict,
        str(version.version),
        reason,
    ]


def table(rows: list[list[str]]) -> str:
    """Aligned columns under a header."""
    lines = [["experiment", "metric", "test score [interval]", "reference", "verdict", "version", "reason"], *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in padded)


def main() -> None:
    run_command(register)


if __name__ == "__main__":
    main()
