"""`python -m pipeline.adopt sweep=<name> as=<experiment>`: make the best trial an experiment of the pipeline."""

import sys

from pipeline.cli import described_command
from pipeline.errors import ConfigError, did_you_mean


def adopt() -> None:
    """Write conf/experiment/<experiment>.yaml with the trial's values and where they come from, and name it in
    params.yaml, so that `dvc repro` evaluates and registers it. Without `trial`, the best trial is taken.

    The stage trains exactly what the trial has trained. Where the trial's model is still there (a search keeps those of
    its best trials), the stage does not train at all.
    """
    from pipeline.arguments import read_arguments
    from pipeline.config.checks import check_name
    from pipeline.layout import Layout
    from pipeline.sweeping.adopting import Adoption, adopt_trial
    from pipeline.tracking.sweep import read_jobs, read_sweep
    from pipeline.tracking.sweep_job import FINISHED

    given = read_arguments(sys.argv[1:], ["sweep", "as"], ["trial"])
    check_name("as", given["as"])
    layout = Layout.find()
    folder = layout.sweep(given["sweep"])
    known = sorted(path.name for path in layout.sweeps.glob("*"))
    if given["sweep"] not in known:
        raise ConfigError(f"sweep: '{given['sweep']}' is unknown {did_you_mean(given['sweep'], known)}")
    jobs = read_jobs(folder)
    numbers = {str(job.number): job for job in jobs}
    best = next((job for job in jobs if job.status == FINISHED and not job.violation), None)
    chosen = given.get("trial", str(best.number) if best else "none")
    if chosen not in numbers:
        raise ConfigError(
            f"trial: found {chosen}, expected the number of one of the {len(jobs)} trials in {folder}. Without "
            "it, the best is taken that has finished and meets the constraints."
        )
    adoption = Adoption(given["sweep"], numbers[chosen], jobs, given["as"], read_sweep(folder))
    adopted = adopt_trial(layout, adoption)
    print("wrote " + ", ".join(str(path.relative_to(layout.root)) for path in adopted.files))
    how = "its training is at hand, and not done again" if adopted.at_hand else "it is trained again"
    print(f"next: dvc repro evaluate@{given['as']} ({how})")
    print(f"validation: {adoption.chosen}")
    print(f"test: {adopted.test_score or 'its score is told by evaluate, with an interval'}")


if __name__ == "__main__":
    described_command(adopt, __doc__)
