#include "bench.h"
#include "report.h"

#include <isogram/opencl.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CALLS = 2000 };

// n x n elements, at least so many that the small calls have room.
static int64_t output_bytes(const bench *b)
{
    return isg_max(b->n * b->n, (int64_t)BENCH_SMALL_N * BENCH_SMALL_N) * (int64_t)isg_dtype_bytes(b->dtype);
}

static bool prepare_device(bench *b)
{
    cl_int code;
    char want[32], have[32];
    const isg_device *d = isg_context_device(b->context);
    double needed = (double)b->n * (double)b->n * (double)isg_dtype_bytes(b->dtype);
    if (needed > (double)d->max_alloc_bytes)
        return complain("--n %lld needs a buffer of %sB; %s allows %sB", (long long)b->n,
                        with_prefix(needed, want, sizeof want), d->name,
                        with_prefix((double)d->max_alloc_bytes, have, sizeof have)),
               false;
    b->mem =
        clCreateBuffer(isg_context_cl_context(b->context), CL_MEM_READ_WRITE, (size_t)output_bytes(b), NULL, &code);
    if (code != CL_SUCCESS)
        return complain("no memory on %s for a matrix of %lld x %lld (OpenCL error %d)", d->name, (long long)b->n,
                        (long long)b->n, (int)code),
               false;
    return true;
}

bool bench_prepare(bench *b, int64_t most_dims, bool on_device)
{
    const int64_t element = (int64_t)isg_dtype_bytes(b->dtype);
    // In double: a number of points that no memory holds must not wrap around.
    double points = 2 * (double)b->n * (double)most_dims, elements = (double)b->n * (double)b->n;
    double needed = ((on_device ? 0 : elements) + 2 * points) * (double)element;
    double there = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE);
    char want[32], have[32];
    // A large allocation succeeds whether or not there is memory for it; the system kills who then writes to it.
    if (needed > 0.75 * there)
        return complain("--n %lld needs %sB of memory; this machine has %sB", (long long)b->n,
                        with_prefix(needed, want, sizeof want), with_prefix(there, have, sizeof have)),
               false;
    if (on_device)
        return prepare_device(b);
    b->output = isg_alloc_large(output_bytes(b));
    if (!b->output)
        return complain("no memory for a matrix of %lld x %lld", (long long)b->n, (long long)b->n), false;
    memset(b->output, 1, (size_t)output_bytes(b));
    return true;
}

void bench_free(bench *b)
{
    free(b->output);
    b->output = NULL;
    if (b->mem)
        clReleaseMemObject(b->mem);
    b->mem = NULL;
}

static isg_array output_of(const bench *b, int64_t n)
{
    return b->mem ? isg_matrix_mem(b->dtype, b->mem, 0, n, n) : isg_matrix(b->dtype, b->output, n, n);
}

// Points in [-1, 1) for each coordinate, in [0, 1) for kernels that take none below 0; the same in every run. NULL:
// no memory.
static void *make_points(isg_dtype dtype, int64_t count, int64_t dims, uint64_t seed, bool positive)
{
    void *points = isg_alloc(count * dims, isg_dtype_bytes(dtype));
    uint64_t state = seed;
    for (int64_t i = 0; points && i < count * dims; i++) {
        // xorshift64*: Vigna 2016
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        double unit = (double)(state * 0x2545f4914f6cdd1dull >> 40) * 0x1p-24;
        double value = positive ? unit : 2 * unit - 1;
        if (dtype == ISG_F64)
            ((double *)points)[i] = value;
        else
            ((float *)points)[i] = (float)value;
    }
    return points;
}

static bool failed(const bench *b, const char *what)
{
    complain("%s: %s", what, isg_context_error(b->context)->message);
    return false;
}

// Both point sets live in `points` until the operator is destroyed.
static isg_gram *make_gram(const bench *b, const bench_job *job, int64_t n, void **points)
{
    bool positive = job->kernel->pair == ISG_PAIR_CHI2;
    isg_gram *gram = NULL;
    points[0] = make_points(b->dtype, n, job->dims, 0x9e3779b97f4a7c15ull, positive);
    points[1] = job->two ? make_points(b->dtype, n, job->dims, 0xd1b54a32d192ed03ull, positive) : NULL;
    if (!points[0] || (job->two && !points[1])) {
        complain("no memory for %lld points of %lld coordinates", (long long)n, (long long)job->dims);
        return NULL;
    }
    isg_gram_params params = {
        .kernel = job->kernel, .x = isg_matrix(b->dtype, points[0], n, job->dims), .precision = precision_of(b->dtype)};
    if (job->two)
        params.y = isg_matrix(b->dtype, points[1], n, job->dims);
    if (isg_gram_create(b->context, &gram, &params))
        failed(b, job->kernel->name);
    return gram;
}

static bool run_gram(const bench *b, const bench_job *job, double *times, bench_result *r)
{
    void *points[2] = {NULL, NULL};
    isg_array k = output_of(b, b->n);
    isg_gram *gram = make_gram(b, job, b->n, points);
    bool good = gram != NULL;
    if (good && (isg_gram_dense(gram, k) || isg_gram_measure(gram, &r->limits)))
        good = failed(b, job->kernel->name);
    for (int64_t i = 0; i < b->repeat && good; i++) {
        double start = isg_seconds();
        if (isg_gram_dense(gram, k))
            good = failed(b, job->kernel->name);
        times[i] = isg_seconds() - start;
    }
    // Devices change pace: what one could do is measured on both sides of the job, and the faster counts.
    isg_gram_limits after;
    if (good && isg_gram_measure(gram, &after))
        good = failed(b, job->kernel->name);
    if (good && after.seconds < r->limits.seconds)
        r->limits = after;
    r->operations = 2 * r->limits.computed_pairs * (double)job->dims;
    isg_gram_destroy(&gram);
    free(points[0]);
    free(points[1]);
    return good;
}

// A grid's weights are products of its profiles, which the host has computed before: writing is all that counts.
static bool run_grid(const bench *b, double *times, bench_result *r)
{
    isg_grid *grid = NULL;
    isg_limits limits;
    isg_array out = isg_matrix(b->dtype, b->output, b->n, b->n);
    isg_grid_params params = {.size = {b->n}, .sigma = {(double)b->n / 6}, .precision = precision_of(b->dtype)};
    bool good = !isg_grid_create(b->context, &grid, &params) && !isg_grid_fill(grid, out) &&
                !isg_context_measure(b->context, precision_of(b->dtype), &limits);
    for (int64_t i = 0; i < b->repeat && good; i++) {
        double start = isg_seconds();
        good = !isg_grid_fill(grid, out);
        times[i] = isg_seconds() - start;
    }
    isg_grid_destroy(&grid);
    if (!good)
        return failed(b, "grid");
    double seconds = r->bytes / limits.fill_bytes_per_s;
    r->limits =
        (isg_gram_limits){.fill_bytes_per_s = limits.fill_bytes_per_s, .memory_seconds = seconds, .seconds = seconds};
    return true;
}

bool bench_run(const bench *b, const bench_job *job, bench_result *r)
{
    double *times = malloc((size_t)b->repeat * sizeof *times);
    if (!times)
        return complain("no memory for %lld times", (long long)b->repeat), false;
    *r = (bench_result){.elements = (double)b->n * (double)b->n};
    r->bytes = r->elements * (double)isg_dtype_bytes(b->dtype);
    bool good = job->kernel ? run_gram(b, job, times, r) : run_grid(b, times, r);
    if (good)
        r->seconds = median_of(times, b->repeat);
    free(times);
    return good;
}

bool bench_small_calls(const bench *b, bench_small *result)
{
    const bench_job job = {isg_kernel_find("rbf"), BENCH_SMALL_DIMS, false};
    const double longest = 5; // seconds: on a simulator a single call takes some
    void *points[2] = {NULL, NULL};
    double times[MOST_CALLS];
    isg_array k = output_of(b, BENCH_SMALL_N);
    isg_gram *gram = make_gram(b, &job, BENCH_SMALL_N, points);
    bool good = gram && (!isg_gram_dense(gram, k) || failed(b, "small calls"));
    double begin = isg_seconds();
    int64_t calls = 0;
    while (good && calls < MOST_CALLS && (calls == 0 || isg_seconds() - begin < longest)) {
        double start = isg_seconds();
        if (isg_gram_dense(gram, k))
            good = failed(b, "small calls");
        times[calls++] = isg_seconds() - start;
    }
    if (good) {
        result->calls = calls;
        result->seconds = median_of(times, calls);
        result->best = times[0]; // sorted now
    }
    isg_gram_destroy(&gram);
    free(points[0]);
    free(points[1]);
    return good;
}
