#!/bin/bash
# Checks the alert rules, then lets a real Prometheus scrape a real basaltd over TLS with a token and asks it what
# it saw. Needs prometheus and promtool, and a built basaltd: check.sh BASALTD
set -euo pipefail

basaltd=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
for tool in prometheus promtool; do
    command -v "$tool" >/dev/null || { echo "metrics-check: $tool is not installed; skipped"; exit 0; }
done
(cd "$here" && promtool check rules alerts.yaml && promtool test rules alerts_test.yaml)

work=$(mktemp -d)
chmod 755 "$work"
daemon= prometheus=
end() {
    for process in $prometheus $daemon; do kill "$process" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap end EXIT

"$basaltd" serve --dev --data-directory "$work/data" --listen 127.0.0.1:0 --ready-file "$work/ready" \
    2>"$work/basaltd.log" &
daemon=$!
for _ in $(seq 300); do [[ -s $work/ready ]] && break; sleep 0.1; done
[[ -s $work/ready ]] || { cat "$work/basaltd.log"; exit 1; }
address=$(sed 's|https://||' "$work/ready")

cat >"$work/prometheus.yaml" <<YAML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["$here/alerts.yaml"]
scrape_configs:
  - job_name: basalt
    scheme: https
    tls_config: {ca_file: "$work/data/tls/ca.pem"}
    authorization: {credentials_file: "$work/data/admin.token"}
    static_configs: [{targets: ["$address"]}]
YAML
port=$((20000 + RANDOM % 20000))
prometheus --config.file="$work/prometheus.yaml" --storage.tsdb.path="$work/tsdb" \
    --web.listen-address="127.0.0.1:$port" 2>"$work/prometheus.log" &
prometheus=$!

ask() { promtool query instant "http://127.0.0.1:$port" "$1" 2>/dev/null || true; }
for _ in $(seq 100); do [[ $(ask 'basalt_http_requests_total{route="/metrics"} > 3') ]] && break; sleep 0.2; done
for query in 'up{job="basalt"}' 'scrape_duration_seconds{job="basalt"}' 'scrape_samples_scraped{job="basalt"}' \
    'count(count by (__name__) ({__name__=~"basalt_.*"}))' 'basalt_info' 'ALERTS'; do
    echo "$query"
    ask "$query" | sed 's/^/    /'
done
[[ $(ask 'up{job="basalt"} == 1') ]] || { cat "$work/prometheus.log" "$work/basaltd.log"; exit 1; }
echo "metrics-check: Prometheus scrapes basaltd"
