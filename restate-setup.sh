#!/usr/bin/env bash
# Tells a running Restate where the services are and which Kafka topics feed them, and puts the drivers to work.
# Safe to run again and again; `./restate-setup.sh --help` lists the flags and the variables that replace them.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
newest=""
for binary in "$root"/target/{debug,release}/food-ordering; do
    if [[ -x "$binary" && ( -z "$newest" || "$binary" -nt "$newest" ) ]]; then
        newest="$binary"
    fi
done
if [[ -z "$newest" ]]; then
    newest="$(command -v food-ordering || true)"
fi
if [[ -n "$newest" ]]; then
    exec "$newest" setup "$@"
fi
exec cargo run --quiet --manifest-path "$root/Cargo.toml" --package food-ordering -- setup "$@"
