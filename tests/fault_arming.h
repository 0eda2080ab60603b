// What both fault layers are made of: which call fails, told by a test or by the environment, and what is said at the
// end. To be included once by each; the includer has LAYER_NAME, and FAULT_VARIABLE, that of the environment.
#ifndef ISG_TESTS_FAULT_ARMING_H
#define ISG_TESTS_FAULT_ARMING_H

#include "fault_layer.h"

#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT fault_arm_fn fault_arm;
EXPORT fault_calls_fn fault_calls;
EXPORT fault_fired_fn fault_fired;
EXPORT fault_live_fn fault_live;
EXPORT fault_learn_fn fault_learn;
EXPORT fault_learnt_fn fault_learnt;

// What is in here is told apart from the other layer's, of the same names, by being static: a preloaded layer's come
// first everywhere.
static atomic_long fault_count, fault_at, fault_objects;
static const char *_Atomic fault_name;

// ---- Ways ----

enum { WAYS = 1 << 14, MOST_LEARNT = 1 << 12, DEPTH = 64 };
static _Atomic uint64_t fault_ways[WAYS]; // hashes of all that were gone
static atomic_long fault_learning, fault_new_count, fault_new[MOST_LEARNT];
static uintptr_t library_from, library_end;

static int find_library(struct dl_phdr_info *info, size_t bytes, void *user)
{
    (void)bytes, (void)user;
    const char *slash = strrchr(info->dlpi_name, '/'), *file = slash ? slash + 1 : info->dlpi_name;
    for (int i = 0; i < info->dlpi_phnum && strncmp(file, "libisogram.so", 13) == 0; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && part->p_flags & PF_X) {
            library_from = info->dlpi_addr + part->p_vaddr;
            library_end = library_from + part->p_memsz;
        }
    }
    return 0;
}

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", LAYER_NAME, what);
    abort();
}

void fault_learn(int on)
{
    void *place;
    if (!library_end) {
        backtrace(&place, 1); // the first one loads what it needs
        dl_iterate_phdr(find_library, NULL);
        if (!library_end)
            die("the library is not shared");
    }
    atomic_store(&fault_learning, on);
}

long fault_learnt(long i)
{
    return i < atomic_load(&fault_new_count) ? atomic_load(&fault_new[i]) : 0;
}

// FNV-1a over whole words.
static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    return (hash ^ word) * 0x100000001b3u;
}

// Whether no call went the way of this one before.
static int is_new_way(const char *name)
{
    void *places[DEPTH];
    const int depth = backtrace(places, DEPTH);
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++)
        hash = hash_word(hash, (unsigned char)*name);
    for (int i = 0; i < depth; i++)
        if ((uintptr_t)places[i] >= library_from && (uintptr_t)places[i] < library_end)
            hash = hash_word(hash, (uintptr_t)places[i]);
    for (size_t k = 0; k < WAYS; k++) {
        uint64_t none = 0;
        _Atomic uint64_t *way = &fault_ways[(hash % WAYS + k) % WAYS];
        if (atomic_compare_exchange_strong(way, &none, hash))
            return 1;
        if (none == hash)
            return 0;
    }
    die("too many ways");
    return 0;
}

// ---- Which call fails ----

static void set_fault(long at)
{
    atomic_store(&fault_at, 0);
    atomic_store(&fault_count, 0);
    atomic_store(&fault_new_count, 0);
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
    if (atomic_load(&fault_learning) && is_new_way(name)) {
        const long i = atomic_fetch_add(&fault_new_count, 1);
        if (i == MOST_LEARNT)
            die("too many ways in one run");
        atomic_store(&fault_new[i], now);
    }
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
