"""What every test runs under: pictures are drawn without a screen, other warnings are errors, two processes share."""

import os
from typing import Any

os.environ.setdefault("MPLBACKEND", "Agg")  # before anything imports matplotlib

import pytest
from xdist.scheduler import LoadScopeScheduling

APART = ("test_calibration", "test_density", "test_notebooks")  # tests that share nothing, many of them long


class Together(LoadScopeScheduling):
    """Sends tests that share a fit to one process, so that it is fitted once: those of a module, or of a model."""

    def _split_scope(self, nodeid: str) -> str:
        module, _, test = nodeid.partition("::")
        if any(name in module for name in APART):
            return nodeid
        return module + test[test.find("[") :] if "test_recovery" in module and "[" in test else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    return Together(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start what takes longest first."""
    items.sort(key=lambda item: "slow" not in item.keywords)
