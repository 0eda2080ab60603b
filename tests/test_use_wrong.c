// What callers get wrong: nothing where something is needed, and arrays of any content. Every public function refuses
// it with a status, or as its header says; none reads what is not there, and the context goes on working.
//
// tests/symbols.py sees to it that every exported function is named here.
#include "device.h"

#include <isogram/opencl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 7, D = 3 };
static float x[N * D], room[N * N], other[N * N];

typedef struct outcome {
    const char *call;
    isg_status status;
} outcome;

#define CALL(...)                                                                                                      \
    {                                                                                                                  \
#__VA_ARGS__, __VA_ARGS__                                                                                      \
    }

static void all_refused(const outcome *outcomes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(outcomes[i].status == ISG_ERR_ARGUMENT, "%s: %s", outcomes[i].call,
                      isg_status_name(outcomes[i].status));
}

static isg_array some(void)
{
    return isg_matrix_f32(room, N, N);
}

static void fill(void)
{
    for (int i = 0; i < N * D; i++)
        x[i] = (float)(i % 5) * 0.25f;
}

// No context and no handle at all.
START_TEST(nothing)
{
    isg_gram *gram;
    isg_grid *grid;
    isg_store *store;
    isg_npy *npy;
    isg_composite *composite;
    isg_error error;
    const int64_t shape[] = {1};
    const isg_array a = some();
    const outcome outcomes[] = {
        CALL(isg_context_create(NULL, NULL)),
        CALL(isg_context_from_opencl(NULL, NULL, NULL, NULL, NULL)),
        CALL(isg_context_measure(NULL, ISG_PRECISION_F32, &(isg_limits){0})),
        CALL(isg_device_list(NULL, 3, NULL, &error)),
        CALL(isg_gram_create(NULL, &gram, isg_gram_params(.x = a))),
        CALL(isg_gram_dense(NULL, a)),
        CALL(isg_gram_tile(NULL, 0, 0, a)),
        CALL(isg_gram_tile_enqueue(NULL, 0, 0, a, 0, NULL, NULL)),
        CALL(isg_gram_packed(NULL, a)),
        CALL(isg_gram_diagonal(NULL, a)),
        CALL(isg_gram_fast_report(NULL, &(isg_fast_report){0})),
        CALL(isg_gram_measure(NULL, &(isg_gram_limits){0})),
        CALL(isg_gram_apply(NULL, a, a, NULL)),
        CALL(isg_gram_reduce(NULL, NULL)),
        CALL(isg_gram_gradient(NULL, NULL)),
        CALL(isg_gram_parameter(NULL, 0, &(isg_gradient_parameter){0})),
        CALL(isg_gram_cluster(a, NULL, NULL, &error)),
        CALL(isg_grid_create(NULL, &grid, isg_grid_params(.size = {3}))),
        CALL(isg_grid_fill(NULL, a)),
        CALL(isg_filter(NULL, a, a, isg_filter_params(.sigma = {1}))),
        CALL(isg_filter_weights(isg_filter_params(.sigma = {1}), 1, 0, NULL, 0, NULL, &error)),
        CALL(isg_filter_derived(NULL, ISG_DERIVED_LAPLACIAN, a, &a, 1, NULL)),
        CALL(isg_convolve(NULL, a, a, a, NULL)),
        CALL(isg_store_create(NULL, &store, isg_store_params(.path = "k.npy"))),
        CALL(isg_store_compute(NULL, NULL)),
        CALL(isg_store_open(NULL, "k.npy", &error)),
        CALL(isg_store_describe(NULL, &(isg_store_info){0}, &error)),
        CALL(isg_store_read(NULL, 0, 0, a, &error)),
        CALL(isg_store_check(NULL, NULL, NULL, &(int64_t){0}, &error)),
        CALL(isg_npy_open(NULL, "k.npy", &error)),
        CALL(isg_npy_open(&npy, NULL, &error)),
        CALL(isg_npy_read(NULL, -1, NULL, NULL, 0, &error)),
        CALL(isg_npy_create(NULL, "k.npy", ISG_F32, 1, shape, &error)),
        CALL(isg_npy_commit(NULL, &error)),
        CALL(isg_kernel_single(NULL, NULL, &error)),
        CALL(isg_kernel_sum(NULL, NULL, NULL, &error)),
        CALL(isg_kernel_sum(&composite, NULL, NULL, &error)),
        CALL(isg_kernel_product(NULL, NULL, NULL, &error)),
        CALL(isg_kernel_product(&composite, NULL, NULL, &error)),
        CALL(isg_kernel_multiple(NULL, 2, NULL, &error)),
        CALL(isg_kernel_multiple(&composite, 2, NULL, &error)),
        CALL(isg_kernel_parse(NULL, "rbf", &error)),
        CALL(isg_kernel_parse(&composite, NULL, &error)),
    };
    all_refused(outcomes, COUNT(outcomes));
}
END_TEST

// What only tells says nothing, and what destroys does nothing.
START_TEST(nothing_to_tell)
{
    int64_t n = 5, m = 5, d = 5, shape[ISG_GRID_MAX_NDIM] = {5};
    char text[10] = "left";
    isg_context_destroy(NULL);
    isg_context_destroy(&(isg_context *){NULL});
    isg_gram_destroy(NULL);
    isg_gram_destroy(&(isg_gram *){NULL});
    isg_grid_destroy(NULL);
    isg_grid_destroy(&(isg_grid *){NULL});
    isg_store_close(NULL);
    isg_store_close(&(isg_store *){NULL});
    isg_npy_close(NULL);
    isg_npy_close(&(isg_npy *){NULL});
    isg_composite_destroy(NULL);
    isg_composite_destroy(&(isg_composite *){NULL});
    isg_gram_shape(NULL, &n, &m, &d);
    isg_gram_shape(NULL, NULL, NULL, NULL);
    ck_assert(n == 0 && m == 0 && d == 0);
    ck_assert_int_eq(isg_gram_dtype(NULL), ISG_DTYPE_NONE);
    ck_assert_ptr_null(isg_gram_composite(NULL));
    ck_assert_ptr_null(isg_gram_kernel(NULL));
    ck_assert_str_eq(isg_gram_contract(NULL), "");
    ck_assert(isg_gram_gamma(NULL) == 0 && isg_gram_param(NULL, 0) == 0);
    ck_assert_int_eq(isg_gram_parameter_count(NULL), 0);
    ck_assert_int_eq(isg_grid_shape(NULL, shape), 0);
    ck_assert_int_eq(shape[0], 0);
    ck_assert_int_eq(isg_grid_dtype(NULL), ISG_DTYPE_NONE);
    ck_assert_ptr_null(isg_grid_profile(NULL, 0));
    ck_assert_ptr_null(isg_npy_array(NULL));
    ck_assert_uint_eq(isg_composite_text(NULL, text, sizeof text), 0);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(isg_context_error(NULL)->status, ISG_OK);
    ck_assert_str_eq(isg_context_device(NULL)->name, "");
    ck_assert_int_eq(isg_context_probe(NULL)->checked, 0);
    ck_assert_str_eq(isg_context_contract(NULL, ISG_PRECISION_F32), "");
    ck_assert_ptr_null(isg_context_cl_context(NULL));
    ck_assert_ptr_null(isg_context_cl_device(NULL));
    ck_assert_ptr_null(isg_context_cl_queue(NULL));
    ck_assert_ptr_null(isg_kernel_find(NULL));
    ck_assert_ptr_null(isg_kernel_nearest(NULL));
    ck_assert_int_eq(isg_kernel_has_gradient(NULL), 0);
    ck_assert_int_eq(isg_mode_named(NULL), ISG_MODE_DEFAULT);
    ck_assert_int_eq(isg_derived_named(NULL), ISG_DERIVED_COUNT);
    ck_assert_int_eq(isg_derived_outputs(ISG_DERIVED_LAPLACIAN, NULL, 2), 0);
    ck_assert_ptr_nonnull(isg_kernel_list()[0]);
    ck_assert_ptr_nonnull(isg_grid_recipes()[0].name);
    ck_assert_str_ne(isg_version(), "");
}
END_TEST

// Names of what there is not.
START_TEST(names_of_nothing)
{
    for (int i = -3; i < 100; i += 103 / 9) {
        ck_assert_ptr_nonnull(isg_status_name((isg_status)i));
        ck_assert_ptr_nonnull(isg_dtype_name((isg_dtype)i));
        ck_assert_ptr_nonnull(isg_device_class_name((isg_device_class)i));
        ck_assert_ptr_nonnull(isg_sampling_name((isg_sampling)i));
        ck_assert_ptr_nonnull(isg_normalize_name((isg_normalize)i));
        ck_assert_ptr_nonnull(isg_mode_name((isg_mode)i));
        ck_assert_ptr_nonnull(isg_nan_policy_name((isg_nan_policy)i));
        ck_assert_ptr_nonnull(isg_derived_name((isg_derived)i));
        ck_assert_ptr_nonnull(isg_pair_name((isg_pair)i));
    }
    ck_assert_uint_eq(isg_dtype_bytes((isg_dtype)-1), 0);
    ck_assert_uint_eq(isg_dtype_bytes(ISG_DTYPE_COUNT), 0);
}
END_TEST

static isg_gram *make_gram(isg_context *context)
{
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, N, D))));
    return gram;
}

// A context that lives, and no place for the results or no parameters. Zeroed parameters are either complete or
// refused.
START_TEST(no_place)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    isg_gram *gram = make_gram(context), *none = gram;
    isg_grid *grid;
    isg_store *store;
    const isg_array a = some();
    const outcome outcomes[] = {
        CALL(isg_gram_create(context, NULL, isg_gram_params(.x = isg_matrix_f32(x, N, D)))),
        CALL(isg_gram_create(context, &none, NULL)),
        CALL(isg_gram_create(context, &none, isg_gram_params(.gamma = 0))),
        CALL(isg_grid_create(context, NULL, isg_grid_params(.size = {3}))),
        CALL(isg_grid_create(context, &grid, NULL)),
        CALL(isg_store_create(context, NULL, isg_store_params(.path = "k.npy"))),
        CALL(isg_store_create(context, &store, NULL)),
        CALL(isg_store_create(context, &store, isg_store_params(.path = NULL))),
        CALL(isg_context_measure(context, ISG_PRECISION_F32, NULL)),
        CALL(isg_gram_measure(gram, NULL)),
        CALL(isg_gram_fast_report(gram, NULL)),
        CALL(isg_gram_parameter(gram, 0, NULL)),
        CALL(isg_gram_reduce(gram, NULL)),
        CALL(isg_gram_gradient(gram, NULL)),
        CALL(isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, a, &a, 1, NULL)),
        CALL(isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, a, NULL, 1, isg_derived_params(.amount = 1))),
    };
    all_refused(outcomes, COUNT(outcomes));
    ck_assert_ptr_null(none);
    ck_assert(isg_verify(NULL, NULL) == ISG_ERR_ARGUMENT);
    device_ok(context, isg_gram_dense(gram, some()));
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
}
END_TEST

// Arrays of any content, in every place that takes one.
static isg_array broken(suite_random *random, isg_array a)
{
    static const int64_t sizes[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX / 2, (int64_t)1 << 62, INT64_MAX / 8 + 1};
    const int axis = (int)random_below(random, a.ndim);
    switch (random_below(random, 7)) {
    case 0: a.dtype = (isg_dtype)(random_below(random, 2) ? -5 : ISG_DTYPE_COUNT + random_below(random, 99)); break;
    case 1:
        a.ndim = (int32_t)(random_below(random, 2) ? -random_below(random, 4) : 9 + random_below(random, 99));
        break;
    case 2: a.shape[axis] = sizes[random_below(random, COUNT(sizes))]; break;
    case 3:
        for (int i = 0; i < ISG_MAX_NDIM; i++)
            a.shape[i] = INT64_MAX - i;
        break;
    case 4: a.data = NULL; break;
    case 5:
        a.shape[axis] = ((int64_t)1 << 40) + 3;
        a.strides[axis] = sizes[1 + random_below(random, 5)];
        break;
    default: a.strides[axis] = random_below(random, 2) ? INT64_MAX - random_below(random, 3) : INT64_MIN + 1; break;
    }
    return a;
}

#define REFUSED(...)                                                                                                   \
    do {                                                                                                               \
        const isg_status st_ = __VA_ARGS__;                                                                            \
        ck_assert_msg(st_ != ISG_OK && st_ != ISG_ERR_DEVICE,                                                          \
                      #__VA_ARGS__ ": %s for %s, %d axes, %lld (%lld) x %lld "                                         \
                                   "(%lld)",                                                                           \
                      isg_status_name(st_), isg_dtype_name(bad.dtype), (int)bad.ndim, (long long)bad.shape[0],         \
                      (long long)bad.strides[0], (long long)bad.shape[1], (long long)bad.strides[1]);                  \
        ck_assert_int_eq(isg_context_error(context)->status, st_);                                                     \
    } while (0)

START_TEST(any_arrays)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    isg_gram *gram = make_gram(context), *none;
    isg_grid *grid;
    suite_random random = suite_stream(1);
    device_ok(context, isg_grid_create(context, &grid,
                                       isg_grid_params(.size = {N}, .sigma = {1}, .precision = ISG_PRECISION_F32)));
    for (int i = 0; i < 3000; i++) {
        isg_array bad = broken(&random, some());
        const isg_array good = some(), out = isg_matrix_f32(x, N, D);
        if (bad.dtype != ISG_DTYPE_NONE) {
            REFUSED(isg_gram_create(context, &none, isg_gram_params(.x = bad)));
            REFUSED(isg_gram_create(context, &none, isg_gram_params(.x = isg_matrix_f32(other, N, N), .y = bad)));
        }
        REFUSED(isg_gram_dense(gram, bad));
        REFUSED(isg_gram_tile(gram, 0, 0, bad));
        REFUSED(isg_gram_packed(gram, bad));
        REFUSED(isg_gram_diagonal(gram, bad));
        isg_array line = isg_vector(ISG_F32, room, N);
        line.strides[0] = bad.strides[0] == N ? INT64_MIN : bad.strides[0];
        REFUSED(isg_gram_diagonal(gram, line));
        REFUSED(isg_gram_reduce(gram, isg_reduce_params(.out = line)));
        REFUSED(isg_gram_apply(gram, bad, out, NULL));
        REFUSED(isg_gram_apply(gram, good, bad, NULL));
        REFUSED(isg_gram_reduce(gram, isg_reduce_params(.out = bad)));
        REFUSED(isg_gram_gradient(gram, isg_gradient_params(.v = bad, .w = good, .x = out)));
        REFUSED(isg_grid_fill(grid, bad));
        REFUSED(isg_filter(context, bad, good, isg_filter_params(.sigma = {1})));
        REFUSED(isg_filter(context, good, bad, isg_filter_params(.sigma = {1})));
        REFUSED(isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, bad, &good, 1,
                                   isg_derived_params(.filter = {.sigma = {1}})));
        REFUSED(isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, good, &bad, 1,
                                   isg_derived_params(.filter = {.sigma = {1}})));
        REFUSED(isg_convolve(context, bad, good, good, NULL));
        REFUSED(isg_convolve(context, good, bad, isg_matrix_f32(other, N, N), NULL));
    }
    device_ok(context, isg_gram_dense(gram, some()));
    ck_assert(room[0] == 1);
    isg_grid_destroy(&grid);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    fill();
    const TTest *const tests[] = {nothing, nothing_to_tell, names_of_nothing, no_place, any_arrays};
    return suite_run(suite_of("use_wrong", tests, COUNT(tests)));
}
