"""ngspice in this process: one circuit, many sources, and errors it survives."""

import numpy as np
import pytest

from ohmlearn.errors import NetlistError
from ohmlearn.spice_netlists.ngspice import Found, shared
from ohmlearn.spice_netlists.ngspice.shared import shared_engine

pytestmark = [pytest.mark.spice, pytest.mark.usefixtures("ngspice")]

DIODE = """* a diode
v1 a 0 dc 1
r1 a b 1000.0
d1 b 0 dx
.model dx d(is=1e-12 n=1.0)
.options reltol=1e-11 vntol=1e-14 abstol=1e-15
.op
.save v(b) i(v1)
.end
"""


@pytest.fixture
def engine(libngspice):
    return shared_engine()


def test_sources_are_altered_to_all_digits(engine):
    engine.load(DIODE)
    for value in np.random.default_rng(0).uniform(-1, 1, 20):
        engine.alter({"v1": value})
        b, i = engine.operating_point(["v(b)", "i(v1)"])
        assert i == pytest.approx((b - value) / 1000.0, rel=1e-9, abs=1e-18)


def test_an_answer_does_not_depend_on_the_one_before(engine):
    engine.load(DIODE)
    first = engine.operating_point(["v(b)"])[0]
    engine.alter({"v1": -0.5})
    engine.operating_point(["v(b)"])
    engine.alter({"v1": 1.0})
    assert engine.operating_point(["v(b)"])[0] == pytest.approx(first, abs=1e-12)


def test_more_sources_than_one_command_holds(engine):
    count = 300
    lines = [f"v{k} n{k} 0 dc 0\nr{k} n{k} 0 1.0" for k in range(count)]
    engine.load("* many\n" + "\n".join(lines) + "\n.op\n.end\n")
    values = np.random.default_rng(1).normal(size=count)
    engine.alter({f"v{k}": value for k, value in enumerate(values)})
    found = engine.operating_point([f"v(n{k})" for k in range(count)])
    np.testing.assert_allclose(found, values, rtol=1e-15)


def test_a_transient(engine):
    engine.load("* rc\nv1 a 0 dc 1\nr1 a b 1e3\nc1 b 0 1e-12\n.tran 1e-11 5e-9 uic\n.end\n")
    t, v = engine.run(["time", "v(b)"]).T
    assert t[-1] == pytest.approx(5e-9)
    np.testing.assert_allclose(v[1:], 1 - np.exp(-t[1:] / 1e-9), atol=5e-3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("* t\nv1 a 0 dc 1\nb1 a 0 i=nothing(v(a))\n.op\n.end\n", "nothing"),
        ("* t\nv1 a 0 dc 1\nv2 a 0 dc 2\n.op\n.end\n", "singular|failed"),
    ],
)
def test_after_an_error_the_next_circuit_works(engine, text, told):
    def load_and_solve():
        engine.load(text)
        engine.operating_point(["v(a)"])

    with pytest.raises(NetlistError, match=told):
        load_and_solve()
    engine.load(DIODE)
    assert 0.4 < engine.operating_point(["v(b)"])[0] < 0.7


def test_names_that_do_not_exist_are_errors(engine):
    engine.load(DIODE)
    with pytest.raises(NetlistError, match="vnone"):
        engine.alter({"vnone": 1.0})
    with pytest.raises(NetlistError, match="not among the results"):
        engine.operating_point(["v(none)"])
    with pytest.raises(NetlistError, match="finite"):
        engine.alter({"v1": np.nan})


def test_a_newer_ngspice_is_refused_with_the_reason(monkeypatch):
    newer = Found("/usr/bin/ngspice", 43, "/lib/libngspice.so.0", "/lib", "1.5")
    monkeypatch.setattr(shared, "find_ngspice", lambda required=True: newer)
    with pytest.raises(NetlistError, match=r"standard error.*Batch mode"):
        shared_engine()
