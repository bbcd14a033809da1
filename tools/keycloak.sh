#!/usr/bin/env bash
# Fetches a Keycloak server into a cache outside the checkout and unpacks it into a directory.
# The last line on standard output is where it lies; if it cannot be had, standard error says why and the exit code is 1,
# or 3 where the repository did not give it.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: bash tools/keycloak.sh [--no-install] DIR
  --no-install  do not install Java if it is missing
environment:
  VEDFOLNIR_KEYCLOAK_VERSION  version (default 24.0.5)
  VEDFOLNIR_CACHE             cache (default: vedfolnir below XDG_CACHE_HOME, or below ~/.cache)
  VEDFOLNIR_MAVEN             repository to fetch from (default: Maven Central)
USAGE
}

install=yes dir=''
while [ $# -gt 0 ]; do
    case "$1" in
        --help | -h) usage; exit 0 ;;
        --no-install) install= ;;
        -*) usage >&2; exit 2 ;;
        *) dir=$1 ;;
    esac
    shift
done
[ -n "$dir" ] || { usage >&2; exit 2; }

version=${VEDFOLNIR_KEYCLOAK_VERSION:-24.0.5}
cache=${VEDFOLNIR_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vedfolnir}
name=keycloak-quarkus-dist-$version.tar.gz
url=${VEDFOLNIR_MAVEN:-https://repo1.maven.org/maven2}/org/keycloak/keycloak-quarkus-dist/$version/$name

give_up() { echo "keycloak: $1" >&2; exit "${2:-1}"; }

# Versions that were tried are pinned; another one is compared with the sum beside it.
is_intact() {
    case "$version" in
        24.0.5) echo "5a0332a57d7bef07cf79dbde621589bd8e58a323c314649c2b7c495b60385c6c  $1" | sha256sum --check --status ;;
        26.0.7) echo "a6d770bbf55625781f1225a54a130839cdc1dd4ad5b3b4bbb18c9ac8bca8f8ae  $1" | sha256sum --check --status ;;
        *) echo "$(head -c 40 "$cache/$name.sha1")  $1" | sha1sum --check --status ;;
    esac
}

java_major() { java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p'; }
is_ready() { command -v curl >/dev/null && [ "$(java_major)" -ge 17 ]; } 2>/dev/null
is_ready || [ -z "$install" ] || bash "$(dirname "$0")/install.sh" --java >&2 || give_up "Java could not be installed"
is_ready || give_up "Java 17 or later, or curl, is not there"

mkdir -p "$cache" || give_up "the cache cannot be written"
if [ ! -f "$cache/$name" ] || ! is_intact "$cache/$name"; then
    part=$(mktemp "$cache/$name.XXXXXX")
    trap 'rm -f "$part"' EXIT
    curl -fsS --retry 2 --connect-timeout 10 --max-time 300 -o "$cache/$name.sha1" "$url.sha1" &&
        curl -fsS --retry 2 --connect-timeout 10 --max-time 300 -o "$part" "$url" || give_up "version $version could not be fetched" 3
    is_intact "$part" || give_up "what was fetched is not version $version: its checksum differs"
    mv "$part" "$cache/$name"
fi
mkdir -p "$dir"
tar -xzf "$cache/$name" -C "$dir" --no-same-owner || give_up "$name could not be unpacked"
echo "$dir/keycloak-$version"
