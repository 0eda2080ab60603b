// Which shape of tiles is the fastest on a device: every candidate builds the library's own kernel, is checked against
// the library's bits, and is timed on a K that stays in the device's memory. The figures behind the table of
// lib/shape.c.
//
// The launches are the library's: bench/meson.build compiles lib/tiles.c with shapes_choose in place of
// isg_shape_choose.
#include "common.h"
#include "gram.h"
#include "program.h"
#include "shape.h"

#include <isogram/opencl.h>

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

enum { MAX_DIMS = 8, MAX_SHAPES = 200, CHECKED = 515 };

typedef struct options {
    int64_t n, dims[MAX_DIMS], least_mirrored;
    int dim_count, repeat;
    bool cpu_time;
    isg_dtype dtype;
    const char *device, *keep; // keep: a folder for the programs as the device has them; NULL: not kept
    isg_shape shapes[MAX_SHAPES];
    int count;
} options;

// Wall time, or the process's CPU time over all cores, which other programs disturb less.
static double now(bool cpu)
{
    struct timespec t;
    if (!cpu)
        return isg_seconds();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static isg_shape current;
static int64_t least_mirrored;

isg_shape shapes_choose(const isg_device *device, isg_dtype dtype, int64_t dims, bool mirrored);
int64_t shapes_least_mirrored(const isg_device *device, isg_dtype dtype);
isg_status shapes_block(isg_gram *gram, isg_block b);

isg_shape shapes_choose(const isg_device *device, isg_dtype dtype, int64_t dims, bool mirrored)
{
    (void)device, (void)dtype, (void)dims, (void)mirrored;
    return current;
}

int64_t shapes_least_mirrored(const isg_device *device, isg_dtype dtype)
{
    (void)device, (void)dtype;
    return least_mirrored;
}

static void ok(isg_context *context, isg_status st)
{
    if (st)
        fail(isg_context_error(context)->message);
}

// A K of n x n in the device's memory.
typedef struct area {
    isg_block block;
    void *host; // where the device uses host memory in place
} area;

static area area_new(isg_context *context, isg_dtype dtype, int64_t n)
{
    cl_int code;
    size_t bytes = (size_t)(n * n) * isg_dtype_bytes(dtype);
    area a = {.block = {.rows = n, .cols = n, .stride = n, .dtype = dtype}};
    if (context->zero_copy) {
        a.host = need(isg_alloc_large((int64_t)bytes));
        memset(a.host, 1, bytes);
        a.block.data = a.host;
        a.block.address = (uint64_t)(uintptr_t)a.host;
        return a;
    }
    a.block.mem = clCreateBuffer(context->cl, CL_MEM_READ_WRITE, bytes, NULL, &code);
    if (code != CL_SUCCESS)
        fail(isg_cl_error_name(code));
    return a;
}

static void area_free(area *a)
{
    if (a->block.mem)
        clReleaseMemObject(a->block.mem);
    free(a->host);
}

static isg_gram *gram_of(isg_context *context, const options *o, int64_t n, int64_t d, bool two, void **points)
{
    isg_gram *gram;
    uint64_t state = 1;
    *points = need(isg_alloc(n * d, isg_dtype_bytes(o->dtype)));
    for (int64_t i = 0; i < n * d; i++)
        isg_store_double(o->dtype, *points, i, 2 * bench_uniform(&state) - 1);
    isg_gram_params params = {.x = isg_matrix(o->dtype, *points, n, d), .gamma = 0.5 / (double)d};
    if (two)
        params.y = params.x;
    ok(context, isg_gram_create(context, &gram, &params));
    return gram;
}

// The current shape's bits on a few points against those that the library's shape gives.
static bool same_bits(isg_context *context, const options *o, int64_t d, bool two)
{
    void *points;
    size_t bytes = (size_t)CHECKED * CHECKED * isg_dtype_bytes(o->dtype);
    isg_gram *gram = gram_of(context, o, CHECKED, d, two, &points);
    char *want = need(malloc(bytes)), *got = need(malloc(bytes));
    ok(context, isg_gram_dense(gram, isg_matrix(o->dtype, want, CHECKED, CHECKED)));
    area a = area_new(context, o->dtype, CHECKED);
    bool same = !shapes_block(gram, a.block);
    if (same && a.block.mem)
        same = clEnqueueReadBuffer(context->queue, a.block.mem, CL_TRUE, 0, bytes, got, 0, NULL, NULL) == CL_SUCCESS;
    else if (same && a.host)
        memcpy(got, a.host, bytes);
    same = same && memcmp(want, got, bytes) == 0;
    area_free(&a);
    isg_gram_destroy(&gram);
    free(points);
    free(want);
    free(got);
    return same;
}

// Seconds of the best of several calls, or infinity where the device refuses the shape or computes other bits.
static double time_of(isg_context *context, const options *o, const area *a, int64_t d, bool two)
{
    void *points;
    double best = INFINITY;
    if (!same_bits(context, o, d, two))
        return best;
    isg_gram *gram = gram_of(context, o, o->n, d, two, &points);
    bool good = !shapes_block(gram, a->block);
    for (int i = 0; i < o->repeat && good; i++) {
        double start = now(o->cpu_time);
        good = !shapes_block(gram, a->block);
        best = fmin(best, now(o->cpu_time) - start);
    }
    isg_gram_destroy(&gram);
    free(points);
    return good ? best : INFINITY;
}

static void sweep(isg_context *context, const options *o)
{
    area a = area_new(context, o->dtype, o->n);
    printf("%s, %s, n = %" PRId64 ", ms, best of %d\n", context->device.name, isg_dtype_name(o->dtype), o->n,
           o->repeat);
    printf("%-44s", "rows,vectors,lanes,down,across,gcols,grows,lrows,unroll");
    for (int i = 0; i < o->dim_count; i++)
        printf("  all %-5" PRId64 "half %-5" PRId64, o->dims[i], o->dims[i]);
    printf("\n");
    for (int at = 0; at < o->count; at++) {
        char name[100];
        isg_shape s = current = o->shapes[at];
        snprintf(name, sizeof name, "%d,%d,%d,%d,%d,%d,%d,%d,%d", s.rows, s.vectors, s.lanes, s.down, s.across,
                 s.group_cols, s.group_rows, s.local_rows, s.unroll);
        printf("%-44s", name);
        int32_t across = isg_shape_col_tile(s), down = isg_shape_row_tile(s);
        bool mirrors = isg_shape_tall(s) % s.lanes == 0 && (across % down == 0 || down % across == 0);
        for (int i = 0; i < o->dim_count; i++) {
            least_mirrored = INT64_MAX;
            printf(" %9.3f", 1e3 * time_of(context, o, &a, o->dims[i], true));
            least_mirrored = 1;
            printf(" %9.3f", mirrors ? 1e3 * time_of(context, o, &a, o->dims[i], false) : NAN);
            fflush(stdout);
        }
        printf("\n");
        if (o->keep)
            isg_programs_save(context);
    }
    area_free(&a);
}

static bool take_shape(options *o, const char *text)
{
    isg_shape s = {0};
    int32_t *const numbers[] = {&s.rows,       &s.vectors,    &s.lanes,      &s.down,  &s.across,
                                &s.group_cols, &s.group_rows, &s.local_rows, &s.unroll};
    int found = 0;
    while (found < 9 && isg_read_digits(&text, numbers[found]) && (found++, *text == ','))
        text++;
    if (found < 8 || o->count == MAX_SHAPES || s.rows < 1 || s.vectors < 1 || s.lanes < 1 || s.down < 1 ||
        s.across < 1 || s.group_cols < 1 || s.group_rows < 1 || s.local_rows < 1)
        return false;
    o->shapes[o->count++] = s;
    return true;
}

int main(int argc, char **argv)
{
    static const struct option table[] = {{"n", required_argument, 0, 'n'},      {"dims", required_argument, 0, 'd'},
                                          {"repeat", required_argument, 0, 'r'}, {"f64", no_argument, 0, '6'},
                                          {"device", required_argument, 0, 'D'}, {"keep", required_argument, 0, 'k'},
                                          {"cpu-time", no_argument, 0, 'c'},     {0, 0, 0, 0}};
    options o = {.n = 8192, .dims = {3, 64, 784}, .dim_count = 3, .repeat = 5, .dtype = ISG_F32};
    bool good = true;
    for (int option; good && (option = getopt_long(argc, argv, "", table, NULL)) != -1;)
        switch (option) {
        case 'n': o.n = strtoll(optarg, NULL, 10); break;
        case 'r': o.repeat = (int)strtol(optarg, NULL, 10); break;
        case '6': o.dtype = ISG_F64; break;
        case 'D': o.device = optarg; break;
        case 'c': o.cpu_time = true; break;
        case 'k': o.keep = optarg; break;
        case 'd':
            o.dim_count = 0;
            for (char *at = optarg; *at && o.dim_count < MAX_DIMS; at += *at == ',')
                o.dims[o.dim_count++] = strtoll(at, &at, 10);
            break;
        default: good = false;
        }
    while (good && optind < argc)
        good = take_shape(&o, argv[optind++]);
    if (!good || !o.count || o.n < 1 || o.repeat < 1) {
        fprintf(stderr, "usage: shapes [--n N] [--dims D,...] [--repeat N] [--f64] [--device SPEC] [--cpu-time] "
                        "[--keep DIR] SHAPE...\n"
                        "SHAPE: rows,vectors,lanes,down,across,group_cols,group_rows,local_rows[,unroll] as "
                        "lib/shape.h has them\n");
        return 2;
    }
    isg_context *context;
    isg_error error = {ISG_OK, ""};
    if (isg_context_create(
            &context, isg_context_params(.device = o.device, .cache_dir = o.keep ? o.keep : "off", .error = &error)))
        fail(error.message);
    sweep(context, &o);
    isg_context_destroy(&context);
    return 0;
}
