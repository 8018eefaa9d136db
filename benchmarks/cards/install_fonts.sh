#!/bin/sh
# The Debian fonts that the card generator draws with (licences in THIRD_PARTY.md). Does nothing where they are there.
#   install_fonts.sh            what measuring needs: the OCR cards, the test split, the fall-back
#   install_fonts.sh all        those of the train and dev splits too (300 MB more)
set -e
packages="fonts-noto-cjk fonts-lxgw-wenkai fonts-wqy-microhei fonts-wqy-zenhei fonts-arphic-uming fonts-arphic-ukai
 fonts-dancingscript fonts-kaushanscript fonts-lobster fonts-leckerli-one fonts-comfortaa
 fonts-smiley-sans fonts-seto fonts-lato fonts-play fonts-cantarell fonts-league-spartan fonts-okolaks fonts-cabinsketch
 fonts-tomsontalks fonts-femkeklaver fonts-dejavu-core fonts-freefont-ttf fonts-hanazono"
if [ "$1" = all ]; then
  packages="$packages fonts-arphic-gkai00mp fonts-aoyagi-kouzan-t fonts-reggae fonts-yusei-magic fonts-yozvox-yozfont-standard-kana
   fonts-open-sans fonts-roboto-slab fonts-cabin fonts-lobstertwo fonts-comic-neue fonts-sjfonts
   fonts-cns11643-kai fonts-cns11643-sung fonts-quicksand fonts-ebgaramond fonts-dosis fonts-rufscript fonts-breip
   fonts-humor-sans"
fi
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
