// What both fault layers are made of: which call fails, told by a test or by the environment, and what is said at the
// end. To be included once by each; the includer has LAYER_NAME, and FAULT_VARIABLE, that of the environment.
#ifndef ISG_TESTS_FAULT_ARMING_H
#define ISG_TESTS_FAULT_ARMING_H

#include "fault_layer.h"

#include <errno.h>
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
static atomic_int fault_over; // the process ends: what is done then, gcov's counters written, is not isogram's
static const char *_Atomic fault_name;

// ---- Ways ----

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", LAYER_NAME, what);
    abort();
}

// How the names begin of the files whose calls are meant: isogram's own, "isogram" being the command, and those of
// libraries that work in its place.
static const char *const OWN[] = {"libisogram.so", "isogram", "libxxhash.so", "libpng16.so", "libcjson.so"};
enum { MOST_RANGES = 8 };

static struct {
    uintptr_t from, end, base;
    char file[40];
} ranges[MOST_RANGES];
static int range_count;

static int add_range(struct dl_phdr_info *info, size_t bytes, void *user)
{
    (void)bytes, (void)user;
    const char *path = info->dlpi_name[0] ? info->dlpi_name : program_invocation_name;
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    int own = 0;
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++)
        own = own || strncmp(file, OWN[i], strlen(OWN[i])) == 0;
    for (int i = 0; own && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        if (range_count == MOST_RANGES)
            die("too many files");
        ranges[range_count].base = info->dlpi_addr;
        ranges[range_count].from = info->dlpi_addr + part->p_vaddr;
        ranges[range_count].end = ranges[range_count].from + part->p_memsz;
        snprintf(ranges[range_count].file, sizeof ranges->file, "%s", file);
        range_count++;
    }
    return 0;
}

// The range that an address lies in, or -1.
static int range_of(const void *address)
{
    for (int i = 0; i < range_count; i++)
        if ((uintptr_t)address >= ranges[i].from && (uintptr_t)address < ranges[i].end)
            return i;
    return -1;
}

enum { WAYS = 1 << 14, MOST_LEARNT = 1 << 13, DEPTH = 64 };
static _Atomic uint64_t fault_ways[WAYS]; // hashes of all that were gone
static atomic_int fault_learning;
static atomic_long fault_new_count;
static struct {
    atomic_long call;
    uint64_t hash;
} fault_new[MOST_LEARNT];

static void set_learning(int on)
{
    void *place;
    backtrace(&place, 1); // the first one loads what it needs
    if (range_count == 0)
        die("the library is not shared");
    atomic_store(&fault_learning, on);
}

void fault_learn(int on)
{
    set_learning(on);
}

long fault_learnt(long i)
{
    return i < atomic_load(&fault_new_count) ? atomic_load(&fault_new[i].call) : 0;
}

// FNV-1a over whole words.
static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    return (hash ^ word) * 0x100000001b3u;
}

// The same in every process.
static uint64_t hash_way(const char *name)
{
    void *places[DEPTH];
    const int depth = backtrace(places, DEPTH);
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++)
        hash = hash_word(hash, (unsigned char)*name);
    for (int i = 0; i < depth; i++) {
        const int range = range_of(places[i]);
        if (range >= 0)
            hash = hash_word(hash_word(hash, (uint64_t)range), (uintptr_t)places[i] - ranges[range].base);
    }
    return hash;
}

// Notes a call down whose way no call went before.
static void learn_way(const char *name, long call)
{
    const uint64_t hash = hash_way(name);
    for (size_t k = 0; k < WAYS; k++) {
        uint64_t none = 0;
        if (!atomic_compare_exchange_strong(&fault_ways[(hash + k) % WAYS], &none, hash)) {
            if (none == hash)
                return;
            continue;
        }
        const long i = atomic_fetch_add(&fault_new_count, 1);
        if (i == MOST_LEARNT)
            break;
        fault_new[i].hash = hash;
        atomic_store(&fault_new[i].call, call);
        return;
    }
    die("too many ways");
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

static void fault_stop(void)
{
    atomic_store(&fault_over, 1);
}

// Whether this call is one that fails.
static int fault_counted(const char *name)
{
    static atomic_flag seen = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&seen)) // main has begun: what is registered now ends before the destructors begin
        atexit(fault_stop);
    if (atomic_load(&fault_over))
        return 0;
    const long now = atomic_fetch_add(&fault_count, 1) + 1, at = atomic_load(&fault_at);
    if (atomic_load(&fault_learning))
        learn_way(name, now);
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
    dl_iterate_phdr(add_range, NULL);
    if (range_count > 0 && getenv("ISOGRAM_FAULT_LEARN")) // compilers and linkers come by here, too
        set_learning(1);
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
    for (long i = 0; file >= 0 && i < atomic_load(&fault_new_count) && i < MOST_LEARNT; i++)
        if (dprintf(file, "way %s %ld %016llx\n", LAYER_NAME, atomic_load(&fault_new[i].call),
                    (unsigned long long)fault_new[i].hash) < 0)
            abort();
    if (file >= 0)
        close(file);
}

#endif
