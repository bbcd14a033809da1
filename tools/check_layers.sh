#!/usr/bin/env bash
# Includes run one way: ext -> bridge/wall.h; bridge -> core; listener -> core/error and core/task; core -> core.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

# The file that a quoted include means: beside the including file first, then below src/ (-Isrc).
resolve() {
    local from=$1 name=$2
    if [ -e "$(dirname "$from")/$name" ]; then realpath -ms --relative-to=. "$(dirname "$from")/$name"
    else realpath -ms --relative-to=. "src/$name"; fi
}

allowed() {
    case "$1:$2" in
        core:src/core/* | bridge:src/bridge/* | bridge:src/core/* | ext:src/ext/* | ext:src/bridge/wall.h) ;;
        listener:src/listener/* | listener:src/core/error.h | listener:src/core/error.hpp) ;;
        listener:src/core/task.h | listener:src/core/task.hpp) ;;
        *) return 1 ;;
    esac
}

# Headers of the system: core and bridge know the standard library, the listener never the server. No streams in core and
# bridge: one that runs out of memory goes on with less text.
system_allowed() {
    case "$1:$2" in
        core:*stream | bridge:*stream | core:iomanip | bridge:iomanip) return 1 ;;
        core:std*.h | bridge:std*.h) ;;
        core:*/* | core:*.* | bridge:*/* | bridge:*.*) return 1 ;;
        listener:postgres.h | listener:fmgr.h | listener:c.h | listener:server/* | listener:*/postgres.h) return 1 ;;
    esac
}

found=0 files=0
complain() { echo "$1"; found=1; }

for layer in core bridge ext listener; do
    for file in src/"$layer"/*.cpp src/"$layer"/*.hpp src/"$layer"/*.h; do
        [ -e "$file" ] || continue
        files=$((files + 1))
        while IFS=: read -r line text; do
            name=$(sed -E 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]([^>"]*)[>"].*/\1/' <<<"$text")
            case "$text" in
                *\"*\"*)
                    target=$(resolve "$file" "$name")
                    # A name that is not ours is one of PostgreSQL's; check_boundary.sh sees that only pg.h has those.
                    [ "$layer" = ext ] && [ ! -e "$target" ] && [[ $target != src/@(core|bridge|listener)/* ]] && continue
                    allowed "$layer" "$target" || complain "$file:$line: $layer must not include $target"
                    ;;
                *) system_allowed "$layer" "$name" || complain "$file:$line: $layer must not include <$name>" ;;
            esac
        done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' "$file")
    done
done

# wall.h is read by both sides: plain structs and functions, nothing of C++. Comments may speak as they like.
while read -r line; do
    complain "src/bridge/wall.h:$line: more than plain structs and functions"
done < <(perl -0777 -pe 's{/\*.*?\*/|//[^\n]*}{(my $n = $&) =~ s/[^\n]//g; $n}gse' src/bridge/wall.h |
    grep -nE '\b(std::|class|template|namespace|virtual)\b|#[[:space:]]*include[[:space:]]*<[a-z_]+>' | cut -d : -f 1)

# PGXS keeps its dependency files by base name only.
while read -r twice; do
    complain "two source files are called $twice in src/core, src/bridge and src/ext"
done < <(ls src/core/*.cpp src/bridge/*.cpp src/ext/*.cpp 2>/dev/null | xargs -r -n 1 basename | sort | uniq -d)

[ "$files" -gt 0 ] || complain "no source file was found"
exit $found
