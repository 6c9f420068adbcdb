#!/bin/sh
# One command of vpngw as a step of a workflow: its exit code and what it found become outputs of the step.
# Reads COMMAND, FILE, ARGUMENTS, PLAN, RUNNING_IS_SUCCESS, DRIFT_IS_SUCCESS; writes to $GITHUB_OUTPUT.
# An input is a value, never shell text: no pattern in it is expanded, and what could write a line of its own into
# the log or into $GITHUB_OUTPUT is refused.
set -uf

refuse() {
  printf '%s\n' "::error::$1"
  exit 64
}

one_line() {
  case $2 in
    *[[:cntrl:]]*) refuse "The input '$1' holds a line break or another control character." ;;
  esac
}

one_line command "$COMMAND"
one_line file "$FILE"
one_line plan "${PLAN:-}"
case $COMMAND in
  validate | plan | apply | wait | destroy | drift | show) ;;
  *) refuse "This command cannot be a step; use validate, plan, apply, wait, destroy, drift or show." ;;
esac
test -n "$FILE" || refuse "The input 'file' is missing: name a blueprint, or for apply and show a saved plan."
case $FILE in
  -*) refuse "The input 'file' begins with '-': write ./FILE, and options into 'arguments'." ;;
esac
case $COMMAND:${PLAN:-} in
  plan:) refuse "The input 'plan' is empty: say where the plan is saved." ;;
  plan:-*) refuse "The input 'plan' begins with '-': write ./FILE." ;;
esac

case $COMMAND in
  plan) set -- plan "$FILE" --out "$PLAN" --detailed-exitcode ;;
  apply)
    case $FILE in
      *.json) set -- apply "$FILE" ;;
      *) set -- apply "$FILE" --yes ;;
    esac ;;
  destroy) set -- destroy "$FILE" --yes ;;
  *) set -- "$COMMAND" "$FILE" ;;
esac

code=0
IFS=$(printf ' \t\r\n.') && IFS=${IFS%.}
# A cancelled step's shell alone hears SIGINT. It hands it on as SIGTERM, since what a shell has begun with & hears no
# SIGINT, and waits until the run has ended: until then its lock is held.
# shellcheck disable=SC2086 # several arguments, separated by spaces or line breaks
vpngw "$@" ${ARGUMENTS:-} &
running=$!
trap 'kill -TERM "$running" 2> /dev/null' INT TERM
wait "$running" || code=$?
while kill -0 "$running" 2> /dev/null; do
  code=0
  wait "$running" || code=$?
done
trap - INT TERM

changes=false
test "$code" -eq 2 && changes=true
{
  printf '%s\n' "exitcode=$code" "changes=$changes"
  if test "$COMMAND" = plan && test -f "$PLAN"; then printf 'plan=%s\n' "$PLAN"; fi
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
