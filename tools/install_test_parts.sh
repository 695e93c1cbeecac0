#!/usr/bin/env bash
# Installs what the tests run against, where it is missing: tools/install_test_parts.sh [PART...] (default: all).
# All is what the tests need: `apache` and `testssl` are beside it. Starts nothing, and leaves nothing that would start at the next boot.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/apt.sh

ALL=(
    nginx wrk php php-fpm dokuwiki mediawiki django pyjwt radicale jupyter git javac tomcat mono chromium curl node npm
    xmlsec1
    valkey redis haproxy systemd lemonldap canaille fronts scim ldap postgresql
)
# The last of these it only recommends, and without each of them it fails at its first request.
LEMONLDAP=(
    lemonldap-ng lemonldap-ng-fastcgi-server nginx liblasso-perl libxml-libxml-perl libxml-simple-perl
    libxml-libxslt-perl libcrypt-jwt-perl libstring-random-perl libconvert-pem-perl libio-string-perl
    libio-socket-timeout-perl libmime-tools-perl libgd-perl libgd-securityimage-perl libimage-magick-perl
    libemail-address-xs-perl libemail-sender-perl libcookie-baker-xs-perl libapache-session-browseable-perl
    libhttp-parser-xs-perl libipc-run-perl libnet-ldap-perl libauthen-webauthn-perl libhttp-browserdetect-perl
)
NODE_FLOOR=20
PATH=$PATH:/usr/sbin

has_node() {
    command -v node >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$NODE_FLOOR" ]
}

not_installed() {
    local package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q ' installed$' || echo "$package"
    done
}

# Debian packages that the part still needs, one a line.
missing_packages() {
    case "$1" in
    nginx | wrk | chromium | curl | xmlsec1 | haproxy) command -v "$1" >/dev/null || echo "$1" ;;
    php) command -v php >/dev/null || echo php-cli ;;
    php-fpm) compgen -G '/usr/sbin/php-fpm[0-9]*' >/dev/null || echo php-fpm ;;
    javac) command -v javac >/dev/null || echo default-jdk-headless ;;
    tomcat)
        [ -x /usr/share/tomcat10/bin/catalina.sh ] || echo tomcat10
        # Its compiler of pages needs Java 21, which is not everywhere the default.
        compgen -G '/usr/lib/jvm/java-21-openjdk-*/bin/java' >/dev/null || echo openjdk-21-jre-headless
        # An application in Spring, and what makes it one of the servlets of today.
        not_installed libspring-web-servlet-java tomcat-jakartaee-migration
        # What an application in Java verifies tokens with, by docs/how-to/applications-in-java.md.
        not_installed libjose4j-java
        ;;
    # ASP.NET with its compiler, and nothing that listens.
    mono) not_installed mono-runtime mono-mcs libmono-system-web4.0-cil ;;
    node)
        has_node || echo nodejs
        command -v npm >/dev/null || echo npm
        ;;
    lemonldap)
        not_installed "${LEMONLDAP[@]}" ;;
    # With PHP-FPM they need no Apache beside them; of the databases, the one that is a file.
    dokuwiki) not_installed dokuwiki php-fpm ;;
    mediawiki) not_installed mediawiki php-fpm php-sqlite3 nginx ;;
    django) not_installed python3-django ;;
    # What an application in Python verifies tokens with, by docs/how-to/send-a-signed-token.md.
    pyjwt) not_installed python3-jwt python3-cryptography ;;
    valkey | redis) not_installed "$1-server" ;;
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || echo postgresql ;;
    # Its unit files are read, nothing is started by it.
    systemd) command -v systemd-analyze >/dev/null || echo systemd ;;
    iproute2) command -v ip >/dev/null || echo iproute2 ;;
    radicale) not_installed radicale ;;
    jupyter) not_installed jupyter-server python3-ipykernel ;;
    git) not_installed git ;;
    # python-ldap is built here: .venv has it where the headers are.
    ldap) not_installed slapd gcc libldap-dev libsasl2-dev python3-dev ;;
    npm) missing_packages node ;;
    # What `make bench-peers` measures beside us; no test needs it.
    apache) not_installed apache2 libapache2-mod-auth-mellon libapache2-mod-auth-openidc ;;
    # What `make tls` asks: minutes, and so no test's.
    testssl) not_installed testssl.sh ;;
    canaille | fronts | scim) ;; # by pip, below
    *) fail "no part is named $1; the parts are ${ALL[*]}" ;;
    esac
}

install_npm_parts() {
    local lock stamp=tests/node_modules/.installed
    lock=$(sha256sum tests/package-lock.json)
    [ "$(cat "$stamp" 2>/dev/null)" = "$lock" ] && return
    echo "installing npm packages: tests/package-lock.json"
    npm ci --prefix tests --loglevel=error || fail "cannot install the npm packages of tests/package-lock.json: npm ci failed, see above"
    echo "$lock" >"$stamp"
}

# Canaille is an application with requirements of its own, clients of SCIM have theirs, and the servers in front are
# large programs: the same interpreter, another environment for each.
install_apart() {
    local name=$1 lock stamp=.venv-$1/.installed requirements=requirements/$1.txt
    lock=$(sha256sum "$requirements")
    [ "$(cat "$stamp" 2>/dev/null)" = "$lock" ] && return
    [ -x .venv/bin/python ] || fail "there is no .venv yet: make env"
    echo "installing $name: $requirements"
    .venv/bin/python -m venv --clear ".venv-$name"
    ".venv-$name/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$requirements" ||
        fail "cannot install $requirements: pip failed, see above"
    echo "$lock" >"$stamp"
}

# An extra that no wheel exists of.
install_python_ldap() {
    .venv/bin/python -c 'import ldap' 2>/dev/null && return
    [ -x .venv/bin/python ] || fail "there is no .venv yet: make env"
    echo "installing python-ldap: requirements/ldap.txt"
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/ldap-build.txt &&
        .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes --no-build-isolation \
            -r requirements/ldap.txt ||
        fail "cannot install requirements/ldap.txt: pip failed, see above"
}

parts=("${@:-${ALL[@]}}")
packages=()
for part in "${parts[@]}"; do
    found=$(missing_packages "$part") || exit 1
    for package in $found; do
        [[ " ${packages[*]} " == *" $package "* ]] || packages+=("$package")
    done
done

if [ ${#packages[@]} -gt 0 ]; then
    apt_install "${packages[@]}"
    services=("${packages[@]}")
    # Its unit has its version in its name.
    [[ " ${packages[*]} " != *" php-fpm "* ]] || services+=($(cd /lib/systemd/system && compgen -G 'php*-fpm.service'))
    disable_services "${services[@]}"
fi

for part in "${parts[@]}"; do
    case "$part" in canaille | fronts | scim) install_apart "$part" ;; esac
    [ "$part" != ldap ] || install_python_ldap
    found=$(missing_packages "$part")
    [ -z "$found" ] || [ "$part" = npm ] || fail "$part is still missing although its Debian package ($found) is installed"
    [ "$part" != npm ] || { has_node || fail "Node $NODE_FLOOR or later is needed, here is $(node --version)"; install_npm_parts; }
done
