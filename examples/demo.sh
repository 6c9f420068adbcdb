#!/bin/sh
# The whole life of a multi-site hub on the embedded simulator: plan, build, somebody's change, drift, repair, destroy.
# A gateway takes its realistic twenty minutes, in simulated time; the whole demo takes less than a minute.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export VPNGW_CLOUD=simulator VPNGW_ENV_FILE="$here/blueprints/example.env"
blueprint="$here/blueprints/multi_site.py"

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}${CI:-}" ] && [ "${TERM:-dumb}" != dumb ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
say() { printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"; }
run() { say "$@"; "$@"; }

run vpngw validate "$blueprint"
run vpngw plan "$blueprint"
run vpngw apply "$blueprint" --yes
run vpngw show "$blueprint"
say "# Somebody changes the address of a site in the portal, behind our back."
python "$here/examples/foreign_hand.py" "$blueprint"
say vpngw drift "$blueprint"
vpngw drift "$blueprint" || test $? -eq 2
run vpngw apply "$blueprint" --yes
run vpngw drift "$blueprint"
run vpngw destroy "$blueprint" --yes
say "# Everything is gone, and the network is as it was."
