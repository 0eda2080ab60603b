// The variants of the library's Gram kernel that are held against each other, each compiled here from the library's
// source with a line or two altered, and what the library's launches call in place of its own programs.
#ifndef ISG_BENCH_VARIANT_H
#define ISG_BENCH_VARIANT_H

#include "gram.h"
#include "program.h"

enum { VARIANTS = 6 };

typedef struct variant {
    const char *name;
    bool fused;
    const char *exp; // in place of the contract's; NULL: the contract's
    bool relaxed;
} variant;

// The contract comes first: the others are held against it.
extern const variant variants[VARIANTS];

// What the calls of the launches find here, for their parameters are the library's.
extern struct bench {
    int variant, placement;
    bool refused[2][VARIANTS]; // by precision
    bool mirrored;             // the last kernel that was asked for
    double seconds;            // of all launches
} bench;

// lib/gram_direct.c and lib/tiles.c under other names, and what it calls.
isg_status bench_gram_block(isg_gram *gram, isg_block b);
isg_status bench_kernel(isg_context *context, cl_kernel *kernel, const char *file, const char *name, isg_real_type type,
                        const char *build_options);
isg_status bench_run(isg_context *context, cl_kernel kernel, const isg_arg *args, int count, isg_range range);

void free_built(void);

#endif
