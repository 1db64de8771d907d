"""The package works where nothing can be written but the one folder that is named, or none at all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import warnings
warnings.simplefilter("ignore")
import bayes_scaling as bs
runs = bs.load_dataset("gadre2024")
runs = runs[runs["benchmark"].eq("arc_easy") & runs["tokens_per_param"].between(19, 21.5)]
fit = bs.fit("power_law", runs, seed=1, chains=2, draws=50, tune=50, attempts=1, progress=False)
plan = bs.plan_runs(flops=1e22, benchmark="arc_easy", mixture="C4")
print(round(float(bs.forecast(fit, plan, seed=1, even_if_not_converged=True)["accuracy_mean"].mean()), 6))
"""


@pytest.mark.slow
def test_without_a_home_and_with_a_cache_folder_or_none(tmp_path):
    answers = []
    for cache in (tmp_path / "cache", "/dev/null/cache"):
        nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null", "BAYES_SCALING_CACHE": str(cache)}
        # The flags of other caches are not set, as on a machine of a user.
        kept = {n: v for n, v in os.environ.items() if n not in ("PYTENSOR_FLAGS", "NUMBA_CACHE_DIR")}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=kept | nowhere, capture_output=True, text=True,
                              check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        answers.append(done.stdout)
    assert answers[0] == answers[1]
    compiled = [path.suffix for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert ".py" in compiled
    assert ".nbi" in compiled


@pytest.mark.slow
def test_compiled_densities_survive_a_reinstall(tmp_path):
    # The same package in another folder, with new times on its files, compiles nothing again.
    cache, seen = tmp_path / "cache", []
    for name in ("first", "second"):
        for folder in ("bayes_scaling", "models", "datasets"):
            shutil.copytree(ROOT / folder, tmp_path / name / folder, copy_function=shutil.copyfile,
                            ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
        script = f"{SCRIPT}\nprint(bs.__file__)"
        kept = {n: v for n, v in os.environ.items() if n not in ("PYTENSOR_FLAGS", "NUMBA_CACHE_DIR")}
        environment = kept | {"BAYES_SCALING_CACHE": str(cache), "PYTHONPATH": str(tmp_path / name)}
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True,
                              check=False, cwd=tmp_path / name)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert str(tmp_path / name) in done.stdout
        seen.append({path.name: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()})
    assert any(name.endswith(".nbc") for name in seen[0])
    assert seen[0] == seen[1]
