#!/usr/bin/env bash
# Each requirement of the first round has a test that carries its number.
exec bash "$(dirname "$0")/requirements.sh" --check
