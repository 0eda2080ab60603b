#include "scarce_memory.h"

#include <stdbool.h>
#include <stdlib.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void __real_free(void *block);

long memory_calls, memory_blocks;
static long failing;

static bool fails(void)
{
    return ++memory_calls == failing;
}

static void *counted(void *block)
{
    memory_blocks += block != NULL;
    return block;
}

void *__wrap_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : counted(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : counted(__real_calloc(count, bytes));
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : counted(__real_aligned_alloc(alignment, bytes));
}

void __wrap_free(void *block);
void __wrap_free(void *block)
{
    memory_blocks -= block != NULL;
    __real_free(block);
}

void memory_arm(long at)
{
    memory_calls = 0;
    failing = at;
}
