"""The version of this package, and of those that its numbers depend on."""

from importlib.metadata import version

__version__ = "0.2.0"


def versions(*packages: str) -> dict[str, str]:
    """Installed versions of packages, by name."""
    return {name: __version__ if name == "bayes-scaling" else version(name) for name in packages}
