#!/bin/sh
# Debian's Chromium, which the browser tests drive. Does nothing where it is there; where it cannot be installed the tests
# are skipped, and say so.
command -v chromium >/dev/null && exit 0
root=
[ "$(id -u)" = 0 ] || root="sudo -n"
if command -v apt-get >/dev/null && $root apt-get install -y --no-install-recommends chromium >/dev/null 2>&1; then
  exit 0
fi
echo "CHROMIUM COULD NOT BE INSTALLED: the console is not tried in a browser (Debian: apt-get install chromium)" >&2
