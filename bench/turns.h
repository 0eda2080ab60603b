// One thing to measure, by all variants in turns.
#ifndef ISG_BENCH_TURNS_H
#define ISG_BENCH_TURNS_H

#include "variant.h"

#include <cjson/cJSON.h>

enum { MAX_ROUNDS = 1000 };

typedef struct job {
    isg_status (*compute)(struct job *job, double *seconds); // by the variant that bench names, all of it once
    isg_context *context;
    isg_dtype dtype;
    const char *shape;
    int64_t d;        // 0: the exponential alone
    void *got, *want; // the last computation's results; the contract's
    int64_t count;    // of either
    isg_gram *gram;
    cl_mem u, y; // the exponential's
    int64_t items, vectors, passes;
} job;

typedef struct turns {
    int rounds, placements;
    cJSON *rows; // what is found goes here; NULL: lines of a table to standard output
} turns;

void check(isg_context *context, isg_status st);
void print_progress(const job *j, const char *state);

// Measures, and puts a line for each variant. The first round compiles, touches and compares, and is not timed.
void take_turns(job *j, const turns *t);

#endif
