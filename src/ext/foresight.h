/*
 * foresight.h: what the UPDATE of phase N would make of the rows of a node, for those who look at it beforehand.
 */
#ifndef VEDFOLNIR_FORESIGHT_H
#define VEDFOLNIR_FORESIGHT_H

#include "ext/run.h"

/* One value that may be written into one column. */
typedef struct VdfClaim
{
    const char *column; /* quoted */
    AttrNumber number;
    int edge;               /* -1: the tombstone */
    const char *expression; /* NULL: NULL, or a key that was given */
    bool null;              /* nothing but NULL */
    bool given;             /* a key: never NULL */
    bool rule;              /* of a column rule */
} VdfClaim;

typedef struct VdfForesight
{
    VdfRun *run;
    int node;
    const int *edges;
    int nedges;
    bool tombstone;
    Relation table;
    VdfKeys *found;
    List *claims;        /* of VdfClaim, by rank: the first one of a column is to blame */
    Bitmapset *changed;  /* columns that are written */
    Bitmapset *changing; /* vdf_foresight_changing has them */
    bool changing_known;
} VdfForesight;

/* The claims of edges, by rank. */
List *vdf_claims(VdfRun *run, int node, const int *edges, int nedges, bool tombstone);
void vdf_foresight_open(VdfForesight *f, VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found);
void vdf_foresight_close(VdfForesight *f);
/* Columns whose new value is another each time. */
const Bitmapset *vdf_foresight_changing(VdfForesight *f);
/* The rows of vdf_m as they would be, as SQL: vdf_t, vdf_i, vdf_w (are they touched?), columns; vdf_o<n>: columns as they are. */
char *vdf_foresight_rows(const VdfForesight *f, const Bitmapset *columns, const Bitmapset *old);
/* Runs a statement over them; parents: vdf_d, may be NULL. */
void vdf_foresight_ask(const VdfForesight *f, const char *sql, VdfKeys *parents, VdfSink *sink);
/* Says that rows would be refused for what a claim writes: a blocker; a note where a BEFORE trigger may put them right. */
void vdf_foresight_refuse(const VdfForesight *f, const VdfClaim *claim, uint64 rows, char *phrase);
void vdf_foresight_note(VdfRun *run, int edge, char *text);
bool vdf_is_volatile(Oid relation, const char *expression);

#endif
