"""The built wheel, away from the checkout: what is in it, and that it works."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import bayes_scaling

ROOT = Path(bayes_scaling.__file__).parents[1]

# Run from a folder that holds nothing; the first argument is where the wheel was installed.
FROM_THE_WHEEL = """
import sys
from pathlib import Path
import bayes_scaling
from bayes_scaling.library import library_folder

installed = Path(sys.argv[1]).resolve()
for place in (bayes_scaling.__file__, library_folder("models"), library_folder("datasets")):
    assert Path(place).resolve().is_relative_to(installed), f"{place} is not in {installed}"
"""


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command[:6]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    target = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel)
    return target


def outside(installed, cwd, *arguments):
    """Run Python where only the installed wheel is on the path, before the checkout's own entry."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "100"}
    return run(sys.executable, *arguments, cwd=cwd, env=environment)


def test_every_module_is_in_the_wheel(contents):
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "bayes_scaling").rglob("*.py")}
    assert modules <= contents
    assert "bayes_scaling/py.typed" in contents


def test_every_model_and_data_set_is_in_the_wheel(contents):
    shelves = "bayes_scaling/_library"
    models = {f"{shelves}/models/{path.name}" for path in (ROOT / "models").glob("*.toml")}
    folders = [path.parent for path in (ROOT / "datasets").glob("*/dataset.toml")]
    tables = {
        f"{shelves}/datasets/{folder.name}/{name}"
        for folder in folders
        for name in ("dataset.toml", "runs.csv", "compose.py", "LICENSE")
    }
    assert len(models) >= 1
    assert {folder.name for folder in folders} >= {"gadre2024", "olmo_ladder"}
    assert models | tables <= contents
    assert f"{shelves}/datasets/olmo_ladder/NOTICE" in contents


def test_nothing_else_is_in_the_wheel(contents):
    tops = {name.partition("/")[0] for name in contents}
    assert tops == {"bayes_scaling", f"bayes_scaling-{bayes_scaling.__version__}.dist-info"}
    parts = ("tests/", "/test_", "notebook")
    assert not [n for n in contents if n.endswith((".ipynb", ".pyc", ".nc")) or any(part in n for part in parts)]
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in contents)


@pytest.mark.parametrize("name", ["gadre2024", "olmo_ladder"])
def test_data_sets_load_from_the_wheel(installed, tmp_path, name):
    code = FROM_THE_WHEEL + f"print(len(bayes_scaling.load_dataset({name!r})))"
    rows = int(outside(installed, tmp_path, "-c", code, installed).split()[-1])
    assert rows == len(bayes_scaling.load_dataset(name)) > 0


def test_models_load_from_the_wheel(installed, tmp_path):
    code = FROM_THE_WHEEL + "print(*(bayes_scaling.load_model(name).name for name in bayes_scaling.list_models()))"
    names = outside(installed, tmp_path, "-c", code, installed).split()
    assert names == sorted(path.stem for path in (ROOT / "models").glob("*.toml"))


@pytest.mark.slow
def test_the_demo_runs_from_the_wheel(installed, tmp_path):
    out = tmp_path / "out"
    outside(installed, tmp_path, "-c", FROM_THE_WHEEL, installed)
    said = outside(installed, tmp_path, "-m", "bayes_scaling", "demo", "--quick", "--out", out)
    for ending in ("png", "csv"):
        written = list(out.glob(f"*.{ending}"))
        assert written, f"no .{ending} file in {sorted(out.iterdir())}; the demo said\n{said}"
        assert all(path.stat().st_size > 0 for path in written)
