"""Which points a sweep has, and which it refuses."""

import math

import pytest

from ohmlearn.errors import ConfigError
from ohmlearn.sweeps.design import make_points, parse_axes, refuse_too_many, whole_numbers


def points(*texts, design="grid", count=None, seed=0):
    return make_points(parse_axes(texts, design), design, count, seed)


def test_a_grid_has_every_combination_the_last_key_fastest():
    grid = points("learning.beta=0.1,0.2", "learning.eta=[0.1,0.2],0.3")
    assert grid == [
        ("0.1", "[0.1,0.2]"),
        ("0.1", "0.3"),
        ("0.2", "[0.1,0.2]"),
        ("0.2", "0.3"),
    ]


def test_commas_inside_brackets_and_quotes_split_nothing():
    (axis,) = parse_axes(['device.stuck={ low = 0.1, high = 0 }, 0.2, "a,b"'])
    assert axis.values == ("{ low = 0.1, high = 0 }", "0.2", '"a,b"')


def test_a_list_pairs_values_up():
    assert points("a.b=1,2,2", "a.c=3,4,5", design="list") == [("1", "3"), ("2", "4"), ("2", "5")]


@pytest.mark.parametrize("design", ["random", "sobol"])
def test_drawn_points_lie_in_their_ranges_and_fewer_are_the_first_of_more(design):
    texts = ("learning.beta=0.01:1:log", "device.read_noise=0:0.5", "device.preset=a,b,c")
    many = points(*texts, design=design, count=64, seed=3)
    assert points(*texts, design=design, count=9, seed=3) == many[:9]
    assert points(*texts, design=design, count=9, seed=4) != many[:9]
    beta = [float(p[0]) for p in many]
    assert all(0.01 <= b <= 1 for b in beta)
    assert all(0 <= float(p[1]) <= 0.5 for p in many)
    assert {p[2] for p in many} == {"a", "b", "c"}
    # Evenly spread in the logarithm: half of them below the geometric mean of the ends.
    below = sum(b < 0.1 for b in beta)
    assert below == 32 if design == "sobol" else 16 < below < 48


def test_sobol_fills_every_eighth_of_a_range_equally():
    drawn = points("learning.beta=0:8", design="sobol", count=64)
    cells = [math.floor(float(p[0])) for p in drawn]
    assert [cells.count(k) for k in range(8)] == [8] * 8


def test_keys_of_whole_numbers_draw_whole_numbers_both_ends_included():
    drawn = points("training.epochs=1:3", design="random", count=60)
    assert {p[0] for p in drawn} == {"1", "2", "3"}
    assert whole_numbers("device.levels")
    assert not whole_numbers("learning.beta")
    assert not whole_numbers("nothing.at_all")


@pytest.mark.parametrize(
    ("texts", "design", "count", "says"),
    [
        ([], "grid", None, "nothing to sweep"),
        (["beta"], "grid", None, r"--over beta: write it as section\.key"),
        (["a.=1"], "grid", None, "write it as"),
        (["a.b="], "grid", None, "a value is missing"),
        (["a.b=1,,2"], "grid", None, "a value is missing"),
        (["a.b=1,1"], "grid", None, "the value 1 is given twice"),
        (["a.b=1", "a.b=2"], "grid", None, r"--over a\.b is given twice"),
        (["run.seed=1,2"], "grid", None, "--seeds N"),
        (["a.b=0:1"], "grid", None, "--design random or sobol"),
        (["a.b=1:0"], "random", 3, "to a larger one"),
        (["a.b=0:inf"], "random", 3, "to a larger one"),
        (["a.b=0:1:log"], "sobol", 3, "begin above 0"),
        (["a.b=0:1"], "sobol", None, "--points N"),
        (["a.b=0,1"], "grid", 5, "--points is for"),
        (["a.b=0,1", "a.c=1"], "list", None, r"a\.b has 2, a\.c has 1"),
        (["a.b=0,0", "a.c=1,1"], "list", None, "same point is given twice"),
        (["a.b=0,1"], "grids", None, "did you mean 'grid'"),
    ],
)
def test_wrong_designs_are_refused_in_one_sentence(texts, design, count, says):
    with pytest.raises(ConfigError, match=says) as raised:
        points(*texts, design=design, count=count)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("texts", "design", "count"),
    [
        (["learning.beta=0.1:0.2"], "random", 10**12),
        ([f"learning.{key}={','.join(map(str, range(1, 101)))}" for key in "abc"], "grid", None),
    ],
)
def test_more_points_than_a_sweep_can_have_are_refused(texts, design, count):
    with pytest.raises(ConfigError, match=r"points: a sweep has at most 100,000 runs"):
        points(*texts, design=design, count=count)


def test_seeds_count_towards_the_limit():
    refuse_too_many(100, 1000)
    with pytest.raises(ConfigError, match="100 points with 1,001 seeds each"):
        refuse_too_many(100, 1001)
