#!/bin/bash
# Sends what the contract describes, and what it forbids, to a running control plane (`make contract`).
# Arguments go to schemathesis. CONTRACT_EXAMPLES: cases per operation and phase.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly version=4.32.5
readonly venv=.build/contract/venv
readonly state=.build/contract/state
readonly examples=${CONTRACT_EXAMPLES:-100}

if [[ ! -x $venv/bin/st ]]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q "schemathesis==$version"
fi
swift build --product basaltd
rm -rf "$state"
mkdir -p "$state"
# The private Postgres runs as another user when this is root.
chmod 755 .build/contract "$state"

# Limits of rates have tests of their own; here they would only answer instead of what is behind them.
BASALT_LOG_LEVEL=error BASALT_TOKEN_REQUESTS_PER_SECOND=1000000 BASALT_AGENT_REQUESTS_PER_SECOND=1000000 \
    BASALT_ADDRESS_REQUESTS_PER_SECOND=1000000 \
    .build/debug/basaltd --dev --data-directory "$state/data" --listen 127.0.0.1:0 \
    --ready-file "$state/ready" >"$state/basaltd.log" 2>&1 &
readonly daemon=$!
trap 'kill $daemon 2>/dev/null; wait $daemon 2>/dev/null || true' EXIT
for _ in $(seq 600); do
    [[ -s $state/ready ]] && break
    kill -0 $daemon
    sleep 0.1
done
server=$(<"$state/ready")
TOKEN=$(<"$state/data/admin.token")
export TOKEN

post() {
    curl -sS --fail-with-body --cacert "$state/data/tls/ca.pem" -H "Authorization: Bearer $TOKEN" \
        -H 'Content-Type: application/json' -d "$2" "$server$1"
}
get() { curl -sS --fail --cacert "$state/data/tls/ca.pem" -H "Authorization: Bearer $TOKEN" "$server$1"; }
secret() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# Objects that the examples of the contract name.
post /v1/cells '{"metadata":{"name":"east"},"spec":{}}' >/dev/null
post /v1/pools '{"metadata":{"name":"vms"},"spec":{"cell":"east","admits":["vm"]}}' >/dev/null
post /v1/projects '{"metadata":{"name":"shop"},"spec":{}}' >/dev/null
post /v1/flavors '{"metadata":{"name":"small"},"spec":{"resources":{"milliCPU":1000,"memoryMiB":1024}}}' >/dev/null
for kind in cells flavors projects; do
    post "/v1/$kind" '{"metadata":{"name":"web-1"},"spec":'"$(
        [[ $kind == flavors ]] && echo '{"resources":{"milliCPU":1,"memoryMiB":1}}' || echo '{}')"'}' >/dev/null
done
post /v1/policies '{"metadata":{"name":"web-1"},"spec":{"type":"placement","placement":{"score":"best-fit"}}}' \
    >/dev/null
post /v1/pools '{"metadata":{"name":"web-1"},"spec":{"cell":"east","admits":["vm"]}}' >/dev/null
post /v1/hosts '{"metadata":{"name":"web-1"},"spec":{"cell":"east","pool":"vms"}}' >/dev/null
post /v1/projects/shop/vms '{"metadata":{"name":"web-1"},"spec":{"flavor":"small"}}' >/dev/null
join=$(post /v1/jointokens '{"cell":"east","pool":"vms","hosts":"rack1-*","ttlSeconds":600}' | secret secret)
AGENT_TOKEN=$(post /v1/agent/join \
    '{"token":"'"$join"'","session":"rack1","substrate":"simulated","hosts":["rack1-0"]}' | secret credential)
export AGENT_TOKEN
export SERVER=$server CA=$state/data/tls/ca.pem

# What changes the ledger needs the lease of the cell.
for _ in $(seq 100); do
    get /v1/cluster | grep -q '"cell":"east"' && break
    sleep 0.1
done

status=0
PYTHONPATH=Tests/Contract SCHEMATHESIS_HOOKS=hooks \
    "$venv/bin/st" --config-file Tests/Contract/schemathesis.toml run Sources/API/openapi.yaml \
    --url "$server" --tls-verify "$state/data/tls/ca.pem" -H "Authorization: Bearer $TOKEN" \
    --max-examples "$examples" --report junit --report-dir "$state/report" "$@" || status=$?
if grep -n 'request failed' "$state/basaltd.log"; then
    echo "the server met a bug; see above"
    status=1
fi
exit $status
