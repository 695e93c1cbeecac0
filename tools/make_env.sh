#!/usr/bin/env bash
# Makes .venv with exactly the locked packages and the `ecluse` command. PYTHON=... picks the interpreter; without it,
# Debian's own is taken before another that comes first in PATH: it is compiled with profile-guided optimisation, and a
# request costs a quarter less than under an interpreter compiled with the defaults (docs/explanation/speed.md).
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/apt.sh

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=${PYTHON:-}
if [ -z "$python" ]; then
    python=python3
    ! recent /usr/bin/python3 || python=/usr/bin/python3
fi

if ! command -v "$python" >/dev/null; then
    [ "$python" = python3 ] || fail "there is no $python on this machine"
    apt_install python3 python3-venv
fi
recent "$python" ||
    fail "$("$python" --version) is too old: Écluse needs Python 3.11 or later (make env PYTHON=/path/to/python3.13)"

if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    apt_install "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    "$python" -c 'import ensurepip' 2>/dev/null || fail "$python cannot make a virtual environment: it has no ensurepip"
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1
if ! .venv/bin/python -c '' 2>/dev/null; then
    echo "making .venv with $("$python" --version) (1 of 3)"
    "$python" -m venv --clear .venv
fi
echo "installing the locked packages: some 50, a minute where they have to be fetched (2 of 3)"
.venv/bin/python -m pip install -q --require-hashes -r requirements/run.txt -r requirements/dev.txt
echo "installing the command ecluse (3 of 3)"
.venv/bin/python -m pip install -q --no-deps --no-build-isolation --editable .
touch .venv/.ready
