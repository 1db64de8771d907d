"""What every test runs under: pictures are drawn without a screen, and other warnings are errors."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")  # before anything imports matplotlib

import pytest


def together(item: pytest.Item) -> str:
    """What a test shares with others, so that one process makes it once: a module's fits, or a model's."""
    module = item.path.stem
    if "slow" not in item.keywords:
        return module
    model = getattr(item, "callspec", None)
    return item.name if model is None or module != "test_recovery" else f"{module} {model.id}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests that share something one worker, and start what takes longest first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(together(item)))
    items.sort(key=lambda item: "slow" not in item.keywords)
