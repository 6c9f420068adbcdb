#!/bin/sh
# What the input `version` means: a commit or a release of this action's own repository, nothing else of it.
# Reads VERSION and REPOSITORY; writes `repository` and `ref` to $GITHUB_OUTPUT. An input is a value, never shell text.
set -u

refuse() {
  printf '%s\n' "::error::$1"
  exit 64
}

test -n "$REPOSITORY" ||
  refuse "The input 'version' needs \`uses: OWNER/vpngw@...\`: an action in a folder is the version that lies there."
if expr "x$VERSION" : 'x[0-9a-f]\{40\}$' > /dev/null; then
  ref=$VERSION
elif expr "x$VERSION" : 'xv[0-9]\{1,\}\.[0-9]\{1,\}\.[0-9]\{1,\}$' > /dev/null; then
  ref=refs/tags/$VERSION # a branch of that name is not meant
else
  refuse "The input 'version' takes a commit (40 digits) or a release (v1.2.3) of vpngw."
fi
printf '%s\n' "repository=$REPOSITORY" "ref=$ref" >> "$GITHUB_OUTPUT"
