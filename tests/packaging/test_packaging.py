"""The package: all rooms on disk are in the wheel and the sdist, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from ohmlearn import __version__

ROOT = Path(__file__).resolve().parents[2]
HALL = ROOT / "src" / "ohmlearn"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = PROJECT["tool"]["setuptools"]["package-dir"]
BUILD = """
import sys
from setuptools import build_meta
print(getattr(build_meta, "build_" + sys.argv[1])(sys.argv[2]), file=sys.stderr)
"""


def rooms() -> list[str]:
    """Return the packages at the root of the repository."""
    return sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))


def hall_packages() -> list[str]:
    """Return the packages inside the hall."""
    found = (path.parent for path in HALL.glob("*/__init__.py"))
    return sorted(folder.name for folder in found if not folder.is_symlink())


def packages_of(room: str) -> list[str]:
    """Return the packages of a room, itself first, by their paths from the root."""
    folders = [p.parent for p in (ROOT / room).rglob("__init__.py")]
    return sorted(folder.relative_to(ROOT).as_posix() for folder in folders)


def shipped() -> set[str]:
    """Return what an installation must hold, as paths below site-packages."""
    files = {f"ohmlearn/{path.name}" for path in HALL.glob("*.py")}
    files |= {f"ohmlearn/{path.name}" for path in HALL.glob("*.toml")} | {"ohmlearn/py.typed"}
    for part in hall_packages():
        inside = [path for kind in ("py", "css") for path in (HALL / part).glob(f"*.{kind}")]
        files |= {f"ohmlearn/{part}/{path.name}" for path in inside}
    for room in rooms():
        files |= {f"ohmlearn/{p.relative_to(ROOT)}" for p in (ROOT / room).rglob("*.py")}
    data = (path for path in (ROOT / "training" / "data").iterdir() if path.is_file())
    return files | {f"ohmlearn/training/data/{path.name}" for path in data}


def test_the_packages_listed_are_those_on_disk():
    packages = PROJECT["tool"]["setuptools"]["packages"]
    inside = (p.replace("/", ".") for room in rooms() for p in packages_of(room))
    parts = [f"ohmlearn.{name}" for name in (*inside, *hall_packages())]
    assert sorted(packages) == sorted(["ohmlearn", *parts])
    here = {"ohmlearn": "src/ohmlearn"} | {f"ohmlearn.{room}": room for room in rooms()}
    assert here == FOLDERS


@pytest.mark.parametrize("room", rooms())
def test_each_room_is_linked_into_the_hall(room):
    link = HALL / room
    assert link.is_symlink()
    assert link.readlink() == Path("../..") / room
    assert link.resolve() == ROOT / room


def test_the_tests_import_this_checkout_once():
    import ohmlearn.devices

    assert Path(str(ohmlearn.__file__)).resolve() == HALL / "__init__.py"
    assert Path(str(ohmlearn.devices.__file__)).resolve() == ROOT / "devices" / "__init__.py"
    assert not {"devices", "crossbar", "circuits"} & sys.modules.keys()


def test_the_citation_says_what_the_package_says_of_itself():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    told = dict(line.split(": ", 1) for line in text.splitlines() if re.match(r"\w\S*: ", line))
    project = PROJECT["project"]
    assert told["version"] == __version__
    assert told["license"] == project["license"]
    assert told["abstract"] == project["description"]
    assert re.findall("(?m)^  - (?!name)(.*)$", text) == project["keywords"]


def run(*command: object, cwd: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind: str, source: Path, out: Path) -> Path:
    out.mkdir()
    run(sys.executable, "-c", BUILD, kind, out, cwd=source)
    (made,) = out.iterdir()
    return made


def wheel_files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Copy what is built, so that no leftover of an earlier build takes part."""
    copy = tmp_path_factory.mktemp("source")
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("src", *rooms()):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=ignore)
    return copy


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory) -> Path:
    return build("wheel", source, tmp_path_factory.mktemp("wheel") / "dist")


@pytest.mark.slow
def test_the_wheel_holds_every_file_once(wheel):
    assert wheel_files(wheel) == shipped()


@pytest.mark.slow
def test_the_wheel_says_version_licence_and_python(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (name,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = message_from_string(archive.read(name).decode())
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "GPL-3.0-or-later"
    assert metadata["Requires-Python"] == ">=3.11"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


@pytest.mark.slow
def test_the_sdist_builds_the_same_wheel(source, tmp_path):
    sdist = build("sdist", source, tmp_path / "sdist")
    run("tar", "--extract", "--file", sdist, cwd=tmp_path)
    (unpacked,) = tmp_path.glob("ohmlearn-*")
    assert (unpacked / "LICENSE").exists()
    assert wheel_files(build("wheel", unpacked, tmp_path / "dist")) == shipped()


@pytest.mark.slow
def test_the_wheel_works_where_there_is_no_checkout(wheel, tmp_path):
    """Install into an environment of its own, which borrows only the dependencies."""
    home = tmp_path / "env"
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    (packages,) = home.glob("lib/python3*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}

    command, root = home / "bin" / "ohmlearn", Path("/")
    assert run(command, "--version", cwd=root, environment=clean) == f"ohmlearn {__version__}\n"
    assert "SoftBounds" in run(command, "devices", cwd=root, environment=clean)
    code = (
        "import ohmlearn\n"
        "print(ohmlearn.__file__)\n"
        "print(ohmlearn.training.__file__)\n"
        "print(ohmlearn.load_experiment(None).name, ohmlearn.load_data('digits').x_train.shape)"
    )
    hall, training, rest = run(python, "-c", code, cwd=root, environment=clean).splitlines()
    assert Path(hall) == packages / "ohmlearn" / "__init__.py"
    assert Path(training) == packages / "ohmlearn" / "training" / "__init__.py"
    assert rest == "digits_1t1r (1442, 64)"
