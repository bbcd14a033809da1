// wall_fault.cpp: faults that a test arms (fault.hpp). Empty but in the test build.
#ifdef VEDFOLNIR_FAULTS
#include "bridge/fault.hpp"
#include "bridge/wall.h"
#include "core/error.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

namespace
{

char armed_entry[64];
char armed_what[16];
long armed_count = 0;     // strikes at this one
long reached = 0;         // so many were passed
int inside = 0;           // scopes that the armed fault may strike in
long blocks = 0;          // C++ allocations that are alive

bool due()
{
    return armed_count > 0 && ++reached == armed_count;
}

void *allocate(std::size_t size)
{
    if (inside > 0 && std::strcmp(armed_what, "alloc") == 0 && due())
        throw std::bad_alloc();
    void *memory = std::malloc(size ? size : 1);
    if (memory == nullptr)
        throw std::bad_alloc();
    blocks++;
    return memory;
}

void release(void *memory) noexcept
{
    if (memory != nullptr)
        blocks--;
    std::free(memory);
}

} // namespace

// The version script keeps these to the library: they count what its C++ objects hold.
void *operator new(std::size_t size)
{
    return allocate(size);
}
void *operator new[](std::size_t size)
{
    return allocate(size);
}
void operator delete(void *memory) noexcept
{
    release(memory);
}
void operator delete[](void *memory) noexcept
{
    release(memory);
}
void operator delete(void *memory, std::size_t) noexcept
{
    release(memory);
}
void operator delete[](void *memory, std::size_t) noexcept
{
    release(memory);
}

namespace vedfolnir
{

FaultScope::FaultScope(const char *entry) : armed_(std::strcmp(entry, armed_entry) == 0)
{
    if (!armed_)
        return;
    if (std::strcmp(armed_what, "alloc") != 0 && due()) {
        if (std::strcmp(armed_what, "int") == 0)
            throw 42;
        if (std::strcmp(armed_what, "bad_alloc") == 0)
            throw std::bad_alloc();
        if (std::strcmp(armed_what, "std") == 0)
            throw std::runtime_error("fault");
        throw Error("22023", "fault", "detail", "hint");
    }
    inside++;
}

FaultScope::~FaultScope()
{
    if (armed_)
        inside--;
}

} // namespace vedfolnir

void vdf_fault_arm(const char *entry, const char *what, long count) VDF_NOEXCEPT
{
    std::strncpy(armed_entry, entry, sizeof(armed_entry) - 1);
    std::strncpy(armed_what, what, sizeof(armed_what) - 1);
    armed_count = count;
    reached = 0;
}

bool vdf_fault_due(const char *place) VDF_NOEXCEPT
{
    return std::strcmp(place, armed_entry) == 0 && due();
}

long vdf_fault_reached(void) VDF_NOEXCEPT
{
    return reached;
}

long vdf_fault_blocks(void) VDF_NOEXCEPT
{
    return blocks;
}
#endif
