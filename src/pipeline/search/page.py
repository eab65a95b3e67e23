"""page.html of a sweep: its command, plots and jobs, for people. One file, which needs nothing else."""

import base64
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipeline.data.profile.template import STYLE as COMMON_STYLE
from pipeline.files import write_text
from pipeline.layout import PAGE, PLOTS
from pipeline.search.axes import params_of_jobs, shortened
from pipeline.search.importance import FEWEST, importances
from pipeline.search.plots import write_plots
from pipeline.search.template import PAGE as TEMPLATE
from pipeline.search.template import STYLE
from pipeline.tracking.ranking import front
from pipeline.tracking.sweep import read_sweep
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, RUNNING, SweepJob
from pipeline.tracking.sweep_summary import (
    best,
    busy_seconds,
    command,
    counts,
    duration,
    goals_of,
    score_cells,
    several,
)

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

MOST_BYTES = 1_900_000  # of the page, before plots are left out of it
MOST_ROWS = 500
MOST_REASONS = 5
LONGEST_CELL = 60
EXPLAINED = {
    "history": "The score of each job over its number; the line is the best score so far.",
    "importance": "How much each key decides whether a job is among the best (PED-ANOVA); of few jobs a rough guess.",
    "pareto_front": "With their numbers the jobs that no other one equals in all objectives and beats in one.",
    "parallel_coordinates": "A line for each job, from value to value to its score; a darker line is a better job.",
    "slices": "The scores over the values of each key; a darker point is a later job.",
}


def write_page(folder: Path, jobs: Sequence[SweepJob], trials: "Sequence[FrozenTrial] | None" = None) -> Path:
    """Write plots/*.svg and page.html into a sweep's folder, and return the page. `jobs` are sorted (`ranked`). The
    `trials` of a study know the ranges that were searched; without them, importance is of the values that were tried.
    """
    from jinja2 import Environment

    jobs, sweep = list(jobs), read_sweep(folder)
    important = importances(jobs, trials)
    files = write_plots(folder / PLOTS, jobs, important)
    header, rows = table_of(jobs[:MOST_ROWS])
    values = {
        "name": f"sweep {folder.name}",
        "style": Markup(COMMON_STYLE + STYLE),
        "facts": facts(jobs, sweep.space),
        "command": sweep.command,
        "best": [(f"Best {goal}, job {job.number}:", command(job)) for goal, job in best(jobs).items()],
        "remarks": remarks(jobs, important),
        "header": header,
        "rows": rows,
        "rest": len(jobs) - len(rows),
    }
    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(TEMPLATE)
    plots, left_out = shown_plots(files, len(page.render(values).encode()))
    write_text(folder / PAGE, page.render(values, plots=plots, left_out=", ".join(left_out)))
    return folder / PAGE


def facts(jobs: list[SweepJob], space: dict[str, str]) -> list[tuple[str, str]]:
    told = [("jobs", counts(jobs))]
    told += [(f"best {goal}", f"{job.scores[goals_of(jobs).index(goal)]:.6g}") for goal, job in best(jobs).items()]
    if (seconds := busy_seconds(jobs)) > 0:
        ended = sum(job.status != RUNNING for job in jobs)
        told.append(("time", f"{duration(seconds)}, {60 * ended / seconds:.3g} jobs a minute"))
    return [*told, *space.items()]


def remarks(jobs: list[SweepJob], important: dict[str, float]) -> list[str]:
    """What a reader must know to judge the numbers."""
    finished = sum(job.status == FINISHED for job in jobs)
    told = []
    if finished > 1:
        told.append(
            f"The best of {finished} jobs was chosen by its score on the validation rows, so this score is optimistic: "
            "among many jobs, the best one was also lucky. Only rows that took no part in the choice, the test rows, "
            "tell what it is worth; look at them once, for the job that you take."
        )
    if any(job.status == PRUNED for job in jobs):
        told.append("Pruned jobs were ended early, and their scores are of the epoch at which they were.")
    if missed := sum(job.status == FINISHED and job.violation > 0 for job in jobs):
        told.append(f"{missed} jobs finished but miss a constraint. They are not among the best.")
    if not important:
        told.append(f"Importance needs {FEWEST} finished jobs and a key with several values.")
    reasons = Counter(job.error for job in sorted(jobs, key=lambda job: job.number) if job.status == FAILED)
    told += [f"{number} failed: {shortened(why, 500)}" for why, number in reasons.most_common(MOST_REASONS)]
    return told


def table_of(jobs: list[SweepJob]) -> tuple[list[str], list[tuple[bool, list[str]]]]:
    """The names of the columns, and for each job whether it is in the Pareto front of several objectives, and its
    cells."""
    params, goals = params_of_jobs(jobs), goals_of(jobs)
    keys = list(dict.fromkeys(key for one in params for key in one))
    ahead = {job.number for job in front(jobs)} if several(jobs) else set()
    rows = []
    for job, own in zip(jobs, params, strict=True):
        time = [str(job.epochs or ""), f"{job.seconds:.1f}" if job.seconds else ""]
        cells = [
            str(job.number),
            *score_cells(job, len(goals)),
            *(own.get(key, "") for key in keys),
            *time,
            job.identity,
        ]
        rows.append((job.number in ahead, [shortened(cell, LONGEST_CELL) for cell in cells]))
    return ["job", *goals, *keys, "epochs", "seconds", "run"], rows


def shown_plots(files: Sequence[Path], used: int) -> tuple[list[tuple[str, str, str]], list[str]]:
    """For each plot its title, what it shows and its content as a URI, and the names of those for which the page has no
    room. So many of its bytes are used already."""
    shown, left_out = [], []
    for path in files:
        source = f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"
        if used + len(source) > MOST_BYTES:
            left_out.append(f"{PLOTS}/{path.name}")
            continue
        used += len(source)
        kind = next(name for name in EXPLAINED if path.stem.startswith(name))
        title = f"{kind.replace('_', ' ')} {path.stem.removeprefix(kind).removeprefix('_')}".strip().capitalize()
        shown.append((title, EXPLAINED[kind], source))
    return shown, left_out
