#!/usr/bin/env bash
# Makes doc/requirements.md: which test carries the number of which requirement. Fails when a number of the first round has
# no test. With --check nothing is written.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C.UTF-8
case "${1:-}" in
    '' | --check) ;;
    *) echo "usage: bash tools/requirements.sh [--check]" >&2; exit 2 ;;
esac

# number|round|what. Round 1 must have a test; "next" may be open. S numbers are shapes seen in real schemas ("section 4 item N").
requirements() {
    cat <<'LIST'
R1|1|every row is deleted, changed or retained explicitly; counts in result and audit agree
R2|1|completeness is proved inside the transaction (VF003)
R3|1|triggers and rules that keep rows back are found
R4|1|disabled RI triggers block; session_replication_role is VF005
R5|1|keys are compared by the constraint's operator and the parent's collation
R6|1|composite keys, keys to UNIQUE, MATCH SIMPLE and MATCH FULL
R7|1|several keys from one table to the person; a row counts once
R8|1|self references and cycles of any length and depth
R9|1|SET NULL into NOT NULL and SET DEFAULT without a target are predicted
R10|1|NOT VALID keys are keys; orphans are reported
R11|1|partitioned tables on either side
R12|1|inheritance children without a key are warned of
R13|1|generated columns, dropped columns, very wide and empty tables
R14|1|tables without a primary key, doubles
R15|1|identifiers of every kind; no literal built from a value
R16|1|temporary and unlogged tables; queue and audit are logged
R17|1|references without a key: columns, arrays, expressions; foreign tables and views
R18|next|copies that no key knows are reported
R19|1|rows of other people are counted apart and refuse a run
R20|1|publication without replica identity is predicted
R21|1|deferrable constraints are forced immediate by name
R22|1|many tables, deep schemas, bounded locks and memory
R23|1|missing indexes are reported
R24|1|DDL during a deletion
R25|1|a dry run is the same plan and writes nothing; plan hash
R26|1|no lost and no unaudited row at any isolation level
R27|1|the second deletion of a person
R28|1|many people in one call, in a stable order
R29|1|time-outs, cancel and terminate leave nothing behind
R30|1|inserts during a deletion
R31|1|deletions of one person are serialised
R32|1|request_id
R33|1|savepoints, procedures, prepared transactions
R34|1|hot standby
R35|1|statements run as the owner of their table
R36|1|so do deferred and AFTER triggers
R37|1|row security cannot shrink a deletion
R38|1|nothing for PUBLIC; duties
R39|1|search_path, operators and overloads of others gain nothing
R40|1|installation over hostile objects
R41|1|NULL, wrong text and negative numbers as keys
R42|1|configuration is written by admins only; no secrets in tables
R43|1|no personal data in messages of the server
R44|1|TLS and time limits of the listener's connection
R45|next|audit and rows in one transaction, under crashes
R46|next|append-only audit
R47|next|hash chain
R48|next|no personal data in audit and queue
R49|next|targets are blanked when they are done
R50|next|undo
R51|next|certificate
R52|2|outbox: NOTIFY is a wake-up only
R53|2|listen, then scan
R54|2|claim, lease, fence
R55|2|effects are idempotent
R56|2|backoff, dead, retry, abandon
R57|2|phases
R58|2|signals
R59|2|lost servers and half-open connections
R60|2|the NOTIFY queue
R61|2|health
R62|2|server time only
R63|2|the transaction is durable
R64|2|relative targets only
R65|2|openat2 below the root
R66|2|regular files and directories only
R67|2|directories
R68|2|fsync, EROFS, EACCES
R69|2|the listener runs unprivileged
R70|2|no claim of secure erasure
R71|2|Redis keys and patterns
R72|2|sessions that come back
R73|2|Redis errors
R74|2|bounded answers
R75|2|Keycloak
R76|2|access tokens stay valid until they expire
R77|1|the C++ boundary
R78|1|no exception escapes
R79|1|no threads, no signal handlers, hidden symbols
R80|1|bounded memory
R81|next|dump and restore
R82|next|DROP EXTENSION guard
R83|next|a restored backup
R84|next|disk full
R85|next|pg_upgrade, logical replication
R86|next|updates of the extension
S1|1|a row nulled through two keys
S2|1|SET NULL on a NOT NULL column
S3|1|keys on or to some leaves; names that repeat
S4|1|cycles of two to four tables
S5|1|keys that lead to other people
S6|1|several keys between two tables, several actions on one column
S7|1|composite keys, unique keys, shared primary keys, keys of different types
S8|1|no primary key, NOT VALID, deferrable
S9|1|referring columns without an index
S10|1|user-like columns without a key
S11|1|many triggers
S12|1|the deep diamond
LIST
}

# Each line: number TAB file, for every mention in a test.
mentions() {
    local files
    files=$(find sql test .ci tools -type f \( -name '*.sql' -o -name '*.pl' -o -name '*.pm' -o -name '*.spec' -o -name '*.cpp' -o -name '*.py' \
        -o -name '*.sh' \) ! -name requirements.sh ! -path '*/expected/*' ! -path 'test/lint/*' | LC_ALL=C sort)
    # shellcheck disable=SC2086
    awk '
        { line = $0
          # "R26 to R30" names all between; "section 4 items 4 and 12" are shapes.
          if (line !~ /(^|[^A-Za-z0-9_])R[0-9]/ && line !~ /[Ss]ection 4 item/) next
          rest = line
          while (match(rest, /(^|[^A-Za-z0-9_])R[0-9]+ to R[0-9]+/)) {
              part = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
              split(part, ends, " to "); sub(/.*R/, "", ends[1]); sub(/R/, "", ends[2])
              for (i = ends[1] + 0; i <= ends[2] + 0; i++) print "R" i "\t" FILENAME
          }
          rest = line
          while (match(rest, /(^|[^A-Za-z0-9_])R[0-9]+([^A-Za-z0-9_]|$)/)) {
              part = substr(rest, RSTART, RLENGTH); sub(/^[^R]*/, "", part); sub(/[^0-9]*$/, "", part)
              print part "\t" FILENAME; rest = substr(rest, RSTART + 1)
          }
          rest = line
          while (match(rest, /[Ss]ection 4 items? [0-9]+(( and |, )[0-9]+)*/)) {
              part = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
              sub(/.*items? /, "", part); n = split(part, items, /[^0-9]+/)
              for (i = 1; i <= n; i++) if (items[i] != "") print "S" items[i] "\t" FILENAME
          }
        }' $files | LC_ALL=C sort -u
}

found=$(mentions)
tests_of() { awk -F'\t' -v n="$1" '$1 == n { printf "%s%s", (c++ ? ", " : ""), $2 }' <<<"$found"; }

table='' missing='' open='' unknown=''
while IFS='|' read -r number round what; do
    tests=$(tests_of "$number")
    if [ -z "$tests" ]; then
        if [ "$round" = 1 ]; then missing="$missing $number"; else open="$open $number"; fi
    fi
    table+="| $number | $what | ${tests:-(none)} |"$'\n'
done < <(requirements)
while read -r number; do
    requirements | grep -q "^$number|" || unknown="$unknown $number"
done < <(cut -f1 <<<"$found" | sort -u)

if [ "${1:-}" != --check ]; then
    mkdir -p doc
    {
        echo '# Requirements and their tests'
        echo
        echo 'Made by `tools/requirements.sh`. A test carries the number of a requirement in a comment or in its name; S numbers are'
        echo 'shapes that real schemas have ("section 4 item N"). R1 to R44, R77 to R80 and S1 to S12 must have a test.'
        echo
        echo '| number | what | tests |'
        echo '| --- | --- | --- |'
        printf '%s' "$table"
        echo
        echo "Without a test:${missing:- none that must have one}."
        echo
        echo "Open, for later rounds or named nowhere yet:${open:- none}."
    } >doc/requirements.md
fi
rc=0
[ -z "$missing" ] || { echo "requirements without a test:$missing"; rc=1; }
[ -z "$unknown" ] || { echo "tests name requirements that do not exist:$unknown"; rc=1; }
exit $rc
