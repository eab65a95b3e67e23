"""The page of a sweep: everything in one small file, the same bytes each time, whatever is missing in the records."""

import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.layout import PLOTS
from pipeline.search.axes import Axis
from pipeline.search.importance import importances
from pipeline.search.page import write_page
from pipeline.search.visible import clipped, evenly_and_best, limit
from pipeline.tracking.ranking import ranked
from pipeline.tracking.sweep import Sweep
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, SweepJob


def searched(folder: Path, number: int, objectives: tuple[str, ...] = ("val_loss",)) -> list[SweepJob]:
    """So many jobs of a search, in which the rate decides, with pruned, failed and conditional ones."""
    random, jobs = np.random.default_rng(7), []
    for i in range(number):
        rate, name = 10 ** random.uniform(-4, -1), ["adam", "sgd"][i % 2]
        params = {"rate": f"{rate:.6g}", "name": name, "filters": ["[8,16]", "[16,32]", "[<b>&]"][i % 3]}
        params |= {"momentum": f"{random.uniform():.3f}"} if name == "sgd" else {}
        values = [
            float((np.log10(rate) + 2.5) ** 2 + 0.01 * random.normal()),
            *(float(random.uniform()) for _ in objectives[1:]),
        ]
        job = SweepJob(
            folder, i, [f"{key}={value}" for key, value in params.items()], FINISHED, "x", f"x-{i}", objectives[0]
        )
        job.objectives, job.params, job.epochs, job.started, job.seconds = list(objectives), params, 20, 1e9 + i, 2.0
        job.score, job.values = values[0], values
        if i % 10 == 3:
            job.status, job.epochs = PRUNED, 4
        if i % 10 == 7:
            job.status, job.score, job.values, job.error = FAILED, None, [], "<i>no rows</i>"
        jobs.append(job)
    return ranked(jobs)


def test_the_page_has_everything_and_its_bytes_depend_on_the_jobs_alone(tmp_path: Path) -> None:
    pages = []
    for name in ("a", "b"):
        folder = tmp_path / name / "cnn"
        folder.mkdir(parents=True)
        Sweep("python -m pipeline.train -m 'x=choice(1,2)'", "x", {"rate": "tag(log,interval(1e-4,1e-1))"}).save(folder)
        pages.append(write_page(folder, searched(folder, 60)).read_text())
    assert pages[0] == pages[1]
    assert "python -m pipeline.train -m &#39;x=choice(1,2)&#39;" in pages[0]
    assert "&lt;i&gt;no rows" in pages[0]
    assert "<i>no" not in pages[0]
    assert "60 jobs: 48 finished, 6 pruned, 6 failed" in pages[0]
    assert "optimistic" in pages[0]
    assert re.findall("<h2>(.*?)</h2>", pages[0]) == [
        *("To know", "History val_loss", "Importance", "Parallel coordinates", "Slices val_loss", "Jobs"),
    ]
    assert len(list((tmp_path / "a" / "cnn" / PLOTS).glob("*.svg"))) == 4
    assert not re.search(r'(src|href)="(?!data:)', pages[0])


def test_several_objectives_have_a_front(tmp_path: Path) -> None:
    page = write_page(tmp_path, searched(tmp_path, 40, ("val_loss", "val_accuracy"))).read_text()
    assert "<h2>Pareto front</h2>" in page
    assert page.count('<tr class="front">') >= 1
    assert "Best val_loss, job" in page
    assert "Best val_accuracy, job" in page


@pytest.mark.parametrize("number", [1, 3])
def test_few_jobs_have_a_page(number: int, tmp_path: Path) -> None:
    jobs = searched(tmp_path, 8)
    assert "Importance needs 10" in write_page(tmp_path, jobs[:number]).read_text()
    assert write_page(tmp_path, [job for job in jobs if job.status == FAILED]).is_file()


def test_a_large_sweep_has_a_small_page(tmp_path: Path) -> None:
    jobs = searched(tmp_path, 3000)
    for job in jobs:
        job.params |= {f"model.some_long_name_{i}": f"{(job.number * (i + 3)) % 101}" for i in range(15)}
    assert write_page(tmp_path, jobs).stat().st_size < 2_000_000


@pytest.mark.parametrize(("goal", "bad", "good"), [("val_accuracy", 0.1, 0.9), ("val_loss", 2.3, 0.2)])
def test_the_best_are_seen_where_most_are_equally_bad(goal: str, bad: float, good: float) -> None:
    """Learning rates on a wide range: most trials stay at chance, one has diverged, and three have learned."""
    sign = 1 if good > bad else -1
    scores = np.array([*(bad + 0.001 * np.arange(18)), good, good - 0.01, good + 0.01, bad - 50 * sign])
    limits: list[float] = []
    assert limit(lambda low, high: limits.extend((low, high)), scores, goal) == " (1 far out are not shown)"
    assert limits[0] < scores[:-1].min()
    assert limits[1] > scores[:-1].max()
    drawn = clipped(Axis(goal, scores), goal).places
    assert list(drawn[:-1]) == list(scores[:-1])
    assert drawn[-1] == (scores[:-1].min() if sign > 0 else scores[:-1].max())


def test_the_best_are_drawn_among_thousands(tmp_path: Path) -> None:
    jobs = [job for job in searched(tmp_path, 900) if job.status == FINISHED]
    by_number = sorted(jobs, key=lambda job: job.number)
    drawn = evenly_and_best(by_number, 50, 0)
    assert {job.number for job in jobs[:10]} < {job.number for job in drawn}
    assert [job.number for job in drawn] == sorted(job.number for job in drawn)
    assert len(drawn) <= 60


def test_a_grid_whose_records_have_overrides_alone_has_a_page(tmp_path: Path) -> None:
    jobs = [
        SweepJob(tmp_path, i, ["experiment=x", f"rate={rate}"], FINISHED, "x", f"x-{i}", "val_loss", rate)
        for i, rate in enumerate((0.5, 0.25, 1.0))
    ]
    page = write_page(tmp_path, ranked(jobs)).read_text()
    assert "<th>val_loss</th><th>rate</th>" in page
    assert "Best val_loss, job 1:" in page
    assert {path.stem for path in (tmp_path / PLOTS).glob("*.svg")} == {
        *("history_val_loss", "parallel_coordinates", "slices_val_loss"),
    }


def test_the_key_that_decides_is_the_important_one_with_and_without_a_study(tmp_path: Path) -> None:
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    jobs = searched(tmp_path, 60)
    ranges = {"rate": FloatDistribution(1e-4, 0.1, log=True), "name": CategoricalDistribution(["adam", "sgd"])}
    trials = [
        optuna.trial.create_trial(
            params={"rate": float(job.params["rate"]), "name": job.params["name"]},
            distributions=ranges,
            values=job.scores,
        )
        for job in jobs
        if job.status == FINISHED
    ]
    for found in (importances(jobs), importances(jobs, trials)):
        assert next(iter(found)) == "rate"
        assert found["rate"] > 0.5
        assert sum(found.values()) == pytest.approx(1)
