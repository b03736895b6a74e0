# What the scripts need and a bare Debian or Ubuntu lacks. Sourced by run_tests.sh and
# tools/quickstart, from the top of the source tree.

# has PACKAGE: whether it is there, whoever brought it.
has() {
  case $1 in
    libgtest-dev) [[ -e /usr/include/gtest/gtest.h || -e /usr/local/include/gtest/gtest.h ]] ;;
    # There are several programs of this name; the tests need the one that can half-close.
    netcat-openbsd) command -v nc >/dev/null && nc -h 2>&1 | grep -q -e '-[A-Za-z]*N' ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# as_root COMMAND...: directly, or through sudo. sudo asks for a password on a terminal only.
as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif [[ -t 0 ]]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

can_install() { command -v apt-get >/dev/null && as_root true 2>/dev/null; }

install_packages() {
  as_root apt-get update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# prepare_packages PACKAGE...: installs those that are missing. Where that cannot be done, one
# sentence says what to install.
prepare_packages() {
  local missing=() package log=output/setup.log
  for package in "$@"; do has "$package" || missing+=("$package"); done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if ! can_install; then
    echo "Missing: ${missing[*]}. Install with: apt-get install ${missing[*]}" >&2
    return 1
  fi
  echo "installing ${missing[*]} (log: $log)"
  mkdir -p output
  install_packages "${missing[@]}" >"$log" 2>&1 && return 0
  tail -n 20 "$log" >&2
  echo "apt-get could not install ${missing[*]}: see $log" >&2
  return 1
}

# build TARGET...: make, quietly; on a terminal the file in hand is shown.
build() {
  local log=output/build.log status
  mkdir -p output
  echo "building (log: $log)"
  if [[ -t 1 ]]; then
    make -j"$(nproc)" "$@" 2>&1 | tee "$log" |
      while IFS= read -r line; do printf '\r\033[K%.78s' "$line"; done
    status=${PIPESTATUS[0]}
    printf '\r\033[K'
  else
    make -j"$(nproc)" "$@" >"$log" 2>&1
    status=$?
  fi
  [[ $status -eq 0 ]] && return 0
  grep -m 20 -i error "$log" >&2
  echo "the build failed: see $log" >&2
  return 1
}
