"""`make doctor`: look at what the pipeline stands on, and say what each finding means."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline.cli import run_command
from pipeline.layout import Layout

OK, NOTE, PROBLEM = "ok", "note", "PROBLEM"
PYTHONS = ((3, 11), (3, 13))
ENOUGH_DISK = 5 * 2**30


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, and what that means or what to do."""

    level: str
    subject: str
    found: str
    meaning: str = ""


def doctor() -> None:
    """Print every finding; exit with 1 where one of them is a problem."""
    layout = Layout.find()
    findings = [finding for check in CHECKS for finding in check(layout)]
    for finding in findings:
        print(f"{finding.level:8}{finding.subject + ':':18}{finding.found}")
        if finding.meaning:
            print(f"{'':26}{finding.meaning}")
    problems = sum(finding.level == PROBLEM for finding in findings)
    print(f"{problems} problems" if problems else "no problems")
    if problems:
        sys.exit(1)


def check_python(layout: Layout) -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        yield Finding(OK, "Python", f"{found} at {sys.executable}")
    else:
        meaning = "Expected 3.11 to 3.13: requirements.lock has no packages for it. Run: make setup PYTHON=python3.12"
        yield Finding(PROBLEM, "Python", found, meaning)


def check_packages(layout: Layout) -> Iterator[Finding]:
    """Compare the installed versions with requirements.lock."""
    wrong, count = [], 0
    for name, wanted in locked(layout.root / "requirements.lock").items():
        count += 1
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "none"
        if found != wanted:
            wrong.append(f"{name} {found}, locked {wanted}")
    if not wrong:
        yield Finding(OK, "packages", f"{count} as in requirements.lock")
        return
    meaning = "Other versions may compute other bits. Run: pip install --require-hashes -r requirements.lock"
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    yield Finding(PROBLEM, "packages", "; ".join(wrong[:3]) + more, meaning)


def locked(path: Path) -> dict[str, str]:
    """Name and version of what requirements.lock asks for on this machine."""
    from packaging.requirements import Requirement

    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.removesuffix("\\").strip())
            if requirement.marker is None or requirement.marker.evaluate():
                found[requirement.name] = next(iter(requirement.specifier)).version
    return found


def check_processor(layout: Layout) -> Iterator[Finding]:
    """Compare the cores with trainer.threads, and the processor's instructions with trainer.instruction_set."""
    from pipeline.compose import num_cores
    from pipeline.config import TensorFlowConfig
    from pipeline.tensorflow_process import INSTRUCTION_SETS, instructions_of

    cores, defaults = num_cores(), TensorFlowConfig()
    if cores >= defaults.threads:
        yield Finding(OK, "threads", f"{defaults.threads} (trainer.threads) on {cores} cores")
    else:
        meaning = "The same bits, but slower: threads share a core."
        yield Finding(NOTE, "threads", f"{defaults.threads} (trainer.threads) on {cores} cores", meaning)
    info = Path("/proc/cpuinfo")
    flags = info.read_text().split("flags", 1)[-1].split("\n", 1)[0].split() if info.is_file() else []
    instructions = instructions_of(defaults)
    _, needed = INSTRUCTION_SETS[instructions]
    if needed in flags:
        yield Finding(OK, "instruction set", f"{instructions} is there")
    else:
        meaning = "Bits will differ from those of x86-64 processors that have it (docs/reproducibility.md)."
        yield Finding(NOTE, "instruction set", f"{instructions} not found", meaning)


def check_gpu(layout: Layout) -> Iterator[Finding]:
    """Whether the driver shows a GPU, and whether TensorFlow finds the CUDA libraries by which it reaches one."""
    listed = printed("nvidia-smi", "-L")
    if listed is None:
        yield Finding(OK, "GPU", "none (no nvidia-smi); trainings use the CPU")
        return
    from pipeline.config import TensorFlowConfig
    from pipeline.tensorflow_process import load_tensorflow

    load_tensorflow(TensorFlowConfig())
    import tensorflow as tf

    seen = len(tf.config.list_physical_devices("GPU"))
    if seen:
        yield Finding(OK, "GPU", f"{listed.splitlines()[0]}; TensorFlow sees {seen}")
        return
    wanted = tf.sysconfig.get_build_info().get("cuda_version", "?")
    meaning = f"It looks for CUDA {wanted} and cuDNN. Run: pip install 'tensorflow[and-cuda]=={version('tensorflow')}'"
    yield Finding(PROBLEM, "GPU", f"{listed.splitlines()[0]}, but TensorFlow sees none", meaning)


def check_store(layout: Layout) -> Iterator[Finding]:
    from pipeline.errors import TrackingError
    from pipeline.tracking.settings import set_defaults, without_password

    set_defaults()
    uri = without_password(layout.tracking_uri)
    if (database := layout.database) is not None and not database.exists():
        yield Finding(OK, "MLflow store", f"{uri}: not there yet; the first run makes it")
        return
    from pipeline.tracking.store import Store

    store = Store(layout)
    try:
        with store.guard():
            num_models = len(store.client.search_registered_models())
    except TrackingError as error:
        yield Finding(PROBLEM, "MLflow store", uri, str(error))
        return
    schema = f" its schema is MLflow {version('mlflow')}'s," if layout.database is not None else ""
    yield Finding(OK, "MLflow store", f"{uri} answers,{schema} {num_models} models")


def check_dvc(layout: Layout) -> Iterator[Finding]:
    remotes = printed("dvc", "remote", "list", cwd=layout.root)
    if remotes is None or not (layout.root / ".dvc").is_dir():
        meaning = "`dvc repro` does not work here. Clone the repository; its .dvc/ is a part of it."
        yield Finding(PROBLEM, "DVC", f"{layout.root} is no DVC repository", meaning)
    elif remotes:
        yield Finding(OK, "DVC remote", remotes.splitlines()[0])
    else:
        meaning = "Results stay on this machine. To share them: dvc remote add -d storage <folder or bucket>"
        yield Finding(NOTE, "DVC remote", "none", meaning)


def check_git(layout: Layout) -> Iterator[Finding]:
    commit = printed("git", "rev-parse", "--short", "HEAD", cwd=layout.root)
    if commit and printed("git", "rev-parse", "--is-shallow-repository", cwd=layout.root) == "true":
        meaning = "DVC loses the results of `dvc exp run --temp` and `--queue` here. Run: git fetch --unshallow"
        yield Finding(NOTE, "git", f"commit {commit}, of a shallow clone", meaning)
    elif commit:
        yield Finding(OK, "git", f"commit {commit}")
    else:
        meaning = "Runs cannot name their commit, and `dvc exp` does not work."
        yield Finding(NOTE, "git", "no commit here, or no git", meaning)


def check_disk(layout: Layout) -> Iterator[Finding]:
    free = shutil.disk_usage(layout.root).free
    found = f"{free / 2**30:.1f} GiB free at {layout.root}"
    if free >= ENOUGH_DISK:
        yield Finding(OK, "disk", found)
    else:
        advice = "`dvc gc -w`, build/features/ and old folders in runs/ free some."
        meaning = f"Models, checkpoints and DVC's cache may not fit. {advice}"
        yield Finding(NOTE, "disk", found, meaning)


def printed(*command: str, cwd: Path | None = None) -> str | None:
    """What a command prints, or None where it is missing or fails."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


CHECKS: tuple[Callable[[Layout], Iterator[Finding]], ...] = (
    check_python,
    check_packages,
    check_processor,
    check_gpu,
    check_store,
    check_dvc,
    check_git,
    check_disk,
)


def main() -> None:
    run_command(doctor)


if __name__ == "__main__":
    main()
