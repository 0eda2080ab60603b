// The device's grid is the reference's, bit for bit; and every recipe gives the array that the code it is named for
// gives.
#include "device.h"
#include "probe.h"
#include "profile.h"
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A random grid in a random number of dimensions. max_alloc_bytes: as for a context.
static void check_random(isg_context *context, suite_random *random, isg_dtype dtype)
{
    isg_grid_params p = {.ndim = 1 + (int32_t)random_below(random, 4),
                         .sampling = (isg_sampling)random_below(random, ISG_SAMPLING_COUNT),
                         .normalize = (isg_normalize)random_below(random, ISG_NORMALIZE_COUNT),
                         .precision = dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32};
    for (int32_t a = 0; a < p.ndim; a++) {
        p.size[a] = 1 + random_below(random, p.ndim > 2 ? 12 : 90);
        p.sigma[a] = random_between(random, 0.3, 12);
    }
    isg_grid *grid;
    device_ok(context, isg_grid_create(context, &grid, &p));
    int64_t shape[ISG_GRID_MAX_NDIM], count = 1;
    const void *profiles[ISG_GRID_MAX_NDIM];
    int32_t ndim = isg_grid_shape(grid, shape);
    isg_array out = {.dtype = dtype, .ndim = ndim};
    for (int32_t a = ndim - 1; a >= 0; a--) {
        out.shape[a] = shape[a];
        out.strides[a] = count;
        count *= shape[a];
        void *rounded = malloc((size_t)shape[a] * sizeof(double));
        isg_profile_round(isg_grid_profile(grid, a), shape[a], dtype, rounded);
        profiles[a] = rounded;
    }
    out.data = device_guard(dtype, count);
    device_ok(context, isg_grid_fill(grid, out));
    void *want = malloc((size_t)count * sizeof(double));
    isg_reference_get(dtype, isg_probe_fused(context, dtype))->grid(ndim, shape, profiles, want);
    char what[80];
    snprintf(what, sizeof what, "%s %d axes, %s, %s", isg_dtype_name(dtype), (int)ndim, isg_sampling_name(p.sampling),
             isg_normalize_name(p.normalize));
    device_same_bits(dtype, out.data, count, want, count, 1, count, what);
    device_guard_free(out.data, dtype, count);
    for (int32_t a = 0; a < ndim; a++)
        free((void *)(uintptr_t)profiles[a]);
    free(want);
    isg_grid_destroy(&grid);
}

static void check_many(isg_arithmetic arithmetic, int64_t max_alloc_bytes, bool zero_copy, uint64_t stream)
{
    isg_context *context = device_open(arithmetic, max_alloc_bytes);
    if (!context)
        return;
    context->zero_copy = context->zero_copy && zero_copy;
    suite_random random = suite_stream(stream);
    for (int i = 0; i < 60; i++) {
        check_random(context, &random, ISG_F32);
        if (isg_context_require(context, ISG_F64) == ISG_OK)
            check_random(context, &random, ISG_F64);
    }
    isg_context_destroy(&context);
}

START_TEST(random_grids)
{
    check_many(ISG_ARITHMETIC_FUSED, 0, true, 1);
    check_many(ISG_ARITHMETIC_UNFUSED, 0, true, 2);
}
END_TEST

// In bands, rows in pieces, and through device memory.
START_TEST(random_grids_in_parts)
{
    check_many(ISG_ARITHMETIC_AUTO, 3000, true, 3);
    check_many(ISG_ARITHMETIC_AUTO, 3000, false, 4);
}
END_TEST

// The text behind "key=" in a case's parameters, or NULL.
static const char *value_of(const char *text, const char *key)
{
    static char value[64];
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%s=", key);
    for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++) {
        if (at != text && at[-1] != ' ')
            continue;
        snprintf(value, sizeof value, "%.*s", (int)strcspn(at + strlen(wanted), " \n"), at + strlen(wanted));
        return value;
    }
    return NULL;
}

static double number_of(const char *text, const char *key)
{
    const char *value = value_of(text, key);
    return value ? strtod(value, NULL) : 0;
}

// One line of cases.tsv as parameters. like: memory for the recipe's name.
static isg_grid_params params_of(const char *text, char *like)
{
    isg_grid_params p = {.nsig = number_of(text, "nsig")};
    const char *value = value_of(text, "like");
    if (value) {
        strcpy(like, value);
        p.like = like;
    }
    if ((value = value_of(text, "size")) != NULL && sscanf(value, "%ldx%ld", &p.size[0], &p.size[1]) < 2)
        p.size[1] = 0;
    if ((value = value_of(text, "sigma")) != NULL && sscanf(value, "%lf,%lf", &p.sigma[0], &p.sigma[1]) < 2)
        p.sigma[1] = 0;
    p.from[0] = p.from[1] = number_of(text, "from");
    p.to[0] = p.to[1] = number_of(text, "to");
    if ((value = value_of(text, "sampling")) != NULL)
        p.sampling = strcmp(value, "bessel") == 0 ? ISG_SAMPLING_BESSEL : ISG_SAMPLING_POINT;
    if ((value = value_of(text, "normalize")) != NULL)
        ck_assert_str_eq(value, "sum");
    return p;
}

static isg_npy *case_array(const char *name)
{
    char path[600];
    isg_npy *file;
    isg_error error = {ISG_OK, ""};
    snprintf(path, sizeof path, "%s/%s.npy", CASES, name);
    ck_assert_msg(isg_npy_open(&file, path, &error) == ISG_OK, "%s", error.message);
    return file;
}

// How far results may be from the cases, and how far they were.
typedef struct distance {
    double absolute, relative;
} distance;

// Double: within 1e-15 and 4 ulp (4 * 2^-52) of the case's value, the two added as the cases' own rounding demands (a
// case from differences of the CDF carries errors of 1e-16 absolute); 1e-12 relative below 1e-30 and for delta. Single:
// 2e-7 relative.
static void compare(const char *name, isg_dtype dtype, const isg_array *got, const isg_array *want, distance *seen)
{
    bool delta = strstr(name, "delta") != NULL;
    for (int64_t i = 0; i < want->shape[0]; i++) {
        for (int64_t j = 0; j < want->shape[1]; j++) {
            double g = isg_load_double(dtype, got->data, i * got->strides[0] + j * got->strides[1]);
            double w = isg_load_double(ISG_F64, want->data, i * want->strides[0] + j * want->strides[1]);
            double absolute = fabs(g - w), relative = absolute == 0 ? 0 : absolute / fabs(w), allowed;
            if (dtype == ISG_F32)
                allowed = w < 0x1p-126 ? 0x1p-126 : 2e-7 * w;
            else if (delta || w < 1e-30)
                allowed = 1e-12 * w;
            else
                allowed = 1e-15 < 4 * 0x1p-52 * w ? 4 * 0x1p-52 * w : 1e-15;
            ck_assert_msg(absolute <= allowed, "%s %s (%d, %d): %.17g, the case says %.17g", name,
                          isg_dtype_name(dtype), (int)i, (int)j, g, w);
            seen->absolute = fmax(seen->absolute, absolute);
            if (w > 1e-30)
                seen->relative = fmax(seen->relative, relative);
        }
    }
}

static void check_grid_case(isg_context *context, const char *name, const char *text, isg_dtype dtype, distance *seen)
{
    char like[64];
    isg_grid_params p = params_of(text, like);
    p.precision = dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
    isg_grid *grid;
    device_ok(context, isg_grid_create(context, &grid, &p));
    isg_npy *file = case_array(name);
    const isg_array *want = isg_npy_array(file);
    int64_t shape[ISG_GRID_MAX_NDIM];
    ck_assert_int_eq(isg_grid_shape(grid, shape), want->ndim);
    ck_assert(shape[0] == want->shape[0] && shape[1] == want->shape[1]);
    void *values = malloc((size_t)(shape[0] * shape[1]) * sizeof(double));
    isg_array out = isg_matrix(dtype, values, shape[0], shape[1]);
    device_ok(context, isg_grid_fill(grid, out));
    compare(name, dtype, &out, want, seen);
    free(values);
    isg_npy_close(&file);
    isg_grid_destroy(&grid);
}

static void check_gram_case(isg_context *context, const char *name, const char *text, isg_dtype dtype, distance *seen)
{
    char x_name[64], y_name[64] = "";
    strcpy(x_name, value_of(text, "x"));
    if (value_of(text, "y"))
        strcpy(y_name, value_of(text, "y"));
    isg_npy *x = case_array(x_name), *y = *y_name ? case_array(y_name) : NULL, *k = case_array(name);
    isg_gram_params p = {.x = *isg_npy_array(x),
                         .sigma = number_of(text, "sigma"),
                         .precision = dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32};
    if (y)
        p.y = *isg_npy_array(y);
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram, &p));
    const isg_array *want = isg_npy_array(k);
    void *values = malloc((size_t)(want->shape[0] * want->shape[1]) * sizeof(double));
    isg_array out = isg_matrix(dtype, values, want->shape[0], want->shape[1]);
    device_ok(context, isg_gram_dense(gram, out));
    for (int64_t i = 0; i < want->shape[0]; i++) {
        for (int64_t j = 0; j < want->shape[1]; j++) {
            double g = isg_load_double(dtype, values, i * want->shape[1] + j);
            double w = isg_load_double(ISG_F64, want->data, i * want->strides[0] + j * want->strides[1]);
            double absolute = fabs(g - w), allowed = w < 1e-30 ? 1e-12 * w : 1e-15;
            // Single precision: the clusters' bound is 1e-6; rounding of coordinates is the largest part of it
            // elsewhere.
            allowed = dtype == ISG_F32 ? 1e-6 : allowed;
            ck_assert_msg(absolute <= allowed, "%s %s (%d, %d): %.17g, the case says %.17g", name,
                          isg_dtype_name(dtype), (int)i, (int)j, g, w);
            seen->absolute = fmax(seen->absolute, absolute);
            if (w > 1e-30)
                seen->relative = fmax(seen->relative, absolute / w);
        }
    }
    free(values);
    isg_gram_destroy(&gram);
    isg_npy_close(&x);
    isg_npy_close(&y);
    isg_npy_close(&k);
}

START_TEST(cases)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    FILE *f = fopen(CASES "/cases.tsv", "r");
    ck_assert_ptr_nonnull(f);
    char line[300], name[100], kind[20];
    int count = 0;
    while (fgets(line, sizeof line, f)) {
        ck_assert_int_eq(sscanf(line, "%99[^\t]\t%19[^\t]", name, kind), 2);
        const char *text = strrchr(line, '\t') + 1;
        for (int wide = 0; wide < 2 && strcmp(kind, "input") != 0; wide++) {
            isg_dtype dtype = wide ? ISG_F64 : ISG_F32;
            if (wide && isg_context_device(context)->lanes_f64 == 0)
                continue;
            distance seen = {0, 0};
            (strcmp(kind, "grid") == 0 ? check_grid_case : check_gram_case)(context, name, text, dtype, &seen);
            printf("  %-22s %s: at most %.1e absolute, %.1e relative (%.1f ulp)\n", name, wide ? "f64" : "f32",
                   seen.absolute, seen.relative, seen.relative / (wide ? 0x1p-52 : 0x1p-23));
            count++;
        }
    }
    fclose(f);
    ck_assert_int_ge(count, 20);
    isg_context_destroy(&context);
}
END_TEST

// Single weights add up to 1 as well as their rounding allows; the sum is taken in double.
START_TEST(sums)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    for (int64_t n = 1; n < 80; n += 13) {
        float values[80 * 80];
        isg_grid *grid;
        device_ok(context, isg_grid_create(context, &grid,
                                           isg_grid_params(.size = {n}, .sigma = {0.2 * (double)n + 0.3},
                                                           .precision = ISG_PRECISION_F32)));
        device_ok(context, isg_grid_fill(grid, isg_matrix_f32(values, n, n)));
        double sum = 0;
        for (int64_t i = 0; i < n * n; i++)
            sum += values[i];
        ck_assert_msg(fabs(sum - 1) <= 2e-7, "size %d: the sum is %.9g", (int)n, sum);
        isg_grid_destroy(&grid);
    }
    isg_context_destroy(&context);
}
END_TEST

START_TEST(bad_calls)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    isg_grid *grid = (isg_grid *)&context;
    ck_assert_int_eq(isg_grid_create(context, &grid, NULL), ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(grid);
    ck_assert_int_eq(isg_grid_create(context, &grid, isg_grid_params(.size = {3}, .sigma = {-1})), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_grid_create(context, &grid, isg_grid_params(.size = {3}, .sigma = {1}, .like = "nothing")),
                     ISG_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(isg_context_error(context)->message, "nothing"));
    ck_assert_int_eq(isg_grid_create(context, &grid, isg_grid_params(.size = {200000000}, .ndim = 4, .sigma = {1})),
                     ISG_ERR_OVERFLOW);
    // Nothing of the Gaussian is there, along the first axis or the second.
    for (int axis = 0; axis < 2; axis++) {
        isg_grid_params far = {.size = {5, 5}, .sigma = {1}, .from = {-2, -2}, .to = {2, 2}};
        far.from[axis] = 90;
        far.to[axis] = 99;
        far.normalize = ISG_NORMALIZE_SUM;
        ck_assert_int_eq(isg_grid_create(context, &grid, &far), ISG_ERR_RANGE);
        ck_assert_ptr_nonnull(strstr(isg_context_error(context)->message, "normalise"));
        ck_assert_ptr_null(grid);
    }
    float values[9];
    device_ok(context, isg_grid_create(context, &grid,
                                       isg_grid_params(.size = {3}, .sigma = {1}, .precision = ISG_PRECISION_F32)));
    ck_assert_int_eq(isg_grid_fill(grid, isg_matrix_f32(values, 3, 2)), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_grid_fill(grid, isg_matrix(ISG_F64, values, 3, 3)), ISG_ERR_DTYPE);
    ck_assert_int_eq(isg_grid_fill(grid, isg_vector(ISG_F32, values, 9)), ISG_ERR_SHAPE);
    ck_assert_ptr_null(isg_grid_profile(grid, 2));
    ck_assert_ptr_null(isg_grid_profile(grid, -1));
    ck_assert_int_eq(isg_grid_shape(grid, NULL), 2);
    device_ok(context, isg_grid_fill(grid, isg_matrix_f32(values, 3, 3)));
    isg_grid_destroy(&grid);
    isg_grid_destroy(&grid);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {random_grids, random_grids_in_parts, cases, sums, bad_calls};
    return suite_run(suite_of("grid", tests, COUNT(tests)));
}
