# Sourced by quickstart.sh and test.sh: makes .venv in the repository and installs into it.
# Needs Python 3.11 or 3.12 with venv, and a package index that pip can reach.

find_python() {
    for candidate in "${PYTHON:-}" python3.12 python3.11 python3 python; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))'; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or 3.12 is needed and was not found. Install it, or name it: PYTHON=/path bash $0" >&2
    return 1
}

# prepare EXTRAS: make .venv unless it is there, then install the project with these extras.
prepare() {
    if [ ! -x .venv/bin/python ]; then
        local python
        python=$(find_python)
        echo "Making .venv with $("$python" --version)"
        if ! "$python" -m venv .venv; then
            rm -rf .venv
            echo "$python cannot make environments. On Debian and Ubuntu: apt install python3-venv" >&2
            return 1
        fi
    fi
    # Installing takes minutes the first time; it is skipped while nothing it depends on changed.
    local stamp=".venv/.installed-$1" wanted
    wanted=$(cat setup.cfg pyproject.toml | cksum)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        echo "Using .venv as it is: setup.cfg and pyproject.toml have not changed."
        return
    fi
    echo "Installing into .venv; torch is large, so the first time takes some minutes."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".${1:+[$1]}"
    echo "$wanted" >"$stamp"
}
