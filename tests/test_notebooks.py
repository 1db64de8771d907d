"""The notebooks run from start to end, and the rendered ones beside them show what the sources say.

A notebook is written as ``notebooks/<name>.py`` (jupytext's percent format). ``python tests/test_notebooks.py``
runs them all and writes each, with its outputs, to ``notebooks/<name>.ipynb``.
"""

import asyncio
import os
import re
import runpy
import shutil
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
SOURCES = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.py"))
NAMES = [source.stem for source in SOURCES]
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SECONDS = 600  # for one cell on a busy machine; the whole notebook takes about a minute on an idle one
MACHINE_PATH = re.compile(r"/(?:home|root|tmp|work|usr|opt|var|mnt|Users|private)/|[A-Z]:\\\\?(?!n)|site-packages")

# As in pyproject.toml: said where nothing is compiled yet, on every pip installation; of no matter here.
BLAS = "ignore:PyTensor could not link to a BLAS installation:UserWarning"

# Jupyter's packages announce their own migrations as warnings; nothing in this project can answer them.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_.*"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:zmq.*"),
]


def source_of(path):
    """The notebook that a text file describes, with the same metadata and cell ids on every machine."""
    import jupytext

    notebook = jupytext.read(path, fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor, notebook.metadata = 4, 5, METADATA
    for number, cell in enumerate(notebook.cells):
        cell["id"], cell["metadata"] = f"cell-{number:02}", {}
    return notebook


def executed(path, folder):
    """Run a notebook in a folder that holds the tables beside it, with this very Python."""
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    class ThisPython(KernelSpecManager):
        """Knows one kernel, whatever is installed: the running interpreter."""

        def get_kernel_spec(self, kernel_name):
            return KernelSpec(**get_kernel_dict())

    for table in NOTEBOOKS.glob("*.csv"):
        shutil.copy(table, folder)
    notebook = source_of(path)
    resources = {"metadata": {"path": str(folder)}}
    quiet = {"PYTHONWARNINGS": BLAS, "IPYTHONDIR": str(folder / "ipython")}  # and nobody's own start-up files
    manager = AsyncKernelManager(kernel_spec_manager=ThisPython())
    client = NotebookClient(notebook, km=manager, timeout=SECONDS, resources=resources, record_timing=False)
    # Told to, the client ends the kernel and closes its sockets; else they are found open in some later test.
    asyncio.run(client.async_execute(cleanup_kc=True, env={**os.environ, **quiet}))
    notebook.metadata = METADATA
    return notebook


def outputs_of(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def troubles_of(notebook):
    """Errors, and whatever was written to the error stream: warnings among it."""
    return [o for o in outputs_of(notebook) if o.output_type == "error" or o.get("name") == "stderr"]


def rendered(path):
    import nbformat

    return nbformat.read(path.with_suffix(".ipynb"), as_version=4)


def test_there_are_notebooks():
    assert NAMES


@pytest.mark.slow
@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_a_notebook_runs_without_errors_and_warnings(path, tmp_path):
    notebook = executed(path, tmp_path)
    assert outputs_of(notebook)
    assert not troubles_of(notebook)


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_the_rendered_notebook_has_the_cells_of_its_source(path):
    ours, theirs = source_of(path).cells, rendered(path).cells
    assert [(c.cell_type, c.source) for c in theirs] == [(c.cell_type, c.source) for c in ours]


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_the_rendered_notebook_holds_pictures_and_no_trouble(path):
    notebook = rendered(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any("image/png" in output.get("data", {}) for output in outputs_of(notebook))
    assert not troubles_of(notebook)


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_the_rendered_notebook_knows_no_machine(path):
    notebook = rendered(path)
    assert notebook.metadata == METADATA
    assert not any(cell.metadata for cell in notebook.cells)
    texts = [o.get("text", "") for o in outputs_of(notebook)]
    texts += [str(v) for o in outputs_of(notebook) for k, v in o.get("data", {}).items() if k != "image/png"]
    assert not [text for text in texts if MACHINE_PATH.search(text)]


@pytest.mark.parametrize("text", ["in /tmp/x/runs.csv", "/home/me/a", "C:\\Users\\me", "lib/site-packages/x"])
def test_paths_of_machines_are_recognised(text):
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_cells_are_short(path):
    assert max(len(c.source.splitlines()) for c in source_of(path).cells if c.cell_type == "code") <= 12


def test_the_table_of_the_first_notebook_is_the_one_its_script_makes(tmp_path):
    runpy.run_path(str(shutil.copy(NOTEBOOKS / "make_runs.py", tmp_path)))
    assert (tmp_path / "runs.csv").read_text(encoding="utf-8") == (NOTEBOOKS / "runs.csv").read_text(encoding="utf-8")


def render():
    import nbformat

    for path in SOURCES:
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(executed(path, Path(folder)), path.with_suffix(".ipynb"))


if __name__ == "__main__":
    render()
