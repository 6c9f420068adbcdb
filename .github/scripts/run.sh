#!/bin/sh
# One command of vpngw as a step of a workflow: its exit code and what it found become outputs of the step.
# Reads COMMAND, FILE, ARGUMENTS, PLAN, RUNNING_IS_SUCCESS, DRIFT_IS_SUCCESS; writes to $GITHUB_OUTPUT.
set -u

case $COMMAND in
  plan) set -- plan "$FILE" --out "$PLAN" --detailed-exitcode ;;
  apply)
    case $FILE in
      *.json) set -- apply "$FILE" ;;
      *) set -- apply "$FILE" --yes ;;
    esac ;;
  destroy) set -- destroy "$FILE" --yes ;;
  validate | wait | drift | show) set -- "$COMMAND" "$FILE" ;;
  *)
    echo "::error::vpngw $COMMAND cannot be a step; use validate, plan, apply, wait, destroy, drift or show."
    exit 64 ;;
esac

code=0
# shellcheck disable=SC2086 # several arguments, separated by spaces
vpngw "$@" ${ARGUMENTS:-} || code=$?

changes=false
test "$code" -eq 2 && changes=true
{
  echo "exitcode=$code"
  echo "changes=$changes"
  if test "$COMMAND" = plan && test -f "$PLAN"; then echo "plan=$PLAN"; fi
} >> "$GITHUB_OUTPUT"

case $COMMAND:$code in
  *:0 | plan:2) exit 0 ;;
  drift:2)
    test "${DRIFT_IS_SUCCESS:-false}" = true && exit 0
    echo "::error::Azure has moved away from what was applied." ;;
  *:6)
    echo "::notice::Still running in Azure, or waiting for somebody. The next apply or wait continues."
    test "${RUNNING_IS_SUCCESS:-true}" = true && exit 0 ;;
  *:7) echo "::error::Another run holds the lock of this deployment." ;;
  *:8) echo "::error::Something has moved since the plan was made. Plan again." ;;
esac
exit "$code"
