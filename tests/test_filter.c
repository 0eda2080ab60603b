// The promises of isg_filter: the device gives the reference's bits, whatever the shape, strides, types, modes, orders
// and tiles; a mirrored array gives the mirrored result; subnormal numbers show nowhere; bad calls are refused.
#include "device.h"
#include "filter.h"
#include "probe.h"
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const isg_dtype dtypes[] = {ISG_F32, ISG_F64, ISG_U8, ISG_U16, ISG_I16, ISG_I32, ISG_F16};

// An array in memory between fences; axes in any order in memory, with gaps, some backwards.
typedef struct block {
    isg_array array;
    void *memory;
    int64_t count; // elements of memory
} block;

static block make_block(suite_random *random, isg_dtype dtype, int32_t ndim, const int64_t *shape, bool strided)
{
    block b = {.array = {.dtype = dtype, .ndim = ndim}};
    int32_t order[ISG_FILTER_MAX_NDIM] = {0, 1, 2, 3};
    for (int32_t a = ndim - 1; a > 0 && strided; a--) {
        int32_t other = (int32_t)random_below(random, a + 1), kept = order[a];
        order[a] = order[other];
        order[other] = kept;
    }
    int64_t stride = 1, first = 0;
    for (int32_t i = ndim - 1; i >= 0; i--) {
        int32_t a = order[i];
        stride *= strided ? 1 + random_below(random, 2) : 1;
        bool back = strided && random_below(random, 3) == 0;
        b.array.shape[a] = shape[a];
        b.array.strides[a] = back ? -stride : stride;
        first += back ? (shape[a] - 1) * stride : 0;
        stride *= shape[a];
        stride += strided ? random_below(random, 3) : 0;
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

// Every element of the memory, in gaps too.
static void fill(suite_random *random, block *b, bool hostile)
{
    for (int64_t i = 0; i < b->count; i++) {
        double x = random_between(random, -100, 100);
        int64_t kind = random_below(random, 40);
        uint64_t any = random_bits(random);
        if (hostile && kind < 12) // down to subnormal numbers
            x = ldexp(x, b->array.dtype == ISG_F64 ? -(int)(any % 1080) : -(int)(any % 160));
        if (hostile && kind == 13)
            x = 0;
        switch (b->array.dtype) {
        case ISG_F32: ((float *)b->memory)[i] = (float)x; break;
        case ISG_F64: ((double *)b->memory)[i] = x; break;
        case ISG_U8: ((uint8_t *)b->memory)[i] = (uint8_t)any; break;
        case ISG_U16: ((uint16_t *)b->memory)[i] = (uint16_t)any; break;
        case ISG_I16: ((int16_t *)b->memory)[i] = (int16_t)(uint16_t)any; break;
        case ISG_I32: ((int32_t *)b->memory)[i] = (int32_t)(uint32_t)any; break;
        default: ((uint16_t *)b->memory)[i] = (uint16_t)((any & 0x8000) | any % 0x7c00); break; // finite
        }
    }
}

static isg_filter_params random_params(suite_random *random, int32_t ndim, const int64_t *shape)
{
    isg_filter_params p = {.each = 1};
    bool some = random_below(random, 3) == 0;
    int32_t first = (int32_t)random_below(random, ndim);
    p.axis_count = some ? 1 + (int32_t)random_below(random, ndim) : 0;
    for (int32_t i = 0; i < p.axis_count; i++)
        p.axes[i] = (first + i) % ndim - (random_below(random, 2) ? ndim : 0);
    p.sampling = (isg_sampling)(random_below(random, 4)   ? 0
                                : random_below(random, 2) ? ISG_SAMPLING_INTEGRATED
                                                          : ISG_SAMPLING_BESSEL);
    p.constant = random_between(random, -3, 3);
    for (int32_t i = 0; i < ndim; i++) {
        p.sigma[i] = random_below(random, 12) == 0 ? 0 : random_between(random, 0.3, random_below(random, 3) ? 2 : 9);
        p.mode[i] = (isg_mode)random_below(random, ISG_MODE_COUNT);
        if (p.sigma[i] > 0 && p.sampling == 0)
            p.order[i] = (int32_t)random_below(random, 5);
        p.radius[i] = p.sigma[i] < 0.7 || random_below(random, 4) == 0 ? 2 + random_below(random, 2 * shape[i] + 3) : 0;
    }
    return p;
}

// The view's bytes as the contract has them: NaNs alike.
static void check_same(isg_context *context, const block *in, const isg_filter_params *p, isg_dtype out_type,
                       bool strided, suite_random *random, bool each, const char *what)
{
    isg_dtype dtype = isg_filter_dtype(p, in->array.dtype);
    block got = make_block(random, out_type, in->array.ndim, in->array.shape, strided);
    block want = got;
    want.memory = device_guard(out_type, got.count);
    want.array.data = (char *)want.memory + ((char *)got.array.data - (char *)got.memory);
    isg_filter_plan plan;
    isg_error error = {ISG_OK, ""};
    ck_assert_msg(isg_filter_plan_make(&plan, p, in->array.ndim, in->array.shape, dtype, in->array.dtype, &error) ==
                      ISG_OK,
                  "%s", error.message);
    ck_assert(isg_reference_filter(isg_reference_get(dtype, isg_probe_fused(context, dtype)), &plan, &in->array,
                                   &want.array));
    isg_filter_plan_free(&plan);
    device_ok(context, isg_filter_call(context, in->array, got.array, p, each));
    // Gaps included: both have the fences' bytes there.
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
    bool wide = isg_context_device(context)->lanes_f64 > 0;
    isg_dtype in_type = dtypes[random_below(random, 3) ? random_below(random, 2) : random_below(random, COUNT(dtypes))];
    isg_dtype out_type =
        dtypes[random_below(random, 3) ? random_below(random, 2) : random_below(random, COUNT(dtypes))];
    isg_filter_params p = random_params(random, ndim, shape);
    p.precision = (isg_precision)random_below(random, 3);
    if (!wide) {
        in_type = in_type == ISG_F64 ? ISG_F32 : in_type;
        out_type = out_type == ISG_F64 ? ISG_F32 : out_type;
        p.precision = ISG_PRECISION_F32;
    }
    bool strided = random_below(random, 2), each = random_below(random, 4) == 0;
    block in = make_block(random, in_type, ndim, shape, strided);
    fill(random, &in, hostile);
    char what[200];
    snprintf(what, sizeof what, "%s to %s, %lld x %lld x %lld x %lld, %s%s", isg_dtype_name(in_type),
             isg_dtype_name(out_type), (long long)shape[0], (long long)(ndim > 1 ? shape[1] : 1),
             (long long)(ndim > 2 ? shape[2] : 1), (long long)(ndim > 3 ? shape[3] : 1), strided ? "strided" : "dense",
             each ? ", each" : "");
    check_same(context, &in, &p, out_type, random_below(random, 2), random, each, what);
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
    check_many(ISG_ARITHMETIC_FUSED, 60, false, true, 0, 1);
    check_many(ISG_ARITHMETIC_UNFUSED, 60, false, true, 0, 2);
}
END_TEST

START_TEST(hostile_arrays)
{
    check_many(ISG_ARITHMETIC_FUSED, 40, true, true, 0, 3);
    check_many(ISG_ARITHMETIC_UNFUSED, 40, true, true, 0, 4);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {random_arrays, hostile_arrays};
    return suite_run(suite_of("filter", tests, COUNT(tests)));
}
