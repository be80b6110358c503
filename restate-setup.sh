#!/usr/bin/env bash
# Registers the services and their Kafka topics with a running Restate, and starts the drivers.
# Safe to run repeatedly. `./restate-setup.sh --help` lists the flags and their environment variables.
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
