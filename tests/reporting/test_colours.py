"""Lines can be told apart also by people who do not see all colours."""

import itertools

import numpy as np
import pytest

from bayes_scaling.reporting.canvas import COLOURS, dashes

# Machado, Oliveira and Fernandes 2009 (doi 10.1109/TVCG.2009.113), severity 1: linear RGB as others see it.
SEEN = {
    "all colours": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
WHITE = np.array([0.9505, 1.0, 1.089])
TOLD_APART = 10.0  # distance in CIELAB: about four times what is just noticed side by side


def lab(colour, who):
    """CIELAB of a colour as somebody sees it."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    part = np.asarray(TO_XYZ) @ np.clip(np.asarray(SEEN[who]) @ linear, 0, 1) / WHITE
    f = np.where(part > 0.008856, np.cbrt(part), 7.787 * part + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("who", SEEN)
def test_no_two_lines_look_alike(who):
    lines = [(COLOURS[at % len(COLOURS)], dashes(at, len(COLOURS))) for at in range(2 * len(COLOURS))]
    for (one, its), (other, others) in itertools.combinations(lines, 2):
        assert its != others or np.linalg.norm(lab(one, who) - lab(other, who)) > TOLD_APART


def test_the_simulation_sees_what_it_should():
    red, green = "#D55E00", "#009E73"
    apart = {who: np.linalg.norm(lab(red, who) - lab(green, who)) for who in SEEN}
    assert apart["deuteranopia"] < 0.7 * apart["all colours"]
    assert np.linalg.norm(lab("#FFFFFF", "all colours") - [100, 0, 0]) < 0.1
    assert np.linalg.norm(lab("#A0A0A0", "protanopia") - lab("#A0A0A0", "all colours")) < 1
