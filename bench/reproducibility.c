// What reproducibility costs: the library's Gram kernel under the contract beside the same kernel with the device's own
// exponential and with relaxed arithmetic, on one device, on the same data, in the same minutes.
//
// Everything is the library's own: the source, which is altered in a line or two, the points' panels, the shapes of
// tiles, the launches (bench/meson.build compiles lib/tiles.c with bench_kernel and bench_run in place of
// isg_program_kernel and isg_run). Every variant is compiled here from source, with the options of lib/program.c.
//
// Machines drift, so variants take turns within a round, each round begins with another one, and what counts is the
// median over the rounds of a variant's time over the contract's.
//
// Where a compiler happens to place the inner loop makes up to a fifth of its speed on some CPUs. --placements measures
// every variant at several places and takes the mean, so that variants are not judged by their luck.
#include "buffer.h"
#include "common.h"
#include "turns.h"

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>

enum { MAX_DIMS = 8, MAX_PLACEMENTS = 16 };

typedef struct options {
    int64_t n, dims[MAX_DIMS];
    int dim_count, rounds, placements;
    bool only[2]; // f32, f64
    bool json;
    const char *device;
} options;

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

// Box and Muller 1958.
static double normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(1 - bench_uniform(state)));
    return radius * cos(6.283185307179586 * bench_uniform(state));
}

static void put(isg_dtype dtype, void *array, int64_t at, double value)
{
    if (dtype == ISG_F64)
        ((double *)array)[at] = value;
    else
        ((float *)array)[at] = (float)value;
}

static isg_status compute_gram(job *j, double *seconds)
{
    int64_t n = j->gram->op.x.count;
    bench.seconds = 0;
    isg_status st = bench_gram_block(j->gram, (isg_block){.rows = n,
                                                          .cols = n,
                                                          .stride = n,
                                                          .dtype = j->gram->op.x.dtype,
                                                          .data = j->got,
                                                          .address = (uintptr_t)j->got});
    *seconds = bench.seconds;
    return st;
}

// K(X, Y) of equal points, then K(X, X) if the library mirrors it. Standard normal points and gamma = 1/(2 d), as
// bench/peers.py has them.
static void run_gram(isg_context *context, const options *o, const turns *t, isg_dtype dtype, int64_t d)
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
        if (symmetric && !bench.mirrored)
            print_progress(&j, "the library computes all pairs here");
        else
            take_turns(&j, t);
        isg_gram_destroy(&j.gram);
    }
    free(j.got);
    free(j.want);
    free(x);
}

static int32_t lanes_of(const isg_device *device, isg_dtype dtype)
{
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
static void run_exponential(isg_context *context, const turns *t, isg_dtype dtype)
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
        put(dtype, j.got, i, 16 * bench_uniform(&state));
    TRY(isg_buffer_new(context, &j.u, CL_MEM_READ_ONLY, bytes));
    TRY(isg_buffer_new(context, &j.y, CL_MEM_READ_WRITE, bytes));
    CL_TRY(context, clEnqueueWriteBuffer(context->queue, j.u, CL_TRUE, 0, (size_t)bytes, j.got, 0, NULL, NULL));
    bench.variant = 0;
    double seconds = 0;
    for (int launches = 0; launches < 2 || (seconds < long_enough && j.passes < 1 << 20); launches++) {
        if (launches > 1) // some drivers compile in the first one
            j.passes *= 2;
        TRY(compute_exponential(&j, &seconds));
    }
    memcpy(j.want, j.got, (size_t)bytes);
    take_turns(&j, t);
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
    turns t = {o.rounds, o.placements, o.json ? rows : NULL};
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
        run_exponential(context, &t, dtype);
        for (int i = 0; i < o.dim_count; i++)
            run_gram(context, &o, &t, dtype, o.dims[i]);
    }
    if (o.json) {
        char *text = need(cJSON_Print(json));
        puts(text);
        free(text);
    }
    cJSON_Delete(json);
    free_built();
    isg_context_destroy(&context);
    return EXIT_SUCCESS;
}
