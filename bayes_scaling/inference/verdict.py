"""The verdict on a fit: whether its draws can be relied on, by fixed rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from bayes_scaling.errors import FitError
from bayes_scaling.messages import html_table

R_HAT_OF_FEW = 1.01  # the limit for few quantities: Vehtari et al. 2021, doi 10.1214/20-BA1221
ESS_PER_CHAIN = 100  # the same: rank-normalised estimates need about so many effective draws a chain
FALSE_ALARMS = 0.01  # share of perfect fits whose largest r-hat may be above the limit
E_BFMI_AT_LEAST = 0.3  # Betancourt 2016, arXiv 1604.00695
DIVERGENT_SHARE = 0.001  # share of draws that may diverge
SATURATED_SHARE = 0.001  # share of draws that may end at the greatest tree depth


@dataclass(frozen=True)
class Verdict:
    """Diagnostics of the worst quantity of each kind, and which rules they break.

    Attributes
    ----------
    chains, draws : int
    r_hat : float
        Largest split rank-normalised r-hat.
    ess_bulk, ess_tail : float
        Smallest effective sample sizes.
    divergences : int
    e_bfmi : float
        Smallest energy Bayesian fraction of missing information of a chain.
    saturated : int
        Draws that ended at the greatest tree depth.
    worst : dict
        Diagnostic -> the quantity that it is worst for.
    quantities : int
        How many quantities were looked at, which the limit of r-hat depends on; see `r_hat_limit`.
    thin : int
        Draws made for one that was kept; shares are of the draws made.
    """

    chains: int
    draws: int
    r_hat: float
    ess_bulk: float
    ess_tail: float
    divergences: int
    e_bfmi: float
    saturated: int
    worst: Mapping[str, str]
    quantities: int = 1
    thin: int = 1

    def require(self, name: str, *, even_if_not_converged: bool = False) -> None:
        """Refuse to go on from draws that failed this verdict, unless told to.

        Parameters
        ----------
        name : str
            Of the model.
        even_if_not_converged : bool

        Raises
        ------
        FitError
            The fit did not converge.
        """
        if not (self.passed or even_if_not_converged):
            raise FitError(
                f"{name}: {self}. Fit again with more draws or a larger target_accept, or say "
                "even_if_not_converged=True to go on all the same"
            )

    @property
    def reasons(self) -> tuple[str, ...]:
        """Rules that the fit breaks, in words; empty for a fit that passes."""
        enough, total = ESS_PER_CHAIN * self.chains, self.made
        limit = r_hat_limit(self.chains, self.quantities)
        alone = self.chains == 1
        far = (
            "r-hat needs two chains or more"
            if alone
            else f"r-hat {self.r_hat:.4f} of {self._of('r_hat')} > {limit:.4f}"
        )
        few = self.draws < ESS_PER_CHAIN and min(self.ess_bulk, self.ess_tail) < enough
        rules = (
            (not self.r_hat <= limit, far),
            (few, f"only {self.draws} draws of each chain were kept: ask for {2 * ESS_PER_CHAIN} or more"),
            (not self.ess_bulk >= enough, f"bulk ESS {self.ess_bulk:.0f} of {self._of('ess_bulk')} < {enough}"),
            (not self.ess_tail >= enough, f"tail ESS {self.ess_tail:.0f} of {self._of('ess_tail')} < {enough}"),
            (self.diverged, f"{self.divergences} of {total} draws diverged"),
            (not self.e_bfmi >= E_BFMI_AT_LEAST, f"E-BFMI {self.e_bfmi:.2f} < {E_BFMI_AT_LEAST}"),
            (self._saturates, f"{self.saturated} draws ended at the greatest tree depth"),
        )
        return tuple(text for broken, text in rules if broken)

    @property
    def passed(self) -> bool:
        """Whether the fit breaks no rule."""
        return not self.reasons

    @property
    def diverged(self) -> bool:
        """Whether more draws diverged than may."""
        return self.divergences > DIVERGENT_SHARE * self.made

    @property
    def mixed(self) -> bool:
        """Whether r-hat and effective sample sizes are as they should be."""
        enough = ESS_PER_CHAIN * self.chains
        return self.r_hat <= r_hat_limit(self.chains, self.quantities) and min(self.ess_bulk, self.ess_tail) >= enough

    @property
    def lacks_draws(self) -> bool:
        """Whether more draws of the same kind are all that the fit lacks."""
        wrong = self.diverged or not self.e_bfmi >= E_BFMI_AT_LEAST or self._saturates
        unknown = np.isnan([self.r_hat, self.ess_bulk, self.ess_tail]).any()
        return not (self.mixed or wrong or unknown)

    @property
    def _saturates(self) -> bool:
        return self.saturated > SATURATED_SHARE * self.made

    @property
    def made(self) -> int:
        """Draws that were made, kept or not."""
        return self.chains * self.draws * self.thin

    def _of(self, diagnostic: str) -> str:
        return self.worst.get(diagnostic, "?")

    def __str__(self) -> str:
        if self.passed:
            ess = min(self.ess_bulk, self.ess_tail)
            diverged = f"{self.divergences} divergence{'' if self.divergences == 1 else 's'}"
            kept = f"{self.chains} × {self.draws}"
            draws = f"{kept} draws" if self.thin == 1 else f"{self.made} draws, {kept} of them kept"
            return f"converged: r-hat ≤ {self.r_hat:.3f}, ESS ≥ {ess:.0f}, {diverged} in {draws}"
        return "NOT CONVERGED: " + "; ".join(self.reasons)

    def _repr_html_(self) -> str:
        facts = {
            "draws": f"{self.chains} chains × {self.draws}",
            f"largest r-hat, of {self.quantities}": f"{self.r_hat:.4f} ({self._of('r_hat')})",
            "smallest bulk ESS": f"{self.ess_bulk:.0f} ({self._of('ess_bulk')})",
            "smallest tail ESS": f"{self.ess_tail:.0f} ({self._of('ess_tail')})",
            "divergent draws": self.divergences,
            "smallest E-BFMI": f"{self.e_bfmi:.2f}",
            "draws at the greatest depth": self.saturated,
            "breaks": "no rule" if self.passed else "; ".join(self.reasons),
        }
        return html_table("converged" if self.passed else "NOT CONVERGED", facts)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, from which ``Verdict(**values)`` makes an equal verdict."""
        return asdict(self)


def r_hat_limit(chains: int, quantities: int) -> float:
    """Largest r-hat that a fit may have, by how many quantities it is the largest of.

    Perfect chains have an r-hat above 1 by chance, and the largest of many is larger.  For means of 2 m half chains
    of e effective draws each, r-hat is about 1 + (χ² / (2 m − 1) − 1) / (2 e), with χ² on 2 m − 1 degrees of freedom.
    The limit is what one of a hundred fits exceeds whose chains are perfect and have twice the effective draws that the
    verdict asks for, and never below the usual 1.01.  `benchmarks/r_hat_rule.py` shows what it catches.

    Parameters
    ----------
    chains, quantities : int

    Returns
    -------
    float

    Examples
    --------
    >>> [round(r_hat_limit(4, number), 3) for number in (1, 100, 1000)]
    [1.01, 1.018, 1.021]
    """
    from scipy.stats import chi2

    freedom = max(2 * chains - 1, 1)
    largest = chi2.isf(FALSE_ALARMS / (2 * max(quantities, 1)), freedom)  # of each quantity ArviZ takes two r-hats
    return max(R_HAT_OF_FEW, float(1 + (largest / freedom - 1) / (2 * ESS_PER_CHAIN)))


def judge(posterior: xr.Dataset, stats: xr.Dataset, *, max_depth: int, thin: int = 1) -> Verdict:
    """Compute the verdict with ArviZ's diagnostics.

    Parameters
    ----------
    posterior : Dataset over (chain, draw, …)
        Every quantity a user reads; constants are passed over.
    stats : Dataset over (chain, draw)
        With ``diverging``, ``energy`` and ``depth``, and ``divergences`` where several draws stand for one.
    max_depth : int
        Greatest tree depth that the sampler was allowed.
    thin : int
        Draws made for one that was kept.
    """
    import arviz_stats as azs

    with np.errstate(invalid="ignore", divide="ignore"):
        r_hat = azs.rhat(posterior)
        found = {
            "r_hat": _worst(r_hat, np.nanmax),
            "ess_bulk": _worst(azs.ess(posterior, method="bulk"), np.nanmin),
            "ess_tail": _worst(azs.ess(posterior, method="tail"), np.nanmin),
        }
    return Verdict(
        chains=posterior.sizes["chain"],
        draws=posterior.sizes["draw"],
        **{name: value for name, (value, _) in found.items()},
        divergences=int(stats.get("divergences", stats["diverging"]).sum()),
        e_bfmi=float(azs.bfmi(stats.assign_coords(chain=posterior["chain"]))["energy"].min()),
        saturated=int((stats["depth"] >= max_depth).sum()),
        worst={name: variable for name, (_, variable) in found.items()},
        quantities=int(sum(v.notnull().sum() for v in r_hat.values())),
        thin=thin,
    )


def _worst(diagnostic: xr.Dataset, extreme: Any) -> tuple[float, str]:
    """Most extreme value over all quantities, and the name of the quantity with its labels."""
    values = {n: float(extreme(v)) for n, v in diagnostic.items() if v.size and not np.isnan(v).all()}
    if not values:
        return float("nan"), "?"
    name = max(values, key=lambda n: values[n]) if extreme is np.nanmax else min(values, key=lambda n: values[n])
    array = diagnostic[name]
    at = np.unravel_index(np.argmax((array == values[name]).to_numpy()), array.shape) if array.ndim else ()
    labels = [str(array[d].to_numpy()[i]) for d, i in zip(array.dims, at, strict=True)]
    return values[name], f"{name}[{', '.join(labels)}]" if labels else str(name)
