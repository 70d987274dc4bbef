#!/usr/bin/env bash
# Drives every client against the service at $1 with the key $2; a red list at the end, if any.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
clients=${CLIENTS:-$here/../../target/clients}
base=$1 key=$2 failed=0

drive() {
  local name=$1
  shift
  if output=$("$@" "$base" "$key" 2>&1); then
    echo "ok      $name"
  else
    echo "FAILED  $name"
    echo "$output" | tail -n 8
    failed=1
  fi
}

python=$clients/py/bin/python
drive "google-api-python-client" "$python" "$here/google_client.py"
drive "perspective" env PYTHONPATH="$clients/perspective==1.0.3" "$python" "$here/perspective_103.py"
drive "perspectiveapi" env PYTHONPATH="$clients/perspectiveapi==1.1.0" "$python" "$here/perspectiveapi_110.py"
drive "perspective.py" env PYTHONPATH="$clients/perspective.py==0.3.4" "$python" "$here/perspective_py_034.py"
drive "PyPerspective" "$python" "$here/pyperspective.py"
drive "PySpective" "$python" "$here/pyspective_002.py"
drive "openai (Python)" "$python" "$here/openai_client.py"
drive "akismet (Python)" "$python" "$here/akismet_client.py"
drive "perspective-api-client (npm)" env NODE_PATH="$clients/js/node_modules" node "$here/perspective_client.js"
drive "openai (npm)" env NODE_PATH="$clients/js/node_modules" node "$here/openai_client.js"
drive "akismet-api (npm)" env NODE_PATH="$clients/js/node_modules" node "$here/akismet_client.js"
exit $failed
