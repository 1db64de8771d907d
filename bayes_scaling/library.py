"""Where the shipped files are: ``models`` and ``datasets``, in the wheel or beside the package in a checkout."""

from pathlib import Path

from bayes_scaling.errors import FileError

PACKAGE = Path(__file__).parent


def library_folder(kind: str) -> Path:
    """Find the folder of shipped models or data sets.

    Parameters
    ----------
    kind
        ``"models"`` or ``"datasets"``.

    Returns
    -------
    Path
        The folder in the installed package, or else the one at the top of the checkout.

    Raises
    ------
    FileError
        When neither exists: the installation is incomplete.
    """
    places = [PACKAGE / "_library" / kind, PACKAGE.parent / kind]
    for place in places:
        if place.is_dir():
            return place
    raise FileError(f"no folder {kind!r}: looked in {' and '.join(map(str, places))}; reinstall the package")


def names(kind: str) -> list[str]:
    """List what ships with the package, in alphabetical order.

    Parameters
    ----------
    kind
        ``"models"`` (one TOML document each) or ``"datasets"`` (one folder each).

    Returns
    -------
    list of str
        The names that the loaders accept.
    """
    documents = [path.stem for path in library_folder(kind).glob("*.toml")]
    folders = [path.parent.name for path in library_folder(kind).glob("*/dataset.toml")]
    return sorted(documents + folders)
