"""Devices of the user's own: a folder, a package, their faults, and the kernels made of them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "devices"
CUBIC = (EXAMPLES / "cubic_step.py").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "own_devices.md").read_text(encoding="utf-8")
(PRESET,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def own(tmp_path) -> Path:
    folder = tmp_path / "devices"
    folder.mkdir()
    return folder


def python(own: Path, *arguments: str, code: int = 0, **more: str):
    path = os.pathsep.join([*filter(None, [more.pop("PYTHONPATH", "")]), str(ROOT / "src")])
    env = {
        **os.environ,
        "OHMLEARN_DEVICES": str(own),
        "PYTHONPATH": path,
        "COLUMNS": "160",
        **more,
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        env=env,
        cwd=own.parent,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def ohmlearn(own: Path, *arguments: str, code: int = 0, **more: str):
    return python(own, "-m", "ohmlearn", *arguments, code=code, **more)


def listed(own: Path, **more: str) -> tuple[set[str], set[str], list[str]]:
    """Return names of models and presets, and the problems."""
    program = (
        "from ohmlearn.devices.registry import devices, presets, problems\n"
        "print(*devices(), sep='|'); print(*presets(), sep='|'); print(*problems(), sep='\\n')"
    )
    models, presets, *problems = python(own, "-c", program, **more).stdout.splitlines()
    return set(models.split("|")), set(presets.split("|")), [p for p in problems if p]


def test_a_model_file_and_a_preset_file_are_found_shown_and_checked(own):
    (own / "cubic.py").write_text(CUBIC)
    (own / "cell.toml").write_text(PRESET.replace("SoftBounds", "CubicStep").split("[para")[0])
    (own / "_ignored.py").write_text("raise RuntimeError")
    models, presets, problems = listed(own)
    assert {"CubicStep", "SoftBounds"} <= models
    assert {"CubicStep-noisy", "my-cell"} <= presets
    assert problems == []
    assert "step of a SET pulse at x = 0" in ohmlearn(own, "devices", "cubicstep").stdout
    shown = ohmlearn(own, "devices", "--check", "CubicStep").stdout
    assert "11 of 11, 3 parameter sets" in shown
    assert "1 model, 11 checks, 0 failed" in shown


FAULTS = {
    "syntax.py": ("def current(:\n", "line 1: "),
    "raises.py": ("import nothing_of_this_name\n", "ModuleNotFoundError"),
    "nothing.py": ("x = 1\n", "does not define DEVICE"),
    "leaves.py": ("import sys\nsys.exit(3)\n", "SystemExit: 3."),
    "exits.py": ("raise ValueError('no\\nnewline')\n", "ValueError: no."),
    "no-module-name.py": (CUBIC, "is no name for a module"),
    "clash.py": (CUBIC.replace('name="CubicStep"', 'name="softbounds"'), "'SoftBounds' already"),
    "preset_clash.py": (
        CUBIC.replace('"CubicStep-noisy"', '"ecram"').replace('"CubicStep"', '"Other"'),
        "preset called 'EcRam' already",
    ),
    "units.py": (CUBIC.replace('"S", "lower end of', '"lower end of'), "TypeError"),
    "broken.toml": ("model = ", "not valid TOML"),
    "unknown.toml": ('model = "Cubicle"', "no device model 'Cubicle'"),
    "taken.toml": ('model = "SoftBounds"\nname = "ECRAM"', "'EcRam' already"),
    "binary.toml": ("\udcff", "not UTF-8"),
}


def test_broken_files_are_named_and_break_nothing_else(own):
    (own / "cubic.py").write_text(CUBIC)
    for name, (content, _) in FAULTS.items():
        (own / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    models, _, problems = listed(own)
    assert {"CubicStep", "SoftBounds"} <= models
    for name, (_, words) in FAULTS.items():
        told = [p for p in problems if str(own / name) in p]
        assert len(told) == 1, name
        assert words in told[0]
        assert "\n" not in told[0]
    assert len(problems) == len(FAULTS)

    assert "fit" in ohmlearn(own, "--help").stdout
    listing = ohmlearn(own, "devices")
    assert listing.stderr.count("left out: ") == len(FAULTS)
    wrong = ohmlearn(own, "devices", "Cubicle", code=2).stderr
    assert "did you mean 'CubicStep'?" in wrong
    assert wrong.count("\n") == 1
    failed = ohmlearn(own, "devices", "--check", code=1).stdout
    assert f"{len(FAULTS)} failed" in failed


def test_an_unreadable_folder_is_as_good_as_none(own):
    models, _, problems = listed(own / "absent")
    assert "SoftBounds" in models
    assert problems == []


UNPHYSICAL = {
    "passive": ("+ (p.g_max - p.g_min) * x) * v", "+ (p.g_max - p.g_min) * x) * -v"),
    "no current at 0 V": ("+ (p.g_max - p.g_min) * x) * v", "+ p.g_max * x) * v + 1e-9"),
    "restricted Python": (
        "    return p.s_up",
        "    for _ in range(1):\n        x = x\n    return p.s_up",
    ),
    "steps within the window": ("return p.s_up *", "return 200.0 * p.s_up *"),
    "conductance rises with state": ("(p.g_max - p.g_min) * x)", "(p.g_min - p.g_max) * x * 0.5)"),
    "finite at +-5 V": ("* x) * v", "* x) * v / (25.0 - v * v)"),
}


def test_a_model_that_breaks_a_law_fails_its_check(own):
    for number, (old, new) in enumerate(UNPHYSICAL.values()):
        assert old in CUBIC
        text = CUBIC.replace(old, new).replace("CubicStep", f"Law{number}")
        (own / f"law_{number}.py").write_text(text)
    shown = ohmlearn(own, "devices", "--check", code=1).stdout
    for number, law in enumerate(UNPHYSICAL):
        block = shown[shown.index(f"Law{number}") :]
        block = block[: re.search(r"\n\S", block).start()]  # pyright: ignore
        assert "FAIL" in block.splitlines()[0]
        assert law in block


EVALUATE = (
    "import numpy as np\n"
    "from ohmlearn.devices import get_device\n"
    "from ohmlearn.devices.dispatch import conductance_array as f\n"
    "p = get_device('CubicStep').params(); out = np.empty(1)\n"
    "f(p, np.array([p]), 0.1, np.array([0.0]), out)\n"
    "print(round(float(out[0]) * 1e6, 6), sum(f.stats.cache_hits.values()))"
)


def test_an_edit_of_the_physics_never_returns_old_results(own, tmp_path):
    # The edited file has the length and, within a second, the time of the old one.
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    path = own / "cubic.py"
    path.write_text(CUBIC)
    stamp = path.stat().st_mtime_ns
    results = [python(own, "-c", EVALUATE, **cache).stdout.split() for _ in range(2)]
    assert results == [["5.0", "0"], ["5.0", "1"]]  # the second comes from the disk
    edited = CUBIC.replace("return (p.g_min + (", "return (p.g_max - (")
    assert len(edited) == len(CUBIC)
    path.write_text(edited)
    os.utime(path, ns=(stamp, stamp))
    assert python(own, "-c", EVALUATE, **cache).stdout.split() == ["100.0", "0"]
    # A process that never asks for the user's devices can still read the shared cache.
    path.write_text(CUBIC)
    program = EVALUATE.replace("CubicStep", "SoftBounds")
    assert python(own, "-c", program, **cache).stdout.split()[0] == "5.0"


SCRIPT = CUBIC + (
    "\nimport numpy as np\n"
    "from ohmlearn.devices.dispatch import conductance_array as f\n"
    "p = CubicStep(); out = np.empty(1)\n"
    "f(p, np.array([p]), 0.1, np.array([0.0]), out)\n"
    "print(round(float(out[0]) * 1e6, 6), sum(f.stats.cache_hits.values()))\n"
)


def test_a_model_in_a_script_is_not_confused_with_another_one(own, tmp_path):
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    results = [python(own, str(script), **cache).stdout.split() for _ in range(2)]
    assert results == [["5.0", "0"], ["5.0", "1"]]
    script.write_text(SCRIPT.replace("return (p.g_min + (", "return (p.g_max - ("))
    assert python(own, str(script), **cache).stdout.split() == ["100.0", "0"]
    # The same cache serves a program that knows nothing of the script, and one without a file.
    soft = EVALUATE.replace("CubicStep", "SoftBounds")
    assert python(own, "-c", soft, **cache).stdout.split() == ["5.0", "0"]
    assert python(own, "-c", soft, **cache).stdout.split() == ["5.0", "1"]
    for _ in range(2):
        assert python(own, "-c", SCRIPT, **cache).stdout.split() == ["5.0", "0"]


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """A small package that offers a device, installed into a folder of its own."""
    source, target = (tmp_path_factory.mktemp(name) for name in ("source", "target"))
    (source / "cubic_cells").mkdir()
    (source / "cubic_cells" / "__init__.py").write_text(CUBIC)
    (source / "cubic_cells" / "other.py").write_text("answer = 42\n")
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools>=77"]\n'
        'build-backend = "setuptools.build_meta"\n'
        '[project]\nname = "cubic-cells"\nversion = "1.0"\n'
        '[project.entry-points."ohmlearn.devices"]\n'
        'cubic = "cubic_cells:DEVICE"\nbroken = "cubic_cells.other:answer"\n'
        '[tool.setuptools]\npackages = ["cubic_cells"]\n'
    )
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--no-index", "--target", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=200)
    return target


def test_a_package_offers_devices_through_an_entry_point(own, package, tmp_path):
    path = {"PYTHONPATH": str(package), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    models, presets, problems = listed(own, **path)
    assert "CubicStep" in models
    assert "CubicStep-noisy" in presets
    (problem,) = problems
    assert "broken = cubic_cells.other:answer of package cubic-cells" in problem
    assert "does not define DEVICE" in problem
    assert python(own, "-c", EVALUATE, **path).stdout.split() == ["5.0", "0"]
    module = package / "cubic_cells" / "__init__.py"
    module.write_text(CUBIC.replace("return (p.g_min + (", "return (p.g_max - ("))
    os.utime(module, (1, 1))
    assert python(own, "-c", EVALUATE, **path).stdout.split() == ["100.0", "0"]
    # A file of the folder may not take the name that the package has.
    module.write_text(CUBIC)
    (own / "cubic.py").write_text(CUBIC)
    assert any("a model called 'CubicStep' already" in p for p in listed(own, **path)[2])


def test_a_preset_of_the_folder_trains_by_name_and_is_spelled_out(own):
    (own / "cubic.py").write_text(CUBIC)
    (own / "cell.toml").write_text('name = "soft cubes"\nmodel = "CubicStep"')
    program = (
        "from ohmlearn import load_experiment\n"
        "for name in ('SOFT CUBES', 'CubicStep-noisy', 'EcRam'):\n"
        "    print(load_experiment(None, [f'device.preset=\"{name}\"']).device.model)"
    )
    assert python(own, "-c", program).stdout.split() == ["CubicStep", "CubicStep", "None"]
    changes = ["device.preset='soft cubes'", "training.epochs=1", "data.limit_train=100"]
    options = [part for change in changes for part in ("--set", change)]
    ohmlearn(own, "run", *options, "--out", "record")
    stored = (own.parent / "record" / "experiment.toml").read_text()
    assert 'model = "CubicStep"' in stored
    assert "s_up = 0.01" in stored


def test_models_and_presets_are_drawn(own):
    (own / "cubic.py").write_text(CUBIC)
    (own / "cell.toml").write_text(PRESET)
    for name, file in (("CubicStep", "c.png"), ("VTEAM", "v.svg"), (str(own / "cell.toml"), "")):
        ohmlearn(own, "devices", name, "--plot", *filter(None, [file]))
    for file in ("c.png", "v.svg", "cell.png"):
        assert (own.parent / file).stat().st_size > 20_000
    # Nothing that contradicts itself is obeyed.
    assert "--plot needs" in ohmlearn(own, "devices", "--plot", code=2).stderr
    assert "is for --plot" in ohmlearn(own, "devices", "VTEAM", "x.png", code=2).stderr
    assert "choose one" in ohmlearn(own, "devices", "--plot", "--check", code=2).stderr
    assert ".png" in ohmlearn(own, "devices", "VTEAM", "x.txt", "--plot", code=2).stderr
