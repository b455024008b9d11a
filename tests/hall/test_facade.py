"""The facade: quick to import, complete, and the same for people, editors and type checkers."""

import ast
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import ohmlearn

HEAVY = ("numba", "numpy", "scipy", "matplotlib", "pydantic", "typer", "PySpice", "pooch")
ROOMS = ("circuits", "crossbar", "devices", "spice_netlists", "training")


def modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def imported_for_type_checkers() -> dict[str, tuple[str, str]]:
    """Return public name: (module, name there) of the imports under TYPE_CHECKING."""
    tree = ast.parse(Path(str(ohmlearn.__file__)).read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for block in blocks
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_importing_ohmlearn_imports_nothing_heavy():
    loaded = modules_after("import ohmlearn")
    assert "ohmlearn" in loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("room", ["devices", "training", "spice_netlists"])
def test_these_rooms_do_not_import_numba(room):
    loaded = modules_after(f"import ohmlearn; ohmlearn.{room}")
    assert f"ohmlearn.{room}" in loaded
    assert "numba" not in loaded


@pytest.mark.parametrize("name", ohmlearn.__all__)
def test_every_public_name_exists(name):
    assert getattr(ohmlearn, name) is not None
    assert name in dir(ohmlearn)


def test_type_checkers_see_what_python_finds():
    seen = imported_for_type_checkers()
    assert {*seen, "__version__"} == set(ohmlearn.__all__)
    for name, (module, there) in seen.items():
        home = import_module(f"ohmlearn.{module}" if module else "ohmlearn")
        assert getattr(ohmlearn, name) is getattr(home, there), name


def test_no_public_name_is_hidden_by_a_module():
    # ``import ohmlearn.run`` would replace a facade function of that name by the module.
    modules = {module.name for module in pkgutil.iter_modules(ohmlearn.__path__)}
    assert modules & set(ohmlearn.__all__) == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_and_exports_what_it_lists(room):
    module = getattr(ohmlearn, room)
    assert module.__doc__
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name), name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'ohmlearn' has no attribute 'train_me'"):
        _ = ohmlearn.train_me  # pyright: ignore[reportAttributeAccessIssue]
