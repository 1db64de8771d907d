"""Condition a model on runs."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import xarray as xr

from bayes_scaling.errors import ScalingWarning
from bayes_scaling.files.frames import as_frame
from bayes_scaling.inference import fit_file
from bayes_scaling.inference.attempts import conditioned
from bayes_scaling.inference.design import Design, lay_out
from bayes_scaling.inference.settings import Settings, checked_seed, whole_number
from bayes_scaling.inference.suitability import doubt
from bayes_scaling.inference.summary import summary
from bayes_scaling.inference.verdict import Verdict
from bayes_scaling.messages import html_table
from bayes_scaling.models.documents import as_model
from bayes_scaling.models.model import Model


@dataclass(frozen=True)
class Fit:
    """A model, the runs it was fitted to, and what it learned from them.

    Attributes
    ----------
    model : Model
        As it was fitted: a ceiling that it fixes has given way where a benchmark is nearly solved.
    runs : DataFrame
        As they were given, one row per score.
    tree : DataTree
        ``posterior`` over (chain, draw, …): for every parameter its value ``<parameter>`` in the units of
        the law over every column it varies by, its population value ``<parameter>_free`` on the
        unconstrained scale, and for every effect ``<effect>`` and ``<effect>_sd``; ``sample_stats``.
    verdict : Verdict
        Whether the draws can be relied on.
    seed : int or None
    """

    model: Model
    runs: pd.DataFrame
    tree: xr.DataTree
    verdict: Verdict
    seed: int | None = None

    @property
    def posterior(self) -> xr.Dataset:
        """Posterior draws over (chain, draw, …)."""
        return self.tree["posterior"].to_dataset()

    @cached_property
    def design(self) -> Design:
        """The model laid over the runs."""
        return lay_out(self.model, self.runs)

    @property
    def laws(self) -> tuple[Fit, ...]:
        """The fits of single laws that a forecast draws from: this one."""
        return (self,)

    @property
    def responses(self) -> tuple[str, ...]:
        """Names of what is forecast."""
        return tuple(part.name for part in self.model.responses)

    def summary(self, *, probability: float = 0.9) -> pd.DataFrame:
        """What the fit learned of every parameter, in words; see `summary.summary` for the columns."""
        return summary(self.model, self.posterior, probability)

    def _repr_html_(self) -> str:
        facts = {
            "runs": f"{self.runs['run'].nunique() if 'run' in self.runs else len(self.runs)}, {len(self.runs)} rows",
            "forecasts": ", ".join(self.responses),
            "verdict": str(self.verdict),
            "look at": "fit.summary(), fit.posterior, fit.verdict",
        }
        return html_table(f"Fit of {self.model.name}", facts)

    def require_converged(self, *, even_if_not_converged: bool = False) -> None:
        """Refuse to go on from a fit that failed its verdict, unless told to.

        Raises
        ------
        FitError
            The fit did not converge.
        """
        self.verdict.require(self.model.name, even_if_not_converged=even_if_not_converged)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write everything into one netCDF file, whole or not at all; see `fit_file.save`."""
        fit_file.save(self, path, overwrite=overwrite)

    @staticmethod
    def load(path: str | Path, *, even_if_damaged: bool = False) -> Fit:
        """Read a fit back; see `fit_file.load`."""
        return Fit(**fit_file.load(path, even_if_damaged=even_if_damaged))

    def __repr__(self) -> str:
        runs = self.runs["run"].nunique() if "run" in self.runs else len(self.runs)
        return f"<Fit of {self.model.name} to {runs} runs, {len(self.runs)} rows; {self.verdict}>"


def fit(
    model: Model | str | Path,
    runs: pd.DataFrame,
    *,
    seed: int | None = None,
    chains: int = 4,
    draws: int = 1000,
    tune: int = 500,
    thin: int | None = None,
    target_accept: float | None = None,
    attempts: int = 2,
    quick: bool = False,
    max_minutes: float | None = None,
    progress: bool | None = None,
    cores: int | None = None,
) -> Fit:
    """Learn the parameters of a model from runs.

    Parameters
    ----------
    model : Model, str or path
        A model, or the name of a registered one, or the path of a document.
    runs : DataFrame
        As `read_runs` or `load_dataset` return them, or any selection of their rows.
    seed : int, optional
        The same seed on the same machine gives the same draws.
    chains, draws, tune : int
        Chains, draws kept per chain, and draws spent per chain on adaptation.  A verdict can pass with two chains or
        more, and with 100 kept draws of each or more.
    thin : int, optional
        Keep one draw of so many, or of more where these are too few for the verdict, up to 16; by default as the
        model's document says.  At 1, the default of most, every draw is kept where these are enough.
    target_accept : float, optional
        Larger is slower and diverges less; by default as the model's document says, which is 0.95 for most.
    attempts : int
        A fit that fails its verdict, and that more draws alone do not mend, begins again from its draws, with smaller
        steps, and with more draws for one that is kept where they were too few; 1 for a first look.
    quick : bool
        A first look: 2 chains and 400 kept draws, with a trial run that says how many are made, and one attempt, in
        place of ``chains``, ``draws``, ``tune`` and ``attempts``.  Means are nearly as good as otherwise, and ends of
        95 % intervals differ by some per cent of their width.  Fit again without it before something depends on it.
    max_minutes : float, optional
        More draws, and a further attempt, are made where they fit into what is left of so many minutes.  The draws
        that a trial run plans are always made.
    progress : bool, optional
        Show a progress bar; by default only where the error stream is a terminal.
    cores : int, optional
        Chains that run at the same time; by default as many as there are processors.

    Returns
    -------
    Fit

    Raises
    ------
    DataError
        The runs lack what the model needs.
    FitError
        A setting is out of range.

    Warns
    -----
    ScalingWarning
        The law does not read what the runs differ in (said before sampling), or the fit failed its verdict; the text
        says why.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("gadre2024")
    >>> runs = runs[runs["benchmark"].isin(["arc_easy", "hellaswag"]) & runs["tokens_per_param"].between(19, 21.5)]
    >>> fit = bs.fit("power_law", runs, seed=1, progress=False)
    >>> fit.verdict.passed
    True
    >>> fit.summary().set_index("what").loc["typical value", "parameter"].tolist()[:2]
    ['A', 'alpha']
    >>> fit.posterior["alpha"].mean(("chain", "draw")).round(1).to_series().tolist()
    [0.2, 0.2, 0.2, 0.2, 0.2, 0.2]
    """
    model = as_model(model)
    settings = Settings(chains, draws, tune, thin, target_accept, attempts, max_minutes)
    settings = settings.for_a_first_look(model) if quick else settings
    seed, cores = checked_seed(seed), None if cores is None else whole_number("cores", cores)
    runs = as_frame(runs, "the runs", example="bs.read_runs makes one").reset_index(drop=True)
    design = lay_out(model, runs)
    if problem := doubt(model, runs):
        warnings.warn(str(problem), ScalingWarning, stacklevel=2)
    show = sys.stderr.isatty() if progress is None else progress
    tree, verdict = conditioned(design, settings, seed=seed, progress=show, cores=cores)
    if not verdict.passed:
        warnings.warn(f"{model.name}: {verdict}", ScalingWarning, stacklevel=2)
    return Fit(design.model, runs, tree, verdict, seed)
