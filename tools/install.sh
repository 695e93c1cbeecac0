#!/usr/bin/env bash
# Installs the gateway into an environment of its own, or takes a newer one there: tools/install.sh FOLDER [EXTRA...]
# Every package, those that build it too, is the one of the lock files, by its hash. Extras: cel, ldap,
# logos, postgresql, python3-saml, redis. PYTHON=... picks the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "tools/install.sh: $*" >&2
    exit 1
}

[ $# -ge 1 ] || fail "say where to: tools/install.sh /opt/ecluse [cel]"
folder=$1
shift
locks=(-r requirements/run.txt)
for extra in "$@"; do
    case "$extra" in
    cel | ldap | logos | postgresql | python3-saml | redis) ;;
    *) fail "no extra is named $extra; there are: cel, ldap, logos, postgresql, python3-saml, redis" ;;
    esac
    locks+=(-r "requirements/$extra.txt")
done

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Debian's own is the fastest: docs/explanation/speed.md.
python=${PYTHON:-/usr/bin/python3}
recent "$python" || [ -n "${PYTHON:-}" ] || python=python3
recent "$python" || fail "$python is no Python 3.11 or later: PYTHON=/path/to/python3.13 names one"
"$python" -c 'import ensurepip' 2>/dev/null || fail "$python cannot make environments: apt install python3-venv"

export PIP_DISABLE_PIP_VERSION_CHECK=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "building (1 of 3)"
"$python" -m venv "$scratch/build"
"$scratch/build/bin/pip" install -q --require-hashes -r requirements/build.txt
"$scratch/build/bin/pip" wheel -q --no-deps --no-build-isolation --no-index --wheel-dir "$scratch" .

echo "installing the packages that it needs (2 of 3)"
"$folder/bin/python" -c '' 2>/dev/null || "$python" -m venv "$folder"
# python-ldap comes as its sources: what builds it is locked too.
[[ " $* " != *" ldap "* ]] || "$folder/bin/pip" install -q --require-hashes -r requirements/ldap-build.txt
"$folder/bin/pip" install -q --require-hashes --no-build-isolation "${locks[@]}"

echo "installing it (3 of 3)"
"$folder/bin/pip" install -q --no-deps --no-index --force-reinstall "$scratch"/ecluse-*.whl
"$folder/bin/ecluse" --version
