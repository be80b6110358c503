#!/usr/bin/env bash
# Tells a running Restate where the services are and which Kafka topics feed them, and puts the drivers to work.
# Safe to run again and again; `./restate-setup.sh --help` lists the flags and the variables that replace them.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
for binary in "$root/target/release/food-ordering" "$root/target/debug/food-ordering"; do
    if [[ -x "$binary" ]]; then
        exec "$binary" setup "$@"
    fi
done
if command -v food-ordering >/dev/null; then
    exec food-ordering setup "$@"
fi
exec cargo run --quiet --manifest-path "$root/Cargo.toml" --package food-ordering -- setup "$@"
