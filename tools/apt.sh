# shellcheck shell=bash
# Sourced by the other scripts: `apt_install PACKAGE...` installs Debian packages quietly and starts no service.

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    elif [ -t 0 ]; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

POLICY=/usr/sbin/policy-rc.d
POLICY_KEPT=

# Debian starts a server as soon as it is installed, unless policy-rc.d says no. Where it already does, leave it alone.
hold_services() {
    local status=0
    [ -x "$POLICY" ] && { as_root "$POLICY" ecluse start >/dev/null 2>&1 || status=$?; }
    [ "$status" = 101 ] && return
    POLICY_KEPT=none
    trap release_services EXIT
    trap 'exit 130' INT TERM
    if [ -e "$POLICY" ]; then
        as_root mv "$POLICY" "$POLICY.kept"
        POLICY_KEPT=$POLICY.kept
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
}

release_services() {
    case "$POLICY_KEPT" in
    "") return ;;
    none) as_root rm -f "$POLICY" ;;
    *) as_root mv "$POLICY_KEPT" "$POLICY" ;;
    esac
    POLICY_KEPT=
}

apt_get() {
    as_root apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >>"$APT_LOG" 2>&1
}

# All at once; if that fails, one by one, so that the message names what is missing and nothing else.
apt_install() {
    local package missing=()
    APT_LOG=$(mktemp)
    command -v apt-get >/dev/null || fail "cannot install the Debian packages $*: this system has no apt-get. Install them by hand and run again."
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "cannot install the Debian packages $*: neither root nor sudo. Install them by hand and run again."
    echo "installing Debian packages: $*"
    hold_services
    apt_get update || echo "apt-get update failed; going on with the lists at hand" >&2
    if ! apt_get install -y --no-install-recommends "$@"; then
        for package in "$@"; do
            apt_get install -y --no-install-recommends "$package" || missing+=("$package")
        done
    fi
    release_services
    [ ${#missing[@]} = 0 ] || fail "cannot install the Debian packages ${missing[*]}: $(grep -m1 '^E:' "$APT_LOG" || echo "see $APT_LOG")"
    rm -f "$APT_LOG"
}

# What a package would start at the next boot.
disable_services() {
    command -v systemctl >/dev/null || return 0
    as_root systemctl disable --quiet "$@" >/dev/null 2>&1 || true
}
