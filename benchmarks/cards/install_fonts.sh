#!/bin/sh
# The Debian fonts that the card generator draws with (licences in THIRD_PARTY.md). Does nothing where they are there.
set -e
packages="fonts-noto-cjk fonts-lxgw-wenkai fonts-wqy-microhei fonts-wqy-zenhei fonts-arphic-uming fonts-arphic-ukai
 fonts-dancingscript fonts-kaushanscript fonts-lobster fonts-leckerli-one fonts-comfortaa"
missing=
for package in $packages; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ]; then
  apt-get install -y --no-install-recommends $missing
else
  sudo apt-get install -y --no-install-recommends $missing
fi
