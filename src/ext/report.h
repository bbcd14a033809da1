/*
 * report.h: SQLSTATEs of class VF, and the way from a VdfError to ereport.
 */
#ifndef VEDFOLNIR_REPORT_H
#define VEDFOLNIR_REPORT_H

#include "bridge/wall.h"
#include "ext/pg.h"

#define ERRCODE_VDF_NO_SUCH_USER MAKE_SQLSTATE('V', 'F', '0', '0', '1')
#define ERRCODE_VDF_REQUEST_REUSED MAKE_SQLSTATE('V', 'F', '0', '0', '2')
#define ERRCODE_VDF_ROWS_LEFT MAKE_SQLSTATE('V', 'F', '0', '0', '3')
#define ERRCODE_VDF_ROWS_HIDDEN MAKE_SQLSTATE('V', 'F', '0', '0', '4')
#define ERRCODE_VDF_UNSAFE_STATE MAKE_SQLSTATE('V', 'F', '0', '0', '5')
#define ERRCODE_VDF_PLAN_CHANGED MAKE_SQLSTATE('V', 'F', '0', '0', '6')
#define ERRCODE_VDF_BLOCKED MAKE_SQLSTATE('V', 'F', '0', '0', '7')
#define ERRCODE_VDF_LEGAL_HOLD MAKE_SQLSTATE('V', 'F', '0', '0', '8')
#define ERRCODE_VDF_NOT_DURABLE MAKE_SQLSTATE('V', 'F', '0', '1', '0')
#define ERRCODE_VDF_TOO_MANY_ROWS MAKE_SQLSTATE('V', 'F', '0', '1', '1')

/* Raises what core reported, with its SQLSTATE, detail and hint. */
[[noreturn]] extern void vdf_raise(const VdfError *error);

/* ", n rows" with the right number. */
char *vdf_rows(uint64 n);
/* A number with thousands separators, as the messages show it. */
char *vdf_number(uint64 n);
/* A qualified, quoted relation name; "(dropped)" when it is gone. */
char *vdf_relation_name(Oid relation);
/* A literal for a call that a message suggests. */
char *vdf_quote(const char *text);

#endif
