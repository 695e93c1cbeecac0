#!/usr/bin/env bash
# Writes the lock files anew from pyproject.toml and tests/package.json. An argument is passed on to uv
# (`tools/lock.sh --upgrade`, `tools/lock.sh --upgrade-package aiohttp`).
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch"
"$scratch/bin/pip" install -q --disable-pip-version-check 'uv>=0.13,<0.14'

# One file for every platform and every Python from the floor up; no registry's name in it.
compile() {
    "$scratch/bin/uv" pip compile -q --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --custom-compile-command "make lock" "$@"
}
compile pyproject.toml --output-file requirements/run.txt "$@"
for extra in cel logos python3-saml postgresql redis ldap; do
    compile pyproject.toml --extra "$extra" --constraint requirements/run.txt \
        --output-file "requirements/$extra.txt" "$@"
done
compile --group pyproject.toml:build --output-file requirements/build.txt "$@"
compile --group pyproject.toml:ldap-build --output-file requirements/ldap-build.txt "$@"
compile pyproject.toml --group dev --constraint requirements/run.txt --constraint requirements/build.txt \
    --output-file requirements/dev.txt "$@"
for apart in canaille fronts kubernetes scim; do
    compile "requirements/$apart.in" --output-file "requirements/$apart.txt" "$@"
done

npm install --prefix tests --package-lock-only --loglevel=error
