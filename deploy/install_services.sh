#!/bin/sh
# Installs what the tests and a production server need beside Python: PostgreSQL, Redis, and for
# the test of the web pages Chromium. Run as root on Debian. The tests start servers and a browser
# of their own; this starts none.
set -eu

if [ "$(id -u)" -ne 0 ]; then
    echo "install_services.sh: run as root" >&2
    exit 2
fi
if ! command -v apt-get >/dev/null; then
    echo "install_services.sh: needs Debian's apt-get" >&2
    exit 2
fi
wanted=
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    echo "PostgreSQL is installed."
else
    wanted="$wanted postgresql"
fi
is_redis_new=
if command -v redis-server >/dev/null; then
    echo "Redis is installed."
else
    wanted="$wanted redis-server" is_redis_new=yes
fi
if command -v chromium >/dev/null; then
    echo "Chromium is installed."
else
    wanted="$wanted chromium"
fi
[ -n "$wanted" ] || exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# Without this the package makes and starts a cluster that nobody asked for.
mkdir -p /etc/postgresql-common/createcluster.d
echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/forensic.conf
# shellcheck disable=SC2086 # several words where more than one is wanted
apt-get install -q -y --no-install-recommends $wanted
# Debian starts Redis as soon as it is installed; that is for the operator to decide.
if [ -n "$is_redis_new" ] && [ -d /run/systemd/system ]; then
    systemctl disable --now redis-server
fi
