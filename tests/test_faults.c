// Every OpenCL call that a public function makes fails once. Each time: a status that says so or the right result, a
// message that names the call, no object left behind, and right bits from the same context right afterwards.
//
// Run with OPENCL_LAYERS=fault_layer.so. A context is opened anew for the calls of opening it; of these, ISOGRAM_FAULTS
// says how many are tried ("all", or one of so many; 8 by default), as each takes a third of a second.
#include "device.h"
#include "fault_layer.h"
#include "gram.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static fault_arm_fn *arm;
static fault_calls_fn *calls;
static fault_fired_fn *fired;
static fault_live_fn *live;
static fault_memory_fn *bear;
static fault_delay_fn *dawdle;

enum { ROWS = 90, COLS = 70, DIMS = 5, COLUMNS = 40, RESULT_BYTES = 1 << 17 };

// What the functions work on.
static float x[ROWS * DIMS], y[COLS * DIMS], v[ROWS * COLUMNS];
static double wide_x[ROWS * DIMS];
static uint8_t volume[9 * 20 * 31];
static unsigned char result[RESULT_BYTES], wanted[RESULT_BYTES];

static void fill(void)
{
    suite_random random = suite_stream(7);
    for (size_t i = 0; i < COUNT(x); i++)
        x[i] = (float)random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(y); i++)
        y[i] = (float)random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(v); i++)
        v[i] = (float)random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(wide_x); i++)
        wide_x[i] = random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(volume); i++)
        volume[i] = (uint8_t)random_bits(&random);
}

static isg_array matrix(isg_dtype dtype, int64_t rows, int64_t cols)
{
    ck_assert_uint_le((size_t)(rows * cols) * isg_dtype_bytes(dtype), RESULT_BYTES);
    return isg_matrix(dtype, result, rows, cols);
}

// One way through the library, from the operator's making to its end.
typedef isg_status job(isg_context *context);

static isg_status with_gram(isg_context *context, const isg_gram_params *params, isg_status (*use)(isg_gram *gram))
{
    isg_gram *gram = NULL;
    isg_status st = isg_gram_create(context, &gram, params);
    ck_assert((gram != NULL) == (st == ISG_OK));
    if (!st)
        st = use(gram);
    isg_gram_destroy(&gram);
    return st;
}

#define RBF_X  isg_gram_params(.sigma = 0.5, .x = isg_matrix_f32(x, ROWS, DIMS))
#define RBF_XY isg_gram_params(.sigma = 0.5, .x = isg_matrix_f32(x, ROWS, DIMS), .y = isg_matrix_f32(y, COLS, DIMS))

// JOB(name, operator, what is done with it)
#define JOB(name, params, call)                                                                                        \
    static isg_status name##_use(isg_gram *gram)                                                                       \
    {                                                                                                                  \
        return call;                                                                                                   \
    }                                                                                                                  \
    static isg_status name(isg_context *context)                                                                       \
    {                                                                                                                  \
        return with_gram(context, params, name##_use);                                                                 \
    }

JOB(dense, RBF_X, isg_gram_dense(gram, matrix(ISG_F32, ROWS, ROWS)))
JOB(tile, RBF_XY, isg_gram_tile(gram, 3, 5, matrix(ISG_F32, 60, 50)))
JOB(half, RBF_XY, isg_gram_dense(gram, matrix(ISG_F16, ROWS, COLS)))
JOB(packed, RBF_X, isg_gram_packed(gram, isg_vector(ISG_F32, result, ROWS *(ROWS + 1) / 2)))
JOB(diagonal, RBF_X, isg_gram_diagonal(gram, isg_vector(ISG_F32, result, ROWS)))
JOB(fast, isg_gram_params(.sigma = 0.5, .x = isg_matrix_f32(x, ROWS, DIMS), .method = ISG_METHOD_FAST),
    isg_gram_dense(gram, matrix(ISG_F32, ROWS, ROWS)))
JOB(wide,
    isg_gram_params(.kernel = isg_kernel_find("cosine"), .x = isg_matrix_f64(wide_x, ROWS, DIMS),
                    .precision = ISG_PRECISION_F64),
    isg_gram_dense(gram, matrix(ISG_F64, ROWS, ROWS)))
JOB(apply, RBF_XY, isg_gram_apply(gram, isg_matrix_f32(v, COLS, 3), matrix(ISG_F32, ROWS, 3), NULL))
JOB(apply_many, RBF_XY, isg_gram_apply(gram, isg_matrix_f32(v, COLS, COLUMNS), matrix(ISG_F32, ROWS, COLUMNS), NULL))
JOB(sums, RBF_XY, isg_gram_reduce(gram, isg_reduce_params(.out = isg_vector(ISG_F32, result, ROWS))))
JOB(extremes, RBF_XY,
    isg_gram_reduce(gram,
                    isg_reduce_params(.reduction = ISG_REDUCE_LARGEST, .count = 3, .out = matrix(ISG_F32, ROWS, 3),
                                      .indices = isg_matrix(ISG_I64, result + 4096, ROWS, 3))))
JOB(logsumexp, RBF_XY,
    isg_gram_reduce(gram,
                    isg_reduce_params(.reduction = ISG_REDUCE_LOGSUMEXP, .out = isg_vector(ISG_F32, result, ROWS))))
JOB(means, RBF_XY,
    isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_MEAN, .v = isg_matrix_f32(v, COLS, 3),
                                            .out = matrix(ISG_F32, ROWS, 3))))

JOB(skipped_blocks,
    isg_gram_params(.sigma = 0.02, .x = isg_matrix_f32(x, ROWS, DIMS), .y = isg_matrix_f32(y, COLS, DIMS)),
    isg_gram_apply(gram, isg_matrix_f32(v, COLS, 3), matrix(ISG_F32, ROWS, 3),
                   isg_apply_params(.skip = ISG_SKIP_ALWAYS)))
JOB(gradient, RBF_XY,
    isg_gram_gradient(gram, isg_gradient_params(.v = isg_matrix_f32(v, ROWS, 1), .w = isg_matrix_f32(v, COLS, 1),
                                                .x = matrix(ISG_F32, ROWS, DIMS),
                                                .y = isg_matrix(ISG_F32, result + 4096, COLS, DIMS),
                                                .parameters = (double *)(void *)(result + 8192))))

static isg_status grid(isg_context *context)
{
    isg_grid *grid = NULL;
    isg_status st = isg_grid_create(
        context, &grid, isg_grid_params(.ndim = 2, .size = {21, 13}, .sigma = {3, 2}, .precision = ISG_PRECISION_F32));
    if (!st)
        st = isg_grid_fill(grid, matrix(ISG_F32, 21, 13));
    isg_grid_destroy(&grid);
    return st;
}

static isg_status filter(isg_context *context)
{
    return isg_filter(context, isg_matrix_f32(x, ROWS, DIMS), matrix(ISG_F32, ROWS, DIMS),
                      isg_filter_params(.sigma = {2}));
}

static isg_status filter_volume(isg_context *context)
{
    isg_array in = {.dtype = ISG_U8, .ndim = 3, .shape = {9, 20, 31}, .strides = {20 * 31, 31, 1}, .data = volume};
    isg_array out = in;
    out.data = result;
    return isg_filter(context, in, out,
                      isg_filter_params(.sigma = {1, 2, 3}, .each = 1, .axes = {0, 1, 2}, .axis_count = 3));
}

static isg_status filter_valid(isg_context *context)
{
    return isg_filter(context, isg_matrix_f32(x, ROWS, DIMS), matrix(ISG_F32, ROWS, DIMS),
                      isg_filter_params(.sigma = {2}, .mask = isg_matrix(ISG_U8, volume, ROWS, DIMS)));
}

// In blocks, of a budget that does not hold the volume.
static isg_status filter_blocks(isg_context *context)
{
    isg_array in = {.dtype = ISG_U8, .ndim = 3, .shape = {9, 20, 31}, .strides = {20 * 31, 31, 1}, .data = volume};
    isg_array out = in;
    out.data = result;
    return isg_filter(context, in, out, isg_filter_params(.sigma = {1}, .memory = 60000));
}

static isg_status laplacian(isg_context *context)
{
    isg_array out = matrix(ISG_F32, ROWS, DIMS);
    return isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, isg_matrix_f32(x, ROWS, DIMS), &out, 1,
                              isg_derived_params(.filter = {.sigma = {1}}));
}

static isg_status convolve(isg_context *context)
{
    return isg_convolve(context, isg_matrix_f32(x, ROWS, DIMS), isg_matrix_f32(y, 7, 3), matrix(ISG_F32, ROWS, DIMS),
                        NULL);
}

static const struct {
    const char *name;
    job *run;
    bool doubles;
} jobs[] = {
    {"dense", dense, false},
    {"tile", tile, false},
    {"half", half, false},
    {"packed", packed, false},
    {"diagonal", diagonal, false},
    {"fast", fast, false},
    {"wide", wide, true},
    {"apply", apply, false},
    {"apply_many", apply_many, false},
    {"sums", sums, false},
    {"extremes", extremes, false},
    {"logsumexp", logsumexp, false},
    {"means", means, false},
    {"skipped_blocks", skipped_blocks, false},
    {"gradient", gradient, false},
    {"grid", grid, false},
    {"filter", filter, false},
    {"filter_volume", filter_volume, false},
    {"filter_valid", filter_valid, false},
    {"filter_blocks", filter_blocks, false},
    {"laplacian", laplacian, false},
    {"convolve", convolve, false},
};

static isg_context *context;
static long sites;

static void find_layer(void)
{
    const char *path = getenv("OPENCL_LAYERS");
    void *layer = path ? dlopen(path, RTLD_NOW | RTLD_NOLOAD) : NULL;
    ck_assert_msg(layer, "the fault layer is not loaded");
    arm = (fault_arm_fn *)(uintptr_t)dlsym(layer, "fault_arm");
    calls = (fault_calls_fn *)(uintptr_t)dlsym(layer, "fault_calls");
    fired = (fault_fired_fn *)(uintptr_t)dlsym(layer, "fault_fired");
    live = (fault_live_fn *)(uintptr_t)dlsym(layer, "fault_live");
    bear = (fault_memory_fn *)(uintptr_t)dlsym(layer, "fault_memory");
    dawdle = (fault_delay_fn *)(uintptr_t)dlsym(layer, "fault_delay");
    ck_assert(arm && calls && fired && live && bear && dawdle);
}

static void open_context(void)
{
    context = device_open(ISG_ARITHMETIC_AUTO, 0);
    ck_assert(context);
    find_layer();
}

static bool skipped(int i)
{
    const isg_device *device = isg_context_device(context);
    return (jobs[i].doubles && device->lanes_f64 == 0) || (jobs[i].run == fast && !isg_device_has_opencl_c_12(device));
}

// The right answer, and the programs that it takes.
static void warm(int i)
{
    arm(0);
    memset(result, 0, sizeof result);
    device_ok(context, jobs[i].run(context));
    memcpy(wanted, result, sizeof wanted);
}

static void must_be_right(int i, const char *when)
{
    memset(result, 0, sizeof result);
    isg_status st = jobs[i].run(context);
    ck_assert_msg(st == ISG_OK, "%s, %s: %s", jobs[i].name, when, isg_context_error(context)->message);
    ck_assert_msg(memcmp(result, wanted, sizeof wanted) == 0, "%s, %s: other bits", jobs[i].name, when);
}

// What a call that failed on its way must have said.
static void must_explain(const char *name, long at, isg_status st, const isg_error *error)
{
    ck_assert_msg(st == ISG_ERR_DEVICE || st == ISG_ERR_MEMORY || st == ISG_ERR_BUILD || st == ISG_ERR_NO_DEVICE,
                  "%s, call %ld (%s): status %s, %s", name, at, fired(), isg_status_name(st), error->message);
    ck_assert_msg(error->status == st && (strstr(error->message, fired()) || st == ISG_ERR_BUILD),
                  "%s, call %ld: '%s' does not name %s", name, at, error->message, fired());
}

static void fail_every_call(int i)
{
    char when[100];
    warm(i);
    const long before = live();
    for (long at = 1;; at++) {
        arm(at);
        memset(result, 0, sizeof result);
        isg_status st = jobs[i].run(context);
        if (!fired()) {
            ck_assert_int_eq(st, ISG_OK);
            break;
        }
        sites++;
        if (getenv("ISOGRAM_FAULTS_LOUD"))
            fprintf(stderr, "%s %ld %s: %s\n", jobs[i].name, at, fired(), isg_context_error(context)->message);
        if (st)
            must_explain(jobs[i].name, at, st, isg_context_error(context));
        else
            ck_assert_msg(memcmp(result, wanted, sizeof wanted) == 0, "%s, call %ld (%s) failed unnoticed, other bits",
                          jobs[i].name, at, fired());
        snprintf(when, sizeof when, "after call %ld (%s) failed", at, fired());
        arm(0);
        must_be_right(i, when);
        ck_assert_msg(live() == before, "%s, %s: %ld objects left behind", jobs[i].name, when, live() - before);
    }
    arm(0);
}

START_TEST(every_call_fails_once)
{
    alarm(600);
    open_context();
    const bool zero_copy = context->zero_copy;
    for (int copies = 0; copies <= zero_copy; copies++) {
        context->zero_copy = zero_copy && !copies;
        for (int i = 0; i < (int)COUNT(jobs); i++)
            if (!skipped(i))
                fail_every_call(i);
    }
    printf("  %ld calls failed one at a time\n", sites);
    isg_context_destroy(&context);
    ck_assert_int_eq(live(), 0);
}
END_TEST

// From nothing: the devices' listing, probing and compiling, too.
START_TEST(every_call_of_opening_fails_once)
{
    alarm(3000);
    const char *setting = getenv("ISOGRAM_FAULTS");
    const long step = !setting ? 8 : strcmp(setting, "all") == 0 ? 1 : strtol(setting, NULL, 10);
    open_context();
    warm(1);
    isg_context_destroy(&context);
    long tried = 0, at = 1 + (long)(suite_seed() % (uint64_t)step);
    for (;; at += step, tried++) {
        isg_error error = {ISG_OK, ""};
        arm(at);
        isg_status st = isg_context_create(&context, isg_context_params(.cache_dir = "off", .error = &error));
        ck_assert((context != NULL) == (st == ISG_OK));
        if (!st && (st = jobs[1].run(context)) != ISG_OK)
            error = *isg_context_error(context);
        if (fired() && st)
            must_explain("opening", at, st, &error);
        else
            ck_assert_msg(!st && memcmp(result, wanted, sizeof wanted) == 0, "opening, call %ld (%s): %s", at, fired(),
                          st ? error.message : "other bits");
        isg_context_destroy(&context);
        const bool done = !fired();
        arm(0);
        ck_assert_msg(live() == 0, "opening, call %ld: %ld objects left behind", at, live());
        if (done)
            break;
    }
    printf("  %ld calls of opening a context tried, of %ld\n", tried, at);
}
END_TEST

// A driver that makes larger buffers than it can work with.
START_TEST(memory_that_is_promised)
{
    alarm(300);
    open_context();
    for (int i = 0; i < (int)COUNT(jobs); i++) {
        if (skipped(i))
            continue;
        warm(i);
        const long before = live();
        for (long bytes = 1; bytes < 1 << 20; bytes *= 16) {
            bear(bytes);
            memset(result, 0, sizeof result);
            isg_status st = jobs[i].run(context);
            bear(0);
            ck_assert_msg(st ? strstr(isg_context_error(context)->message, "CL_MEM_OBJECT_ALLOCATION_FAILURE") != NULL
                             : memcmp(result, wanted, sizeof wanted) == 0,
                          "%s, %ld bytes: %s", jobs[i].name, bytes, isg_context_error(context)->message);
            must_be_right(i, "after a lie");
            ck_assert_int_eq(live(), before);
        }
    }
    isg_context_destroy(&context);
    ck_assert_int_eq(live(), 0);
}
END_TEST

START_TEST(calls_that_take_their_time)
{
    alarm(300);
    open_context();
    for (int i = 0; i < (int)COUNT(jobs); i++) {
        if (skipped(i))
            continue;
        warm(i);
        dawdle(2000);
        must_be_right(i, "slowly");
        dawdle(0);
    }
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    fill();
    const TTest *const tests[] = {every_call_fails_once, every_call_of_opening_fails_once, memory_that_is_promised,
                                  calls_that_take_their_time};
    Suite *suite = suite_of("faults", tests, COUNT(tests));
    return suite_run(suite);
}
