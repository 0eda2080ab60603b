// The promises of isg_convolve: the device gives the reference's bits, whatever the shapes, strides, types, axes, modes
// and the way that work is cut; the exact sum lies within the roundings of one accumulator; a convolution is the
// correlation with the stencil turned around; subnormal numbers show nowhere; bad calls are refused.
#include "convolve.h"
#include "device.h"
#include "oracle.h"
#include "probe.h"
#include "reference.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// From what to what, and in which precision: programs are compiled for each of them.
static const struct kind {
    isg_dtype in, out, arithmetic;
} kinds[] = {{ISG_F32, ISG_F32, ISG_F32}, {ISG_F64, ISG_F64, ISG_F64}, {ISG_U8, ISG_U8, ISG_F32},
             {ISG_I16, ISG_U16, ISG_F32}, {ISG_I32, ISG_I32, ISG_F64}, {ISG_F16, ISG_F16, ISG_F32},
             {ISG_F64, ISG_I16, ISG_F32}, {ISG_U16, ISG_F32, ISG_F64}};

// An array between fences; strided: columns two apart, rows from the last to the first, something between planes.
typedef struct block {
    isg_array array;
    void *memory;
    int64_t count; // elements of memory
} block;

static block make_block(isg_dtype dtype, int32_t ndim, const int64_t *shape, bool strided)
{
    block b = {.array = {.dtype = dtype, .ndim = ndim}};
    int64_t stride = strided ? 2 : 1, first = 0;
    for (int32_t a = ndim - 1; a >= 0; a--) {
        bool back = strided && a == ndim - 2;
        b.array.shape[a] = shape[a];
        b.array.strides[a] = back ? -stride : stride;
        first += back ? (shape[a] - 1) * stride : 0;
        stride = stride * shape[a] + (strided ? 3 : 0);
    }
    b.count = stride;
    b.memory = device_guard(dtype, b.count);
    b.array.data = (char *)b.memory + (size_t)first * isg_dtype_bytes(dtype);
    return b;
}

static void free_block(block *b)
{
    device_guard_free(b->memory, b->array.dtype, b->count);
}

// Any bits of whole numbers; finite ones of others, hostile: down to subnormal ones.
static void fill(suite_random *random, block *b, bool hostile)
{
    for (int64_t i = 0; i < b->count; i++) {
        double x = random_between(random, -100, 100);
        uint64_t any = random_bits(random);
        if (hostile && any % 3 == 0)
            x = ldexp(x, -(int)(any / 4 % (b->array.dtype == ISG_F64 ? 1080 : 160)));
        switch (b->array.dtype) {
        case ISG_F32: ((float *)b->memory)[i] = (float)x; break;
        case ISG_F64: ((double *)b->memory)[i] = x; break;
        case ISG_U8: ((uint8_t *)b->memory)[i] = (uint8_t)any; break;
        case ISG_I32: ((int32_t *)b->memory)[i] = (int32_t)(uint32_t)any; break;
        case ISG_F16: ((uint16_t *)b->memory)[i] = (uint16_t)((any & 0x8000) | any % 0x7c00); break;
        default: ((uint16_t *)b->memory)[i] = (uint16_t)any;
        }
    }
}

static isg_array weights_of(double *numbers, int32_t ndim, const int64_t *shape)
{
    isg_array s = {.dtype = ISG_F64, .ndim = ndim, .data = numbers};
    int64_t stride = 1;
    for (int32_t a = ndim - 1; a >= 0; a--) {
        s.shape[a] = shape[a];
        s.strides[a] = stride;
        stride *= shape[a];
    }
    return s;
}

static double *random_weights(suite_random *random, int64_t count, bool hostile)
{
    double *w = malloc((size_t)count * sizeof *w);
    for (int64_t i = 0; i < count; i++) {
        w[i] = random_between(random, -1, 1);
        if (hostile && random_below(random, 3) == 0)
            w[i] = random_scaled(random, -1, 1, -60, 60);
    }
    return w;
}

// Both sides' bytes, gaps and fences included. in_place: the input is a copy in the output's place.
static void check_same(isg_context *context, const block *in, const isg_array *stencil, const isg_convolve_params *p,
                       isg_dtype out_type, bool strided, isg_convolve_shape shape, bool in_place, const char *what)
{
    isg_convolve_plan plan;
    isg_error error = {ISG_OK, ""};
    ck_assert_msg(isg_convolve_plan_make(&plan, p, in->array.ndim, in->array.shape, stencil, in->array.dtype, &error) ==
                      ISG_OK,
                  "%s", error.message);
    device_ok(context, isg_context_require(context, plan.dtype)); // which decides on the arithmetic
    block got = make_block(out_type, in->array.ndim, in->array.shape, strided);
    block want = make_block(out_type, in->array.ndim, in->array.shape, strided);
    if (in_place) {
        memcpy(got.memory, in->memory, (size_t)got.count * isg_dtype_bytes(out_type));
        memcpy(want.memory, in->memory, (size_t)got.count * isg_dtype_bytes(out_type));
    }
    ck_assert(isg_reference_convolve(isg_reference_get(plan.dtype, isg_probe_fused(context, plan.dtype)), &plan,
                                     &in->array, &want.array));
    isg_convolve_plan_free(&plan);
    device_ok(context, isg_convolve_call(context, in_place ? got.array : in->array, *stencil, got.array, p, shape));
    device_same_bits(out_type, got.memory, got.count, want.memory, got.count, 1, got.count, what);
    free_block(&got);
    free_block(&want);
}

static isg_convolve_params random_params(suite_random *random, int32_t ndim, int32_t stencil_ndim)
{
    isg_convolve_params p = {.correlate = (int32_t)random_below(random, 2), .each = 1};
    p.constant = random_between(random, -3, 3);
    for (int32_t i = 0; i < stencil_ndim; i++)
        p.mode[i] = (isg_mode)random_below(random, ISG_MODE_COUNT);
    if (random_below(random, 2)) { // the first axes, or all but the first
        int32_t first = random_below(random, 2) ? 0 : ndim - stencil_ndim;
        p.axis_count = stencil_ndim;
        for (int32_t i = 0; i < stencil_ndim; i++)
            p.axes[i] = first + i - (random_below(random, 2) ? ndim : 0);
    }
    return p;
}

// rows: of the stencil, which choose the program.
static void check_random(isg_context *context, suite_random *random, const struct kind *kind, int64_t rows,
                         isg_convolve_shape shape, bool hostile)
{
    static const int64_t most[] = {300, 60, 20, 9};
    int32_t ndim = 1 + (int32_t)random_below(random, ISG_FILTER_MAX_NDIM);
    ndim = rows > 1 && ndim == 1 ? 2 : ndim;
    int32_t stencil_ndim = 1 + (int32_t)random_below(random, ndim < 3 ? ndim : 3);
    stencil_ndim = rows > 1 && stencil_ndim == 1 ? 2 : rows == 1 ? 1 : stencil_ndim;
    int64_t size[ISG_FILTER_MAX_NDIM], places[3] = {1, 1, 1}, count = 1;
    for (int32_t a = 0; a < ndim; a++)
        size[a] = 1 + random_below(random, most[ndim - 1]);
    for (int32_t a = 0; a < stencil_ndim; a++) {
        places[a] = a == stencil_ndim - 2 ? rows : 1 + random_below(random, stencil_ndim == 3 ? 4 : 11);
        count *= places[a];
    }
    isg_convolve_params p = random_params(random, ndim, stencil_ndim);
    p.precision = kind->arithmetic == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
    double *w = random_weights(random, count, hostile);
    isg_array stencil = weights_of(w, stencil_ndim, places);
    bool strided = random_below(random, 2);
    block in = make_block(kind->in, ndim, size, strided);
    fill(random, &in, hostile);
    char what[200];
    snprintf(what, sizeof what, "%s to %s, %d axes, stencil of %d axes, %lld rows", isg_dtype_name(kind->in),
             isg_dtype_name(kind->out), (int)ndim, (int)stencil_ndim, (long long)rows);
    bool in_place = kind->in == kind->out && random_below(random, 3) == 0;
    check_same(context, &in, &stencil, &p, kind->out, in_place ? strided : random_below(random, 2) == 0, shape,
               in_place, what);
    free_block(&in);
    free(w);
}

// Whether the device lacks what a kind needs.
static bool beyond(const isg_context *context, const struct kind *kind)
{
    return isg_context_device(context)->lanes_f64 == 0 &&
           (kind->in == ISG_F64 || kind->out == ISG_F64 || kind->arithmetic == ISG_F64);
}

// All types; a stencil of 5 rows.
START_TEST(types)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(1);
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (int i = 0; i < 6 && !beyond(context, &kinds[k]); i++)
            check_random(context, &random, &kinds[k], 5, (isg_convolve_shape){0}, false);
    isg_context_destroy(&context);
}
END_TEST

// The other arithmetic than that of most devices, and numbers down to subnormal ones, which some devices flush.
START_TEST(hostile_arrays)
{
    for (int fused = 0; fused < 2; fused++) {
        isg_context *context = device_open(fused ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED, 0);
        suite_random random = suite_stream(2 + (uint64_t)fused);
        for (int k = 0; k < 2 && context; k++)
            for (int i = 0; i < 12 && !beyond(context, &kinds[k]); i++)
                check_random(context, &random, &kinds[k], 5, (isg_convolve_shape){0}, true);
        isg_context_destroy(&context);
    }
}
END_TEST

// Stencils of few rows and of one, lines and volumes; other tiles, slabs of a few rows, one lane, arrays that are
// copied.
START_TEST(shapes)
{
    static const struct {
        int64_t rows;
        isg_convolve_shape shape;
        int32_t lanes; // of the device; 0: as it is
    } all[] = {{1, {0}, 0},
               {2, {0}, 0},
               {3, {.slab = 900}, 0},
               {4, {.slab = 300}, 0},
               {7, {.tall = 8, .wide = 2, .slab = 2000}, 0},
               {6, {.lanes = 2, .tall = 3, .wide = 3, .span = 6, .slab = 500}, 0},
               {5, {0}, 1},
               {1, {0}, 1},
               {5, {0}, 8},
               {5, {0}, 16}};
    for (size_t s = 0; s < COUNT(all); s++) {
        isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
        suite_random random = suite_stream(10 + s);
        if (all[s].lanes && context->device.lanes_f32 > 1) // some compilers cannot do vectors
            context->device.lanes_f32 = all[s].lanes;
        context->device.lanes_f64 = isg_min(context->device.lanes_f64, all[s].lanes ? 1 : context->device.lanes_f64);
        context->zero_copy = context->zero_copy && s % 2 == 0;
        for (int i = 0; i < 8; i++)
            check_random(context, &random, &kinds[i == 0 && all[s].lanes && !beyond(context, &kinds[1])], all[s].rows,
                         all[s].shape, false);
        isg_context_destroy(&context);
    }
}
END_TEST

// Larger than a slab, and stencils larger than the array.
START_TEST(sizes)
{
    static const struct {
        int64_t size[3], places[3];
        int32_t ndim, stencil_ndim;
    } all[] = {{{700, 1500}, {5, 7}, 2, 2}, {{70, 100, 150}, {3, 5, 4}, 3, 3}, {{3000, 20, 21}, {5, 5}, 3, 2},
               {{4, 9}, {63, 63}, 2, 2},    {{3, 4, 5}, {9, 8, 7}, 3, 3},      {{1, 1}, {5, 6}, 2, 2}};
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(20);
    for (size_t i = 0; i < COUNT(all); i++)
        for (int mode = ISG_MODE_REFLECT; mode < ISG_MODE_COUNT; mode += i < 3 ? 3 : 1) {
            int64_t count = all[i].places[0] * all[i].places[1] * (all[i].stencil_ndim > 2 ? all[i].places[2] : 1);
            double *w = random_weights(&random, count, false);
            isg_array stencil = weights_of(w, all[i].stencil_ndim, all[i].places);
            block in = make_block(ISG_F32, all[i].ndim, all[i].size, false);
            fill(&random, &in, false);
            char what[60];
            snprintf(what, sizeof what, "size %d, mode %s", (int)i, isg_mode_name((isg_mode)mode));
            check_same(context, &in, &stencil,
                       isg_convolve_params(.mode = {(isg_mode)mode}, .constant = 5, .correlate = (int)i % 2), ISG_F32,
                       false, (isg_convolve_shape){0}, false, what);
            free_block(&in);
            free(w);
        }
    isg_context_destroy(&context);
}
END_TEST

// The stencil's axes in front of a longer one, a short one and one of a single element; slabs of a few items each; and
// results of another precision than the arithmetic's.
START_TEST(axes)
{
    static const struct {
        int64_t size[4], places[3];
        int32_t ndim, stencil_ndim, axes[3];
        int64_t slab;
        isg_dtype out;
    } all[] = {{{9, 8, 20}, {3, 4}, 3, 2, {0, 1}, 0, ISG_F32},
               {{9, 8, 5}, {3, 4}, 3, 2, {0, 1}, 0, ISG_F32},
               {{9, 8, 1}, {3, 4}, 3, 2, {0, 1}, 0, ISG_F32},
               {{30, 5}, {7}, 2, 1, {0}, 0, ISG_F32},
               {{30, 1}, {7}, 2, 1, {0}, 0, ISG_F32},
               {{5, 6, 7, 20}, {2, 3, 2}, 4, 3, {0, 1, 2}, 0, ISG_F32},
               {{7, 6, 8, 20}, {3, 2, 3}, 4, 3, {1, 2, 3}, 12000, ISG_F32},
               {{9, 20}, {3, 4}, 2, 2, {0, 1}, 0, ISG_F64}};
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(25);
    for (size_t i = 0; i < COUNT(all); i++) {
        if (beyond(context, &(struct kind){ISG_F32, all[i].out, ISG_F32}))
            continue;
        int64_t count = 1;
        isg_convolve_params p = {.axis_count = all[i].stencil_ndim, .mode = {ISG_MODE_MIRROR}};
        for (int32_t a = 0; a < all[i].stencil_ndim; a++) {
            count *= all[i].places[a];
            p.axes[a] = all[i].axes[a];
        }
        double *w = random_weights(&random, count, false);
        isg_array stencil = weights_of(w, all[i].stencil_ndim, all[i].places);
        block in = make_block(ISG_F32, all[i].ndim, all[i].size, false);
        fill(&random, &in, false);
        char what[20];
        snprintf(what, sizeof what, "axes %d", (int)i);
        check_same(context, &in, &stencil, &p, all[i].out, false, (isg_convolve_shape){.slab = all[i].slab}, false,
                   what);
        free_block(&in);
        free(w);
    }
    isg_context_destroy(&context);
}
END_TEST

// Zeros around a small number: what is below the smallest normal number comes out as 0.
START_TEST(nearly_nothing)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    double w[3] = {1, 0x1p-35, 0.5};
    const isg_array stencil = weights_of(w, 1, (const int64_t[]){3});
    block in = make_block(ISG_F32, 1, (const int64_t[]){20}, false);
    float *x = in.memory, y[20];
    memset(x, 0, 20 * sizeof *x);
    x[7] = 0x1p-99f;
    device_ok(context, isg_convolve(context, in.array, stencil, isg_vector(ISG_F32, y, 20), NULL));
    for (int i = 0; i < 20; i++)
        ck_assert(y[i] == (i == 6 ? 0x1p-99f : i == 8 ? 0x1p-100f : 0));
    check_same(context, &in, &stencil, isg_convolve_params(.correlate = 1), ISG_F32, false, (isg_convolve_shape){0},
               false, "nearly nothing");
    free_block(&in);
    isg_context_destroy(&context);
}
END_TEST

static void convolved(isg_context *context, const block *in, const isg_array *stencil, int32_t correlate, void *out)
{
    isg_array to = in->array;
    to.data = out;
    device_ok(context, isg_convolve(context, in->array, *stencil, to, isg_convolve_params(.correlate = correlate)));
}

// In the middle, where no border counts, against MPFR: each of count roundings moves the sum by half an ulp of it at
// most, weights are rounded once, and what counts as 0 is below all that.
START_TEST(exact_sums)
{
    enum { N = 24, K = 7 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(30);
    const int64_t size[2] = {N, N}, places[2] = {K, K};
    for (int k = 0; k < 2 && !beyond(context, &kinds[k]); k++) {
        isg_dtype dtype = kinds[k].in;
        double eps = dtype == ISG_F64 ? DBL_EPSILON : (double)FLT_EPSILON, *w = random_weights(&random, K * K, false);
        isg_array stencil = weights_of(w, 2, places);
        block in = make_block(dtype, 2, size, false);
        fill(&random, &in, false);
        void *out = oracle_array(dtype, N * N);
        convolved(context, &in, &stencil, 0, out);
        mpfr_t sum, term;
        mpfr_inits2(ORACLE_BITS, sum, term, (mpfr_ptr)0);
        for (int64_t i = K / 2; i < N - K / 2; i++)
            for (int64_t j = K / 2; j < N - K / 2; j++) {
                double magnitudes = 0;
                mpfr_set_zero(sum, 1);
                for (int64_t q = 0; q < K * K; q++) {
                    double x = isg_load_double(dtype, in.memory, (i + K / 2 - q / K) * N + j + K / 2 - q % K);
                    mpfr_set_d(term, x, MPFR_RNDN);
                    mpfr_mul_d(term, term, w[q], MPFR_RNDN);
                    mpfr_add(sum, sum, term, MPFR_RNDN);
                    magnitudes += fabs(x * w[q]);
                }
                mpfr_sub_d(sum, sum, isg_load_double(dtype, out, i * N + j), MPFR_RNDN);
                double error = fabs(mpfr_get_d(sum, MPFR_RNDN));
                ck_assert_msg(error <= (K * K + 1) * eps / 2 * magnitudes, "%s, element (%d, %d): off by %g of %g",
                              isg_dtype_name(dtype), (int)i, (int)j, error, magnitudes);
            }
        mpfr_clears(sum, term, (mpfr_ptr)0);
        free(out);
        free_block(&in);
        free(w);
    }
    isg_context_destroy(&context);
}
END_TEST

// Convolution is correlation with the stencil turned around, bit for bit, of odd and, within the array, of even sizes;
// a stencil with a single 1 moves the array; and a stencil of zeros gives zeros.
START_TEST(turned_stencils)
{
    enum { N = 30, K = 5 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(31);
    const int64_t size[2] = {N, N}, places[2] = {K, K};
    double *w = random_weights(&random, K * K, false), one[K * K] = {0};
    block in = make_block(ISG_F32, 2, size, false);
    fill(&random, &in, false);
    float forth[N * N], back[N * N], *x = in.memory;
    isg_array stencil = weights_of(w, 2, places), turned = stencil, single = weights_of(one, 2, places);
    turned.data = w + K * K - 1;
    turned.strides[0] = -K;
    turned.strides[1] = -1;
    convolved(context, &in, &stencil, 0, forth);
    convolved(context, &in, &turned, 1, back);
    ck_assert(memcmp(forth, back, sizeof forth) == 0);
    convolved(context, &in, &single, 0, forth);
    for (int i = 0; i < N * N; i++)
        ck_assert(forth[i] == 0 && !signbit(forth[i]));
    one[1 * K + 4] = 1; // one up and two to the right of the middle
    convolved(context, &in, &single, 0, forth);
    convolved(context, &in, &single, 1, back);
    for (int i = 1; i < N - 1; i++)
        for (int j = 2; j < N - 2; j++) {
            ck_assert(forth[i * N + j] == x[(i + 1) * N + j - 2]);
            ck_assert(back[i * N + j] == x[(i - 1) * N + j + 2]);
        }
    free_block(&in);
    free(w);
    isg_context_destroy(&context);
}
END_TEST

// Numbers, or a constant, beyond the limit of the plain scale, NaN and infinities; in several slabs.
START_TEST(large_and_not_finite)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(32);
    const int64_t size[2] = {60, 50}, places[2] = {5, 5};
    double *w = random_weights(&random, 25, false);
    isg_array stencil = weights_of(w, 2, places);
    w[7] = 0;
    for (int i = 0; i < 5; i++) {
        block in = make_block(ISG_F32, 2, size, false);
        float *x = in.memory;
        fill(&random, &in, true);
        x[2777] = i == 0 ? 0x1p60f : i == 1 ? -FLT_MAX : i == 2 ? NAN : x[2777];
        x[300] = i == 2 ? INFINITY : i == 4 ? -INFINITY : x[300];
        check_same(context, &in, &stencil,
                   isg_convolve_params(.mode = {ISG_MODE_CONSTANT}, .constant = i == 3 ? 1e25 : 0), ISG_F32, false,
                   (isg_convolve_shape){.slab = 1000}, i % 2 == 1, "large numbers");
        free_block(&in);
    }
    free(w);
    isg_context_destroy(&context);
}
END_TEST

// Times a power of two, of the array or of the stencil, the result is times it.
START_TEST(scales)
{
    enum { N = 20 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(33);
    const int64_t size[2] = {N, N}, places[2] = {5, 5};
    double *w = random_weights(&random, 25, false), v[25];
    isg_array stencil = weights_of(w, 2, places), scaled = weights_of(v, 2, places);
    block in = make_block(ISG_F32, 2, size, false);
    fill(&random, &in, false);
    float plain[N * N], other[N * N];
    convolved(context, &in, &stencil, 0, plain);
    for (int e = -55; e <= 25; e += 16) {
        for (int i = 0; i < 25; i++)
            v[i] = ldexp(w[i], e);
        convolved(context, &in, &scaled, 0, other);
        for (int i = 0; i < N * N; i++)
            ck_assert_msg(other[i] == ldexpf(plain[i], e), "2^%d, element %d", e, i);
    }
    for (int i = 0; i < N * N; i++)
        ((float *)in.memory)[i] *= 0x1p-80f;
    convolved(context, &in, &stencil, 0, other);
    for (int i = 0; i < N * N; i++)
        ck_assert(other[i] == plain[i] * 0x1p-80f);
    free_block(&in);
    free(w);
    isg_context_destroy(&context);
}
END_TEST

static void refused(isg_context *context, isg_status status, const char *words, isg_array in, isg_array stencil,
                    isg_array out, const isg_convolve_params *p)
{
    isg_status st = isg_convolve(context, in, stencil, out, p);
    const char *message = isg_context_error(context)->message;
    ck_assert_msg(st == status && strstr(message, words), "%s: %s, not '%s'", isg_status_name(st), message, words);
}

START_TEST(bad_calls)
{
    float x[60] = {0}, y[60];
    double w[27] = {1, 2, 3};
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    isg_array in = isg_matrix_f32(x, 6, 10), out = isg_matrix_f32(y, 6, 10);
    isg_array s = isg_matrix_f64(w, 3, 3), cube = weights_of(w, 3, (const int64_t[]){3, 3, 3}), bad = s;
    refused(context, ISG_ERR_SHAPE, "the output must have", in, s, isg_matrix_f32(y, 10, 6), NULL);
    refused(context, ISG_ERR_SHAPE, "the stencil has 3 axes", in, cube, out, NULL);
    refused(context, ISG_ERR_SHAPE, "0 weights", in, isg_matrix_f64(w, 0, 3), out, NULL);
    refused(context, ISG_ERR_SHAPE, "70000 weights", in, isg_matrix_f64(w, 1, 70000), out, NULL);
    refused(context, ISG_ERR_ARGUMENT, "no data", in, isg_matrix_f64(NULL, 3, 3), out, NULL);
    bad.dtype = ISG_DTYPE_NONE;
    refused(context, ISG_ERR_DTYPE, "no type", in, bad, out, NULL);
    refused(context, ISG_ERR_ARGUMENT, "1 axes are named", in, s, out, isg_convolve_params(.axis_count = 1));
    refused(context, ISG_ERR_ARGUMENT, "ascending", in, s, out, isg_convolve_params(.axis_count = 2, .axes = {1, 0}));
    refused(context, ISG_ERR_ARGUMENT, "axis 2", in, s, out, isg_convolve_params(.axis_count = 2, .axes = {0, 2}));
    refused(context, ISG_ERR_ARGUMENT, "mode", in, s, out, isg_convolve_params(.mode = {ISG_MODE_COUNT}));
    refused(context, ISG_ERR_ARGUMENT, "precision", in, s, out, isg_convolve_params(.precision = (isg_precision)9));
    refused(context, ISG_ERR_ARGUMENT, "0 or 1", in, s, out, isg_convolve_params(.correlate = 2));
    refused(context, ISG_ERR_ARGUMENT, "overlaps", in, s, isg_matrix_f32(x + 1, 6, 10), NULL);
    w[4] = NAN;
    refused(context, ISG_ERR_NONFINITE, "weight 4", in, s, out, NULL);
    w[4] = 0x1p31;
    refused(context, ISG_ERR_RANGE, "add up", in, s, out, NULL);
    memset(w, 0, sizeof w);
    w[4] = 0x1p-61;
    refused(context, ISG_ERR_RANGE, "add up", in, s, out, NULL);
    isg_context_destroy(&context);
}
END_TEST

static int stop(void *user, double done, double total)
{
    ck_assert(done > 0 && done <= total);
    ++*(int *)user;
    return 1;
}

START_TEST(progress)
{
    float x[60] = {0}, y[60];
    double w[25] = {1};
    int calls = 0;
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    const isg_convolve_params *p = isg_convolve_params(.progress = stop, .progress_user = &calls);
    ck_assert_int_eq(
        isg_convolve(context, isg_matrix_f32(x, 6, 10), isg_matrix_f64(w, 5, 5), isg_matrix_f32(y, 6, 10), p),
        ISG_ERR_CANCELLED);
    ck_assert_int_eq(calls, 1);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        types,           hostile_arrays,       shapes, sizes,     axes,    nearly_nothing, exact_sums,
        turned_stencils, large_and_not_finite, scales, bad_calls, progress};
    return suite_run(suite_of("convolve", tests, COUNT(tests)));
}
