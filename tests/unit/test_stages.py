"""What each stage depends on: all the code that it runs, and of the registries only what an experiment chooses."""

import ast
import re
from collections import Counter

import grimp
import pytest

from pipeline.compose import as_plain, compose_config
from pipeline.data.types import TYPES
from pipeline.layout import Layout
from pipeline.reach import is_in, reach
from pipeline.reach.module import registries
from pipeline.stages import LEFT_OUT, REGISTRIES, chosen_by, code_of, values_of
from tests.clones import EXPERIMENTS, ROOT

PACKAGE = ROOT / "src" / "pipeline"
# in which file of data/profile/ stands what the page shows of a type, of those that only datasets with it should run
SHOWN = {"audio": "recordings", "image": "pictures", "sequence": "sequences", "series": "windows"}
OF_SOME_TYPES = ("AUGMENTATIONS", "DESIGNS", "DETAILS", "LOOKS", "MEASUREMENTS")
SOURCES = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in PACKAGE.rglob("*.py")}


def keys_of(registry: str) -> set[str]:
    (literal,) = (found[registry] for text in SOURCES.values() if registry in (found := registries(text)))
    return {ast.literal_eval(key) for key in literal.keys if key is not None}


@pytest.fixture(scope="session")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("pipeline", exclude_type_checking_imports=True, cache_dir=None)


@pytest.mark.parametrize("stage", LEFT_OUT)
def test_a_stage_counts_all_the_code_it_runs(stage: str, graph: grimp.ImportGraph) -> None:
    """Against another reader of imports, which knows nothing of registries."""
    reached, waiting = set[str](), {f"pipeline.{stage}"}
    while waiting:
        reached |= waiting
        imported = {name for module in waiting for name in graph.find_modules_directly_imported_by(module)}
        waiting = {name for name in imported - reached if not is_in(name.partition(".")[2], LEFT_OUT[stage])}
    counted = {re.sub(r"(/__init__)?\.py$", "", name) for name in reach(PACKAGE, stage, {}, LEFT_OUT[stage])}
    expected = {name.partition(".")[2].replace(".", "/") for name in reached}
    # a package that holds no code has no digest; the packages around a module are no imports to that reader
    assert {name for name in expected - counted if SOURCES.get(f"{name}/__init__.py") != ""} == set()
    assert {name for name in counted - expected if f"{name}/__init__.py" not in SOURCES} == set()


@pytest.mark.parametrize(
    ("stage", "parts"),
    [
        ("prepare", {"prepare.py", "data", "files.py", "tasks"}),
        (
            "train",
            {
                "train.py",
                "data",
                "files.py",
                "identity.py",
                "model",
                "run.py",
                "serving",
                "tasks",
                "tensorflow_import.py",
                "tensorflow_process.py",
                "training",
            },
        ),
        ("evaluate", {"evaluate.py", "data", "evaluation", "files.py", "tasks"}),
        ("register", {"register.py", "data", "evaluation", "files.py", "identity.py", "registry", "tasks", "tracking"}),
    ],
)
def test_a_stage_reaches_these_parts_of_the_package(stage: str, parts: set[str]) -> None:
    """A new part here is code for whose edits the stage is run again from now on: name it, or leave it out in
    pipeline/stages.py with a reason."""
    assert {name.partition("/")[0] for name in reach(PACKAGE, stage, {}, LEFT_OUT[stage])} == parts


def test_names_of_the_tables_are_there() -> None:
    for name in {name for names in LEFT_OUT.values() for name in names}:
        assert {f"{name.replace('.', '/')}{end}" for end in (".py", "/__init__.py")} & set(SOURCES), name
    counted = Counter(name for text in SOURCES.values() for name in registries(text))
    assert {name: counted[name] for name in REGISTRIES} == dict.fromkeys(REGISTRIES, 1)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_reaches_the_members_that_it_chooses(experiment: str) -> None:
    layout = Layout(ROOT)
    values = as_plain(compose_config(layout, "config", [f"experiment={experiment}"]))
    family, trainer, (column,) = values["model"]["family"], values["trainer"]["name"], values["dataset"]["types"]
    found = set(code_of(layout, "train", values))
    families = [name for name in found if name.startswith("model/families/")]
    shared = ("__init__", "family", *(["steps"] if family in ("cnn", "rnn") else []))
    assert sorted(families) == sorted(f"model/families/{name}.py" for name in (*shared, family))
    assert f"model/inputs/{column}.py" in found
    assert {"training/compiled.py", "training/exact.py"} & found == {f"training/{trainer}.py"}
    prepared = set(code_of(layout, "prepare", values))
    assert {name for name in SHOWN.values() if f"data/profile/{name}.py" in prepared} == {SHOWN.get(column)} - {None}
    sources = sorted(name for name in prepared if name.startswith("data/sources/"))
    assert sources == sorted(f"data/sources/{name}.py" for name in ("__init__", "source", values["dataset"]["source"]))
    for stage in ("prepare", "train", "evaluate"):
        task = values["dataset"]["task"]
        members = {"tasks/regression.py", "tasks/binary.py", "tasks/multiclass.py"}
        assert members & set(code_of(layout, stage, values)) == {f"tasks/{task}.py"}
    # Each choice is among the keys of its registry, but for those that have entries for some types alone.
    for registry, keys in chosen_by(values).items():
        assert registry in OF_SOME_TYPES or keys <= keys_of(registry), registry


def test_a_contract_counts_for_prepare_alone() -> None:
    layout, one = Layout(ROOT), "dataset.near_duplicates=ignore"
    prepared, same = (as_plain(compose_config(layout, "prepare", ["dataset=digits", *more])) for more in ([one], []))
    assert values_of("prepare", prepared | {"files": {}}) != values_of("prepare", same | {"files": {}})
    assert "contract" in values_of("prepare", same | {"files": {}})["dataset"]
    trained, usual = (
        as_plain(compose_config(layout, "config", ["experiment=cnn_digits", *more])) for more in ([one], [])
    )
    assert values_of("train", trained) == values_of("train", usual)
    assert "contract" not in values_of("train", usual)["dataset"]


def test_a_table_of_numbers_reaches_nothing_of_images_recordings_and_sequences() -> None:
    """An edit of what only these types need reruns no stage of another experiment."""
    layout = Layout(ROOT)
    values = as_plain(compose_config(layout, "config", ["experiment=linear_line"]))
    assert values["dataset"]["types"] == ["number"]
    special = re.compile("audio|sound|spectro|recordings|masking|image|sequence|letters|tokens|composition|dynamics")
    for stage in ("prepare", "train", "evaluate"):
        assert [name for name in code_of(layout, stage, values) if special.search(name)] == [], stage


def test_what_is_special_about_a_type_is_about_one_that_is_there() -> None:
    for registry in OF_SOME_TYPES:
        assert set() < keys_of(registry) < set(TYPES), registry


def test_a_choice_may_be_several_keys_and_may_be_missing() -> None:
    values = {"trainer": {"name": "keras", "callbacks": {"a": {}, "b": {}}}}
    assert chosen_by(values) == {"CALLBACKS": frozenset("ab"), "TRAINERS": frozenset({"keras"})}


def test_no_module_is_imported_by_a_computed_name() -> None:
    """An import that is no import statement would not be seen, and an edit of what it brings would rerun nothing."""
    dynamic = re.compile(r"import_module|__import__|\brunpy\b|\bpkgutil\b|spec_from_file_location|\bexec\(")
    assert [name for name, text in SOURCES.items() if dynamic.search(text)] == []


def test_no_stage_reads_a_file_of_the_package_that_is_no_source() -> None:
    others = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert others == []
