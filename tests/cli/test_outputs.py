"""Outputs of a command: checked before any work, never one of its inputs, never each other."""

import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from simulate import small_fit

from bayes_scaling.cli.commands import main
from bayes_scaling.inference.fitting import Fit


@pytest.fixture
def folder(tmp_path):
    small_fit().save(tmp_path / "fit.nc")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lock", "l.nc", "--out", "l.nc"], "--lock and --out are the same file; choose another name for --lock"),
        (["--out", "a.csv", "--plot", "./a.csv"], "--plot and --out are the same file"),
        (["--out", "fit.nc"], "--out and the fit are the same file"),
        (["--lock", "fit.nc"], "--lock and the fit are the same file"),
        (["--out", "link.csv"], "--out and the fit are the same file"),
        (["--plot", "y.txt"], "a figure has the suffix .png, .pdf, .svg"),
        (["--plot", "nowhere/y.png"], "name a file in a folder that exists"),
        (["--out", "."], "this is a folder"),
        (["--out", "/dev/null"], "this is a device"),
    ],
)
def test_outputs_are_refused_before_any_work(folder, monkeypatch, options, message):
    monkeypatch.chdir(folder)
    (folder / "link.csv").symlink_to(folder / "fit.nc")
    monkeypatch.setattr(Fit, "load", lambda *_: pytest.fail("worked before outputs were checked"))
    before = {path.name for path in folder.iterdir()}
    result = CliRunner().invoke(main, ["forecast", "fit.nc", "--flops", "1e22", "--force", *options])
    assert result.exit_code == 2
    assert message in result.stderr
    assert {path.name for path in folder.iterdir()} == before
    monkeypatch.undo()
    assert Fit.load(folder / "fit.nc").verdict.passed


def test_a_fit_does_not_replace_its_table(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "runs.csv").write_text("run,params\n")
    result = CliRunner().invoke(main, ["fit", "runs.csv", "power_law", "--out", "runs.csv", "--force"])
    assert result.exit_code == 2
    assert "--out and the table are the same file" in result.stderr
    assert (folder / "runs.csv").read_text() == "run,params\n"


@pytest.mark.skipif(shutil.which("head") is None, reason="needs head")
def test_a_closed_pipe_is_no_error():
    command = f"'{sys.executable}' -m bayes_scaling models | head -1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1
