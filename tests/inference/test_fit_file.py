"""Fits on disk: everything comes back, a save that fails harms nothing, and other files are refused by name."""

import json
import os
import stat
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from simulate import failed, small_fit

import bayes_scaling
from bayes_scaling.errors import FileError, ScalingWarning
from bayes_scaling.files.netcdf import CONTENT
from bayes_scaling.files.writing import write_whole
from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.inference import fit_file as storage
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.models.documents import to_document


@pytest.fixture
def found():
    """A fit to runs with blanks of every kind and columns of the user's own."""
    fit = small_fit()
    runs = fit.runs.assign(
        val_set=pd.array([None, "c4"] * (len(fit.runs) // 2), dtype="str"),
        loss=np.where(np.arange(len(fit.runs)) % 3 == 0, np.nan, 2.5),
        own=np.arange(len(fit.runs)),
        flag=np.arange(len(fit.runs)) % 2 == 0,
        words="Größe — 大",
    )
    return replace(fit, runs=runs)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.nc"


def test_everything_comes_back(found, path):
    found.save(path)
    again = Fit.load(path)
    xr.testing.assert_identical(again.posterior, found.posterior)
    for name, values in found.tree["sample_stats"].to_dataset().items():
        if values.dtype != object:  # blanks among messages of divergences come back as empty texts
            xr.testing.assert_identical(again.tree["sample_stats"][name], values)
    pd.testing.assert_frame_equal(again.runs, found.runs)
    assert to_document(again.model) == to_document(found.model)
    assert again.verdict == found.verdict
    assert again.seed == found.seed
    assert repr(again) == repr(found)


def test_types_of_columns_come_back(found, path):
    found.save(path)
    assert Fit.load(path).runs.dtypes.to_dict() == found.runs.dtypes.to_dict()


def test_a_fit_that_was_read_back_forecasts_the_same(found, path):
    found.save(path)
    plan = found.runs.drop(columns="score").head(5)
    xr.testing.assert_identical(forecast(Fit.load(path), plan, seed=3), forecast(found, plan, seed=3))


def test_a_fit_without_seed_and_one_that_failed_come_back(found, path):
    bad = failed(replace(found, seed=None))
    bad.save(path)
    again = Fit.load(path)
    assert again.seed is None
    assert not again.verdict.passed
    assert again.verdict == bad.verdict


def test_saving_leaves_the_fit_alone(found, path):
    before = set(found.tree.children), dict(found.tree.attrs)
    found.save(path)
    assert (set(found.tree.children), dict(found.tree.attrs)) == before


def test_a_saved_fit_can_be_saved_again(found, path, tmp_path):
    found.save(path)
    Fit.load(path).save(tmp_path / "again.nc")
    xr.testing.assert_identical(Fit.load(tmp_path / "again.nc").posterior, found.posterior)


def test_the_file_says_what_wrote_it(found, path):
    found.save(path)
    with h5py.File(path) as file:
        versions = json.loads(file.attrs["versions"])
        assert json.loads(file.attrs["model"])["name"] == "power_law"
        assert set(file) == {"posterior", "sample_stats", "runs"}
    assert versions["bayes-scaling"] == bayes_scaling.__version__
    assert set(versions) >= {"pymc", "nutpie", "arviz", "numpy"}


def test_a_file_that_is_there_stays_unless_told(found, path):
    found.save(path)
    before = path.read_bytes()
    with pytest.raises(FileError, match=r"fit\.nc exists; choose another name or say overwrite=True$"):
        found.save(path)
    assert path.read_bytes() == before
    failed(found).save(path, overwrite=True)
    assert not Fit.load(path).verdict.passed


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("odd")])
@pytest.mark.parametrize("old", [True, False])
def test_an_interrupted_save_harms_nothing(found, path, monkeypatch, error, old):
    if old:
        found.save(path)
    before = path.read_bytes() if old else None

    def stop(_):
        raise error

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(FileError if isinstance(error, OSError) else type(error), match=r"No space|odd|^$"):
        found.save(path, overwrite=True)
    assert found.posterior.sizes["draw"] == 1000  # the fit is still there
    assert (path.read_bytes() if path.exists() else None) == before
    assert [p.name for p in path.parent.iterdir()] == (["fit.nc"] if old else [])


def test_a_move_that_fails_harms_nothing(found, path, monkeypatch):
    def refuse(*_):
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="Permission denied"):
        found.save(path)
    assert list(path.parent.iterdir()) == []


def test_a_folder_that_does_not_exist_is_named(found, tmp_path):
    with pytest.raises(
        FileError, match=r"none/fit\.nc: cannot write there; name a file in a folder that exists and is yours"
    ):
        found.save(tmp_path / "none" / "fit.nc")


def test_a_missing_file_is_named(path):
    with pytest.raises(FileError, match=r"fit\.nc: no such file$"):
        Fit.load(path)
    with pytest.raises(FileError, match=r"no such file$"):
        Fit.load(path.parent)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(found, path, share):
    found.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(FileError, match=r"fit\.nc: not a readable netCDF file, perhaps truncated"):
        Fit.load(path)


def test_text_is_refused(path):
    path.write_text("run,score\na,0.5\n")
    with pytest.raises(FileError, match=r"fit\.nc: not a readable netCDF file"):
        Fit.load(path)


def test_a_netcdf_file_of_something_else_is_refused(path):
    xr.Dataset({"temperature": ("x", np.arange(3.0))}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(FileError, match=r"fit\.nc: a netCDF file, but not a fit of bayes_scaling$"):
        Fit.load(path)


def test_a_file_of_another_format_says_which_version_wrote_it(found, path):
    found.save(path)
    with h5py.File(path, "a") as file:
        file.attrs[storage.MARK] = storage.FORMAT + 1
        file.attrs["versions"] = json.dumps({"bayes-scaling": "9.8.7"})
    wanted = (
        rf"written in format {storage.FORMAT + 1} by bayes-scaling 9\.8\.7; this is .* reads format {storage.FORMAT}:"
    )
    with pytest.raises(FileError, match=wanted):
        Fit.load(path)


def test_what_is_written_whole_is_a_plain_file(path):
    write_whole(path, b"")
    assert stat.S_ISREG(path.stat().st_mode)
    assert [p.name for p in path.parent.iterdir()] == ["fit.nc"]


def test_damage_is_noticed(found, path, tmp_path):
    """Every flipped byte is refused, or changes nothing that is read."""
    found.save(path)
    content = path.read_bytes()
    rng = np.random.default_rng(1)
    broken = tmp_path / "broken.nc"
    refused = 0
    for place in rng.integers(len(content), size=40):
        broken.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            back = Fit.load(broken)
        except (FileError, ScalingWarning):
            refused += 1
        else:
            xr.testing.assert_identical(back.posterior, found.posterior)
            assert back.verdict == found.verdict
    assert refused > 10


def test_an_edited_verdict_is_refused_unless_told(found, path):
    failed(found).save(path)
    with h5py.File(path, "a") as file:
        file.attrs["verdict"] = json.dumps(found.verdict.to_dict())
    with pytest.raises(FileError, match=r"fit\.nc: changed since it was saved.*even_if_damaged=True"):
        Fit.load(path)
    with pytest.warns(ScalingWarning, match=r"fit\.nc: changed since it was saved"):
        assert Fit.load(path, even_if_damaged=True).verdict.passed


def test_a_file_without_a_hash_is_read_with_a_warning(found, path):
    found.save(path)
    with h5py.File(path, "a") as file:
        del file.attrs[CONTENT]
    with pytest.warns(ScalingWarning, match="has no hash of its content"):
        Fit.load(path)


@pytest.mark.parametrize(("change", "match"), [
    (lambda v: {**v, "mixing": 1}, r"its verdict has \['mixing'\], which this version .* does not know"),
    (lambda v: {}, "its verdict lacks"),
])  # fmt: skip
def test_a_verdict_of_another_version_is_named(found, path, monkeypatch, change, match):
    stored = change(found.verdict.to_dict())
    monkeypatch.setattr(type(found.verdict), "to_dict", lambda _: stored)
    found.save(path)
    with pytest.raises(FileError, match=match):
        Fit.load(path)


def test_a_fit_made_before_its_law_had_a_parameter_is_refused(found, path):
    posterior = found.posterior.drop_vars("alpha_free")
    tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": found.tree["sample_stats"].to_dataset()})
    replace(found, tree=tree).save(path)
    with pytest.raises(FileError, match=r"fit\.nc: has no draws of .*alpha.* later version .* fit again"):
        Fit.load(path)
