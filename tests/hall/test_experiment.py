"""An experiment means one thing, and a wrong one is explained."""

import tomllib

import pytest
from pydantic import ValidationError

from ohmlearn.devices import get_preset, ledger
from ohmlearn.errors import ConfigError
from ohmlearn.experiment import Experiment, load_experiment, parse_experiment
from ohmlearn.settings.cell import choose_cell

MINIMAL = """
name = "small"
[data]
name = "digits"
[network]
layers = [64, 32, 16, 10]
[learning]
rule = "cep"
beta = 0.5
eta = 0.01
free_steps = 20
nudged_steps = 10
[training]
epochs = 2
"""


def refusal(*overrides: str, text: str = MINIMAL, seed: int | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_experiment(text, "small.toml", overrides, seed)
    return str(caught.value)


def test_default_experiment_is_noisy_1t1r_digits():
    e = load_experiment(None)
    assert (e.name, e.data.name, e.network.layers) == ("digits_1t1r", "digits", (64, 128, 10))
    assert e.device is not None
    assert (e.device.preset, e.crossbar.encoding) == ("HfO2-1T1R-demo", "pair")
    assert (e.learning.rule, e.learning.policy, e.run.level) == ("cep", "stochastic", "device")
    assert e.training.batch_size == 1


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("learning.eta=[0.1,0.02,3e-5]", "crossbar.weight_range=2"),
        ("device.preset=EcRam", "device.stuck={low=0.1,high=0.2}", "device.read_noise=false"),
        ("device.model=SoftBounds", "device.parameters={g_max=1.25e-4}", "device.levels=16"),
        ("network.symmetric=false", "network.angle=22.5", "learning.rule=cvf"),
        ("learning.policy=sign-threshold", "learning.threshold=0.3", "learning.beta=-0.1"),
    ],
)
def test_toml_round_trip_is_exact_and_stable(overrides):
    e = parse_experiment(MINIMAL, "small.toml", overrides)
    text = e.to_toml()
    again = parse_experiment(text, "again.toml")
    assert again == e
    assert again.to_toml() == text
    assert again.digest() == e.digest()


def test_resolution_spells_out_what_depends_on_other_keys():
    e = parse_experiment(MINIMAL, "small.toml")
    assert e.learning.eta == (0.01,) * 3
    assert e.crossbar.weight_range == (1.0,) * 3
    assert e.network.clamp is True
    assert e.run.level == "ideal"
    tanh = parse_experiment(MINIMAL, "small.toml", ("network.activation=tanh",))
    assert tanh.network.clamp is False
    kept = parse_experiment(
        MINIMAL, "small.toml", ("network.activation=tanh", "network.clamp=true")
    )
    assert kept.network.clamp is True
    device = parse_experiment(MINIMAL, "small.toml", ("device.preset=EcRam",))
    assert device.run.level == "device"


def test_experiment_from_python_resolves_in_the_same_way():
    document = tomllib.loads(MINIMAL)
    assert Experiment.model_validate(document) == parse_experiment(MINIMAL, "small.toml")
    assert document == tomllib.loads(MINIMAL)  # the caller's document is not changed
    with pytest.raises(ValidationError):
        Experiment.model_validate({**document, "name": "../escape"})


def test_digest_names_what_decides_the_result_and_nothing_else():
    def digest(*overrides):
        return parse_experiment(MINIMAL, "small.toml", overrides).digest()

    assert digest("run.threads=2", "run.checkpoint_seconds=1.5") == digest()
    changes = ["run.seed=1", "learning.beta=0.6", "training.epochs=3", "device.preset=EcRam"]
    assert len({digest(), *map(digest, changes)}) == 5


def test_overrides_take_toml_values_and_bare_words():
    e = parse_experiment(
        MINIMAL,
        "small.toml",
        ("network.layers=[784, 10]", 'data.name="mnist"', "run.precision=float64", "name=x.1"),
        seed=7,
    )
    assert (e.network.layers, e.data.name) == ((784, 10), "mnist")
    assert (e.run.precision, e.name, e.run.seed) == ("float64", "x.1", 7)


def test_naming_a_model_replaces_the_preset():
    e = load_experiment(None, ("device.model=VTEAM",))
    assert e.device is not None
    assert (e.device.preset, e.device.model) == (None, "VTEAM")


def test_effects_are_given_only_where_the_experiment_says_so():
    e = parse_experiment(
        MINIMAL,
        "small.toml",
        ("device.preset=EcRam", "device.levels=0", "device.stuck=0.1", "device.window=false"),
    )
    assert e.device is not None
    assert e.device.effects() == {"levels": False, "stuck": 0.1, "window": False}


def test_data_path_counts_from_the_experiment_file(tmp_path, monkeypatch):
    file = tmp_path / "deep" / "e.toml"
    file.parent.mkdir()
    file.write_text(MINIMAL.replace('"digits"', '"sub/mine.npz"'))
    monkeypatch.chdir(tmp_path)
    assert load_experiment(file).data.name == str(tmp_path / "deep" / "sub" / "mine.npz")
    e = load_experiment(file, ("data.name=other.npz",))
    assert e.data.name == str(tmp_path / "other.npz")
    assert parse_experiment(e.to_toml(), "record").data.name == e.data.name


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("learning.betta=0.3", ("[learning]", "'betta'", "did you mean 'beta'?")),
        ("learing.beta=0.3", ("unknown section 'learing'", "did you mean 'learning'?")),
        ("run.batch_size=3", ("[run]", "'batch_size'", "belongs in section [training]")),
        ("epochs=3", ("'epochs'", "belongs in section [training]")),
        ("learning.beta=nan", ("learning.beta is nan", "finite number other than 0")),
        ("learning.beta=0", ("learning.beta is 0", "finite number other than 0")),
        ("learning.beta=0.3x", ('learning.beta is "0.3x"', "finite number")),
        ("learning.eta=-0.1", ("learning.eta is -0.1", "at least 0")),
        ("learning.eta=[0.1,inf,0]", ("learning.eta[1] is inf", "learning.eta must be")),
        ("learning.eta=[0.1]", ("learning.eta has 1 entries", "list of 3")),
        ("learning.eta=true", ("learning.eta is true", "learning rate")),
        ("learning.rule=eqprop", ('learning.rule is "eqprop"', "'centred-ep'")),
        ("learning.free_steps=2.5", ("learning.free_steps is 2.5", "whole number")),
        ("learning.rule=cvf", ("'cvf'", "network.symmetric = false")),
        ("network.symmetric=false", ("'cep'", "the rule that fits is 'cvf'")),
        ("network.angle=10", ("network.angle is 10", "network.symmetric = false")),
        ("network.angle=181", ("network.angle is 181", "0 to 180")),
        ("network.layers=[64]", ("network.layers is [64]", "at least 2")),
        ("network.layers=[64,0,10]", ("network.layers[1] is 0", "at least 2 layer sizes")),
        ("network.clamp=1", ("network.clamp is 1", "true or false")),
        ("training.epochs=0", ("training.epochs is 0", "at least 1")),
        ("training=3", ("training is 3", "section [training]")),
        ("data.name=mnits", ('data.name is "mnits"', "mnist", ".npz")),
        ("data.limit_train=-5", ("data.limit_train is -5", "at least 1")),
        ("name=a/b", ('name is "a/b"', "letters")),
        ("name=..", ('name is ".."', "letters")),
        ("run.level=device", ("run.level is 'device'", "[device] section")),
        ("run.seed=-1", ("run.seed is -1", "from 0")),
        ("run.threads=0", ("run.threads is 0", "at least 1")),
        ("crossbar.weight_range=0", ("crossbar.weight_range is 0", "above 0")),
        ("crossbar.weight_range=[1,2]", ("crossbar.weight_range has 2 entries", "list of 3")),
        ("crossbar.v_read=inf", ("crossbar.v_read is inf", "volts")),
        ("crossbar.tile=[128]", ("crossbar.tile", "word lines and bit lines")),
        ("crossbar.tile=[8,1]", ("crossbar.tile has one bit line", "at least 2")),
        ("converters.adc_bits=0", ("converters.adc_bits is 0", "from 1 to 24")),
        ("converters.adc_noise=0.5", ("converters.adc_noise", "need converters.adc_bits")),
        ("converters.adc_range=0", ("converters.adc_range is 0", "above 0")),
        ("wires.r_word=1", ("[wires]", "both r_word and r_bit")),
        ("wires={node='22',r_word=1,r_bit=1}", ("[wires]", "either node")),
        ("wires={r_word=-1,r_bit=1}", ("wires.r_word is -1", "ohms")),
        ("evaluation.after_seconds=[-1]", ("evaluation.after_seconds[0] is -1", "seconds")),
        ("device.read_noise=-0.1", ("device.read_noise is -0.1", "at least 0")),
        ("device.read_noise=nan", ("device.read_noise is nan", "at least 0")),
        ("device.stuck={low=-0.1}", ('device.stuck is {"low": -0.1}', "at least 0")),
        ("device.cycle_to_cycle=yes", ('device.cycle_to_cycle is "yes"', "table")),
        ("device.parameters={g_max=nan}", ("device.parameters.g_max is nan", "finite numbers")),
        ("learning.threshold=1", ("learning.threshold is 1", "'sign-threshold'")),
        ("learning.policy=sign-threshold", ("learning.threshold is missing",)),
        ("learning.slope=true", ("learning.slope is true", "'vf' and 'cvf'")),
        ("beta", ("--set beta", "section.key=value")),
        ("learning..beta=1", ("section.key=value",)),
        ("learning.beta=[1", ("not valid TOML",)),
        ("learning.beta=1\nname='x'", ("one value",)),
        ("name.x=1", ("name is 'small'", "not a table")),
    ],
)
def test_wrong_override_gives_one_sentence(override, parts):
    message = refusal(override)
    assert message.count("\n") == 0
    for part in ("--set", *parts):
        # Sentences about two keys at once name the file, since neither key alone is wrong.
        assert part in message or (part == "--set" and message.startswith("small.toml: "))


def test_seed_option_is_named_in_its_error():
    assert refusal(seed=-3).startswith("--seed: run.seed is -3;")


def test_window_bounds_in_the_wrong_order():
    message = refusal("crossbar.g_min=1e-4", "crossbar.g_max=5e-6")
    assert "crossbar.g_min is 0.0001 S; it must be below crossbar.g_max, 5e-06 S" in message


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["device.preset=Capacitr"], "did you mean 'Capacitor'?"),
        (["device.model=VTEEM"], "did you mean 'VTEAM'?"),
        (["device.parameters={gmax=1e-4}"], "did you mean 'g_max'?"),
        (["device.parameters={g_max=1e-9}"], "g_min < g_max"),
        (["crossbar.g_max=1e-9"], "from 5e-06 S to 1e-09 S"),
        (["device.levels=1"], "levels is 1"),
        (["device.stuck={lo=0.1}"], "did you mean 'low'?"),
        (["device.stuck=1.5"], "between 0 and 1"),
    ],
)
def test_impossible_cell_is_refused_at_once(overrides, says):
    message = refusal("device.preset=HfO2-1T1R-demo", *overrides)
    assert message.startswith("small.toml: section [device]: ")
    assert says in message


def test_cell_takes_preset_then_parameters_then_window():
    e = load_experiment(
        None,
        (
            "device.preset=ecram",
            "device.parameters={dg_up=2e-7}",
            "crossbar.g_min=1e-6",
            "crossbar.g_max=1.1e-5",
            "device.read_noise=0.02",
        ),
    )
    assert e.device is not None
    device, preset = get_preset("EcRam")
    cell = choose_cell(e.device, e.crossbar)
    assert cell.device is device
    assert (cell.params.g_min, cell.params.g_max) == (1e-6, 1.1e-5)
    scale = 1e-5 / (preset.params.g_max - preset.params.g_min)
    assert cell.params.dg_up == pytest.approx(2e-7 * scale)
    assert cell.params.dg_down == pytest.approx(preset.params.dg_down * scale)
    assert cell.effects.read_noise == 0.02
    assert cell.effects.device_to_device == preset.effects.device_to_device


def test_model_without_preset_has_no_effects_but_the_window():
    e = load_experiment(None, ("device.model=LinearStep",))
    assert e.device is not None
    on = [row["name"] for row in ledger(choose_cell(e.device, e.crossbar).effects) if row["on"]]
    assert on == ["window"]


@pytest.mark.parametrize(
    ("section", "given"), [("", "neither"), ('preset = "a"\nmodel = "b"', "both")]
)
def test_device_needs_exactly_one_name(section, given):
    message = refusal(text=f"{MINIMAL}\n[device]\n{section}")
    assert f"has {given} of preset and model" in message


def test_centred_rule_has_no_random_sign():
    message = refusal("learning.rule=centred-ep", "learning.random_sign=true")
    assert "learning.random_sign is true" in message


def test_every_error_is_listed_with_the_file():
    text = MINIMAL.replace("beta = 0.5", "beta = inf").replace("epochs = 2", "epochs = 0")
    lines = refusal(text=text + '\nlimit = 3\n[run]\nlevel = "spice"').splitlines()
    assert len(lines) == 4
    assert all(line.startswith("small.toml: ") for line in lines)


def test_missing_sections_and_keys_are_named():
    lines = refusal(text='name = "x"\n[data]\n').splitlines()
    assert "small.toml: section [network] is missing." in lines
    assert any("data.name is missing; it must be one of digits" in line for line in lines)


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe\x00"])
def test_unreadable_file_is_explained(tmp_path, content):
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"broken\.toml: not (valid TOML|UTF-8)"):
        load_experiment(file)


def test_missing_file_and_folder_are_explained(tmp_path):
    with pytest.raises(ConfigError, match="no such experiment file"):
        load_experiment(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="cannot read it"):
        load_experiment(tmp_path)
