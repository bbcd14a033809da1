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

# workdir_build COPY LOG PARTS: extension; extension and listener (demo); extension, listener and unit tests (all)
# With ccache on the machine the second run compiles only what changed, although the copy is a new one.
workdir_build() (
    cd "$1" || exit 1
    compiler='' launcher=''
    if command -v ccache >/dev/null; then
        export CCACHE_BASEDIR=$1 CCACHE_NOHASHDIR=1
        compiler="CXX=ccache g++" launcher=-DCMAKE_CXX_COMPILER_LAUNCHER=ccache
    fi
    extension() { make -s -j"$(nproc)" PG_CONFIG="$PG_CONFIG" ${compiler:+"$compiler"}; }
    with_cmake() {
        cmake -S . -B build/cmake -DCMAKE_BUILD_TYPE=RelWithDebInfo -DVEDFOLNIR_TESTS="$1" $launcher &&
            cmake --build build/cmake -j "$(nproc)"
    }
    case "$3" in
        extension) extension ;;
        demo) extension && with_cmake OFF ;;
        all) extension && with_cmake ON ;;
    esac >"$2" 2>&1 || { tail -n 60 "$2" >&2; exit 1; }
)
