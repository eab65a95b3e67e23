"""What one module imports, and a digest of its code. Both leave out the entries of registries that are not used.

The digest is that of the text, and not of its syntax tree, whose form differs between versions of Python.
"""

import ast
import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

DIGITS = 12
# Matches either a string, which is code whatever it holds, or the end of a line together with its comment and the empty
# lines and comment lines that follow. All other text holds no comment.
STRING_OR_LINE_END = re.compile(
    r'("""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')'
    r"|(?:[ \t\f]*(?:#[^\n]*)?\n)+",
    re.DOTALL,
)

Import = ast.Import | ast.ImportFrom
Chosen = tuple[tuple[str, frozenset[str]], ...]  # the names of a module's registries, each with the keys that are used


@dataclass(frozen=True)
class Module:
    """`digest` is that of the code, or "" where there is none. `imports` holds the dotted names that may be modules."""

    digest: str
    imports: tuple[str, ...]


@cache
def read_module(text: str, inside: str, chosen: Chosen) -> Module:
    """Read a module that stands in the package `inside`. Each text is parsed only once in a process."""
    tree, unused = parse(text), set[str]()
    if chosen:
        dropped = [entry for name, keys in chosen for entry in not_chosen(registries(text)[name], keys)]
        unused = names_in(dropped) - names_in([tree], without=dropped)
        text = trimmed(text, [registries(text)[name] for name, _ in chosen], dropped, unused)
    imports = [name for node in statements(tree) if isinstance(node, Import) for name in targets(node, inside, unused)]
    code = without_comments(text)
    return Module(hashlib.sha256(code.encode()).hexdigest()[:DIGITS] if code else "", tuple(imports))


def without_comments(text: str) -> str:
    """The text without comments, empty lines, and white space at the ends of lines. Strings stay as they are."""
    return STRING_OR_LINE_END.sub(lambda match: match[1] or "\n", f"{text}\n").strip("\n")


@cache
def parse(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def registries(text: str) -> dict[str, ast.Dict]:
    """The dict literals of a module whose names are in capitals."""
    found = {}
    for node in parse(text).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id.isupper():
                found[target.id] = node.value
    return found


def not_chosen(registry: ast.Dict, keys: frozenset[str]) -> list[ast.AST]:
    """The values of the entries with other keys than `keys`; of `keys`, the literal may lack some."""
    pairs = zip(registry.keys, registry.values, strict=True)
    return [value for key, value in pairs if isinstance(key, ast.Constant) and key.value not in keys]


def statements(tree: ast.Module) -> Iterator[ast.AST]:
    """All statements of a module, except those under `if TYPE_CHECKING:`."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        typing_only = isinstance(node, ast.If) and is_type_checking(node.test)
        for field in ("orelse",) if typing_only else ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, field, ())


def is_type_checking(test: ast.expr) -> bool:
    """Whether a condition is `TYPE_CHECKING` or `typing.TYPE_CHECKING`."""
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    return name == "TYPE_CHECKING"


def names_in(nodes: list[ast.AST], without: Collection[ast.AST] = ()) -> set[str]:
    """The names that are used, or offered to other modules (by __all__ or `import a as a`). The nodes in `without`, and
    what is below them, do not count."""
    found, waiting = set(), list(nodes)
    while waiting:
        node = waiting.pop()
        if node in without:
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.alias) and node.asname == node.name:
            found.add(node.name)
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            found |= {str(item.value) for item in ast.walk(node.value) if isinstance(item, ast.Constant)}
    return found


def bound(alias: ast.alias) -> str:
    """The name that an import gives to what it imports."""
    return alias.asname or alias.name.partition(".")[0]


def targets(node: Import, inside: str, unused: set[str]) -> list[str]:
    """The dotted names that an import may run as modules, and those of the packages around them. Names in `unused` give
    none."""
    names = [alias.name for alias in node.names if bound(alias) not in unused]
    if isinstance(node, ast.ImportFrom) and names:
        around = inside.split(".")[: len(inside.split(".")) + 1 - node.level] if node.level else []
        source = ".".join([*around, *filter(None, [node.module])])
        names = [source, *(f"{source}.{name}" for name in names)]
    return [place for name in names for place in (*packages_around(name), name)]


def packages_around(name: str) -> list[str]:
    """a and a.b of a.b.c."""
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def trimmed(text: str, found: list[ast.Dict], dropped: list[ast.AST], unused: set[str]) -> str:
    """The text with only the used imports, and only those entries of the registries `found` that are not `dropped`.
    Each entry and import gets a line of its own, so that what is left out has no influence on how others are written.
    """
    content = text.encode()  # because the columns of a syntax tree count bytes
    starts = [0]
    for line in content.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)

    def span(first: ast.expr | ast.stmt, last: ast.expr | ast.stmt) -> slice:
        end = starts[(last.end_lineno or last.lineno) - 1] + (last.end_col_offset or 0)
        return slice(starts[first.lineno - 1] + first.col_offset, end)

    new = []
    for registry in found:
        pairs = [pair for pair in zip(registry.keys, registry.values, strict=True) if pair[1] not in dropped]
        entries = [content[span(key or value, value)] for key, value in pairs]
        new.append((span(registry, registry), b"{\n" + b",\n".join(entries) + b"\n}"))
    for node in parse(text).body:
        if isinstance(node, Import):
            lines = [written(node, alias) for alias in node.names if bound(alias) not in unused]
            new.append((span(node, node), "\n".join(lines).encode()))
    for place, replacement in sorted(new, key=lambda item: item[0].start, reverse=True):
        content = content[: place.start] + replacement + content[place.stop :]
    return content.decode()


def written(node: Import, alias: ast.alias) -> str:
    """The text of an import statement for one of its names."""
    source = f"from {'.' * node.level}{node.module or ''} " if isinstance(node, ast.ImportFrom) else ""
    return f"{source}import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
