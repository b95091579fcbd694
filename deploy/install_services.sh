#!/bin/sh
# Installs what the tests and a production server need beside Python: PostgreSQL, and for the
# test of the web pages Chromium. Run as root on Debian. The tests start a server and a browser
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
# shellcheck disable=SC2086 # two words where both are wanted
apt-get install -q -y --no-install-recommends $wanted
