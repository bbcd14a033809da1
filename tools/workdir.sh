#!/usr/bin/env bash
# A copy of the checkout in a directory of its own: source tools/workdir.sh; workdir_copy CHECKOUT COPY
# The server user cannot read a checkout below /root, and a build must not write into the caller's tree.

workdir_copy() {
    local checkout=$1 copy=$2 f
    mkdir -p "$copy"
    if git -C "$checkout" rev-parse --git-dir >/dev/null 2>&1; then
        # Files of the index that were deleted, and not yet committed so, must not stop tar.
        (cd "$checkout" && git ls-files -z -co --exclude-standard |
            while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done | tar -cf - --null -T -) | tar -xf - -C "$copy"
    else
        tar -cf - -C "$checkout" --exclude=./build --exclude='*.o' --exclude='*.so' . | tar -xf - -C "$copy"
    fi
    chmod -R a+rX "$copy"
}

# workdir_build COPY LOG: the extension, and the listener with the unit tests where CMake knows them
workdir_build() (
    cd "$1" || exit 1
    {
        make -s -j"$(nproc)" PG_CONFIG="$PG_CONFIG" &&
            { [ ! -f CMakeLists.txt ] || { cmake -S . -B build/cmake -DCMAKE_BUILD_TYPE=RelWithDebInfo && cmake --build build/cmake -j "$(nproc)" ${3:+--target "$3"}; }; }
    } >"$2" 2>&1 || { tail -n 60 "$2" >&2; exit 1; }
)
