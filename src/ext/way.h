/*
 * way.h: an edge as SQL over the rows of its child that phase N changes: whom will they refer to?
 */
#ifndef VEDFOLNIR_WAY_H
#define VEDFOLNIR_WAY_H

#include "ext/foresight.h"

/* An edge of the node as SQL over its changed rows (c) and the parents that go (d). */
typedef struct VdfWay
{
    int edge;
    Bitmapset *pairs;     /* columns of the node's relation that refer */
    Bitmapset *condition; /* columns that the condition reads */
    bool computed;        /* by an expression: a NULL in a column need not clear it */
    bool unknown;         /* reads the whole row */
    char *refers;
    char *applies; /* NULL: always */
} VdfWay;

typedef struct VdfRowSink
{
    VdfSink sink;
    VdfRowSet *rows;   /* all of them */
    VdfRowSet *chosen; /* where the third column says true; may be NULL */
    VdfRowSet *stays;  /* tombstones: their references do not count where the fourth column says true; may be NULL */
} VdfRowSink;

VdfWay vdf_way(VdfForesight *f, int edge);
/* The first claim that writes one of the columns, other than what the edge does with its own reference; null: NULL counts too. */
VdfClaim *vdf_writes(const VdfForesight *f, const Bitmapset *columns, int edge, bool null);
/* The claim by which rows may come to refer through the edge; NULL: none can. */
VdfClaim *vdf_brings_up(const VdfForesight *f, const VdfWay *w);
/* Do the parents of an edge go, and may what is written concern it? A tombstone's retained rows refer to a row that stays. */
bool vdf_way_matters(const VdfForesight *f, int edge);
/* Nobody can tell beforehand. */
bool vdf_way_changing(VdfForesight *f, const VdfWay *w);
bool vdf_is_block(const VdfPlanView *view, int edge);
/* The changed rows that will refer to a row that goes, and those of them that the condition holds for (may be NULL). */
void vdf_ask_way(VdfForesight *f, const VdfWay *w, VdfRowSet *refer, VdfRowSet *apply);
/* The rows that refer as they are. */
VdfRowSet *vdf_ask_now(VdfRun *run, int edge);
void vdf_row_sink(VdfRowSink *s, VdfRowSet *rows, VdfRowSet *chosen);

#endif
