#!/usr/bin/env bash
# Compares the suggestions for the two example schemas with what their maintainers say a deletion should do, and writes
# doc/suggestions.md. usage: bash tools/suggestions.sh [--check]   (--check: only compare with the file that is there)
# The decisions are in test/support/decisions. Needs a built checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/cluster.sh
. tools/cluster.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/vedfolnir-suggestions.XXXXXX")
trap 'cluster_stop "$work"; rm -rf "$work"' EXIT
cluster_start "$work"
export PATH="$PG_BIN:$PATH"

# What is proposed for each edge or column: by the suggestions, or by the remedy of a candidate for a link.
proposals() {
    cat <<'SQL'
CREATE TEMP TABLE proposed AS
SELECT relation, edge::text AS via, action, why FROM vedfolnir_suggest_policies();
SELECT vedfolnir_apply_suggestions();
INSERT INTO proposed
SELECT p.parts[1], coalesce(p.parts[2], p.parts[3], '-'), coalesce(substring(c.remedy FROM 'action => ''(\w+)'''), 'found'),
       c.code || ': ' || c.message
FROM vedfolnir_check() c, regexp_match(c.object, '^(\w+\.\w+)(?: \((\w+)\)|\.(\w+))?$') AS p(parts)
WHERE c.code IN ('link_candidate', 'keeps_copies')
AND NOT EXISTS (SELECT FROM proposed o WHERE o.relation = p.parts[1] AND o.via = coalesce(p.parts[2], p.parts[3], '-'));
CREATE TEMP TABLE decided (relation text, via text, fits text, words text);
SQL
    echo "COPY decided FROM STDIN (DELIMITER '|');"
    grep -v '^#' "$1"
    echo '\.'
    cat <<'SQL'
\pset format unaligned
\pset tuples_only
\pset fieldsep ' | '
\o :rows
SELECT '| ' || d.relation, d.via, d.words, replace(replace(d.fits, ',', ', '), '-', 'no suggestion'), coalesce(p.action, 'no suggestion'),
       CASE WHEN (d.fits = '-' AND p.action IS NULL) OR p.action = ANY (string_to_array(d.fits, ',')) OR (d.fits = 'found' AND p.action IS NOT NULL)
            THEN 'yes' ELSE '**no**' END || ' |'
FROM decided d LEFT JOIN proposed p USING (relation, via) ORDER BY d.relation COLLATE "C", d.via COLLATE "C";
\o
SQL
}

agree() {
    local name=$1 register=$2
    createdb "$name"
    psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -d "$name" -c 'CREATE EXTENSION vedfolnir' -f "examples/$name/schema.sql" -c "$register"
    proposals "test/support/decisions/$name.txt" | psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -v rows="$work/$name.rows" -d "$name"
}

touch "$work/vedfolnir.rows" "$work/tractusx.rows"
chmod 666 "$work"/*.rows
agree vedfolnir "SELECT vedfolnir_register_subject('users', label_column => 'username')"
agree tractusx "SELECT vedfolnir_register_subject('portal.identities', mode => 'tombstone')"

share() { echo "$(grep -c '| yes |$' "$1") of $(grep -c '' "$1")"; }
heading() { printf '| relation | edge or column | what a deletion should do | fits | suggested | agrees |\n|---|---|---|---|---|---|\n'; }
{
    cat <<'TEXT'
# How good the suggestions are

`vedfolnir_suggest_policies()` and the candidates of `vedfolnir_check()`, compared edge by edge with what the people who
know the two example systems say a deletion should do. Made by `bash tools/suggestions.sh`; the decisions are in
`test/support/decisions/`. Only the schema is read, not the data. The rules behind the suggestions were written with both
systems in view, so the figures say that the rules fit these two, not how well they do on a schema never seen.

TEXT
    echo "Agreement: $(share "$work/vedfolnir.rows") for the media server, $(share "$work/tractusx.rows") for the portal."
    printf '\n## The media server (mode delete)\n\n'
    heading; cat "$work/vedfolnir.rows"
    printf '\n## The portal (mode tombstone)\n\nWhat lies behind the other half of a person (`company_users`) is proposed as a link to the root.\n\n'
    heading; cat "$work/tractusx.rows"
} >"$work/suggestions.md"

if [ "${1:-}" = --check ]; then
    diff -u doc/suggestions.md "$work/suggestions.md"
else
    cp "$work/suggestions.md" doc/suggestions.md
fi
grep '^Agreement' "$work/suggestions.md"
