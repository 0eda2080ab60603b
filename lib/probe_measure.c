#include "probe_measure.h"
#include "buffer.h"
#include "cl.h"
#include "program.h"
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 1024, SPEED_ITEMS = 64 };

// xorshift64*: Vigna 2016.
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

// A number of either sign with an exponent in [low, high] and a random mantissa.
static double random_number(uint64_t *state, int low, int high)
{
    uint64_t r = next_random(state);
    int exponent = low + (int)((r >> 53) % (uint64_t)(high - low + 1));
    double mantissa = 1 + (double)(r & ((1ull << 52) - 1)) * 0x1p-52;
    return ldexp(r >> 63 ? -mantissa : mantissa, exponent);
}

static double get(isg_dtype dtype, const void *array, int i)
{
    return isg_load_double(dtype, array, i);
}

// What IEEE 754 says, in the dtype. volatile keeps the host's compiler from doing anything clever.
typedef struct expected {
    double product, sum, unfused, fused;
} expected;

static expected right_answers(isg_dtype dtype, double a, double b, double c)
{
    if (dtype == ISG_F64) {
        volatile double p = a * b, s = a + c, u = p + c;
        return (expected){p, s, u, fma(a, b, c)};
    }
    volatile float p = (float)a * (float)b, s = (float)a + (float)c, u = p + (float)c;
    return (expected){p, s, u, fmaf((float)a, (float)b, (float)c)};
}

// The first half stays among normal numbers, the second goes subnormal. In every other triple c nearly cancels a * b,
// which is where one rounding and two differ most.
static void make_triples(isg_dtype dtype, void *a, void *b, void *c)
{
    uint64_t state = 0x9e3779b97f4a7c15ull;
    int least = dtype == ISG_F64 ? -1022 : -126;
    for (int i = 0; i < NUMBERS; i++) {
        bool tiny = i >= NUMBERS / 2;
        isg_store_double(dtype, a, i, random_number(&state, tiny ? least : -20, tiny ? least + 4 : 20));
        isg_store_double(dtype, b, i, random_number(&state, tiny ? -8 : -20, tiny ? -2 : 20));
        double ab = get(dtype, a, i) * get(dtype, b, i);
        isg_store_double(dtype, c, i, i % 2 ? -ab : random_number(&state, tiny ? least : -20, tiny ? least + 4 : 20));
    }
    // Ties, which tell rounding to nearest even from its neighbours.
    double half_ulp = dtype == ISG_F64 ? 0x1p-53 : 0x1p-24;
    for (int i = 0; i < 4; i++) {
        isg_store_double(dtype, a, i, (i & 1 ? 1 + 2 * half_ulp : 1) * (i & 2 ? -1 : 1));
        isg_store_double(dtype, b, i, 1);
        isg_store_double(dtype, c, i, i & 2 ? -half_ulp : half_ulp);
    }
}

enum { INPUTS = 3, OUTPUTS = 4, ARRAYS = INPUTS + OUTPUTS };

// Arrays of NUMBERS elements here and on the device; inputs come first.
typedef struct workspace {
    isg_real_type type;
    cl_mem mem[ARRAYS];
    void *host[ARRAYS];
} workspace;

static void workspace_free(workspace *w)
{
    for (int i = 0; i < ARRAYS; i++) {
        isg_buffer_free(&w->mem[i]);
        free(w->host[i]);
    }
}

static isg_status workspace_make(isg_context *context, workspace *w)
{
    isg_status st = ISG_OK;
    for (int i = 0; i < ARRAYS; i++) {
        w->host[i] = isg_alloc(NUMBERS, sizeof(uint64_t));
        if (!w->host[i])
            return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for the probe");
        // Not isg_buffer_new: the caller's limit is about results.
        CL_MAKE(context, w->mem[i],
                clCreateBuffer(context->cl, CL_MEM_READ_WRITE, NUMBERS * sizeof(uint64_t), NULL, &code));
    }
fail:
    return st;
}

// Moves `count` arrays from the first on to the device, or from there.
static isg_status transfer(isg_context *context, workspace *w, int first, int count)
{
    isg_status st = ISG_OK;
    size_t bytes = NUMBERS * sizeof(uint64_t);
    for (int i = first; i < first + count; i++) {
        if (i < INPUTS)
            CL_TRY(context,
                   clEnqueueWriteBuffer(context->queue, w->mem[i], CL_TRUE, 0, bytes, w->host[i], 0, NULL, NULL));
        else
            CL_TRY(context,
                   clEnqueueReadBuffer(context->queue, w->mem[i], CL_TRUE, 0, bytes, w->host[i], 0, NULL, NULL));
    }
fail:
    return st;
}

static isg_real_type native_type(const isg_context *context, isg_dtype dtype, bool fused)
{
    const isg_device *d = &context->device;
    return (isg_real_type){dtype, fused, dtype == ISG_F64 ? d->lanes_f64 : d->lanes_f32};
}

static isg_status measure_integers(isg_context *context, workspace *w, isg_verdict *v)
{
    isg_status st;
    cl_kernel kernel;
    uint64_t state = 0xbf58476d1ce4e5b9ull, *a = w->host[0], *b = w->host[1], *got = w->host[INPUTS];
    for (int i = 0; i < NUMBERS; i++) {
        a[i] = next_random(&state) >> i % 64;
        b[i] = next_random(&state) >> i / 16;
    }
    TRY(isg_program_kernel(context, &kernel, "probe.cl", "probe_integers", w->type, ""));
    TRY(transfer(context, w, 0, 2));
    TRY(isg_run(context, kernel,
                ISG_ARGS(arg_mem(w->mem[0]), arg_mem(w->mem[1]), arg_mem(w->mem[INPUTS]), arg_int(NUMBERS)),
                (isg_range){{NUMBERS, 1}, {1, 1}}));
    TRY(transfer(context, w, INPUTS, 1));
    v->integers_64 = 1;
    for (int i = 0; i < NUMBERS; i++) {
        uint64_t x = a[i], y = b[i], low = (x & UINT32_MAX) * (y & UINT32_MAX);
        uint64_t middle = (x >> 32) * (y & UINT32_MAX) + (low >> 32);
        uint64_t other = (x & UINT32_MAX) * (y >> 32) + (middle & UINT32_MAX);
        uint64_t high = (x >> 32) * (y >> 32) + (middle >> 32) + (other >> 32);
        uint64_t want = (x * y ^ high) + (x << (y & 63)) - (y >> (x & 63)) + (x < y);
        v->integers_64 = v->integers_64 && got[i] == want;
    }
fail:
    return st;
}

// Drivers that were made for shaders leave loops that seem not to end.
static isg_status measure_rounds(isg_context *context, workspace *w, isg_verdict *v)
{
    enum { ROUNDS = 1 << 17, SEED = 12345 };
    isg_status st;
    cl_kernel kernel;
    uint32_t want = SEED;
    for (uint32_t n = 0; n < ROUNDS; n++)
        want = (want * 1664525u + n) ^ (want >> 16);
    TRY(isg_program_kernel(context, &kernel, "probe.cl", "probe_rounds", w->type, ""));
    TRY(isg_run(context, kernel, ISG_ARGS(arg_mem(w->mem[INPUTS]), arg_int(ROUNDS), arg_int(SEED)),
                (isg_range){{1, 1}, {1, 1}}));
    TRY(transfer(context, w, INPUTS, 1));
    v->whole_loops = *(const uint32_t *)w->host[INPUTS] == want;
fail:
    return st;
}

static isg_status measure_rounding(isg_context *context, workspace *w, isg_verdict *v)
{
    isg_status st;
    cl_kernel kernel;
    isg_dtype dtype = w->type.dtype;
    void *const *out = w->host + INPUTS;
    make_triples(dtype, w->host[0], w->host[1], w->host[2]);
    TRY(isg_program_kernel(context, &kernel, "probe.cl", "probe_arithmetic", w->type, ""));
    TRY(transfer(context, w, 0, INPUTS));
    TRY(isg_run(context, kernel,
                ISG_ARGS(arg_mem(w->mem[0]), arg_mem(w->mem[1]), arg_mem(w->mem[2]), arg_mem(w->mem[3]),
                         arg_mem(w->mem[4]), arg_mem(w->mem[5]), arg_mem(w->mem[6]), arg_int(NUMBERS)),
                (isg_range){{NUMBERS, 1}, {1, 1}}));
    TRY(transfer(context, w, INPUTS, OUTPUTS));
    v->fma_fused = v->fma_subnormals = v->subnormals = v->rounds_to_nearest = 1;
    for (int i = 0; i < NUMBERS; i++) {
        expected want =
            right_answers(dtype, get(dtype, w->host[0], i), get(dtype, w->host[1], i), get(dtype, w->host[2], i));
        bool plain = get(dtype, out[0], i) == want.product && get(dtype, out[1], i) == want.sum;
        bool fused = get(dtype, out[3], i) == want.fused;
        if (i >= NUMBERS / 2) {
            v->subnormals = v->subnormals && plain;
            v->fma_subnormals = v->fma_subnormals && fused;
            continue;
        }
        v->rounds_to_nearest = v->rounds_to_nearest && plain;
        v->contracts = v->contracts || get(dtype, out[2], i) != want.unfused;
        v->fma_fused = v->fma_fused && fused;
    }
fail:
    return st;
}

isg_status isg_measure_arithmetic(isg_context *context, isg_dtype dtype, isg_verdict *verdict)
{
    isg_status st;
    workspace w = {.type = native_type(context, dtype, true)};
    *verdict = (isg_verdict){0};
    TRY(workspace_make(context, &w));
    TRY(measure_rounding(context, &w, verdict));
    TRY(measure_integers(context, &w, verdict));
    TRY(measure_rounds(context, &w, verdict));
fail:
    workspace_free(&w);
    return st;
}

static isg_status time_chains(isg_context *context, cl_mem out, isg_dtype dtype, cl_kernel kernel, int rounds,
                              bool fused, double *seconds)
{
    isg_status st;
    double start = isg_seconds();
    TRY(isg_run(context, kernel, ISG_ARGS(arg_mem(out), arg_real(dtype, 0.5), arg_int(rounds), arg_int(fused)),
                (isg_range){{SPEED_ITEMS, 1}, {16, 1}}));
    TRY(isg_finish(context));
    *seconds = isg_seconds() - start;
fail:
    return st;
}

isg_status isg_measure_fma(isg_context *context, isg_dtype dtype, double *cost)
{
    isg_status st;
    cl_kernel kernel;
    cl_mem out = NULL;
    isg_real_type type = native_type(context, dtype, true);
    enum { TRIES = 4, MOST_TRIES = 32, MOST_ROUNDS = 1 << 14 };
    double best[2] = {HUGE_VAL, HUGE_VAL}, launch = HUGE_VAL, seconds;
    int rounds = 16;
    CL_MAKE(context, out,
            clCreateBuffer(context->cl, CL_MEM_WRITE_ONLY, SPEED_ITEMS * (size_t)type.lanes * isg_dtype_bytes(dtype),
                           NULL, &code));
    TRY(isg_program_kernel(context, &kernel, "probe.cl", "probe_speed", type, ""));
    TRY(time_chains(context, out, dtype, kernel, 0, false, &seconds)); // compiles, on some drivers
    for (int i = 0; i < TRIES; i++) {
        TRY(time_chains(context, out, dtype, kernel, 0, false, &seconds));
        launch = fmin(launch, seconds);
    }
    // Long enough to stand out from the launch, and no longer: a simulator takes seconds where a GPU takes
    // microseconds, and so does an fma in software.
    const double long_enough = 4 * launch + 1e-3;
    for (double plain = 0, fused = 0; plain < long_enough && fused < 50 * long_enough && rounds < MOST_ROUNDS;) {
        rounds *= 4;
        TRY(time_chains(context, out, dtype, kernel, rounds, false, &plain));
        TRY(time_chains(context, out, dtype, kernel, rounds, true, &fused));
    }
    // Hardware costs at most one multiply and add, software six and more. What lies between says that other programs
    // had the processor: the verdict must not hang on that.
    *cost = HUGE_VAL;
    for (int i = 0; i < TRIES || (i<MOST_TRIES && * cost> 1.5 && *cost < 20); i++) {
        for (int fused = 0; fused < 2; fused++) {
            TRY(time_chains(context, out, dtype, kernel, rounds, fused, &seconds));
            best[fused] = fmin(best[fused], seconds);
        }
        *cost = fmax(best[1] - launch, 1e-7) / fmax(best[0] - launch, 1e-7);
    }
fail:
    isg_buffer_free(&out);
    return st;
}

// Every input an argument that some kernel could have, the borders included.
static void make_arguments(isg_dtype dtype, void *x)
{
    uint64_t state = 0xd1b54a32d192ed03ull;
    double lowest = dtype == ISG_F64 ? -708.3964185322641 : -87.33654022216797;
    const double special[] = {0,    -0.0,  lowest,   lowest * (1 + 1e-6), lowest * (1 - 1e-6), -1, -0.34657359,
                              -0.5, -1e30, -INFINITY};
    for (int i = 0; i < NUMBERS; i++)
        isg_store_double(dtype, x, i, -fabs(random_number(&state, -30, 9)));
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        isg_store_double(dtype, x, (int)i, special[i]);
}

isg_status isg_measure_functions(isg_context *context, isg_dtype dtype, bool fused, isg_verdict *verdict)
{
    isg_status st;
    cl_kernel kernel;
    workspace w = {.type = native_type(context, dtype, fused)};
    size_t bytes = NUMBERS * isg_dtype_bytes(dtype);
    TRY(workspace_make(context, &w));
    make_arguments(dtype, w.host[0]);
    TRY(isg_program_kernel(context, &kernel, "probe.cl", "probe_functions", w.type, ""));
    TRY(transfer(context, &w, 0, 1));
    TRY(isg_run(context, kernel,
                ISG_ARGS(arg_mem(w.mem[0]), arg_mem(w.mem[3]), arg_mem(w.mem[4]), arg_int(NUMBERS / w.type.lanes)),
                (isg_range){{NUMBERS / w.type.lanes, 1}, {1, 1}}));
    TRY(transfer(context, &w, INPUTS, 2));
    const isg_reference *reference = isg_reference_get(dtype, fused);
    reference->apply(FUNCTION_exp_nonpositive, w.host[0], NULL, w.host[1], NUMBERS);
    reference->apply(FUNCTION_mul_normal, w.host[1], w.host[1], w.host[2], NUMBERS);
    bool same = memcmp(w.host[1], w.host[3], bytes) == 0 && memcmp(w.host[2], w.host[4], bytes) == 0;
    verdict->trusted[fused] = same ? ISG_TRUSTED : ISG_WRONG;
fail:
    workspace_free(&w);
    return st;
}
