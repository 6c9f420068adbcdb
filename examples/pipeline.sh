#!/bin/sh
# What a pipeline does, in any CI: check, plan, apply exactly that plan, and never lose an operation that still runs.
#
#     sh examples/pipeline.sh blueprints/one_site.py
#
# Settings come from VPNGW_* variables or vpngw.toml. A runner is thrown away after the job, so that the state must be
# kept elsewhere: VPNGW_STATE=azblob://ACCOUNT/CONTAINER/PREFIX.
set -eu
blueprint=$1
plan=${2:-plan.json}
minutes=${3:-60}

vpngw validate "$blueprint"

code=0
vpngw plan "$blueprint" -o "$plan" --detailed-exitcode || code=$?
case $code in
  0) echo "Nothing to do."; exit 0 ;;
  2) ;; # there are changes; here a person looks at the plan
  *) exit "$code" ;;
esac

code=0
vpngw apply "$plan" --timeout "$minutes" || code=$?
rounds=${ROUNDS:-10}
while [ "$code" -eq 6 ] && [ "$rounds" -gt 0 ]; do # still running in Azure, or somebody outside must act
  echo "Not finished yet, and nothing is lost: continuing."
  rounds=$((rounds - 1))
  sleep "${PAUSE:-60}"
  code=0
  vpngw apply "$blueprint" --yes --timeout "$minutes" || code=$?
done
exit "$code"
