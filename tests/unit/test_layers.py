"""What a reader of src/pipeline can count on: no modules that import each other in a circle, no function over 50 lines.

What each layer may import at all is import-linter's to say (pyproject.toml).
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.clones import ROOT

SOURCES = ROOT / "src"
MOST_LINES = 50


def modules() -> dict[str, Path]:
    """The modules of the pipeline by name; a package is its __init__.py."""
    paths = sorted((SOURCES / "pipeline").rglob("*.py"))
    return {".".join(path.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imported(tree: ast.AST, known: dict[str, Path]) -> Iterator[str]:
    """The modules that a source names in an import, at its top, in a function or for types alone.

    `from package import name` is an import of the module package.name where there is one, else of the package's
    __init__.py. That Python also runs the __init__.py of every package above is left out: ours hold nothing, or
    registries of the members beside them. A module that looks a member up in the registry of its own package is no
    member, so the registry does not import it, which would be seen here as a circle.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            full = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in known else node.module for name in full)


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = modules()
    graph = {name: set(imported(ast.parse(path.read_text()), known)) for name, path in known.items()}
    assert graph["pipeline.train"], "imports are found"
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # each imports the one before it
        raise AssertionError(f"a circle of imports: {' <- '.join(error.args[1])}") from None


def test_a_function_ends_before_a_reader_tires() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {lines} lines"
        for path in modules().values()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_LINES
    ]
    assert not long, f"more than {MOST_LINES} lines: {long}"
