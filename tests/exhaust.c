// Every function of cl/functions.h on every number in single precision that it takes, and on 10^8 hard ones in double
// precision or of two arguments: the device's bits equal the host's, and the host's are within the bound of the exact
// value. Prints a line for each function and contract; the hash is that of all results in order, NaN being 0x7fc00000
// or its like, and belongs to the contract like any result. Takes hours; --stride and --count make it a quick look.
#include "hard_inputs.h"
#include "oracle_functions.h"

#include "base.h"
#include "context.h"
#include "functions.h"
#include "reference.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 18, MAX_THREADS = 64, REPORTED = 5 };
static const double progress_every = 20; // seconds

typedef struct options {
    int functions[FUNCTION_COUNT], function_count;
    bool only[2]; // f32, f64
    int64_t stride, count;
    int threads;
} options;

// A function in one precision, both arithmetics. Threads take blocks in order and do what needs no order at once; then
// they wait for their turn, for the hash and the device.
typedef struct job {
    int function;
    isg_dtype dtype;
    bool every;            // all of single precision from `first`, else random numbers
    uint32_t first;        // bits
    int64_t stride, total; // inputs
    int64_t sample;        // one in so many is judged by MPFR

    atomic_int_fast64_t next; // block
    pthread_mutex_t lock;
    pthread_cond_t turned;
    int64_t turn; // block
    isg_context *contexts[2];
    XXH3_state_t *hashes[2];
    int64_t differing[2]; // from the host; -1: not run
    oracle_worst worst[2];
    double start, reported;
} job;

static const char *dtype_word(isg_dtype dtype)
{
    return dtype == ISG_F64 ? "f64" : "f32";
}

// The inputs of a block; how many there are.
static int64_t fill(const job *j, int64_t block, void *a, void *b)
{
    int64_t first = block * BLOCK, count = isg_min(BLOCK, j->total - first);
    if (!j->every) {
        uint64_t stream = (uint64_t)(2 * j->function + (j->dtype == ISG_F64)) << 32 | (uint64_t)block;
        suite_random random = suite_stream(stream);
        hard_inputs(j->function, j->dtype, &random, a, b, count);
        return count;
    }
    for (int64_t i = 0; i < count; i++)
        ((uint32_t *)a)[i] = j->first + (uint32_t)((first + i) * j->stride);
    return count;
}

static void progress(job *j, int64_t blocks)
{
    double now = isg_seconds(), part = (double)(j->turn + 1) / (double)blocks, spent = now - j->start;
    if (now - j->reported < progress_every)
        return;
    j->reported = now;
    fprintf(stderr, "%s %s: %5.1f %%, %.0f s, %.0f s to go\n", dtype_word(j->dtype), oracle_name(j->function),
            100 * part, spent, spent / part - spent);
}

// The device's results for a block against the host's.
static void compare(job *j, bool fused, const void *a, const void *b, void *got, const void *want, int64_t count)
{
    isg_context *context = j->contexts[fused];
    bool wide = j->dtype == ISG_F64;
    size_t bytes = isg_dtype_bytes(j->dtype);
    int32_t lanes = wide ? context->device.lanes_f64 : context->device.lanes_f32;
    if (isg_functions_run(context, (isg_real_type){j->dtype, fused, lanes}, j->function, a, b, got, count) != ISG_OK) {
        fprintf(stderr, "%s\n", isg_context_error(context)->message);
        exit(EXIT_FAILURE);
    }
    oracle_one_nan(j->dtype, got, count);
    if (memcmp(got, want, (size_t)count * bytes) == 0)
        return;
    for (int64_t i = 0; i < count; i++) {
        if (memcmp((char *)got + (size_t)i * bytes, (const char *)want + (size_t)i * bytes, bytes) == 0)
            continue;
        if (j->differing[fused]++ < REPORTED)
            printf("%s: %s(%a, %a) is %a on the device and %a on the host\n", isg_contract_name(j->dtype, fused),
                   oracle_name(j->function), isg_load_double(j->dtype, a, i), b ? isg_load_double(j->dtype, b, i) : 0,
                   isg_load_double(j->dtype, got, i), isg_load_double(j->dtype, want, i));
    }
}

static void *work(void *argument)
{
    job *j = argument;
    int64_t blocks = (j->total + BLOCK - 1) / BLOCK;
    bool two = oracle_arity(j->function) == 2;
    void *a = oracle_array(j->dtype, BLOCK), *b = two ? oracle_array(j->dtype, BLOCK) : NULL;
    void *got = oracle_array(j->dtype, BLOCK), *y[2] = {oracle_array(j->dtype, BLOCK), oracle_array(j->dtype, BLOCK)};
    oracle_worst worst[2] = {{.error = 0}};
    for (int64_t block; (block = atomic_fetch_add(&j->next, 1)) < blocks;) {
        int64_t count = fill(j, block, a, b);
        for (int fused = 0; fused < 2; fused++)
            isg_reference_get(j->dtype, fused)->apply(j->function, a, b, y[fused], count);
        oracle_judge(worst, j->function, j->dtype, a, b, (const void *const *)y, count, j->sample);

        pthread_mutex_lock(&j->lock);
        while (j->turn != block)
            pthread_cond_wait(&j->turned, &j->lock);
        for (int fused = 0; fused < 2; fused++) {
            oracle_one_nan(j->dtype, y[fused], count);
            XXH3_128bits_update(j->hashes[fused], y[fused], (size_t)count * isg_dtype_bytes(j->dtype));
            if (j->contexts[fused])
                compare(j, fused, a, b, got, y[fused], count);
        }
        progress(j, blocks);
        j->turn++;
        pthread_cond_broadcast(&j->turned);
        pthread_mutex_unlock(&j->lock);
    }
    pthread_mutex_lock(&j->lock);
    for (int fused = 0; fused < 2; fused++)
        oracle_worst_join(&j->worst[fused], &worst[fused]);
    pthread_mutex_unlock(&j->lock);
    void *all[] = {a, b, got, y[0], y[1]};
    for (size_t i = 0; i < COUNT(all); i++)
        free(all[i]);
    mpfr_free_cache();
    return NULL;
}

static void print_header(void)
{
    printf("%-21s %-15s %10s %7s  %-52s %6s %7s %-32s %7s\n", "contract", "function", "inputs", "ulp", "at", "beyond",
           "differ", "XXH3-128 of the results", "seconds");
}

// A line of the table; true when all is well.
static bool print_line(const job *j, bool fused, double seconds)
{
    const oracle_worst *w = &j->worst[fused];
    XXH128_hash_t hash = XXH3_128bits_digest(j->hashes[fused]);
    char at[80] = "", ulp[20] = "rounded", differ[24] = "no run";
    if (oracle_bound(j->function) == 1 || w->beyond) {
        snprintf(ulp, sizeof ulp, "%.5f", w->error);
        snprintf(at, sizeof at, oracle_arity(j->function) == 2 ? "%a, %a" : "%a", w->a, w->b);
    }
    if (j->contexts[fused])
        snprintf(differ, sizeof differ, "%" PRId64, j->differing[fused]);
    printf("%-21s %-15s %10" PRId64 " %7s  %-52s %6" PRId64 " %7s %016" PRIx64 "%016" PRIx64 " %7.0f\n",
           isg_contract_name(j->dtype, fused), oracle_name(j->function), j->total, ulp, at, w->beyond, differ,
           (uint64_t)hash.high64, (uint64_t)hash.low64, seconds);
    fflush(stdout);
    return w->beyond == 0 && j->differing[fused] == 0;
}

static bool run(const options *o, isg_context *const contexts[2], int function, isg_dtype dtype)
{
    job j = {.function = function, .dtype = dtype, .stride = 1, .total = o->count};
    j.every = dtype == ISG_F32 && oracle_arity(function) == 1;
    if (j.every) {
        bool half = function == FUNCTION_exp_nonpositive;
        int64_t numbers = half ? (int64_t)1 << 31 : (int64_t)1 << 32;
        j.first = half ? 0x80000000u : 0;
        j.stride = o->stride;
        j.total = (numbers + o->stride - 1) / o->stride;
    }
    j.sample = j.every ? 1 << 14 : 100;
    pthread_mutex_init(&j.lock, NULL);
    pthread_cond_init(&j.turned, NULL);
    for (int fused = 0; fused < 2; fused++) {
        j.hashes[fused] = XXH3_createState();
        if (!j.hashes[fused] || XXH3_128bits_reset(j.hashes[fused]) != XXH_OK)
            abort();
        if (contexts[fused] && isg_context_require(contexts[fused], dtype) == ISG_OK)
            j.contexts[fused] = contexts[fused];
        else if (contexts[fused])
            fprintf(stderr, "host only: %s\n", isg_context_error(contexts[fused])->message);
    }
    pthread_t threads[MAX_THREADS];
    j.start = j.reported = isg_seconds();
    for (int t = 0; t < o->threads; t++)
        if (pthread_create(&threads[t], NULL, work, &j) != 0)
            abort();
    for (int t = 0; t < o->threads; t++)
        pthread_join(threads[t], NULL);
    bool good = true;
    for (int fused = 0; fused < 2; fused++) {
        good = print_line(&j, fused, isg_seconds() - j.start) && good;
        XXH3_freeState(j.hashes[fused]);
    }
    pthread_cond_destroy(&j.turned);
    pthread_mutex_destroy(&j.lock);
    return good;
}

static void usage(void)
{
    fprintf(stderr, "exhaust [--function NAME]... [--dtype f32|f64] [--stride N] [--count N] [--threads N]\n"
                    "  --function  only this one; several are tried in the order given\n"
                    "  --dtype     only this precision\n"
                    "  --stride    one single-precision number in N (1)\n"
                    "  --count     inputs where they are random (100000000)\n"
                    "  --threads   on the host (2)\n");
    exit(2);
}

static int64_t positive(const char *text, int64_t most)
{
    char *end;
    long long value = strtoll(text, &end, 0);
    if (*end || value < 1 || value > most)
        usage();
    return value;
}

static options parse(int argc, char **argv)
{
    options o = {.only = {true, true}, .stride = 1, .count = 100000000, .threads = 2};
    const struct option known[] = {{"function", required_argument, NULL, 'f'}, {"dtype", required_argument, NULL, 'd'},
                                   {"stride", required_argument, NULL, 's'},   {"count", required_argument, NULL, 'c'},
                                   {"threads", required_argument, NULL, 't'},  {0}};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        int function = 0;
        switch (c) {
        case 'f':
            while (function < FUNCTION_COUNT && strcmp(oracle_name(function), optarg) != 0)
                function++;
            if (function == FUNCTION_COUNT || o.function_count == FUNCTION_COUNT)
                usage();
            o.functions[o.function_count++] = function;
            break;
        case 'd':
            if (strcmp(optarg, "f32") != 0 && strcmp(optarg, "f64") != 0)
                usage();
            o.only[strcmp(optarg, "f32") == 0] = false;
            break;
        case 's': o.stride = positive(optarg, (int64_t)1 << 31); break;
        case 'c': o.count = positive(optarg, (int64_t)1 << 40); break;
        case 't': o.threads = (int)positive(optarg, MAX_THREADS); break;
        default: usage();
        }
    }
    if (optind < argc)
        usage();
    if (o.function_count == 0)
        for (; o.function_count < FUNCTION_COUNT; o.function_count++)
            o.functions[o.function_count] = o.function_count;
    return o;
}

int main(int argc, char **argv)
{
    options o = parse(argc, argv);
    isg_context *contexts[2];
    for (int fused = 0; fused < 2; fused++) {
        isg_error error = {ISG_OK, ""};
        isg_arithmetic arithmetic = fused ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED;
        if (isg_context_create(&contexts[fused], isg_context_params(.arithmetic = arithmetic, .error = &error)) !=
            ISG_OK)
            fprintf(stderr, "host only: %s\n", error.message);
        else
            printf("%s: %s\n", fused ? "fused" : "unfused", contexts[fused]->device.name);
    }
    print_header();
    bool good = true;
    for (int wide = 0; wide < 2; wide++)
        for (int i = 0; i < o.function_count; i++)
            if (o.only[wide])
                good = run(&o, contexts, o.functions[i], wide ? ISG_F64 : ISG_F32) && good;
    for (int fused = 0; fused < 2; fused++)
        isg_context_destroy(&contexts[fused]);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
