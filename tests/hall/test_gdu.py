"""The check of Theorem 1 as a whole: bands, checks, experiments, figures, the verb."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from ohmlearn.errors import ConfigError
from ohmlearn.experiment import parse_experiment
from ohmlearn.gradients.figures import draw_gdu, layer_label
from ohmlearn.gradients.process import Check, run_gdu
from ohmlearn.verbs.gdu import gdu

GOLDEN = Path(__file__).parents[1] / "golden" / "gdu_bands.json"
NAMES = {"RelMSE_s0": "s_2", "RelMSE_s1": "s_1", "RelMSE_W01": "w_2", "RelMSE_W1x": "w_1"}
EXPERIMENT = """
name = "small"
[data]
name = "digits"
[network]
layers = [64, 12, 10]
dynamics = "{dynamics}"
activation = "tanh"
symmetric = {symmetric}
angle = {angle}
[learning]
rule = "{rule}"
beta = 0.1
eta = [1e-3, 5e-4]
free_steps = {free_steps}
nudged_steps = 12
[training]
epochs = 1
"""


def text(dynamics="energy-based", symmetric="true", rule="cep", free_steps=600):
    angle = 0.0 if symmetric == "true" else 20.0
    return EXPERIMENT.format(
        dynamics=dynamics, symmetric=symmetric, angle=angle, rule=rule, free_steps=free_steps
    )


def experiment(dynamics="energy-based", symmetric="true", rule="cep", free_steps=600):
    return parse_experiment(text(dynamics, symmetric, rule, free_steps), "small.toml")


@pytest.fixture(scope="module")
def default():
    return run_gdu()


def bands():
    """Yield (beta, eta), the name of a quantity, and the values of both draws."""
    golden = json.loads(GOLDEN.read_text())
    columns = golden["first_draw"]["columns"]
    rows = zip(golden["first_draw"]["rows"], golden["second_draw"]["rows"], strict=True)
    for first, second in rows:
        assert first[:2] == second[:2]
        for name, *values in list(zip(columns, first, second, strict=True))[2:]:
            yield tuple(first[:2]), NAMES.get(name, name), [v for v in values if v is not None]


def test_default_sweep_lies_in_the_measured_bands(default):
    found = {(row.beta, row.eta[0]): row.distance for row in default.rows}
    compared = 0
    for pair, name, values in bands():
        distance = found[pair]
        own = distance.angle if name == "angle_deg" else distance.error[name][0]
        assert min(values) / 2 <= own <= 2 * max(values), (pair, name)
        compared += 1
    assert compared == 50
    assert len(found) == 10


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_check_passes_for_other_draws(seed):
    result = run_gdu(seed=seed)
    assert result.settled
    assert len(result.checks) == 5
    assert all(check.passed for check in result.checks), result.checks


def test_checks_of_the_default_sweep(default):
    assert default.problem.exact
    assert [check.passed for check in default.checks] == [True] * 5
    table = default.as_dict()
    json.dumps(table, allow_nan=False)
    assert table["rows"][0]["rel_mse_std"]["s_1"] > 0
    assert table["rows"][2]["sign_agreement"] > 0.999


def test_check_fails_outside_and_where_the_process_blew_up():
    assert not Check("x", (7.0, 10.0), (8.0, 12.0)).passed
    assert not Check("x", (9.0, 13.0), (8.0, 12.0)).passed
    assert not Check("x", (float("nan"), float("nan")), (8.0, 12.0)).passed
    assert Check("x", (9.0, 10.0), (8.0, 12.0)).passed


def test_experiment_brings_its_network_data_and_rates():
    result = run_gdu(experiment())
    assert result.problem.exact
    assert [row.beta for row in result.rows] == pytest.approx([0.1, 0.01, 0.001, 0.1, 0.1, 0.1])
    assert result.rows[-1].eta == (1e-3, 5e-4)
    assert result.rows[-1].ratio == pytest.approx(0.01)
    assert set(result.rows[0].distance.error) == {"s_1", "s_2", "w_1", "w_2"}
    assert 0 < result.problem.x.max() <= 1
    assert result.problem.theta.dtype == np.float64
    assert [check.what for check in result.checks] == ["eta 0, beta 0.01 to 0.001"]
    assert result.checks[0].passed


def test_separate_weights_are_compared_too_and_nothing_is_claimed_of_them():
    result = run_gdu(experiment("prototypical", "false", "cvf"))
    assert set(result.rows[0].distance.error) == {"s_1", "s_2", "w_1", "w_2", "back_2"}
    assert not result.problem.exact
    assert not result.checks


def test_unsettled_free_phase_is_told():
    assert not run_gdu(experiment(free_steps=14)).settled
    assert run_gdu(experiment(free_steps=14), free_steps=900).settled


def test_same_seed_same_numbers_and_another_seed_others():
    first, again, other = (run_gdu(seed=seed, betas=[1e-2]) for seed in (4, 4, 5))
    assert first.as_dict() == again.as_dict()
    assert first.as_dict() != other.as_dict()


def test_sweep_is_every_beta_with_every_eta():
    result = run_gdu(betas=[1e-2, -1e-3], etas=[0.0, 1e-6])
    pairs = [(row.beta, row.eta) for row in result.rows]
    assert pairs == [(b, (e, e)) for b in (1e-2, -1e-3) for e in (0.0, 1e-6)]
    assert [row.beta for row in run_gdu(etas=[1e-6]).rows] == [1e-3]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"betas": [0.0]}, "beta is 0"),
        ({"betas": [float("nan")]}, "beta is nan"),
        ({"etas": [-1e-3]}, "eta is -0.001"),
        ({"etas": [float("inf")]}, "eta is inf"),
        ({"free_steps": 10}, "at most as many"),
    ],
)
def test_wrong_numbers_are_refused(options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        run_gdu(**options)


def test_network_that_does_not_fit_its_data_is_refused():
    wrong = parse_experiment(text().replace("[64, 12, 10]", "[30, 12, 10]"), "small.toml")
    with pytest.raises(ConfigError, match="64 inputs and 10 classes"):
        run_gdu(wrong)


def png_size(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_figures_of_the_default_and_of_a_process_that_blows_up(default, tmp_path):
    for folder, result in (
        ("default", default),
        ("blown", run_gdu(betas=[1e-3], etas=[0.0, 1e3])),
    ):
        paths = draw_gdu(tmp_path / folder, result)
        assert [path.name for path in paths] == ["gdu_curves.png", "gdu_error.png"]
        assert min(side for path in paths for side in png_size(path)) > 300


def test_curves_are_of_units_and_synapses_that_have_a_gradient(default):
    assert [curves.beta for curves in default.curves] == [1e-3] * 3
    for curves in default.curves:
        for name, descent in curves.descent.items():
            assert descent.shape == curves.process[name].shape == (80, 5)
            assert descent.any(axis=0).all()
    still = default.curves[0]
    for name, descent in still.descent.items():
        np.testing.assert_allclose(still.process[name], descent, 0, 0.01 * np.abs(descent).max())


@pytest.mark.parametrize(
    ("name", "depth", "label"),
    [
        ("s_1", 2, "neurons, hidden"),
        ("s_2", 2, "neurons, output"),
        ("s_2", 3, "neurons, hidden 2"),
        ("w_1", 2, "input to hidden"),
        ("w_1", 1, "input to output"),
        ("w_3", 3, "hidden 2 to output"),
        ("back_2", 2, "output to hidden"),
    ],
)
def test_layers_are_called_by_their_place(name, depth, label):
    assert layer_label(name, depth) == label


@pytest.fixture
def invoke():
    app = typer.Typer()
    app.command()(gdu)

    def run(*arguments: str):
        return CliRunner().invoke(app, list(arguments))

    return run


def test_verb_prints_table_checks_and_figures(invoke, tmp_path):
    result = invoke("--out", str(tmp_path / "here"), "--beta", "1e-2", "--beta", "1e-3")
    assert result.exit_code == 0, result.output
    for expected in ("Distance from BPTT: 30-40-5", "s_1", "w_2", "angle", "pass", "figure:"):
        assert expected in result.stdout
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [
        "gdu_curves.png",
        "gdu_error.png",
    ]


def test_verb_prints_json_and_nothing_else(invoke, tmp_path):
    result = invoke("--out", str(tmp_path), "--json", "--beta", "1e-2", "--eta", "1e-4")
    table = json.loads(result.stdout)
    assert table["layers"] == [30, 40, 5]
    assert table["rows"][0]["eta"] == [1e-4, 1e-4]
    assert [Path(path).is_file() for path in table["figures"]] == [True, True]


def test_verb_takes_an_experiment(invoke, tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(text("prototypical", "false", "cvf", 14))
    result = invoke(str(path), "--out", str(tmp_path / "out"), "--seed", "3")
    assert result.exit_code == 0, result.output
    assert "back_2" in result.stdout
    assert "No ratios are checked" in result.stdout
    assert invoke(str(tmp_path / "none.toml")).exit_code == 2
    assert invoke("--beta", "0", "--out", str(tmp_path)).exit_code == 2


def test_verb_explains_an_unsettled_phase(invoke, tmp_path):
    result = invoke("--free-steps", "80", "--out", str(tmp_path), "--beta", "1e-3")
    assert result.exit_code == 0
    assert "has not settled" in result.stdout
