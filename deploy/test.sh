#!/usr/bin/env bash
# Runs the whole test suite in the environment of quickstart.sh, made if need be.
# Can be run again at any time. Arguments are passed on to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/environment.sh

prepare test
# One thread for each of the test processes: threads that compete for cores cost far more than
# they gain.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
echo "Running the tests"
.venv/bin/python -m pytest -n "${TEST_PROCESSES:-2}" "$@"
