// What both fault layers are made of: which call fails, told by a test or by the environment, and what is said at the
// end. To be included once by each; the includer has LAYER_NAME, and FAULT_VARIABLE, that of the environment.
#ifndef ISG_TESTS_FAULT_ARMING_H
#define ISG_TESTS_FAULT_ARMING_H

#include "fault_layer.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT fault_arm_fn fault_arm;
EXPORT fault_calls_fn fault_calls;
EXPORT fault_fired_fn fault_fired;
EXPORT fault_live_fn fault_live;

// What is in here is told apart from the other layer's, of the same names, by being static: a preloaded layer's come
// first everywhere.
static atomic_long fault_count, fault_at, fault_objects;
static const char *_Atomic fault_name;

static void set_fault(long at)
{
    atomic_store(&fault_at, 0);
    atomic_store(&fault_count, 0);
    atomic_store(&fault_name, NULL);
    atomic_store(&fault_at, at);
}

void fault_arm(long at)
{
    set_fault(at);
}

long fault_calls(void)
{
    return atomic_load(&fault_count);
}

const char *fault_fired(void)
{
    return atomic_load(&fault_name);
}

long fault_live(void)
{
    return atomic_load(&fault_objects);
}

// Whether this call is one that fails.
static int fault_counted(const char *name)
{
    const long now = atomic_fetch_add(&fault_count, 1) + 1, at = atomic_load(&fault_at);
    if (at < 0 ? now < -at : now != at)
        return 0;
    const char *none = NULL;
    atomic_compare_exchange_strong(&fault_name, &none, name);
    return 1;
}

// What the includer knows of the place of the call that failed; "-": nothing.
static const char *fault_place(void);

__attribute__((constructor)) static void fault_begin(void)
{
    const char *at = getenv(FAULT_VARIABLE);
    if (at)
        set_fault(strtol(at, NULL, 10));
}

__attribute__((destructor)) static void fault_end(void)
{
    char line[400];
    const char *path = getenv("ISOGRAM_FAULT_REPORT"), *name = atomic_load(&fault_name);
    int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    int length = snprintf(line, sizeof line, "%s %ld %ld %s %s\n", LAYER_NAME, atomic_load(&fault_count),
                          atomic_load(&fault_objects), name ? name : "-", fault_place());
    if (file >= 0 && write(file, line, (size_t)length) != length)
        abort();
    if (file >= 0)
        close(file);
}

#endif
