#!/usr/bin/env bash
# Regenerates components/monitoring/prometheus-rule.yaml from deploy/observability/prometheus/alerts.yml.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

rule=components/monitoring/prometheus-rule.yaml
{
    sed '/^spec:/q' "$rule"
    sed --quiet '/^groups:/,$p' ../observability/prometheus/alerts.yml | sed 's/^\(.\)/  \1/'
} >"$rule.new"
mv "$rule.new" "$rule"
