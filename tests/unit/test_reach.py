"""What a command can reach by imports, in a small package: two registries, lazy imports, a circle, re-exports."""

import io
import textwrap
import tokenize
from pathlib import Path

import pytest

from pipeline.reach import reach
from pipeline.reach.module import read_module, without_comments
from tests.clones import ROOT

PACKAGE = {
    "__init__.py": "",
    "cook.py": """
        \"\"\"The command.\"\"\"
        import typing
        from typing import TYPE_CHECKING

        from shop import tools
        from shop.dishes import DISHES
        from shop.plates import PLATES

        if TYPE_CHECKING:
            from shop import hints
        if typing.TYPE_CHECKING:
            from shop import hints
        else:
            from shop import untyped


        def cook(dish, plate):
            import shop.oven.fire as fire
            return PLATES[plate](DISHES[dish](fire, tools, untyped))
        """,
    "tools.py": "import shop.cook\nimport os\nfrom shop.left import out\n",  # a circle
    "hints.py": "",
    "untyped.py": "UNTYPED = 1\n",
    "left/__init__.py": "",
    "left/out.py": "from shop import hints\n",
    "oven/__init__.py": "HOT = True\n",
    "oven/fire.py": "FIRE = 1\n",
    "menu.py": "PRICE, ÜBER = 1, 2\n",
    "dishes/__init__.py": """
        from dataclasses import dataclass

        from shop.dishes import pie, soup
        from shop.menu import PRICE, ÜBER


        @dataclass
        class Dish:
            build: object
            price: int = 0


        DISHES: dict[str, Dish] = {
            "soup": Dish(soup.build, price=ÜBER),
            "pie": Dish(pie.build, price=PRICE),  # a comment
        }
        """,
    "dishes/soup.py": "from . import stock\ndef build(*tools):\n    return stock\n",
    "dishes/stock.py": "from ..oven import HOT\n",
    "dishes/pie.py": "from .dough import knead as build\n",
    "dishes/dough.py": "def knead():\n    try:\n        pass\n    finally:\n        from shop import flour\n",
    "flour.py": "FLOUR = 1\n",
    "plates/__init__.py": """
        from shop.plates.flat import flat
        from shop.plates.round import round as round

        __all__ = ["PLATES", "flat"]
        PLATES = {"flat": flat, "round": round}
        """,
    "plates/flat.py": "def flat():\n    pass\n",
    "plates/round.py": "def round():\n    pass\n",
}
SOUP = {"DISHES": frozenset({"soup"})}
PIE = {"DISHES": frozenset({"pie"})}
PLATES = {"plates/__init__.py", "plates/flat.py", "plates/round.py"}
ALWAYS = {"cook.py", "tools.py", "untyped.py", "oven/__init__.py", "oven/fire.py", "dishes/__init__.py", *PLATES}
OF_SOUP = {*ALWAYS, "menu.py", "dishes/soup.py", "dishes/stock.py"}
OF_PIE = {*ALWAYS, "menu.py", "dishes/pie.py", "dishes/dough.py", "flour.py"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in PACKAGE.items():
        path = tmp_path / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    return tmp_path / "shop"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def found(shop: Path, chosen: dict[str, frozenset[str]]) -> dict[str, str]:
    return reach(shop, "cook", chosen, left_out=("left",))


def test_the_closure_starts_from_the_chosen_members(shop: Path) -> None:
    assert set(found(shop, SOUP)) == OF_SOUP
    assert set(found(shop, PIE)) == OF_PIE
    assert set(found(shop, {"DISHES": frozenset({"pie", "soup"})})) == OF_SOUP | OF_PIE
    assert set(found(shop, {"DISHES": frozenset()})) == ALWAYS


def test_a_registry_counts_whole_where_nothing_says_what_is_used(shop: Path) -> None:
    assert set(found(shop, {})) == OF_SOUP | OF_PIE


def test_a_key_without_an_entry_uses_none(shop: Path) -> None:
    """The code around a registry says what is done then, and counts anyway."""
    assert found(shop, {"DISHES": frozenset({"soup", "cake"})}) == found(shop, SOUP)


def test_what_a_registry_offers_to_other_modules_is_reached(shop: Path) -> None:
    # by __all__, and by `import round as round`
    assert set(found(shop, SOUP | {"PLATES": frozenset({"flat"})})) >= PLATES
    edit(shop / "plates/__init__.py", '__all__ = ["PLATES", "flat"]', "")
    edit(shop / "plates/__init__.py", " as round", "")
    assert set(found(shop, SOUP | {"PLATES": frozenset({"flat"})})) & PLATES == PLATES - {"plates/round.py"}


@pytest.mark.parametrize(
    ("name", "old", "new", "changed"),
    [
        ("dishes/__init__.py", "price=PRICE", "price=PRICE + 1", ["pie"]),
        ("dishes/__init__.py", "price=ÜBER", "price=ÜBER + 1", ["soup"]),
        ("dishes/__init__.py", "price: int", "price: float", ["soup", "pie"]),
        ("dishes/soup.py", "return stock", "return None", ["soup"]),
        ("dishes/dough.py", "pass", "return 1", ["pie"]),
        ("oven/fire.py", "1", "2", ["soup", "pie"]),
        ("oven/__init__.py", "True", "False", ["soup", "pie"]),
        ("cook.py", "The command", "A command", ["soup", "pie"]),
        ("left/out.py", "import hints", "import flour", []),
        ("hints.py", "", "HINTS = 1\n", []),
        ("dishes/__init__.py", "  # a comment", "", []),
        ("cook.py", "import typing\n", "import typing  # why\n\n# another\n\n\n", []),
        ("cook.py", "    return", "    # a comment\n\n    return", []),
    ],
)
def test_an_edit_changes_the_digests_of_what_runs_it(
    shop: Path, name: str, old: str, new: str, changed: list[str]
) -> None:
    before = {"soup": found(shop, SOUP), "pie": found(shop, PIE)}
    edit(shop / name, old, new)
    after = {"soup": found(shop, SOUP), "pie": found(shop, PIE)}
    assert [dish for dish in before if before[dish] != after[dish]] == changed
    assert all({key for key in before[dish] if before[dish][key] != after[dish][key]} == {name} for dish in changed)


def test_a_new_member_changes_nothing_for_the_others(shop: Path) -> None:
    before = found(shop, SOUP), found(shop, PIE)
    (shop / "dishes" / "cake.py").write_text("from shop import flour\ndef build(): pass\n")
    registry = shop / "dishes" / "__init__.py"
    # as a formatter writes a line that has become too long
    edit(registry, "import pie, soup", "import (\n    cake,\n    pie,\n    soup,\n)\nfrom shop.tools import big")
    edit(registry, '    "pie"', '    "cake": Dish(cake.build, price=big),  # new\n    "pie"')
    assert (found(shop, SOUP), found(shop, PIE)) == before
    assert set(found(shop, {"DISHES": frozenset({"cake"})})) == {*ALWAYS, "dishes/cake.py", "flour.py"}


@pytest.mark.parametrize(
    "text",
    [
        'x = "# no comment"\n',
        "x = '''\n\n  # no comment  \n\n'''\n",
        'x = """it\'s # no comment"""\n',
        'x = f"{y!r:>{z}} # no comment"\n',
        "x = 'it\\'s # no comment'\n",
        'x = r"\\\\" + "# no comment"\n',
        "x = 1 + \\\n    2\n",
    ],
)
def test_strings_keep_their_signs_of_comments(text: str) -> None:
    assert without_comments(f"\n# first\n{text}# last\n") == text.strip("\n")


def test_a_source_that_does_not_parse_is_named(shop: Path) -> None:
    edit(shop / "oven/fire.py", "FIRE = 1", "FIRE = (")
    with pytest.raises(SyntaxError) as caught:
        found(shop, SOUP)
    assert (caught.value.filename, caught.value.lineno) == (str(shop / "oven/fire.py"), 1)


def test_comments_are_what_python_takes_for_comments() -> None:
    """In all sources of this project, against Python's own tokenizer."""

    def tokens(text: str) -> list[tuple[int, str]]:
        skipped = (tokenize.COMMENT, tokenize.NL)
        read = tokenize.generate_tokens(io.StringIO(text).readline)
        return [(token.type, token.string) for token in read if token.type not in skipped]

    for path in (ROOT / "src" / "pipeline").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        stripped = without_comments(text)
        assert tokens(f"{stripped}\n") == tokens(text), path
        kinds = [token.type for token in tokenize.generate_tokens(io.StringIO(stripped).readline)]
        assert tokenize.COMMENT not in kinds, path


def test_a_digest_is_of_the_text_alone() -> None:
    """Whatever the version of Python: another one must not train again."""
    text = 'from a import b, c\nWAYS = {"b": b.x, "c": c.x}  # both\n'
    assert read_module(text, "p", ()).digest == "f080409e7f99"
    assert read_module(text, "p", (("WAYS", frozenset({"b"})),)).digest == "c4b6a2ebdd24"
