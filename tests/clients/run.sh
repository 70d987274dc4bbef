#!/usr/bin/env bash
# Installs the real clients, starts the service and drives them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
clients=${CLIENTS:-$root/target/clients}
polemic=${POLEMIC:-$root/target/release/polemic}

if [ ! -x "$clients/py/bin/python" ]; then
  python3 -m venv "$clients/py"
  "$clients/py/bin/pip" -q install google-api-python-client==2.202.0 pycountry requests httpx PyPerspective==1.0.4 PySpective==0.0.2 \
    openai akismet==25.10.1
  for package in perspective==1.0.3 perspectiveapi==1.1.0 perspective.py==0.3.4; do
    "$clients/py/bin/pip" -q install --no-deps --target "$clients/$package" "$package"
  done
fi
if [ ! -d "$clients/js/node_modules" ]; then
  mkdir -p "$clients/js"
  (cd "$clients/js" && npm init -y > /dev/null && npm install --silent perspective-api-client@3.1.0 openai akismet-api@6.0.0)
fi

folder=$(mktemp -d)
echo "tests $(printf %s sesame | sha256sum | cut -d' ' -f1)" > "$folder/keys.txt"
(cd "$root" && POLEMIC_CORAL_SECRET=open exec "$polemic" serve --listen 127.0.0.1:0 --keys "$folder/keys.txt" --db "$folder/feedback.db") \
  > "$folder/out" 2> "$folder/err" &
service=$!
trap 'kill $service 2> /dev/null || true; wait $service 2> /dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 100); do
  grep -q http "$folder/out" && break
  sleep 0.1
done
base=$(grep -o 'http://[0-9.:]*' "$folder/out" | head -n 1)
[ -n "$base" ] || { cat "$folder/err"; exit 1; }
CLIENTS=$clients "$here/drive.sh" "$base" sesame
