// What tests of the OpenCL rooms share: contexts, guarded memory, the reference's answer. The device is the
// environment's ISOGRAM_DEVICE, as for every user.
#ifndef ISG_TESTS_DEVICE_H
#define ISG_TESTS_DEVICE_H

#include "suite.h"

#include "context.h"

#include <isogram/isogram.h>

// A context without a disk cache; the test fails with the context's message when there is none.
// NULL, and a line that says so, when the device lacks the arithmetic.
isg_context *device_open(isg_arithmetic arithmetic, int64_t max_alloc_bytes);

// The status of a call on a context must be ISG_OK; otherwise the test fails with the context's message.
#define device_ok(context, call) ck_assert_msg((call) == ISG_OK, #call ": %s", isg_context_error(context)->message)

// Memory for `count` numbers between two fences, which device_guard_free checks.
void *device_guard(isg_dtype dtype, int64_t count);
void device_guard_free(void *numbers, isg_dtype dtype, int64_t count);

// Points in [low, high), every coordinate a random multiple of 2^-20.
void *device_points(suite_random *random, isg_dtype dtype, int64_t count, double low, double high);

// The reference's K in the context's arithmetic, to be freed.
void *device_expected(isg_context *context, const isg_gram_params *params);

// The same of one row for contiguous points, n x m. y: NULL for K(X, X). gamma: not of rows without a scale.
void *device_expected_gram(isg_context *context, const isg_kernel *kernel, isg_dtype dtype, const void *x, int64_t n,
                           const void *y, int64_t m, int64_t d, double gamma);

// Fails with the first differing element when the bits of two blocks differ; strides in elements.
void device_same_bits(isg_dtype dtype, const void *got, int64_t got_stride, const void *want, int64_t want_stride,
                      int64_t rows, int64_t cols, const char *what);

#endif
