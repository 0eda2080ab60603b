// What reproducibility costs: the library's Gram kernel under the contract beside the same kernel with the device's own
// exponential and with relaxed arithmetic, on one device, on the same data, in the same minutes.
//
// Everything is the library's own: the source, which is altered in a line or two, the points' panels, the shapes of
// tiles, the launches (bench/meson.build compiles lib/gram_direct.c with bench_kernel and bench_run in place of
// isg_program_kernel and isg_run). Every variant is compiled here from source, with the options of lib/program.c.
//
// Machines drift, so variants take turns within a round, each round begins with another one, and what counts is the
// median over the rounds of a variant's time over the contract's.
//
// Where a compiler happens to place the inner loop makes up to a fifth of its speed on some CPUs. --placements measures
// every variant at several places and takes the mean, so that variants are not judged by their luck.
#include "buffer.h"
#include "gram.h"
#include "program.h"
#include "sources.h"

#include <cjson/cJSON.h>

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

typedef struct variant {
    const char *name;
    bool fused;
    const char *exp; // in place of the contract's; NULL: the contract's
    bool relaxed;
} variant;

// The contract comes first: the others are held against it. The last one leaves it to the compiler what to fuse.
static const variant variants[] = {
    {"contract, fused", true, NULL, false},
    {"contract, unfused", false, NULL, false},
    {"device's exp", true, "exp", false},
    {"device's native_exp", true, "native_exp", false},
    {"device's exp, relaxed, fma", true, "exp", true},
    {"device's exp, relaxed, a * b + c", false, "exp", true},
};
enum { VARIANTS = COUNT(variants), MAX_ROUNDS = 1000, MAX_DIMS = 8, MAX_PLACEMENTS = 16 };

// The exponential alone, over an array that stays in the caches. A work-item has `count` vectors, `step` apart;
// work-item i begins at vector i * apart. For all that a compiler knows, y may be u: it cannot leave out a pass.
static const char exponential_kernel[] =
    "kernel void exponential(global const scalar *u, global scalar *y, int count, int apart, int step, int passes)\n"
    "{\n"
    "    long first = (long)get_global_id(0) * apart;\n"
    "    for (int p = 0; p < passes; p++)\n"
    "        for (int i = 0; i < count; i++) {\n"
    "            long at = (first + (long)i * step) * LANES;\n"
    "            STORE(exp_nonpositive(-LOAD(u + at)), y + at);\n"
    "        }\n"
    "}\n";

typedef struct options {
    int64_t n, dims[MAX_DIMS];
    int dim_count, rounds, placements;
    bool only[2]; // f32, f64
    bool json;
    const char *device;
} options;

// A kernel of a variant; NULL where the device's compiler refused it.
typedef struct built {
    struct built *next;
    char *id;
    cl_program program;
    cl_kernel kernel;
} built;

// What the calls of the launches find here, for their parameters are the library's.
static struct {
    int variant, placement;
    built *all;
    bool refused[2][VARIANTS]; // by precision
    bool mirrored;             // the last kernel that was asked for
    double seconds;            // of all launches
} bench;

// lib/gram_direct.c under another name, and what it calls.
isg_status bench_gram_block(isg_gram *gram, isg_block b);
isg_status bench_kernel(isg_context *context, cl_kernel *kernel, const char *file, const char *name, isg_real_type type,
                        const char *build_options);
isg_status bench_run(isg_context *context, cl_kernel kernel, const isg_arg *args, int count, isg_range range);

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(EXIT_FAILURE);
}

static void check(isg_context *context, isg_status st)
{
    if (st)
        fail(isg_context_error(context)->message);
}

static void *need(void *memory)
{
    if (!memory)
        fail("no memory");
    return memory;
}

// As the command has its results, which matters: huge pages where there are any. Touched, so that no page fault is
// timed.
static void *result_memory(size_t bytes)
{
    const size_t page = (size_t)2 << 20;
    size_t rounded = (bytes + page - 1) / page * page;
    void *memory = need(aligned_alloc(page, rounded));
#ifdef MADV_HUGEPAGE
    madvise(memory, rounded, MADV_HUGEPAGE);
#endif
    memset(memory, 0, rounded);
    return memory;
}

// xorshift64* (Vigna 2016), 53 bits in [0, 1).
static double uniform(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)(*state * 0x2545f4914f6cdd1dull >> 11) * 0x1p-53;
}

// Box and Muller 1958.
static double normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(1 - uniform(state)));
    return radius * cos(6.283185307179586 * uniform(state));
}

static void put(isg_dtype dtype, void *array, int64_t at, double value)
{
    if (dtype == ISG_F64)
        ((double *)array)[at] = value;
    else
        ((float *)array)[at] = (float)value;
}

static const char *dtype_word(isg_dtype dtype)
{
    return dtype == ISG_F64 ? "f64" : "f32";
}

// Replaces the first `from` that stands behind `landmark`, and fails when there is none: a variant that is not what its
// name says would be worse than no figure.
static char *replace(char *text, const char *landmark, const char *from, const char *to)
{
    char *at = strstr(text, landmark);
    at = at ? strstr(at, from) : NULL;
    if (!at)
        fail("the library's source has changed: the benchmark does not find what to replace");
    char *result = need(malloc(strlen(text) + strlen(to) + 1));
    sprintf(result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    free(text);
    return result;
}

// The library's source as a variant has it. kernel: "gram", or "exponential", which stands in the place of gram.
static char *source_of(const variant *v, const char *kernel)
{
    const char *library = isg_source_text("gram.cl"), *gram = strstr(library, "kernel void gram(");
    if (!gram)
        fail("the library's source has changed: the benchmark does not find the kernel");
    bool alone = strcmp(kernel, "gram") != 0;
    char more[200] = "", call[40];
    if (v->exp) // not every native_exp has double precision, and a conversion to single would go unnoticed
        snprintf(more, sizeof more, "typedef char keeps_its_type[sizeof(%s(REAL(0))) == sizeof(real) ? 1 : -1];\n",
                 v->exp);
    char *text = need(malloc(strlen(library) + sizeof exponential_kernel + sizeof more));
    sprintf(text, "%.*s%s%s", (int)(gram - library), library, more, alone ? exponential_kernel : gram);
    if (v->exp) {
        snprintf(call, sizeof call, "%s(", v->exp);
        text = replace(text, alone ? "kernel void exponential(" : "real f_rbf(", "exp_nonpositive(", call);
    }
    if (v->relaxed)
        text = replace(text, "#pragma OPENCL FP_CONTRACT", "OFF", "ON");
    if (bench.placement && !alone) { // of 16 bytes each on x86, where loops begin at multiples of 16
        char shift[100];
        snprintf(shift, sizeof shift, "__asm__ volatile(\".rept %d; nop; .endr\");\n    for (int q = 0;",
                 16 * bench.placement);
        text = replace(text, "kernel void gram(", "for (int q = 0;", shift);
    }
    return text;
}

static void print_log(const isg_context *context, cl_program program)
{
    char log[4000] = "";
    clGetProgramBuildInfo(program, context->device_id, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, NULL);
    fprintf(stderr, "%.*s\n", (int)strcspn(log, "\n"), log);
}

static built *build(isg_context *context, const char *name, isg_real_type type, const char *build_options)
{
    const variant *v = &variants[bench.variant];
    bool wide = type.dtype == ISG_F64;
    char id[700], text_options[600];
    snprintf(text_options, sizeof text_options, "%s-D REAL_BITS=%d -D FUSED=%d -D LANES=%d %s%s%s",
             strcmp(context->device.c_version, "OpenCL C 1.2") >= 0 ? "-cl-std=CL1.2 " : "", wide ? 64 : 32, v->fused,
             (int)type.lanes, v->fused && context->fma_by_integers[wide] ? "-D FMA_BY_INTEGERS=1 " : "", build_options,
             v->relaxed ? " -cl-fast-relaxed-math -cl-mad-enable" : "");
    snprintf(id, sizeof id, "%d %d %s %s", bench.variant, bench.placement, name, text_options);
    for (built *b = bench.all; b; b = b->next)
        if (strcmp(b->id, id) == 0)
            return b;
    built *b = need(calloc(1, sizeof *b));
    b->id = need(strdup(id));
    b->next = bench.all;
    bench.all = b;
    char *text = source_of(v, name);
    cl_int code;
    b->program = clCreateProgramWithSource(context->cl, 1, &(const char *){text}, NULL, &code);
    free(text);
    if (code != CL_SUCCESS)
        fail(isg_cl_error_name(code));
    code = clBuildProgram(b->program, 1, &context->device_id, text_options, NULL, NULL);
    if (code == CL_SUCCESS)
        b->kernel = clCreateKernel(b->program, name, &code);
    if (code != CL_SUCCESS) {
        bench.refused[wide][bench.variant] = true;
        fprintf(stderr, "%s, %s: refused (%s). ", dtype_word(type.dtype), v->name, isg_cl_error_name(code));
        print_log(context, b->program);
    }
    return b;
}

isg_status bench_kernel(isg_context *context, cl_kernel *kernel, const char *file, const char *name, isg_real_type type,
                        const char *build_options)
{
    if (strcmp(file, "gram.cl") != 0)
        fail("the benchmark knows gram.cl only");
    bench.mirrored = strstr(build_options, "SYMMETRIC=1") != NULL;
    *kernel = build(context, name, type, build_options)->kernel;
    return *kernel ? ISG_OK : isg_fail(&context->error, ISG_ERR_BUILD, "refused");
}

isg_status bench_run(isg_context *context, cl_kernel kernel, const isg_arg *args, int count, isg_range range)
{
    double start = isg_seconds();
    isg_status st = isg_run(context, kernel, args, count, range);
    if (!st)
        st = isg_finish(context);
    bench.seconds += isg_seconds() - start;
    return st;
}

static void free_built(void)
{
    while (bench.all) {
        built *b = bench.all;
        bench.all = b->next;
        if (b->kernel)
            clReleaseKernel(b->kernel);
        clReleaseProgram(b->program);
        free(b->id);
        free(b);
    }
}

// What a case gave.
typedef struct result {
    double seconds[VARIANTS][MAX_ROUNDS];
    int64_t differing[VARIANTS];
    double difference[VARIANTS]; // the largest
} result;

// One thing to measure.
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

static void print_progress(const job *j, const char *state)
{
    char dims[32] = "";
    if (j->d)
        snprintf(dims, sizeof dims, "d = %" PRId64 ", ", j->d);
    fprintf(stderr, "%s, %s%s: %s\n", dtype_word(j->dtype), dims, j->shape, state);
}

static void compare(const job *j, result *r, int v)
{
    size_t element = isg_dtype_bytes(j->dtype);
    r->differing[v] = 0;
    r->difference[v] = 0;
    for (int64_t i = 0; i < j->count; i++) {
        if (memcmp((char *)j->got + (size_t)i * element, (char *)j->want + (size_t)i * element, element) == 0)
            continue;
        r->differing[v]++;
        double d = fabs(isg_load_double(j->dtype, j->got, i) - isg_load_double(j->dtype, j->want, i));
        if (!(d <= r->difference[v])) // NaN counts
            r->difference[v] = d;
    }
}

// All variants in turns. The first round compiles, touches and compares, and is not timed.
static void measure(job *j, result *r, const options *o)
{
    double start = isg_seconds(), reported = start;
    char state[60];
    const bool *refused = bench.refused[j->dtype == ISG_F64];
    for (int round = -1; round < o->rounds; round++) {
        for (int i = 0; i < VARIANTS; i++) {
            int v = (i + round + 1) % VARIANTS;
            double seconds;
            if (refused[v])
                continue;
            if (round < 0)
                memset(j->got, 0xff, (size_t)j->count * isg_dtype_bytes(j->dtype));
            bench.variant = v;
            double sum = 0;
            for (bench.placement = 0; bench.placement < o->placements && !refused[v]; bench.placement++) {
                isg_error_clear(&j->context->error);
                isg_status st = j->compute(j, &seconds);
                if (st == ISG_ERR_BUILD && refused[v] && v > 0)
                    break;
                check(j->context, st);
                sum += seconds;
            }
            bench.placement = 0;
            if (refused[v])
                continue;
            if (round < 0)
                compare(j, r, v);
            else
                r->seconds[v][round] = sum / o->placements;
        }
        if (isg_seconds() - reported > 20) {
            reported = isg_seconds();
            snprintf(state, sizeof state, "%d of %d rounds", round + 1, o->rounds);
            print_progress(j, state);
        }
    }
    snprintf(state, sizeof state, "done in %.1f s", isg_seconds() - start);
    print_progress(j, state);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// The quantile of sorted values.
static double quantile(const double *sorted, int count, double q)
{
    double at = q * (count - 1);
    int below = (int)at;
    return below + 1 < count ? sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
}

// The lines of a job, one for each variant.
static void put_lines(cJSON *rows, const options *o, const job *j, const result *r)
{
    double work = (double)j->count * (double)(j->passes ? j->passes : 1);
    for (int v = 0; v < VARIANTS; v++) {
        if (bench.refused[j->dtype == ISG_F64][v])
            continue;
        double seconds[MAX_ROUNDS], ratios[MAX_ROUNDS];
        for (int i = 0; i < o->rounds; i++) {
            seconds[i] = r->seconds[v][i];
            ratios[i] = seconds[i] / r->seconds[0][i];
        }
        qsort(seconds, (size_t)o->rounds, sizeof *seconds, by_size);
        qsort(ratios, (size_t)o->rounds, sizeof *ratios, by_size);
        double median = quantile(seconds, o->rounds, 0.5), ratio = quantile(ratios, o->rounds, 0.5);
        double low = quantile(ratios, o->rounds, 0.25), high = quantile(ratios, o->rounds, 0.75);
        if (o->json) {
            cJSON *row = cJSON_CreateObject();
            cJSON_AddStringToObject(row, "precision", dtype_word(j->dtype));
            if (j->d)
                cJSON_AddNumberToObject(row, "d", (double)j->d);
            cJSON_AddStringToObject(row, "shape", j->shape);
            cJSON_AddStringToObject(row, "variant", variants[v].name);
            cJSON_AddNumberToObject(row, "seconds", median);
            cJSON_AddNumberToObject(row, "elements_per_second", work / median);
            cJSON_AddNumberToObject(row, "ratio", ratio);
            cJSON_AddItemToObject(row, "ratio_quartiles", cJSON_CreateDoubleArray((double[]){low, high}, 2));
            cJSON_AddNumberToObject(row, "differing", (double)r->differing[v]);
            cJSON_AddNumberToObject(row, "elements", (double)j->count);
            cJSON_AddNumberToObject(row, "largest_difference", r->difference[v]);
            cJSON_AddItemToArray(rows, row);
            continue;
        }
        char dims[24] = "";
        if (j->d)
            snprintf(dims, sizeof dims, "%" PRId64, j->d);
        printf("| %s | %s | %s | %s | %.2f | %.2f | %.3f | %.3f-%.3f | %" PRId64 " | %.1e |\n", dtype_word(j->dtype),
               dims, j->shape, variants[v].name, 1e3 * median, 1e-9 * work / median, ratio, low, high, r->differing[v],
               r->difference[v]);
        fflush(stdout);
    }
}

static isg_status compute_gram(job *j, double *seconds)
{
    int64_t n = j->gram->x.count;
    bench.seconds = 0;
    isg_status st = bench_gram_block(j->gram, (isg_block){0, 0, n, n, n, j->got});
    *seconds = bench.seconds;
    return st;
}

// K(X, Y) of equal points, then K(X, X) if the library mirrors it. Standard normal points and gamma = 1/(2 d), as
// bench/peers.py has them.
static void run_gram(isg_context *context, const options *o, cJSON *rows, result *r, isg_dtype dtype, int64_t d)
{
    size_t element = isg_dtype_bytes(dtype);
    job j = {.compute = compute_gram, .context = context, .dtype = dtype, .d = d, .count = o->n * o->n};
    void *x = need(isg_alloc(o->n * d, element));
    uint64_t state = 1;
    for (int64_t i = 0; i < o->n * d; i++)
        put(dtype, x, i, normal(&state));
    j.got = result_memory((size_t)j.count * element);
    j.want = result_memory((size_t)j.count * element);
    for (int symmetric = 0; symmetric < 2; symmetric++) {
        double seconds;
        isg_gram_params params = {.x = isg_matrix(dtype, x, o->n, d), .gamma = 0.5 / (double)d};
        if (!symmetric)
            params.y = params.x;
        j.shape = symmetric ? "mirrored" : "all pairs";
        check(context, isg_gram_create(context, &j.gram, &params));
        check(context, isg_gram_dense(j.gram, isg_matrix(dtype, j.want, o->n, o->n)));
        bench.variant = 0;
        check(context, compute_gram(&j, &seconds));
        if (memcmp(j.got, j.want, (size_t)j.count * element) != 0)
            fail("the benchmark's kernel is not the library's: its bits differ");
        if (symmetric && !bench.mirrored) {
            print_progress(&j, "the library computes all pairs here");
        } else {
            print_progress(&j, "begun");
            measure(&j, r, o);
            put_lines(rows, o, &j, r);
        }
        isg_gram_destroy(&j.gram);
    }
    free(j.got);
    free(j.want);
    free(x);
}

// As lib/gram_direct.c has them.
static int32_t lanes_of(const isg_device *device, isg_dtype dtype)
{
    if (device->device_class != ISG_DEVICE_CPU)
        return 1;
    return dtype == ISG_F64 ? device->lanes_f64 : device->lanes_f32;
}

static isg_status compute_exponential(job *j, double *seconds)
{
    isg_status st = ISG_OK;
    isg_context *context = j->context;
    bool cpu = context->device.device_class == ISG_DEVICE_CPU;
    int64_t count = j->vectors / j->items;
    cl_kernel kernel;
    isg_real_type type = {j->dtype, true, lanes_of(&context->device, j->dtype)};
    TRY(bench_kernel(context, &kernel, "gram.cl", "exponential", type, ""));
    bench.seconds = 0;
    // A core keeps to its own stretch; work-items of a GPU stand side by side.
    TRY(bench_run(context, kernel,
                  ISG_ARGS(arg_mem(j->u), arg_mem(j->y), arg_int(count), arg_int(cpu ? count : 1),
                           arg_int(cpu ? 1 : j->items), arg_int(j->passes)),
                  (isg_range){{j->items, 1}, {cpu ? 1 : 64, 1}}));
    *seconds = bench.seconds;
    CL_TRY(context, clEnqueueReadBuffer(context->queue, j->y, CL_TRUE, 0, (size_t)j->count * isg_dtype_bytes(j->dtype),
                                        j->got, 0, NULL, NULL));
fail:
    return st;
}

// The exponential alone, on numbers in [0, 16): 64 KiB in and as much out for each core.
static void run_exponential(isg_context *context, const options *o, cJSON *rows, result *r, isg_dtype dtype)
{
    isg_status st;
    size_t element = isg_dtype_bytes(dtype);
    const double long_enough = 0.02;
    bool cpu = context->device.device_class == ISG_DEVICE_CPU;
    job j = {.compute = compute_exponential, .context = context, .dtype = dtype, .shape = "exp alone", .passes = 1};
    j.count = (int64_t)context->device.compute_units * (64 << 10) / (int64_t)element;
    j.vectors = j.count / lanes_of(&context->device, dtype);
    j.items = (int64_t)context->device.compute_units * (cpu ? 8 : 1024);
    int64_t bytes = j.count * (int64_t)element;
    j.got = need(isg_alloc(j.count, element));
    j.want = need(isg_alloc(j.count, element));
    uint64_t state = 1;
    for (int64_t i = 0; i < j.count; i++)
        put(dtype, j.got, i, 16 * uniform(&state));
    TRY(isg_buffer_new(context, &j.u, CL_MEM_READ_ONLY, bytes));
    TRY(isg_buffer_new(context, &j.y, CL_MEM_READ_WRITE, bytes));
    CL_TRY(context, clEnqueueWriteBuffer(context->queue, j.u, CL_TRUE, 0, (size_t)bytes, j.got, 0, NULL, NULL));
    print_progress(&j, "begun");
    bench.variant = 0;
    double seconds = 0;
    for (int launches = 0; launches < 2 || (seconds < long_enough && j.passes < 1 << 20); launches++) {
        if (launches > 1) // some drivers compile in the first one
            j.passes *= 2;
        TRY(compute_exponential(&j, &seconds));
    }
    memcpy(j.want, j.got, (size_t)bytes);
    measure(&j, r, o);
    put_lines(rows, o, &j, r);
fail:
    check(context, st);
    isg_buffer_free(&j.u);
    isg_buffer_free(&j.y);
    free(j.got);
    free(j.want);
}

static void usage(void)
{
    fprintf(
        stderr,
        "reproducibility [--device SPEC] [--n N] [--d D]... [--dtype f32|f64] [--rounds N] [--placements N] [--json]\n"
        "  --device      as everywhere in isogram\n"
        "  --n           points (8192)\n"
        "  --d           their coordinates; several are measured in the order given (3 16 64 784)\n"
        "  --dtype       only this precision\n"
        "  --rounds      that are timed; one more comes before them (15)\n"
        "  --placements  of the inner loop, for CPUs whose compiler takes assembly (1)\n"
        "  --json        one JSON object in place of the table\n");
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
    options o = {.n = 8192, .rounds = 15, .placements = 1, .only = {true, true}};
    const struct option known[] = {
        {"device", required_argument, NULL, 'D'},     {"n", required_argument, NULL, 'n'},
        {"d", required_argument, NULL, 'd'},          {"dtype", required_argument, NULL, 't'},
        {"rounds", required_argument, NULL, 'r'},     {"json", no_argument, NULL, 'j'},
        {"placements", required_argument, NULL, 'p'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (c) {
        case 'D': o.device = optarg; break;
        case 'n': o.n = positive(optarg, 1 << 16); break;
        case 'd':
            if (o.dim_count == MAX_DIMS)
                usage();
            o.dims[o.dim_count++] = positive(optarg, 1 << 16);
            break;
        case 't':
            if (strcmp(optarg, "f32") != 0 && strcmp(optarg, "f64") != 0)
                usage();
            o.only[strcmp(optarg, "f32") == 0] = false;
            break;
        case 'r': o.rounds = (int)positive(optarg, MAX_ROUNDS); break;
        case 'p': o.placements = (int)positive(optarg, MAX_PLACEMENTS); break;
        case 'j': o.json = true; break;
        default: usage();
        }
    }
    if (optind < argc)
        usage();
    const int64_t usual[] = {3, 16, 64, 784};
    if (o.dim_count == 0) {
        memcpy(o.dims, usual, sizeof usual);
        o.dim_count = COUNT(usual);
    }
    return o;
}

int main(int argc, char **argv)
{
    options o = parse(argc, argv);
    isg_context *context;
    isg_error error = {ISG_OK, ""};
    if (isg_context_create(&context, isg_context_params(.device = o.device, .arithmetic = ISG_ARITHMETIC_FUSED,
                                                        .error = &error)) != ISG_OK)
        fail(error.message);
    const isg_device *device = &context->device;
    cJSON *json = need(cJSON_CreateObject()), *rows = need(cJSON_CreateArray());
    cJSON_AddStringToObject(json, "device", device->name);
    cJSON_AddStringToObject(json, "platform", device->platform);
    cJSON_AddStringToObject(json, "driver", device->driver);
    cJSON_AddNumberToObject(json, "n", (double)o.n);
    cJSON_AddNumberToObject(json, "rounds", o.rounds);
    cJSON_AddNumberToObject(json, "placements", o.placements);
    cJSON_AddItemToObject(json, "rows", rows);
    if (!o.json) {
        printf("%s, %s %s\n", device->name, device->platform, device->driver);
        printf("n = %" PRId64 ", medians of %d rounds, placements of the loop: %d\n", o.n, o.rounds, o.placements);
        printf("ratio: time over the first variant's, with its quartiles; elements are held against the first's\n\n");
        printf("| precision | d | shape | variant | ms | G elements/s | ratio | quartiles | elements that differ | "
               "by at most |\n");
        printf("|---|---|---|---|---|---|---|---|---|---|\n");
    }
    result *r = need(malloc(sizeof *r));
    for (int wide = 0; wide < 2; wide++) {
        isg_dtype dtype = wide ? ISG_F64 : ISG_F32;
        if (!o.only[wide])
            continue;
        isg_error_clear(&context->error);
        if (isg_context_require(context, dtype)) {
            fprintf(stderr, "%s: skipped: %s\n", dtype_word(dtype), isg_context_error(context)->message);
            continue;
        }
        if (context->fma_by_integers[wide])
            fprintf(stderr, "%s: fused arithmetic goes through integers here\n", dtype_word(dtype));
        run_exponential(context, &o, rows, r, dtype);
        for (int i = 0; i < o.dim_count; i++)
            run_gram(context, &o, rows, r, dtype, o.dims[i]);
    }
    if (o.json) {
        char *text = need(cJSON_Print(json));
        puts(text);
        free(text);
    }
    cJSON_Delete(json);
    free(r);
    free_built();
    isg_context_destroy(&context);
    return EXIT_SUCCESS;
}
