/*
 * fault.h: places of the extension where the test build raises an error on purpose; bridge/fault.hpp has those of core.
 */
#ifndef VEDFOLNIR_FAULT_H
#define VEDFOLNIR_FAULT_H

#ifdef VEDFOLNIR_FAULTS
void vdf_place(const char *name);
#define VDF_PLACE(name) vdf_place(name)
#else
#define VDF_PLACE(name) ((void) 0)
#endif
#endif
