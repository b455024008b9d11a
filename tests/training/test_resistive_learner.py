"""The learner of resistive networks: what it keeps, what it repeats, and learning on cells."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.hopfield import make_layout
from ohmlearn.circuits.resistive.packed import Rails
from ohmlearn.crossbar.array import Crossbar
from ohmlearn.devices import Effects, get_device
from ohmlearn.devices.effects.retention import PowerLaw
from ohmlearn.devices.variability import CycleToCycle
from ohmlearn.errors import SimulationError
from ohmlearn.training.policies import make_policy
from ohmlearn.training.resistive.cells import Cells
from ohmlearn.training.resistive.conductances import Contrast, Floats
from ohmlearn.training.resistive.encoding import Encoding
from ohmlearn.training.resistive.learner import Phases, ResistiveLearner
from ohmlearn.training.resistive.physics import Descent
from ohmlearn.training.resistive.readout import Readout
from ohmlearn.training.rules import RULES
from ohmlearn.training.samples import Dataset
from ohmlearn.training.trainer import Plan, Position, accuracy, train

SIZES = (8, 6, 3)
LAYOUT = make_layout(SIZES)


def free_rails(dtype=np.float64):
    low = np.r_[np.zeros(3), np.full(6, -np.inf)].astype(dtype)
    high = np.r_[np.full(3, np.inf), np.zeros(3), np.full(3, np.inf)].astype(dtype)
    return Rails(low, high, np.ones(3, dtype), np.ones(3, dtype))


def initial(dtype=np.float64, low=0.1, high=0.5):
    theta = np.zeros(LAYOUT.length, dtype)
    rng = np.random.default_rng(1)
    for layer in (1, 2):
        g = LAYOUT.weight(theta, layer)
        g[...] = rng.uniform(low, high, g.shape)
    return theta


def learner_of(synapses, rule="ep", carried=True, beta=0.1):
    physics = Descent(LAYOUT, synapses.rails, synapses.theta)
    phases = Phases(6, 4, beta, carried)
    return ResistiveLearner(
        LAYOUT, Encoding(3.0), Readout(), physics, synapses, RULES[rule], phases
    )


def float_learner(rule="ep", floor=0.0, ceiling=np.inf, eta=0.05, **options):
    synapses = Floats(LAYOUT, free_rails(), initial(), [eta, eta], [eta, eta], floor, ceiling)
    return learner_of(synapses, rule, **options)


def data(rows=21):
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 1, (rows, 4)), rng.integers(0, 3, rows)
    return Dataset("own", x, y, x[:7], y[:7], 3, (4,), "own", "own")


def run(learner, epochs=2, batch_size=4, position=None):
    position = position or Position()
    plan = Plan(epochs, batch_size, seed=5)
    for _ in train(learner, data(), plan, position):
        pass
    return position


def test_encoding_puts_features_opposites_and_rails_in_order():
    u = Encoding(2.0, 0.5, True, (0.0, 1.0)).volts(np.array([[0.0, 1.0, 0.25]]), np.float64)
    assert u.tolist() == [[-1.0, 1.0, -0.5, 1.0, -1.0, 0.5, 0.0, 1.0]]
    single = Encoding(2.0, doubled=False)
    assert single.nodes(3) == 3
    assert single.volts(np.array([[0.0, 1.0]]), np.float32).tolist() == [[0.0, 2.0]]


def test_each_row_is_used_once_per_epoch():
    learner, seen = float_learner(), []
    plain = learner.train_batch

    def spy(x, target, sign, step, rate=1.0):
        seen.append(x.copy())
        return plain(x, target, sign, step, rate)

    learner.train_batch = spy
    run(learner, epochs=2)
    for epoch in (seen[:6], seen[6:]):
        rows = np.concatenate(epoch)
        order = np.lexsort(rows.T)
        assert np.array_equal(rows[order], data().x_train[np.lexsort(data().x_train.T)])
    assert not np.array_equal(seen[0], seen[6])


def test_learning_lowers_the_loss_that_it_reports():
    learner = float_learner("centred-ep", eta=0.02)
    events = run(learner, epochs=30).events
    assert events[-1]["train_loss"] < 0.7 * events[0]["train_loss"]
    x, y = data().x_test, data().y_test
    reported = learner.loss(learner.outputs(x), np.eye(3)[y]) / len(x)
    assert events[-1]["test_loss"] == pytest.approx(reported, rel=1e-12)


@pytest.mark.parametrize("rule", ["ep", "centred-ep", "cep"])
def test_a_restored_learner_continues_to_the_same_bits(rule):
    whole = float_learner(rule)
    run(whole, epochs=3)
    first, position = float_learner(rule), Position()
    steps = train(first, data(), Plan(3, 4, seed=5), position)
    for _ in range(9):  # in the second epoch
        next(steps)
    saved = {name: array.copy() for name, array in first.state().items()}
    second = float_learner(rule)
    second.restore(saved)
    run(second, epochs=3, position=position)
    assert np.array_equal(whole.theta, second.theta)


def test_evaluation_does_not_depend_on_threads_or_on_training():
    learner = float_learner()
    rng = np.random.default_rng(6)
    x, y = rng.uniform(0, 1, (1200, 4)), rng.integers(0, 3, 1200)
    alone, together = (accuracy(learner, x, y, 0, threads) for threads in (1, 4))
    assert alone == together
    before = learner.state()["carried"].copy()
    learner.outputs(x)
    assert np.array_equal(before, learner.state()["carried"])


def test_the_free_phase_starts_where_the_last_batch_stood_if_it_is_carried():
    x, target = data().x_train[:4], np.eye(3)[data().y_train[:4]]
    for carried in (True, False):
        learner = float_learner(carried=carried, eta=0.0)
        outputs = [learner.train_batch(x, target, 1.0, 0) for _ in range(2)]
        assert np.array_equal(*outputs) != carried


def test_bounds_hold():
    learner = float_learner(floor=0.15, ceiling=0.45, eta=5.0)
    learner.train_batch(data().x_train, np.eye(3)[data().y_train], 1.0, 0)
    g = np.concatenate([LAYOUT.weight(learner.theta, layer).ravel() for layer in (1, 2)])
    assert g.min() == 0.15
    assert g.max() == 0.45


def test_rate_scales_every_change():
    x, target = data().x_train[:4], np.eye(3)[data().y_train[:4]]
    changes = []
    for rate in (1.0, 0.25):
        learner = float_learner(eta=1e-3)
        before = learner.theta.copy()
        learner.train_batch(x, target, 1.0, 0, rate)
        changes.append(learner.theta - before)
    np.testing.assert_allclose(changes[1], 0.25 * changes[0], rtol=1e-9, atol=1e-15)


def test_the_negative_phase_refuses_a_runaway():
    learner = float_learner("centred-ep", beta=50.0)
    with pytest.raises(SimulationError, match="smaller beta"):
        learner.train_batch(data().x_train[:4], np.eye(3)[data().y_train[:4]], 1.0, 0)


# ---- cells ------------------------------------------------------------------------------------


def cell_learner(policy="ideal", rule="ep", eta=0.01, effects=None, **options):
    device = get_device("ConstantStep")
    params = device.params()._replace(g_min=1e-6, g_max=1e-4, dg_up=1e-7, dg_down=1e-7)
    theta, crossbars = initial(), []
    for layer in (1, 2):
        crossbar = Crossbar.build(
            *SIZES[layer - 1 : layer + 1],
            device,
            params,
            effects or Effects(),
            encoding="single",
            weight_range=1.0,
            seed=4,
            array_id=layer - 1,
        )
        middle = crossbar.reference[0] / crossbar.unit
        crossbar.set_weights(LAYOUT.weight(theta, layer) - middle)
        crossbars.append(crossbar)
    cells = sum(crossbar.cells for crossbar in crossbars)
    synapses = Cells(
        LAYOUT, free_rails(), theta, crossbars, [eta, eta], [eta, eta],
        make_policy(policy, cells, theta.dtype), crossbars[0].unit, 4,
    )  # fmt: skip
    return learner_of(synapses, rule, **options)


def test_cells_begin_at_the_conductances_asked_for():
    np.testing.assert_allclose(cell_learner().theta, initial(), rtol=1e-9)


@pytest.mark.parametrize("rule", ["ep", "centred-ep", "cep"])
def test_the_ideal_policy_is_plain_learning(rule):
    cells, floats = cell_learner(rule=rule), float_learner(rule, eta=0.01)
    run(cells)
    run(floats)
    np.testing.assert_allclose(cells.theta, floats.theta, rtol=1e-7, atol=1e-12)
    assert cells.pulses == 0


@pytest.mark.parametrize("policy", ["stochastic", "deterministic-residue"])
def test_pulses_add_up_to_what_was_asked(policy):
    cells, floats = cell_learner(policy, "cep"), float_learner("cep", eta=0.01)
    run(cells, epochs=4)
    run(floats, epochs=4)
    start = initial()
    a, b = cells.theta - start, floats.theta - start
    assert cells.pulses > 100
    assert np.corrcoef(a, b)[0, 1] > 0.98


def test_the_mean_of_stochastic_pulses_is_the_request():
    rng = np.random.default_rng(11)
    u = rng.normal(size=(2, 8))
    old, new = rng.normal(size=(2, 2 * LAYOUT.units)) * 0.05
    asked = []
    learner = cell_learner()
    start = learner.theta.copy()
    learner.synapses.serve(Contrast(u, old, new, 0.3, 0, 0))
    asked = learner.theta - start
    learner = cell_learner("stochastic")
    total, trials = np.zeros_like(asked), 400
    saved = {name: array.copy() for name, array in learner.synapses.state().items()}
    for trial in range(trials):
        learner.synapses.serve(Contrast(u, old, new, 0.3, trial, 0))
        total += learner.theta - start
        learner.synapses.restore(saved)
    for layer in (1, 2):
        got, wanted = (LAYOUT.weight(v, layer) for v in (total / trials, asked))
        step = 1e-7 / learner.synapses.unit
        assert np.abs(got - wanted).max() < 4.5 * 0.5 * step / np.sqrt(trials)


def test_cells_restore_to_the_same_bits():
    effects = Effects(cycle_to_cycle=CycleToCycle(0.3))
    whole = cell_learner("stochastic", "cep", effects=effects)
    run(whole, epochs=3)
    first, position = cell_learner("stochastic", "cep", effects=effects), Position()
    steps = train(first, data(), Plan(3, 4, seed=5), position)
    for _ in range(9):
        next(steps)
    saved = {name: array.copy() for name, array in first.state().items()}
    second = cell_learner("stochastic", "cep", effects=effects)
    second.restore(saved)
    run(second, epochs=3, position=position)
    assert np.array_equal(whole.theta, second.theta)
    assert whole.pulses == second.pulses


def test_a_rest_is_undone():
    effects = Effects(retention=PowerLaw(nu=0.1, t0=1.0))
    learner = cell_learner("stochastic", effects=effects)
    run(learner, epochs=1)
    before = learner.theta.copy()
    with learner.rested(1e4):
        later = LAYOUT.weight(learner.theta, 1).copy()
    assert (later < 0.9 * LAYOUT.weight(before, 1)).all()
    assert np.array_equal(learner.theta, before)


def test_a_record_keeps_siemens():
    kept = cell_learner().figures()
    assert kept["g_plus_1"].shape == (8, 6)
    assert 1e-6 <= kept["g_plus_2"].min() <= kept["g_plus_2"].max() <= 1e-4
