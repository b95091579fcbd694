#!/bin/sh
# Installs the services that the tests and a production server need: PostgreSQL.
# Run as root on Debian. The tests start a server of their own; this starts none.
set -eu

if [ "$(id -u)" -ne 0 ]; then
    echo "install_services.sh: run as root" >&2
    exit 2
fi
if ! command -v apt-get >/dev/null; then
    echo "install_services.sh: needs Debian's apt-get" >&2
    exit 2
fi
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    echo "PostgreSQL is installed."
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# Without this the package makes and starts a cluster that nobody asked for.
mkdir -p /etc/postgresql-common/createcluster.d
echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/forensic.conf
apt-get install -q -y --no-install-recommends postgresql
