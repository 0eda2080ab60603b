#include "device.h"
#include "kernels.h"
#include "operator.h"
#include "probe.h"
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

isg_context *device_open(isg_arithmetic arithmetic, int64_t max_alloc_bytes)
{
    isg_error error = {ISG_OK, ""};
    isg_context *context;
    isg_status st =
        isg_context_create(&context, isg_context_params(.arithmetic = arithmetic, .cache_dir = "off",
                                                        .max_alloc_bytes = max_alloc_bytes, .error = &error));
    if (st == ISG_ERR_UNSUPPORTED) {
        printf("skipped: %s\n", error.message);
        return NULL;
    }
    ck_assert_msg(st == ISG_OK, "%s", error.message);
    return context;
}

enum { FENCE = 64 };
static const unsigned char fence_byte = 0xa5;

void *device_guard(isg_dtype dtype, int64_t count)
{
    size_t bytes = (size_t)count * isg_dtype_bytes(dtype);
    unsigned char *block = aligned_alloc(64, (size_t)isg_round_up((int64_t)bytes + 2 * FENCE, 64));
    ck_assert_ptr_nonnull(block);
    memset(block, fence_byte, bytes + 2 * FENCE);
    return block + FENCE;
}

void device_guard_free(void *numbers, isg_dtype dtype, int64_t count)
{
    size_t bytes = (size_t)count * isg_dtype_bytes(dtype);
    unsigned char *block = (unsigned char *)numbers - FENCE;
    for (size_t i = 0; i < FENCE; i++) {
        ck_assert_msg(block[i] == fence_byte, "byte %d in front of the output was written", (int)(FENCE - i));
        ck_assert_msg(block[FENCE + bytes + i] == fence_byte, "byte %d behind the output was written", (int)i);
    }
    free(block);
}

void *device_points(suite_random *random, isg_dtype dtype, int64_t count, double low, double high)
{
    void *points = malloc((size_t)count * isg_dtype_bytes(dtype));
    ck_assert_ptr_nonnull(points);
    for (int64_t i = 0; i < count; i++) {
        double v = (double)(int64_t)(random_between(random, low, high) * 0x1p20) * 0x1p-20;
        if (dtype == ISG_F64)
            ((double *)points)[i] = v;
        else
            ((float *)points)[i] = (float)v;
    }
    return points;
}

void *device_expected(isg_context *context, const isg_gram_params *params)
{
    isg_operator op;
    isg_error error = {ISG_OK, ""};
    isg_dtype dtype = isg_operator_dtype(params);
    device_ok(context, isg_context_require(context, dtype));
    ck_assert_msg(isg_operator_make(&op, params, dtype, &error) == ISG_OK, "%s", error.message);
    void *k = malloc((size_t)(op.x.count * op.y.count) * isg_dtype_bytes(dtype));
    ck_assert_ptr_nonnull(k);
    isg_reference_get(dtype, isg_probe_fused(context, dtype))->gram(&op.plan, &op.x, &op.y, k, op.y.count);
    isg_operator_free(&op);
    return k;
}

void *device_expected_gram(isg_context *context, const isg_kernel *kernel, isg_dtype dtype, const void *x, int64_t n,
                           const void *y, int64_t m, int64_t d, double gamma)
{
    const isg_array none = {.dtype = ISG_DTYPE_NONE};
    return device_expected(context,
                           isg_gram_params(.kernel = kernel, .x = isg_matrix(dtype, x, n, d),
                                           .y = y ? isg_matrix(dtype, y, m, d) : none,
                                           .gamma = kernel->scale == ISG_SCALE_NONE ? 0 : gamma, .allow_nonfinite = 1));
}

void device_same_bits(isg_dtype dtype, const void *got, int64_t got_stride, const void *want, int64_t want_stride,
                      int64_t rows, int64_t cols, const char *what)
{
    size_t element = isg_dtype_bytes(dtype);
    for (int64_t i = 0; i < rows; i++) {
        const char *g = (const char *)got + (size_t)(i * got_stride) * element;
        const char *w = (const char *)want + (size_t)(i * want_stride) * element;
        if (memcmp(g, w, (size_t)cols * element) == 0)
            continue;
        for (int64_t j = 0; j < cols; j++)
            ck_assert_msg(memcmp(g + (size_t)j * element, w + (size_t)j * element, element) == 0,
                          "%s: element (%lld, %lld) is %.17g, the reference says %.17g", what, (long long)i,
                          (long long)j, isg_load_double(dtype, g, j), isg_load_double(dtype, w, j));
    }
}
