/*
 * module.cpp: what the server sees when it loads the library.
 */
#include "ext/deletion_plan.h"
#include "ext/statement_plan.h"
#include "ext/guc.h"
#include "ext/lock_wait.h"
#include "ext/pg.h"

extern "C" {
PG_MODULE_MAGIC;
void _PG_init(void);
}

void _PG_init(void)
{
    vdf_guc_init();
    vdf_lock_wait_init();
    vdf_plan_cache_init();
    vdf_statement_plan_init();
}
