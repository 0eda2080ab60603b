// The jobs of isogram bench: synthetic points, one large output, times and limits. Knows nothing of options and
// reports.
#ifndef ISG_TOOLS_BENCH_H
#define ISG_TOOLS_BENCH_H

#include <stdbool.h>

#include <isogram/isogram.h>

#include "base.h"

// What all jobs share.
typedef struct bench {
    isg_context *context;
    isg_dtype dtype;
    int64_t n;      // points of X, and of Y
    int64_t repeat; // timed calls of a job
    char *output;   // n x n elements in host memory, written before; NULL with mem
    void *mem;      // a cl_mem of as many, on devices with memory of their own; NULL: output
} bench;

typedef struct bench_job {
    const isg_kernel *kernel; // NULL: the Gaussian grid of n x n
    int64_t dims;
    bool two; // K(X, Y) instead of K(X, X)
} bench_job;

typedef struct bench_result {
    double seconds; // median
    double elements, bytes;
    double operations; // 2 for each coordinate of each pair that was computed; 0: not counted
    isg_gram_limits limits;
} bench_result;

// Memory for the outputs, written once so that no page fault is timed. Complains and gives false where there is not
// enough for them and for points of the most coordinates. on_device: in the device's memory.
bool bench_prepare(bench *b, int64_t most_dims, bool on_device);
void bench_free(bench *b);

// One job, after one call that is not timed. Complains and gives false.
bool bench_run(const bench *b, const bench_job *job, bench_result *result);

// Many calls on one small operator (rbf, n = BENCH_SMALL_N, d = BENCH_SMALL_DIMS): seconds of a call, and how many
// calls there were. Complains and gives false.
enum { BENCH_SMALL_N = 100, BENCH_SMALL_DIMS = 10 };
typedef struct bench_small {
    int64_t calls;
    double seconds, best; // median; the fastest call
} bench_small;
bool bench_small_calls(const bench *b, bench_small *result);

#endif
