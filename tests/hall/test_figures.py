"""Figures are drawn from what a record holds, whatever its level, and show the numbers in it."""

import numpy as np
import pytest
from matplotlib.image import imread

from ohmlearn.errors import RecordError
from ohmlearn.figures import run as figures

RNG = np.random.default_rng(0)
DEVICE = {
    "g_plus_1": RNG.uniform(5e-6, 1e-4, (20, 30)),
    "g_minus_1": RNG.uniform(5e-6, 1e-4, (20, 30)),
    "g_plus_2": RNG.uniform(5e-6, 1e-4, (30, 10)),
    "g_minus_2": RNG.uniform(5e-6, 1e-4, (30, 10)),
}
SINGLE = {"g_plus_1": DEVICE["g_plus_1"]}
IDEAL = {"w_1": RNG.normal(size=(20, 30)), "w_2": RNG.normal(size=(30, 10))}
EVENTS = [
    {"epoch": 1, "train_accuracy": 0.7, "test_accuracy": 0.6, "set_pulses": 9, "reset_pulses": 5},
    {"epoch": 2, "train_accuracy": 0.8, "test_accuracy": None, "set_pulses": 4, "reset_pulses": 3},
]
TOTALS = [{"epoch": 1, "test_accuracy": 0.5, "pulses": 100}]

DEVICE_FIGURES = {"accuracy", "pulses", "conductances", "conductance_map"}


@pytest.mark.parametrize(
    ("arrays", "events", "names"),
    [
        (DEVICE, EVENTS, DEVICE_FIGURES),
        (SINGLE, TOTALS, DEVICE_FIGURES),
        (SINGLE, [{"epoch": 1, "pulses": 0}], DEVICE_FIGURES - {"pulses"}),
        (IDEAL, EVENTS, {"accuracy", "weights", "weight_map"}),
        ({}, [], {"accuracy"}),
        ({"w_1": np.full((3, 4), np.nan)}, [], {"accuracy", "weights", "weight_map"}),
        ({"w_1": np.zeros((3, 4))}, TOTALS, {"accuracy", "weights", "weight_map"}),
    ],
)
def test_every_level_has_its_figures(tmp_path, arrays, events, names):
    summary = {"name": "small", "test_accuracy": 0.6}
    written = figures.draw_figures(tmp_path, summary, arrays, events)
    assert {path.stem for path in written} == names
    for path in written:
        assert path.parent == tmp_path / "figures"
        picture = imread(path)
        assert picture.std() > 0.02  # not a blank page
        assert min(picture.shape[:2]) > 300


def test_histograms_count_every_cell_of_both_arms():
    drawn = figures._conductances([1, 2], DEVICE)
    for axes, cells in zip(drawn.axes, (600, 300), strict=True):
        filled = sum(patch.get_height() for box in axes.containers for patch in box)
        assert filled == 2 * cells
        assert axes.get_xlabel() == "conductance (µS)"


def test_few_cells_have_few_bins_and_whole_counts():
    few = {"g_plus_1": RNG.uniform(5e-6, 1e-4, (10, 6))}
    (axes,) = figures._conductances([1], few).axes
    assert len(axes.containers[0]) == 15
    axes.set_ylim(0.0, 1.4)
    assert all(tick == round(tick) for tick in axes.get_yticks())


@pytest.mark.parametrize(
    ("largest", "unit"), [(2e-7, "nS"), (1e-4, "µS"), (0.2, "mS"), (300.0, "S"), (0.0, "µS")]
)
def test_conductances_have_the_unit_that_fits_them(largest, unit):
    arrays = {"g_plus_1": largest * np.linspace(0.0, 1.0, 12).reshape(3, 4)}
    histogram, colours = figures._conductances([1], arrays), figures._map(1, arrays, device=True)
    assert histogram.axes[0].get_xlabel() == f"conductance ({unit})"
    assert "per arm" not in histogram.axes[0].get_title()
    assert colours.axes[1].get_ylabel() == f"G ({unit})"
    assert np.asarray(colours.axes[0].images[0].get_array()).max() < 1e3


def test_map_shows_the_pair_difference_in_microsiemens():
    drawn = figures._map(1, DEVICE, device=True)
    image = drawn.axes[0].images[0]
    expected = 1e6 * (DEVICE["g_plus_1"] - DEVICE["g_minus_1"])
    np.testing.assert_allclose(np.asarray(image.get_array()), expected)
    low, high = image.get_clim()
    assert low == -high  # white means equal arms


def test_pulses_are_stacked_to_their_total():
    axes = figures._pulses({}, EVENTS).axes[0]
    tops = [patch.get_y() + patch.get_height() for patch in axes.containers[1]]
    assert tops == [14, 7]


def test_figures_leave_matplotlib_as_it_was(tmp_path):
    import matplotlib
    from matplotlib import _pylab_helpers

    before = dict(matplotlib.rcParams)
    figures.draw_figures(tmp_path, {}, IDEAL, EVENTS)
    assert dict(matplotlib.rcParams) == before
    assert not _pylab_helpers.Gcf.get_all_fig_managers()


def test_folder_in_the_way_is_explained(tmp_path):
    (tmp_path / "figures").write_text("not a folder")
    with pytest.raises(RecordError, match="cannot write"):
        figures.draw_figures(tmp_path, {}, {}, [])
