#!/usr/bin/env bash
# The faults that test/property/plant.sh plants must fit the engine as it is, or its next run tells nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
bash test/property/plant.sh --fits
