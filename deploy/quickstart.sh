#!/usr/bin/env bash
# From a fresh checkout to a running system: makes .venv, installs, and runs `forensic demo`.
# Can be run again at any time. Arguments are passed on to the demo.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/environment.sh

prepare ""
.venv/bin/forensic doctor
.venv/bin/forensic demo "$@"
echo "All commands: .venv/bin/forensic --help"
