// The contracts of use: what is destroyed in any order, forked processes, functions of the caller's that call back,
// contexts beside each other and around a caller's queue, and the next call after an error.
#include "device.h"
#include "probe.h"

#include <isogram/opencl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 40, M = 30, D = 3, SECONDS = 120 };
static float x[N * D], y[M * D];

static isg_gram *make_gram(isg_context *context, isg_progress_fn progress, void *user)
{
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(x, N, D), .y = isg_matrix_f32(y, M, D),
                                                       .gamma = 0.5, .progress = progress, .progress_user = user)));
    return gram;
}

static isg_grid *make_grid(isg_context *context)
{
    isg_grid *grid;
    device_ok(context, isg_grid_create(context, &grid,
                                       isg_grid_params(.size = {9}, .sigma = {2}, .precision = ISG_PRECISION_F32)));
    return grid;
}

static void check_dense(isg_gram *gram, const float *want)
{
    float k[N * M];
    ck_assert_int_eq(isg_gram_dense(gram, isg_matrix_f32(k, N, M)), ISG_OK);
    ck_assert_mem_eq(k, want, sizeof k);
}

static float *wanted(isg_context *context)
{
    return device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, N, y, M, D, 0.5);
}

// ---- Processes ----

// A child says by its exit status in which line it failed, counted from here.
enum { CHILD_BASE = __LINE__ };

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return __LINE__ - CHILD_BASE;                                                                              \
    } while (0)

// What a child does, in a process of its own: 0 is right. One that hangs is ended.
static void in_child(int (*does)(void *), void *user)
{
    fflush(NULL);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        alarm(SECONDS);
        _exit(does(user));
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(!WIFSIGNALED(status), "the child was ended by signal %d", WTERMSIG(status));
    ck_assert_msg(WEXITSTATUS(status) == 0, "the child failed at line %d", WEXITSTATUS(status) + CHILD_BASE);
}

static int computes_alone(void *user)
{
    (void)user;
    isg_context *context;
    isg_gram *gram;
    float k[N * M];
    CHECK(isg_context_create(&context, isg_context_params(.cache_dir = "off")) == ISG_OK);
    CHECK(isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, N, D))) == ISG_OK);
    CHECK(isg_gram_tile(gram, 0, 0, isg_matrix_f32(k, N, M)) == ISG_OK && k[0] == 1);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    return 0;
}

// Comes first: no process that has used OpenCL can have such a child.
START_TEST(child_before_the_first_context)
{
    in_child(computes_alone, NULL);
}
END_TEST

typedef struct parents {
    isg_context *context;
    isg_gram *gram;
    isg_grid *grid;
} parents;

static int refused_here(isg_context *context, isg_status status)
{
    return status == ISG_ERR_ARGUMENT && strstr(isg_context_error(context)->message, "fork()") != NULL;
}

static int is_refused(void *user)
{
    parents *p = user;
    isg_context *other;
    isg_gram *gram;
    isg_grid *grid;
    isg_error error;
    isg_device device;
    int32_t count;
    float k[N * M], out[81];
    const isg_array a = isg_matrix_f32(out, 9, 9);
    CHECK(refused_here(p->context, isg_gram_dense(p->gram, isg_matrix_f32(k, N, M))));
    CHECK(refused_here(p->context, isg_gram_apply(p->gram, a, a, NULL)));
    CHECK(refused_here(p->context, isg_grid_fill(p->grid, a)));
    CHECK(refused_here(p->context, isg_filter(p->context, a, a, isg_filter_params(.sigma = {1}))));
    CHECK(refused_here(p->context, isg_convolve(p->context, a, a, a, NULL)));
    CHECK(refused_here(p->context, isg_gram_create(p->context, &gram, isg_gram_params(.x = a))) && !gram);
    CHECK(refused_here(p->context, isg_grid_create(p->context, &grid, isg_grid_params(.size = {3}))) && !grid);
    // Nor does another one work: OpenCL is the parent's.
    CHECK(isg_context_create(&other, isg_context_params(.cache_dir = "off", .error = &error)) == ISG_ERR_UNSUPPORTED);
    CHECK(!other && strstr(error.message, "fork()"));
    CHECK(isg_device_list(&device, 1, &count, &error) == ISG_ERR_UNSUPPORTED && count == 0);
    // What needs no device goes on, and what is the parent's is given back here without a word to the driver.
    int64_t n;
    isg_gram_shape(p->gram, &n, NULL, NULL);
    CHECK(n == N && isg_gram_contract(p->gram)[0]);
    isg_gram_destroy(&p->gram);
    isg_context_destroy(&p->context);
    isg_grid_destroy(&p->grid);
    CHECK(!p->gram && !p->context && !p->grid);
    return 0;
}

START_TEST(child_of_a_context)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    isg_gram *gram = make_gram(context, NULL, NULL);
    isg_grid *grid = make_grid(context);
    float *want = wanted(context);
    check_dense(gram, want);
    in_child(is_refused, &(parents){context, gram, grid});
    check_dense(gram, want); // and the parent has not noticed
    isg_grid_destroy(&grid);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(want);
}
END_TEST

// ---- Order ----

// A context that is destroyed first lives on in what was made from it, in any order of these.
START_TEST(any_order)
{
    for (int order = 0; order < 6; order++) {
        isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
        float *want = wanted(context), cells[81];
        isg_gram *gram = make_gram(context, NULL, NULL), *other = make_gram(context, NULL, NULL);
        isg_grid *grid = make_grid(context);
        if (order % 2) // with programs and panels, or without
            check_dense(gram, want);
        for (int turn = 0; turn < 4; turn++) {
            const int what = (order + turn * (order < 4 ? 1 : 3)) % 4;
            if (what == 0)
                isg_context_destroy(&context);
            else if (what == 1)
                isg_gram_destroy(&gram);
            else if (what == 2)
                isg_gram_destroy(&other);
            else
                isg_grid_destroy(&grid);
            if (gram)
                check_dense(gram, want);
            if (grid)
                ck_assert_int_eq(isg_grid_fill(grid, isg_matrix_f32(cells, 9, 9)), ISG_OK);
        }
        ck_assert(!context && !gram && !other && !grid);
        free(want);
    }
}
END_TEST

// ---- Functions of the caller's ----

typedef struct caller {
    isg_context *context, *other;
    isg_gram *gram;
    isg_grid *grid;
    const float *want;
    int called, wrong;
} caller;

// Every call on the same context is refused; one on another context works.
static void call_back(caller *c)
{
    isg_gram *gram = NULL;
    float k[N * M], cells[9];
    const isg_array a = isg_matrix_f32(cells, 3, 3);
    c->called++;
    c->wrong += isg_gram_dense(c->gram, isg_matrix_f32(k, N, M)) != ISG_ERR_ARGUMENT;
    c->wrong += isg_gram_create(c->context, &gram, isg_gram_params(.x = a)) != ISG_ERR_ARGUMENT || gram;
    c->wrong += isg_filter(c->context, a, a, isg_filter_params(.sigma = {1})) != ISG_ERR_ARGUMENT;
    c->wrong += isg_context_error(c->context)->status != ISG_OK; // which is the outer call's
    c->wrong += isg_context_probe(c->context)->checked != 1;
    isg_gram *kept = c->gram;
    isg_context *kept_context = c->context;
    isg_grid *kept_grid = c->grid;
    isg_gram_destroy(&c->gram);
    isg_grid_destroy(&c->grid);
    isg_context_destroy(&c->context);
    c->wrong += c->gram != kept || c->context != kept_context || c->grid != kept_grid;
    if (c->called == 1 && c->other) {
        isg_gram *elsewhere = make_gram(c->other, NULL, NULL);
        check_dense(elsewhere, c->want);
        isg_gram_destroy(&elsewhere);
    }
}

static int progress_calls_back(void *user, double done, double total)
{
    ck_assert(done > 0 && done <= total);
    call_back(user);
    return 0;
}

static void log_calls_back(void *user, isg_log_level level, const char *message)
{
    (void)level, (void)message;
    caller *c = user;
    if (c->context)
        call_back(c);
}

START_TEST(functions_that_call_back)
{
    caller c = {.other = device_open(ISG_ARITHMETIC_AUTO, 0)};
    float *want = wanted(c.other);
    isg_context *context;
    ck_assert_int_eq(
        isg_context_create(&context, isg_context_params(.cache_dir = "off", .log = log_calls_back, .log_user = &c)),
        ISG_OK);
    isg_gram *gram = make_gram(context, progress_calls_back, &c);
    isg_grid *grid = make_grid(context);
    c.grid = grid;
    c.context = context;
    c.gram = gram;
    c.want = want;
    check_dense(gram, want);
    const int called = c.called;
    ck_assert_int_gt(called, 0);
    // An error is written to the log as well.
    float k[N * M];
    ck_assert_int_eq(isg_gram_dense(gram, isg_matrix_f32(k, M, N)), ISG_ERR_SHAPE);
    check_dense(gram, want);
    ck_assert_int_gt(c.called, called);
    ck_assert_int_eq(c.wrong, 0);
    float cells[81];
    ck_assert_int_eq(isg_grid_fill(grid, isg_matrix_f32(cells, 9, 9)), ISG_OK); // it is there still
    isg_grid_destroy(&grid);
    ck_assert_ptr_null(grid);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    isg_context_destroy(&c.other);
    free(want);
}
END_TEST

// ---- Contexts beside each other, and around a caller's queue ----

START_TEST(contexts_in_turn)
{
    isg_context *contexts[3];
    isg_gram *grams[3];
    float *want[3];
    for (int i = 0; i < 3; i++) {
        contexts[i] = device_open(i == 1 ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED, i == 2 ? 1 << 16 : 0);
        grams[i] = contexts[i] ? make_gram(contexts[i], NULL, NULL) : NULL;
        want[i] = contexts[i] ? wanted(contexts[i]) : NULL;
    }
    for (int turn = 0; turn < 9; turn++)
        if (grams[turn % 3])
            check_dense(grams[turn % 3], want[turn % 3]);
    for (int i = 0; i < 3; i++) {
        isg_context_destroy(&contexts[i]);
        for (int other = i + 1; other < 3; other++)
            if (grams[other])
                check_dense(grams[other], want[other]);
        isg_gram_destroy(&grams[i]);
        free(want[i]);
    }
}
END_TEST

// The caller gives its OpenCL objects back while the context lives, and the context is destroyed before its operator.
START_TEST(queue_that_is_given_back)
{
    isg_context *own = device_open(ISG_ARITHMETIC_AUTO, 0), *context;
    cl_device_id device = isg_context_cl_device(own);
    cl_int code;
    cl_context cl = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    cl_command_queue queue = clCreateCommandQueue(cl, device, 0, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    cl_mem points = clCreateBuffer(cl, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, sizeof x, x, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    ck_assert_int_eq(isg_context_from_opencl(&context, cl, device, queue, isg_context_params(.cache_dir = "off")),
                     ISG_OK);
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_mem(ISG_F32, points, 0, N, D), .gamma = 0.5,
                                                       .y = isg_matrix_f32(y, M, D))));
    clReleaseMemObject(points);
    clReleaseCommandQueue(queue);
    clReleaseContext(cl);
    float *want = wanted(own);
    check_dense(gram, want);
    isg_context_destroy(&context);
    check_dense(gram, want);
    isg_gram_destroy(&gram);
    isg_context_destroy(&own);
    free(want);
}
END_TEST

// ---- After an error ----

static int stop(void *user, double done, double total)
{
    (void)user, (void)done, (void)total;
    return 1;
}

START_TEST(next_call)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    isg_gram *gram = make_gram(context, NULL, NULL), *stopped = make_gram(context, stop, NULL), *none;
    float *want = wanted(context), k[N * M], odd[2 * D] = {0, NAN}, far[2 * D] = {3e38f, -3e38f};
    isg_store *store;
    for (int i = 0; i < 8; i++) {
        isg_status st = ISG_OK, expected = ISG_OK;
        const isg_array dense = isg_matrix_f32(k, N, M), turned = isg_matrix_f32(k, M, N);
        isg_array large = isg_matrix_f32(x, N, D);
        large.shape[0] = INT64_MAX;
        switch (i) {
        case 0: st = isg_gram_create(context, &none, NULL), expected = ISG_ERR_ARGUMENT; break;
        case 1: st = isg_gram_dense(gram, turned), expected = ISG_ERR_SHAPE; break;
        case 2: st = isg_gram_dense(gram, isg_matrix(ISG_I32, k, N, M)), expected = ISG_ERR_DTYPE; break;
        case 3: st = isg_gram_create(context, &none, isg_gram_params(.x = large)), expected = ISG_ERR_OVERFLOW; break;
        case 4:
            st = isg_gram_create(context, &none, isg_gram_params(.x = isg_matrix_f32(odd, 2, D)));
            expected = ISG_ERR_NONFINITE;
            break;
        case 5:
            st = isg_gram_create(context, &none, isg_gram_params(.x = isg_matrix_f32(far, 2, D), .gamma = 1e30));
            expected = ISG_ERR_RANGE;
            break;
        case 6: st = isg_gram_dense(stopped, dense), expected = ISG_ERR_CANCELLED; break;
        default:
            st = isg_store_create(context, &store,
                                  isg_store_params(.path = "/nonexistent/folder/k.npy",
                                                   .gram = isg_gram_params(.x = isg_matrix_f32(x, N, D))));
            expected = ISG_ERR_IO;
        }
        ck_assert_msg(st == expected, "%d: %s: %s", i, isg_status_name(st), isg_context_error(context)->message);
        ck_assert_int_eq(isg_context_error(context)->status, st);
        ck_assert_str_ne(isg_context_error(context)->message, "");
        check_dense(gram, want);
        ck_assert_int_eq(isg_context_error(context)->status, ISG_OK);
        ck_assert_str_eq(isg_context_error(context)->message, "");
    }
    isg_gram_destroy(&stopped);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(want);
}
END_TEST

int main(void)
{
    for (int i = 0; i < N * D; i++)
        x[i] = (float)(i * 37 % 64) / 32 - 1;
    for (int i = 0; i < M * D; i++)
        y[i] = (float)(i * 23 % 64) / 32 - 1;
    const TTest *const tests[] = {
        child_before_the_first_context, child_of_a_context, any_order, functions_that_call_back, contexts_in_turn,
        queue_that_is_given_back,       next_call};
    return suite_run(suite_of("use", tests, COUNT(tests)));
}
