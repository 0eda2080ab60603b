#include "probe.h"
#include "program.h"
#include "reference.h"
#include "sources.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 1024, SPEED_ITEMS = 64 };

// One precision's verdict, as it lies in the cache. trusted: by arithmetic, unfused and fused; 0: not checked yet.
typedef struct verdict {
    int32_t contracts;
    int32_t fma_fused;
    int32_t subnormals;
    int32_t rounds_to_nearest;
    int32_t trusted[2];
    double fma_cost;
} verdict;
enum { UNCHECKED = 0, TRUSTED = 1, WRONG = 2 };

// Hardware fma costs as much as a multiply and an add, or half of it; software 6 to 1000 times as much.
static const double cheap_fma = 2.5;

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

static void set(isg_dtype dtype, void *array, int i, double value)
{
    if (dtype == ISG_F64)
        ((double *)array)[i] = value;
    else
        ((float *)array)[i] = (float)value;
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
        set(dtype, a, i, random_number(&state, tiny ? least : -20, tiny ? least + 4 : 20));
        set(dtype, b, i, random_number(&state, tiny ? -8 : -20, tiny ? -2 : 20));
        double ab = get(dtype, a, i) * get(dtype, b, i);
        set(dtype, c, i, i % 2 ? -ab : random_number(&state, tiny ? least : -20, tiny ? least + 4 : 20));
    }
    // Ties, which tell rounding to nearest even from its neighbours.
    double half_ulp = dtype == ISG_F64 ? 0x1p-53 : 0x1p-24;
    for (int i = 0; i < 4; i++) {
        set(dtype, a, i, (i & 1 ? 1 + 2 * half_ulp : 1) * (i & 2 ? -1 : 1));
        set(dtype, b, i, 1);
        set(dtype, c, i, i & 2 ? -half_ulp : half_ulp);
    }
}

typedef struct workspace {
    isg_real_type type;
    cl_mem in[3], out[4];
    void *host[7]; // three inputs, four outputs
} workspace;

static void workspace_free(workspace *w)
{
    for (int i = 0; i < 3; i++)
        if (w->in[i])
            clReleaseMemObject(w->in[i]);
    for (int i = 0; i < 4; i++)
        if (w->out[i])
            clReleaseMemObject(w->out[i]);
    for (int i = 0; i < 7; i++)
        free(w->host[i]);
}

static isg_status workspace_make(isg_context *context, workspace *w)
{
    isg_status st = ISG_OK;
    size_t bytes = NUMBERS * isg_dtype_bytes(w->type.dtype);
    for (int i = 0; i < 7; i++) {
        w->host[i] = isg_alloc(NUMBERS, isg_dtype_bytes(w->type.dtype));
        if (!w->host[i])
            return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for the probe");
    }
    for (int i = 0; i < 3; i++)
        CL_MAKE(context, w->in[i], clCreateBuffer(context->cl, CL_MEM_READ_ONLY, bytes, NULL, &code));
    for (int i = 0; i < 4; i++)
        CL_MAKE(context, w->out[i], clCreateBuffer(context->cl, CL_MEM_READ_WRITE, bytes, NULL, &code));
fail:
    return st;
}

static isg_status upload(isg_context *context, workspace *w, int inputs)
{
    isg_status st = ISG_OK;
    size_t bytes = NUMBERS * isg_dtype_bytes(w->type.dtype);
    for (int i = 0; i < inputs; i++)
        CL_TRY(context, clEnqueueWriteBuffer(context->queue, w->in[i], CL_TRUE, 0, bytes, w->host[i], 0, NULL, NULL));
fail:
    return st;
}

static isg_status download(isg_context *context, workspace *w, int outputs)
{
    isg_status st = ISG_OK;
    size_t bytes = NUMBERS * isg_dtype_bytes(w->type.dtype);
    for (int i = 0; i < outputs; i++)
        CL_TRY(context,
               clEnqueueReadBuffer(context->queue, w->out[i], CL_TRUE, 0, bytes, w->host[3 + i], 0, NULL, NULL));
fail:
    return st;
}

static isg_status probe_arithmetic(isg_context *context, workspace *w, verdict *v)
{
    isg_status st;
    cl_kernel kernel;
    isg_dtype dtype = w->type.dtype;
    make_triples(dtype, w->host[0], w->host[1], w->host[2]);
    TRY(isg_program_kernel(context, &kernel, "probe.cl", "probe_arithmetic", w->type, ""));
    TRY(upload(context, w, 3));
    TRY(isg_run(context, kernel,
                ISG_ARGS(arg_mem(w->in[0]), arg_mem(w->in[1]), arg_mem(w->in[2]), arg_mem(w->out[0]),
                         arg_mem(w->out[1]), arg_mem(w->out[2]), arg_mem(w->out[3]), arg_int(NUMBERS)),
                (isg_range){{NUMBERS, 1}, {1, 1}}));
    TRY(download(context, w, 4));
    *v = (verdict){.fma_fused = 1, .subnormals = 1, .rounds_to_nearest = 1};
    for (int i = 0; i < NUMBERS; i++) {
        expected want =
            right_answers(dtype, get(dtype, w->host[0], i), get(dtype, w->host[1], i), get(dtype, w->host[2], i));
        double product = get(dtype, w->host[3], i), sum = get(dtype, w->host[4], i);
        if (i >= NUMBERS / 2) {
            v->subnormals = v->subnormals && product == want.product && sum == want.sum;
            continue;
        }
        v->rounds_to_nearest = v->rounds_to_nearest && product == want.product && sum == want.sum;
        v->contracts = v->contracts || get(dtype, w->host[5], i) != want.unfused;
        v->fma_fused = v->fma_fused && get(dtype, w->host[6], i) == want.fused;
    }
fail:
    return st;
}

static isg_status time_chains(isg_context *context, workspace *w, cl_kernel kernel, int rounds, bool fused,
                              double *seconds)
{
    isg_status st;
    double start = isg_seconds();
    TRY(isg_run(context, kernel,
                ISG_ARGS(arg_mem(w->out[0]), arg_real(w->type.dtype, 0.5), arg_int(rounds), arg_int(fused)),
                (isg_range){{SPEED_ITEMS, 1}, {1, 1}}));
    TRY(isg_finish(context));
    *seconds = isg_seconds() - start;
fail:
    return st;
}

// The time of a fused multiply-add over that of a multiply and an add, launches taken off.
static isg_status probe_cost(isg_context *context, workspace *w, verdict *v)
{
    isg_status st;
    cl_kernel kernel;
    enum { TRIES = 4, MOST_ROUNDS = 1 << 14 };
    double best[2] = {HUGE_VAL, HUGE_VAL}, launch = HUGE_VAL, seconds = 0;
    int rounds = 16;
    TRY(isg_program_kernel(context, &kernel, "probe.cl", "probe_speed", w->type, ""));
    TRY(time_chains(context, w, kernel, 0, false, &seconds)); // compiles, on some drivers
    for (int i = 0; i < TRIES; i++) {
        TRY(time_chains(context, w, kernel, 0, false, &seconds));
        launch = fmin(launch, seconds);
    }
    // Long enough to stand out from the launch, and no longer: a simulator takes seconds where a GPU takes
    // microseconds.
    for (seconds = 0; seconds < 4 * launch + 1e-3 && rounds < MOST_ROUNDS; rounds *= 4)
        TRY(time_chains(context, w, kernel, rounds * 4, false, &seconds));
    for (int i = 0; i < TRIES; i++) {
        for (int fused = 0; fused < 2; fused++) {
            TRY(time_chains(context, w, kernel, rounds, fused, &seconds));
            best[fused] = fmin(best[fused], seconds);
        }
    }
    v->fma_cost = fmax(best[1] - launch, 1e-7) / fmax(best[0] - launch, 1e-7);
fail:
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
        set(dtype, x, i, -fabs(random_number(&state, -30, 9)));
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        set(dtype, x, (int)i, special[i]);
}

static isg_status check_functions(isg_context *context, workspace *w, verdict *v)
{
    isg_status st;
    cl_kernel kernel;
    isg_dtype dtype = w->type.dtype;
    size_t bytes = NUMBERS * isg_dtype_bytes(dtype);
    make_arguments(dtype, w->host[0]);
    TRY(isg_program_kernel(context, &kernel, "probe.cl", "probe_functions", w->type, ""));
    TRY(upload(context, w, 1));
    TRY(isg_run(context, kernel,
                ISG_ARGS(arg_mem(w->in[0]), arg_mem(w->out[0]), arg_mem(w->out[1]), arg_int(NUMBERS / w->type.lanes)),
                (isg_range){{NUMBERS / w->type.lanes, 1}, {1, 1}}));
    TRY(download(context, w, 2));
    const isg_reference *reference = isg_reference_get(dtype, w->type.fused);
    reference->apply(FUNCTION_exp_nonpositive, w->host[0], NULL, w->host[1], NUMBERS);
    reference->apply(FUNCTION_mul_normal, w->host[1], w->host[1], w->host[2], NUMBERS);
    bool same = memcmp(w->host[1], w->host[3], bytes) == 0 && memcmp(w->host[2], w->host[4], bytes) == 0;
    v->trusted[w->type.fused] = same ? TRUSTED : WRONG;
fail:
    return st;
}

static bool chosen_fused(isg_arithmetic asked, bool fma_fused, double fma_cost)
{
    return asked == ISG_ARITHMETIC_AUTO ? fma_fused && fma_cost <= cheap_fma : asked == ISG_ARITHMETIC_FUSED;
}

static bool wants_fused(const isg_context *context, const verdict *v)
{
    return chosen_fused(context->arithmetic, v->fma_fused, v->fma_cost);
}

bool isg_probe_fused(const isg_context *context, isg_dtype dtype)
{
    const isg_probe *p = &context->probe;
    return dtype == ISG_F64 ? chosen_fused(context->arithmetic, p->fma_fused_f64, p->fma_cost_f64)
                            : chosen_fused(context->arithmetic, p->fma_fused_f32, p->fma_cost_f32);
}

static isg_cache_key key_of(const isg_context *context, isg_dtype dtype)
{
    return isg_program_key(context, (const char *const[]){"probe 1", isg_dtype_name(dtype), isg_source_text("probe.cl"),
                                                          isg_source_text("numerics.h"), NULL});
}

// Fills *v with what is not known yet.
static isg_status run_probe(isg_context *context, isg_dtype dtype, verdict *v, bool known)
{
    isg_status st;
    workspace w = {.type = {dtype, true, dtype == ISG_F64 ? context->device.lanes_f64 : context->device.lanes_f32}};
    double start = isg_seconds();
    TRY(workspace_make(context, &w));
    if (!known) {
        TRY(probe_arithmetic(context, &w, v));
        TRY(probe_cost(context, &w, v));
    }
    w.type.fused = wants_fused(context, v);
    TRY(check_functions(context, &w, v));
    isg_context_log(context, ISG_LOG_INFO, "probed %s in %s: %.3f s", context->device.name, isg_dtype_name(dtype),
                    isg_seconds() - start);
fail:
    workspace_free(&w);
    isg_programs_forget(context, "probe.cl");
    return st;
}

static void publish(isg_context *context, isg_dtype dtype, const verdict *v, bool trusted)
{
    isg_probe *p = &context->probe;
    p->rounds_to_nearest = v->rounds_to_nearest && (p->rounds_to_nearest || !p->checked);
    p->checked = 1;
    p->contracts = p->contracts || v->contracts;
    if (dtype == ISG_F64) {
        p->trusted_f64 = trusted;
        p->fma_fused_f64 = v->fma_fused;
        p->fma_cost_f64 = v->fma_cost;
        p->subnormals_f64 = v->subnormals;
    } else {
        p->trusted_f32 = trusted;
        p->fma_fused_f32 = v->fma_fused;
        p->fma_cost_f32 = v->fma_cost;
        p->subnormals_f32 = v->subnormals;
    }
}

// Whether the contract can be kept; the reason why not.
static isg_status judge(isg_context *context, isg_dtype dtype, const verdict *v)
{
    isg_error *error = &context->error;
    const char *name = context->device.name, *precision = isg_dtype_name(dtype);
    bool fused = wants_fused(context, v);
    if (!v->rounds_to_nearest)
        return isg_fail(error, ISG_ERR_UNTRUSTED, "%s does not round %s to nearest", name, precision);
    if (v->contracts)
        return isg_fail(error, ISG_ERR_UNTRUSTED, "%s fuses a * b + c in %s although told not to", name, precision);
    if (fused && !v->fma_fused)
        return isg_fail(error, ISG_ERR_UNSUPPORTED,
                        "%s has no fused multiply-add in %s; unfused arithmetic is possible", name, precision);
    if (v->trusted[fused] != TRUSTED)
        return isg_fail(error, ISG_ERR_UNTRUSTED, "%s computes wrong numbers in %s: its self-check failed", name,
                        precision);
    return ISG_OK;
}

isg_status isg_probe_precision(isg_context *context, isg_dtype dtype)
{
    verdict v = {0};
    void *blob;
    size_t bytes;
    isg_cache_key key = key_of(context, dtype);
    isg_cache_get(&context->cache, key, &blob, &bytes);
    bool known = blob && bytes == sizeof v;
    if (known)
        memcpy(&v, blob, sizeof v);
    free(blob);
    if (!known || v.trusted[wants_fused(context, &v)] == UNCHECKED) {
        isg_status st = run_probe(context, dtype, &v, known);
        if (st)
            return st;
        isg_cache_put(&context->cache, key, &v, sizeof v);
    }
    isg_status st = judge(context, dtype, &v);
    publish(context, dtype, &v, st == ISG_OK);
    return st;
}
