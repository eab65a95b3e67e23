"""`python -m pipeline.register [experiment=cnn_digits]`: bring MLflow up to date, register, promote the better."""

import sys
from typing import TYPE_CHECKING

from pipeline.cli import run_command

if TYPE_CHECKING:
    from pipeline.config import PromotionConfig
    from pipeline.tracking.store import Store

BEST = "best possible"


def register() -> None:
    """Sync, register and judge every experiment of params.yaml, or the one that is named, and print one table.

    A second call with the same outputs changes nothing. Each item that cannot be delivered gets a line of its own, and
    all others are delivered.
    """
    from pipeline import locks
    from pipeline.compose import choose_experiments, load_params
    from pipeline.errors import PipelineError, RefusedError, SeveralErrors, TrackingError
    from pipeline.files import write_json
    from pipeline.layout import Layout
    from pipeline.tracking.settings import FOR_A_PERSON, set_defaults

    set_defaults(FOR_A_PERSON)
    from pipeline.identity import read_identity
    from pipeline.tracking.store import Store
    from pipeline.tracking.undelivered import sync_all, sync_sweeps

    layout = Layout.find()
    params = load_params(layout)
    chosen = choose_experiments(params, sys.argv[1:])
    store = Store(layout)
    rows, left = [], list[PipelineError]()
    with locks.hold(layout.lock("register"), "the registry"):
        for experiment in chosen:
            try:
                rows.append(register_one(store, experiment, params.promotion))
            except PipelineError as error:
                if isinstance(error, TrackingError) and not isinstance(error, RefusedError):
                    raise  # the store does not answer, so the other experiments would fail as well
                left.append(error)
        if rows:
            print(table(rows))
        runs, errors = sync_all(store)
        sweeps, errors_of_sweeps = sync_sweeps(store)
    left += errors + errors_of_sweeps
    if len(chosen) == len(params.experiments) and not left:
        write_json(layout.registered, {name: read_identity(layout.trained(name))["identity"] for name in chosen})
    print_where_to_look(store)
    print(f"MLflow: {store.shown_uri}" + (f", {runs + sweeps} more runs delivered" if runs + sweeps else ""))
    if left:
        raise SeveralErrors(left)


def print_where_to_look(store: "Store") -> None:
    """Print the addresses at which MLflow shows the runs and the registered models."""
    from pipeline.tracking.views import addresses, shown_experiments

    server = store.shown_uri.startswith("http")
    base = store.shown_uri.rstrip("/") if server else "http://127.0.0.1:5000"
    places = addresses(base, shown_experiments(store))
    print("\nTo look at it" + (":" if server else ", run `make ui` and open:"))
    for name in ("runs of all experiments", "registered models"):
        if name in places:
            print(f"  {name}: {places[name]}")


def register_one(store: "Store", experiment: str, rule: "PromotionConfig") -> list[str]:
    """Sync, register and judge one experiment; return its row of the table."""
    from pipeline.evaluation.report import best_reference, shown
    from pipeline.identity import read_identity
    from pipeline.registry import versions
    from pipeline.registry.evidence import check_outputs, read_report
    from pipeline.registry.promotion import standing_of
    from pipeline.tracking.rebuild import ensure_run
    from pipeline.tracking.results import log_results
    from pipeline.tracking.views import describe

    layout = store.layout
    identity = read_identity(layout.trained(experiment))
    check_outputs(layout, experiment)
    report = read_report(layout.evaluated(experiment))
    run_id = ensure_run(store, experiment, identity)
    log_results(store, layout, experiment, identity, run_id)
    with store.guard():
        describe(store, experiment)
        version = versions.register_version(store, experiment, identity, run_id)
        verdict, reason = standing_of(store, experiment, identity, version, rule)
    name = report["primary"]
    return [
        experiment + (" (on its training rows)" if report["split"] == "none" else ""),
        name,
        shown(report["test"][name]),
        f"{best_reference(report):.4f}",
        f"{best[name]:.4f}" if name in (best := report.get("best_possible", {})) else "",
        verdict,
        str(version.version),
        reason,
    ]


def table(rows: list[list[str]]) -> str:
    """Aligned columns under a header. The best possible score has a column where it is known of an experiment."""
    from pipeline.tracking.columns import aligned

    header = ["experiment", "metric", "test score [interval]", "best reference", BEST, "verdict", "version", "reason"]
    shown = [i for i, name in enumerate(header) if name != BEST or any(row[i] for row in rows)]
    return aligned([[line[i] for i in shown] for line in [header, *rows]])


def main() -> None:
    run_command(register)


if __name__ == "__main__":
    main()
