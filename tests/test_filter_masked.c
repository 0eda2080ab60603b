// The promises of filters over arrays with holes: the device gives the reference's bits, the reference what a plain
// double loop over the valid elements gives; where nothing is missing the bits are the plain filter's; means are honest
// however little is valid; bad calls are refused.
#include "filter.h"
#include "filter_arrays.h"
#include "probe.h"
#include "reference.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const isg_dtype mask_types[] = {ISG_U8, ISG_F32, ISG_I16, ISG_F64, ISG_F16, ISG_I64, ISG_I8, ISG_U32};

static double mask_value(isg_dtype dtype, uint64_t any)
{
    bool valid = any % 4 != 0;
    if (dtype == ISG_F32 || dtype == ISG_F64)
        return valid ? ldexp(1, -(int)(any / 4 % 149)) : any % 8 ? NAN : -0.0; // subnormal numbers count
    return valid ? 1 + (double)(any / 4 % 100) : 0;
}

static void set_element(block *b, int64_t i, double value)
{
    switch (b->array.dtype) {
    case ISG_F32: ((float *)b->memory)[i] = (float)value; break;
    case ISG_F64: ((double *)b->memory)[i] = value; break;
    case ISG_U8: ((uint8_t *)b->memory)[i] = (uint8_t)value; break;
    case ISG_I8: ((int8_t *)b->memory)[i] = (int8_t)value; break;
    case ISG_I16: ((int16_t *)b->memory)[i] = (int16_t)value; break;
    case ISG_U32: ((uint32_t *)b->memory)[i] = (uint32_t)value; break;
    case ISG_I64: ((int64_t *)b->memory)[i] = (int64_t)value; break;
    default: ((uint16_t *)b->memory)[i] = isnan(value) ? 0x7e00 : value != 0 ? 0x3c00 : 0; break; // half precision
    }
}

// With NaN here and there, and a stretch of it.
static void puncture(suite_random *random, block *b)
{
    if (b->array.dtype != ISG_F32 && b->array.dtype != ISG_F64 && b->array.dtype != ISG_F16)
        return;
    int64_t begin = random_below(random, b->count), length = random_below(random, 1 + b->count / 2);
    for (int64_t i = 0; i < b->count; i++)
        if ((i >= begin && i < begin + length) || random_below(random, 6) == 0)
            set_element(b, i, NAN);
}

// A mask of the last axes, some of them of length 1.
static block random_mask(suite_random *random, const block *in)
{
    int32_t ndim = 1 + (int32_t)random_below(random, in->array.ndim), more = in->array.ndim - ndim;
    int64_t shape[ISG_FILTER_MAX_NDIM];
    for (int32_t a = 0; a < ndim; a++)
        shape[a] = random_below(random, 4) == 0 ? 1 : in->array.shape[a + more];
    isg_dtype dtype = mask_types[random_below(random, COUNT(mask_types))];
    block mask = make_block(random, dtype, ndim, shape, random_below(random, 2) == 0);
    for (int64_t i = 0; i < mask.count; i++)
        set_element(&mask, i, mask_value(dtype, random_bits(random)));
    return mask;
}

// As the filter's front does.
static isg_array stretched(isg_array mask, const isg_array *in)
{
    int32_t more = in->ndim - mask.ndim;
    for (int32_t axis = in->ndim - 1; axis >= 0; axis--) {
        mask.strides[axis] = axis < more || mask.shape[axis - more] == 1 ? 0 : mask.strides[axis - more];
        mask.shape[axis] = in->shape[axis];
    }
    mask.ndim = in->ndim;
    return mask;
}

static void canonical(block *b)
{
    for (int64_t i = 0; i < b->count; i++) {
        if (b->array.dtype == ISG_F32 && isnan(((float *)b->memory)[i]))
            ((float *)b->memory)[i] = NAN;
        if (b->array.dtype == ISG_F64 && isnan(((double *)b->memory)[i]))
            ((double *)b->memory)[i] = NAN;
    }
}

static void check_same(isg_context *context, const block *in, const isg_filter_params *p, isg_dtype out_type,
                       suite_random *random, bool each, const char *what)
{
    isg_dtype dtype = isg_filter_dtype(p, in->array.dtype);
    device_ok(context, isg_context_require(context, dtype));
    block got = make_block(random, out_type, in->array.ndim, in->array.shape, random_below(random, 2) == 0);
    block want = got;
    want.memory = device_guard(out_type, got.count);
    want.array.data = (char *)want.memory + ((char *)got.array.data - (char *)got.memory);
    isg_filter_plan plan;
    isg_error error = {ISG_OK, ""};
    ck_assert_msg(isg_filter_plan_make(&plan, p, in->array.ndim, in->array.shape, dtype, in->array.dtype, &error) ==
                      ISG_OK,
                  "%s", error.message);
    isg_array mask = stretched(p->mask, &in->array);
    ck_assert(isg_reference_filter_masked(isg_reference_get(dtype, isg_probe_fused(context, dtype)), &plan, &in->array,
                                          p->mask.dtype ? &mask : NULL, &want.array));
    isg_filter_plan_free(&plan);
    device_ok(context, isg_filter_call(context, in->array, got.array, p, each));
    canonical(&got);
    canonical(&want);
    device_same_bits(out_type, got.memory, got.count, want.memory, got.count, 1, got.count, what);
    free_block(&got);
    free_block(&want);
}

static void check_random(isg_context *context, suite_random *random, bool hostile)
{
    int32_t ndim = 1 + (int32_t)random_below(random, ISG_FILTER_MAX_NDIM);
    static const int64_t most[] = {300, 70, 24, 11};
    int64_t shape[ISG_FILTER_MAX_NDIM];
    for (int32_t a = 0; a < ndim; a++)
        shape[a] = 1 + random_below(random, most[ndim - 1]);
    static const struct kind some[] = {{ISG_F32, ISG_F32, ISG_F32},
                                       {ISG_F64, ISG_F64, ISG_F64},
                                       {ISG_U8, ISG_U8, ISG_F32},
                                       {ISG_F16, ISG_I16, ISG_F32},
                                       {ISG_F64, ISG_F32, ISG_F32}};
    const bool wide = isg_context_device(context)->lanes_f64 > 0;
    const struct kind *kind = &some[random_below(random, hostile ? 2 : COUNT(some)) % (wide ? COUNT(some) : 1)];
    isg_filter_params p = random_params(random, ndim, shape);
    p.precision = kind->arithmetic == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
    p.nan = (isg_nan_policy)random_below(random, ISG_NAN_COUNT);
    p.fill = random_between(random, 0, 200);
    p.fills_nothing = (int32_t)random_below(random, 2);
    p.constant = random_below(random, 3) == 0 ? NAN : p.constant;
    block in = make_block(random, kind->in, ndim, shape, random_below(random, 2) == 0);
    fill(random, &in, hostile);
    puncture(random, &in);
    if (random_below(random, 8) == 0 && (kind->in == ISG_F32 || kind->in == ISG_F64))
        set_element(&in, random_below(random, in.count), random_below(random, 2) ? INFINITY : 1e30);
    bool masked = random_below(random, 2) == 0, each = random_below(random, 4) == 0;
    block mask = random_mask(random, &in);
    if (masked)
        p.mask = mask.array;
    bool means = p.nan == ISG_NAN_IGNORE || p.nan == ISG_NAN_PRESERVE || (p.nan == ISG_NAN_DEFAULT && masked);
    for (int32_t i = 0; i < ndim && (means || random_below(random, 8)); i++) // few other programs to compile
        p.order[i] = 0;
    char what[200];
    snprintf(what, sizeof what, "%s to %s, %d axes, nan %s, mask %s%s", isg_dtype_name(kind->in),
             isg_dtype_name(kind->out), (int)ndim, isg_nan_policy_name(p.nan),
             masked ? isg_dtype_name(mask.array.dtype) : "none", each ? ", each" : "");
    check_same(context, &in, &p, kind->out, random, each, what);
    free_block(&mask);
    free_block(&in);
}

static void check_many(isg_arithmetic arithmetic, int count, bool hostile, bool zero_copy, int32_t lanes,
                       uint64_t stream)
{
    isg_context *context = device_open(arithmetic, 0);
    if (!context)
        return;
    context->zero_copy = context->zero_copy && zero_copy;
    if (lanes) {
        context->device.lanes_f32 = lanes;
        context->device.lanes_f64 = context->device.lanes_f64 ? lanes : 0;
    }
    suite_random random = suite_stream(stream);
    for (int i = 0; i < count; i++)
        check_random(context, &random, hostile);
    isg_context_destroy(&context);
}

START_TEST(random_arrays)
{
    check_many(ISG_ARITHMETIC_FUSED, 9, false, true, 0, 101);
}
END_TEST

START_TEST(hostile_arrays)
{
    check_many(ISG_ARITHMETIC_FUSED, 5, true, true, 0, 103);
    check_many(ISG_ARITHMETIC_UNFUSED, 5, true, false, 0, 104);
}
END_TEST

START_TEST(other_lanes)
{
    check_many(ISG_ARITHMETIC_AUTO, 3, true, true, 4, 105);
}
END_TEST

// --- against a plain double loop

enum { ROWS = 13, COLS = 17 };

static int64_t reflected(int64_t i, int64_t n)
{
    i = (i % (2 * n) + 2 * n) % (2 * n);
    return i < n ? i : 2 * n - 1 - i;
}

// The weighted mean of the valid elements around (i, j), NaN where there is none, and their share. w: 2 r + 1 weights.
// border: 0: reflected; 1: nothing is valid outside; 2: a constant is.
static double mean_of(const float *x, const unsigned char *valid, int64_t i, int64_t j, const double *w, int64_t r,
                      int border, double constant, double *share)
{
    long double sum = 0, weight = 0;
    for (int64_t k = -r; k <= r; k++)
        for (int64_t l = -r; l <= r; l++) {
            int64_t row = i + k, col = j + l;
            bool inside = row >= 0 && row < ROWS && col >= 0 && col < COLS;
            if (!inside && border == 1)
                continue;
            if (border == 0) {
                row = reflected(row, ROWS);
                col = reflected(col, COLS);
            }
            double value = inside || border == 0 ? (double)x[row * COLS + col] : constant;
            if ((inside || border == 0) && (!valid[row * COLS + col] || isnan(value)))
                continue;
            sum += (long double)w[k + r] * w[l + r] * value;
            weight += (long double)w[k + r] * w[l + r];
        }
    *share = (double)weight;
    return weight > 0 ? (double)(sum / weight) : NAN;
}

START_TEST(means)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(110);
    float x[ROWS * COLS], y[ROWS * COLS], preserved[ROWS * COLS];
    unsigned char valid[ROWS * COLS];
    double w[9], worst = 0, share;
    int64_t count;
    for (int holes = 0; holes < 4; holes++)
        for (int border = 0; border < 3; border++) {
            int empty = 0;
            for (int i = 0; i < ROWS * COLS; i++) {
                x[i] = (float)random_between(&random, 1, 2);
                valid[i] = random_below(&random, 40) >= 13 * holes;
                if (random_below(&random, 9) < holes)
                    x[i] = NAN;
            }
            isg_filter_params p = {.sigma = {1.1},
                                   .mode = {border == 0 ? ISG_MODE_REFLECT : ISG_MODE_CONSTANT},
                                   .constant = border == 1 ? NAN : 1.75,
                                   .nan = ISG_NAN_IGNORE,
                                   .mask = isg_matrix(ISG_U8, valid, ROWS, COLS)};
            ck_assert_int_eq(isg_filter_weights(&p, 2, 0, w, 9, &count, NULL), ISG_OK);
            ck_assert_int_eq(count, 9);
            device_ok(context, isg_filter(context, isg_matrix_f32(x, ROWS, COLS), isg_matrix_f32(y, ROWS, COLS), &p));
            p.nan = ISG_NAN_PRESERVE;
            p.fills_nothing = 1;
            p.fill = -7;
            device_ok(context,
                      isg_filter(context, isg_matrix_f32(x, ROWS, COLS), isg_matrix_f32(preserved, ROWS, COLS), &p));
            for (int i = 0; i < ROWS * COLS; i++) {
                double want = mean_of(x, valid, i / COLS, i % COLS, w, 4, border, 1.75, &share);
                ck_assert_msg(isnan(want) == isnan(y[i]), "holes %d, border %d, element %d: %g, not %g", holes, border,
                              i, (double)y[i], want);
                bool own = valid[i] && !isnan(x[i]);
                ck_assert(own ? preserved[i] == y[i] : preserved[i] == -7);
                empty += isnan(want);
                if (!isnan(want)) {
                    worst = fmax(worst, fabs(y[i] - want) / want);
                    // Two sums of at most 2 x 9 terms, and a quotient; the weights themselves are rounded.
                    ck_assert_msg(fabs(y[i] - want) <= 12 * (double)FLT_EPSILON * want,
                                  "holes %d, border %d, element %d: %.9g, not %.9g (share %g)", holes, border, i,
                                  (double)y[i], want, share);
                }
            }
            ck_assert(holes < 3 || border == 2 || empty > 0);
        }
    printf("  means: at most %.2g epsilon away\n", worst / (double)FLT_EPSILON);
    isg_context_destroy(&context);
}
END_TEST

// Where all that the filter reaches is valid, the bits are those without a policy; a constant stays what it is, however
// little of it is valid.
START_TEST(nothing_missing)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(111);
    enum { N = 60 * 70 };
    static float x[N], plain[N], ignored[N], flat[N];
    for (int i = 0; i < N; i++) {
        x[i] = (float)random_between(&random, -5, 5);
        flat[i] = random_below(&random, 30) ? NAN : 3.125f;
    }
    isg_filter_params p = {.sigma = {1.5}, .mode = {ISG_MODE_CONSTANT}, .constant = 2};
    isg_array in = isg_matrix_f32(x, 60, 70);
    device_ok(context, isg_filter(context, in, isg_matrix_f32(plain, 60, 70), &p));
    p.nan = ISG_NAN_IGNORE;
    device_ok(context, isg_filter(context, in, isg_matrix_f32(ignored, 60, 70), &p));
    device_same_bits(ISG_F32, ignored, N, plain, N, 1, N, "nothing is missing");
    x[30 * 70 + 31] = NAN;
    device_ok(context, isg_filter(context, in, isg_matrix_f32(ignored, 60, 70), &p));
    for (int i = 0; i < N; i++) {
        bool near = abs(i / 70 - 30) <= 6 && abs(i % 70 - 31) <= 6;
        ck_assert(near ? isfinite(ignored[i]) : ignored[i] == plain[i]);
    }
    p.mode[0] = ISG_MODE_MIRROR;
    device_ok(context, isg_filter(context, isg_matrix_f32(flat, 60, 70), isg_matrix_f32(ignored, 60, 70), &p));
    for (int i = 0; i < N; i++)
        ck_assert(isnan(ignored[i]) || fabsf(ignored[i] - 3.125f) <= 4 * 3.125f * FLT_EPSILON);
    isg_context_destroy(&context);
}
END_TEST

// One valid element far from all others, in four dimensions: its share is tiny where the filter just reaches it, and
// the mean is that element all the same; beyond reach there is nothing.
START_TEST(small_shares)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    enum { SIDE = 12, N = SIDE * SIDE * SIDE * SIDE };
    float *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    const int64_t s = SIDE;
    isg_array a = {.dtype = ISG_F32, .ndim = 4, .shape = {s, s, s, s}, .strides = {s * s * s, s * s, s, 1}, .data = x};
    isg_array out = a;
    out.data = y;
    for (int i = 0; i < N; i++)
        x[i] = NAN;
    x[0] = 1.2345f;
    device_ok(context, isg_filter(context, a, out, isg_filter_params(.sigma = {2}, .nan = ISG_NAN_IGNORE)));
    int found = 0;
    for (int i = 0; i < N; i++) {
        bool reached = i / (s * s * s) <= 8 && i / (s * s) % s <= 8 && i / s % s <= 8 && i % s <= 8;
        ck_assert_msg(reached ? fabsf(y[i] - 1.2345f) <= 1e-6f : isnan(y[i]), "element %d: %g", i, (double)y[i]);
        found += reached;
    }
    ck_assert_int_eq(found, 9 * 9 * 9 * 9); // the share of the last is 2^-56
    free(x);
    free(y);
    isg_context_destroy(&context);
}
END_TEST

// What fills comes before everything else; NaN that a mask makes goes as far as NaN does; whole numbers without a
// result are 0, or what is given.
START_TEST(policies)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[20], filled[20], y[20], want[20];
    unsigned char bytes[20], mask[20], got[20];
    for (int i = 0; i < 20; i++) {
        x[i] = (float)(i * i % 7);
        bytes[i] = (unsigned char)(10 * i);
        mask[i] = i < 3 || i == 19;
        filled[i] = mask[i] ? x[i] : 2.5f;
    }
    isg_array in = isg_vector(ISG_F32, x, 20), out = isg_vector(ISG_F32, y, 20), m = isg_vector(ISG_U8, mask, 20);
    isg_filter_params p = {.sigma = {1}, .order = {2}, .nan = ISG_NAN_FILL, .fill = 2.5, .mask = m};
    device_ok(context, isg_filter(context, in, out, &p));
    device_ok(context, isg_filter(context, isg_vector(ISG_F32, filled, 20), isg_vector(ISG_F32, want, 20),
                                  isg_filter_params(.sigma = {1}, .order = {2})));
    device_same_bits(ISG_F32, y, 20, want, 20, 1, 20, "filled");
    p.nan = ISG_NAN_PROPAGATE;
    device_ok(context, isg_filter(context, in, out, &p));
    for (int i = 0; i < 20; i++)
        ck_assert(isnan(y[i])); // within 4 of the mask's zeros
    p = (isg_filter_params){.sigma = {1}, .mask = m};
    device_ok(context, isg_filter(context, isg_vector(ISG_U8, bytes, 20), isg_vector(ISG_U8, got, 20), &p));
    for (int i = 0; i < 20; i++)
        ck_assert_msg(i < 7    ? got[i] >= 0 && got[i] <= 20
                      : i < 15 ? got[i] == 0
                               : got[i] == 190,
                      "element %d: %d", i, got[i]);
    p.fills_nothing = 1;
    p.fill = 255;
    device_ok(context,
              isg_filter(context, isg_vector(ISG_U8, bytes, 20), isg_vector(ISG_U8, bytes, 20), &p)); // in place
    for (int i = 0; i < 20; i++)
        ck_assert(i >= 7 && i < 15 ? bytes[i] == 255 : bytes[i] == got[i]);
    isg_context_destroy(&context);
}
END_TEST

START_TEST(bad_calls)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[64] = {0}, y[64] = {0};
    unsigned char m[64] = {0};
    isg_array in = isg_matrix_f32(x, 8, 8), out = isg_matrix_f32(y, 8, 8);
    const isg_array gone = isg_matrix(ISG_U8, NULL, 8, 8), unknown = isg_matrix((isg_dtype)99, m, 8, 8);
    isg_array three = isg_matrix(ISG_U8, m, 8, 8);
    three.ndim = 3;
    three.shape[2] = 1;
    static const isg_status argument = ISG_ERR_ARGUMENT, shape = ISG_ERR_SHAPE;
    const struct {
        isg_filter_params params;
        isg_status status;
        const char *word;
    } rows[] = {{{.sigma = {1}, .nan = ISG_NAN_COUNT}, argument, "NaN"},
                {{.sigma = {1}, .order = {1}, .nan = ISG_NAN_IGNORE}, argument, "order 1"},
                {{.sigma = {1}, .order = {2}, .mask = isg_matrix(ISG_U8, m, 8, 8)}, argument, "order 2"},
                {{.sigma = {1}, .memory = -1}, argument, "memory"},
                {{.sigma = {1}, .mask = isg_matrix(ISG_U8, m, 8, 7)}, shape, "mask"},
                {{.sigma = {1}, .mask = three}, shape, "mask"},
                {{.sigma = {1}, .mask = gone}, argument, "mask"},
                {{.sigma = {1}, .mask = unknown}, ISG_ERR_DTYPE, "mask"},
                {{.sigma = {1}, .mask = isg_matrix_f32(y, 8, 8)}, argument, "mask"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_msg(isg_filter(context, in, out, &rows[i].params) == rows[i].status, "row %d", (int)i);
        const char *message = isg_context_error(context)->message;
        ck_assert_msg(strstr(message, rows[i].word) != NULL, "row %d: %s", (int)i, message);
    }
    for (int i = 0; i < 64; i++)
        ck_assert(y[i] == 0);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {random_arrays,   hostile_arrays, other_lanes, means,
                                  nothing_missing, small_shares,   policies,    bad_calls};
    return suite_run(suite_of("filter_masked", tests, COUNT(tests)));
}
