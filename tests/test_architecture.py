"""The house rules that a machine can read: who imports whom, how long things are, what starts fast."""

import ast
import graphlib
import importlib
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import bayes_scaling
from bayes_scaling.laws import basic
from bayes_scaling.laws.registry import LAWS

ROOT = Path(bayes_scaling.__file__).parents[1]
PACKAGE = ROOT / "bayes_scaling"

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# The rooms, from the lowest floor up: a room imports only rooms below it; rooms of one floor do not know each other.
LAYERS = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
FLOORS = [*({room.strip() for room in layer.split("|")} for layer in reversed(LAYERS)), {"__main__", "__init__"}]

HEAVY = {"pymc", "pytensor", "numba", "matplotlib", "arviz", "nutpie"}
LIGHT_MODULES = [
    "bayes_scaling",
    "bayes_scaling.data.runs",
    "bayes_scaling.models.documents",
    "bayes_scaling.cli.commands",
]

# Needed without being imported by name: engines of pandas and xarray, and the family that arviz pins.
UNNAMED = {"pyarrow", "h5netcdf", "h5py", "arviz"}
INSIDE = {"arviz_stats": "arviz"}

PATHS = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}
FACES = {
    name: ast.parse(path.read_text(encoding="utf-8")) for name, path in PATHS.items() if name.endswith(".__init__")
}
MODULES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in PATHS.items() if name not in FACES}
every_module = pytest.mark.parametrize("module", MODULES)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def imported(module: str) -> set[str]:
    """Modules of this package that a module imports, at its top or inside a function."""
    names: set[str] = set()
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    inside = {name.partition(".")[2] for name in names if name.partition(".")[0] == "bayes_scaling"}
    return {name if name in MODULES else name.rpartition(".")[0] or "__init__" for name in inside}


def room(module: str) -> str:
    return module.partition(".")[0]


def floor(module: str) -> int:
    found = [number for number, rooms in enumerate(FLOORS) if room(module) in rooms]
    assert found, f"{module} stands on no floor: give its room one"
    return found[0]


def foreign() -> set[str]:
    """Top-level packages from elsewhere that the package imports anywhere."""
    found = set()
    for node in (node for tree in MODULES.values() for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found - sys.stdlib_module_names - {"bayes_scaling"}


def functions(module: str) -> list[Function]:
    return [node for node in ast.walk(MODULES[module]) if isinstance(node, Function)]


def lines_of_code(module: str, function: Function) -> int:
    """Lines of a function's body that hold code: no docstring, no comment, no blank line."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    lines = PATHS[module].read_text(encoding="utf-8").splitlines()
    held = lines[body[0].lineno - 1 : function.end_lineno]
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in held)


def public(module: str) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Public functions, classes and methods of a module, with their names."""
    for node in MODULES[module].body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        yield node.name, node
        for inner in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(inner, Function) and not inner.name.startswith("_"):
                yield f"{node.name}.{inner.name}", inner


@every_module
def test_imports_point_downwards(module):
    wrong = [m for m in imported(module) if room(m) != room(module) and floor(m) >= floor(module)]
    assert not wrong, f"{module} imports {sorted(wrong)}, which stand no lower"


def test_no_modules_import_each_other_in_a_circle():
    list(graphlib.TopologicalSorter({module: imported(module) for module in MODULES}).static_order())


def test_every_room_says_what_it_holds_and_no_more():
    assert {path.parent for path in PATHS.values()} - {PACKAGE} == {PATHS[name].parent for name in FACES}
    for name, tree in FACES.items():
        assert len(tree.body) == 1 and ast.get_docstring(tree), f"{name} must hold one docstring and import nothing"


def test_dependencies_are_those_that_are_imported():
    project = PROJECT["project"]
    declared = {re.split(r"[^\w-]", line)[0].replace("-", "_") for line in project["dependencies"]}
    used = {INSIDE.get(name, name) for name in foreign()}
    assert used - declared == set(), "imported, but not declared in pyproject.toml"
    assert declared - used - UNNAMED == set(), "declared in pyproject.toml, but never imported"


@every_module
def test_modules_are_short(module):
    lines = PATHS[module].read_text(encoding="utf-8").count("\n")
    assert lines <= 300, f"{module}.py has {lines} lines, more than 300"


@every_module
def test_functions_are_short(module):
    long = {f.name: n for f in functions(module) if (n := lines_of_code(module, f)) > 40}
    assert not long, f"{module}.py: more than 40 lines of code in {long}"


def test_the_median_function_is_under_eight_lines():
    sizes = [lines_of_code(module, function) for module in MODULES for function in functions(module)]
    assert len(sizes) > 100
    assert statistics.median(sizes) < 8


@every_module
def test_classes_have_at_most_eight_methods(module):
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.ClassDef):
            inside = [inner for inner in node.body if isinstance(inner, Function)]
            methods = [f.name for f in inside if not any("property" in ast.unparse(d) for d in f.decorator_list)]
            assert len(methods) <= 8, f"{module}.{node.name} has {len(methods)} methods: {methods}"


@every_module
def test_public_functions_name_their_arguments(module):
    loose = [name for name, node in public(module) if isinstance(node, Function) and node.args.kwarg]
    assert not loose, f"{module}.py: open-ended keyword arguments in {loose}"


@every_module
def test_what_is_public_is_explained(module):
    assert module == "__main__" or ast.get_docstring(MODULES[module]), f"{module}.py has no docstring"
    bare = [name for name, node in public(module) if not ast.get_docstring(node)]
    assert not bare, f"{module}.py: no docstring at {bare}"


@pytest.mark.parametrize("name", LIGHT_MODULES)
def test_reading_tables_loads_no_sampler(name):
    code = f"import sys, {name}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [], f"importing {name} also imports {done.stdout.split()}"


@pytest.mark.parametrize("name", bayes_scaling.__all__)
def test_public_names_resolve(name):
    home = importlib.import_module(f"bayes_scaling.{bayes_scaling._HOMES[name]}")
    assert getattr(bayes_scaling, name) is getattr(home, name)
    assert name in dir(bayes_scaling)


def test_public_names_are_listed_once_and_for_type_checkers():
    checked = [n for n in MODULES["__init__"].body if isinstance(n, ast.If)]
    named = {alias.name for node in ast.walk(checked[0]) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert len(bayes_scaling.__all__) == len(set(bayes_scaling.__all__))  # ruff sorts them
    assert named == set(bayes_scaling.__all__) == set(bayes_scaling._HOMES)


def test_names_that_do_not_exist_are_refused():
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        _ = bayes_scaling.no_such_name


def test_the_law_in_the_guide_is_a_law(monkeypatch):
    (code,) = re.findall(r"```python\n(.+?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.setitem(LAWS, "sigmoid", None)  # forgotten again after this test
    exec(compile(code, "CONTRIBUTING.md", "exec"), dict(vars(basic)))
    law = LAWS["sigmoid"].then(LAWS["accuracy"])
    scores = law(basic.C0 * np.array([1e-2, 1.0, 1e2]), 0.25, midpoint=0.0, steepness=1.0, floor_shift=0.0)
    assert scores == pytest.approx(0.25 + 0.75 / (1 + np.exp([2.0, 0.0, -2.0])))


def test_the_version_is_the_same_in_the_citation_and_the_changelog():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [bayes_scaling.__version__]
    assert re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)[0] == bayes_scaling.__version__


def test_any_stands_at_real_boundaries_alone():
    """What a formula computes with is `laws.ops.Numbers`; an argument of any other kind has a type of its own."""
    functions_ = [function for module in MODULES for function in functions(module)]
    arguments = [a for f in functions_ for a in (*f.args.posonlyargs, *f.args.args, *f.args.kwonlyargs)]
    loose = [a.arg for a in arguments if a.annotation is not None and re.search(r"\bAny\b", ast.unparse(a.annotation))]
    assert len(loose) < 40
