# Sourced by the other commands: a virtual environment with exactly the pinned dependencies, made once and refreshed when they change.
# Needs Python 3.11 or newer and a package registry; nothing else.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
service="$root/ai_content_director"
venv="$root/.venv"

export PYTHONPATH="$service${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONUTF8=1

# prepare FILE…: the virtual environment holds what these requirement files pin.
prepare() {
  local file stale=()
  for file in "$@"; do
    cmp -s "$service/$file" "$venv/.installed-$file" || stale+=("$file")
  done
  if [ ${#stale[@]} -eq 0 ] && [ -x "$venv/bin/python" ]; then return; fi
  exec 9>"$root/.prepare.lock"
  if command -v flock >/dev/null 2>&1; then flock 9; fi
  [ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1 || make_environment
  printf 'Installing the pinned dependencies (about a minute the first time) …\n' >&2
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${@/#/-r$service/}" >&2 ||
    fail "The dependencies could not be installed; the lines above say why. Is a package registry reachable?"
  for file in "$@"; do cp "$service/$file" "$venv/.installed-$file"; done
  exec 9>&-
}

make_environment() {
  local python
  python=$(find_python)
  [ -n "$python" ] || fail "Lead Signals needs Python 3.11 or newer, and found none." "Install it, or name it: PYTHON=/path/to/python3.12 $0"
  "$python" -c 'import ensurepip, venv' 2>/dev/null || fail \
    "$python comes without the venv and ensurepip modules, which Debian and Ubuntu ship apart." "Install them: apt-get install python3-venv"
  printf 'Making a virtual environment in %s …\n' "$venv" >&2
  rm -rf "$venv"
  "$python" -m venv "$venv" || fail "The virtual environment could not be made in $venv; the lines above say why."
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
}

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}
