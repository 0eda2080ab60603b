// The host reference: the contract's results, computed plainly. Every device must give these bits. No OpenCL here.
#ifndef ISG_LIB_REFERENCE_H
#define ISG_LIB_REFERENCE_H

#include "convolve_plan.h"
#include "filter_plan.h"
#include "kernels.h"
#include "plan.h"

#include "../cl/functions.h"

enum { ISG_BLOCK_SOURCES = 1024 }; // of sums: what is summed in an accumulator of its own

struct isg_gradient_pass; // gradient_work.h

// One precision and arithmetic; reference_variant.c is compiled once for each. Arrays are of the variant's real type.
typedef struct isg_reference {
    isg_dtype dtype;
    bool fused;
    // y[i] = f(a[i]) or f(a[i], b[i]), f by its row in cl/functions.h. b: may be NULL for functions of one argument.
    void (*apply)(int function, const void *a, const void *b, void *y, int64_t count);
    // y[i] = f(s[i], n.a, n.b, n.c), f the formula of a row of the registry. kernel: as isg_kernel_index.
    void (*formula)(int kernel, const void *s, isg_numbers n, void *y, int64_t count);
    // 1/|x| of each point, in two parts, as its coordinates are packed; 0 for points of length 0.
    void (*norms)(const isg_plan *plan, const isg_points *points, void *hi, void *lo);
    // k[i * stride + j] for all points of x and y.
    void (*gram)(const isg_plan *plan, const isg_points *x, const isg_points *y, void *k, int64_t stride);
    // The same of the values' logarithms, factors left out.
    void (*logs)(const isg_plan *plan, const isg_points *x, const isg_points *y, void *l, int64_t stride);
    // l[j] = l[j] + weights[j]; and then, with a shift, l[j] = exp(l[j] - *shift).
    void (*shift)(void *l, const void *weights, const void *shift, int64_t count);
    // The sum of k[j] v[j * step] over j in [0, count), in the contract's order. k: of the real type; v and the sum: of
    // type sums, the real type or ISG_F64, as isg_weights has them.
    double (*sum)(const void *k, const void *v, int64_t step, int64_t count, isg_dtype sums);
    // alpha 2^exponent sum + beta old, each product and the sum rounded, +0 below the smallest normal number; old: not
    // looked at where beta is 0. All of the real type.
    double (*combine)(double alpha, double sum, int exponent, double beta, double old);
    // shift + log(2^exponent sum), and 2^exponent a/b.
    double (*log_sum)(double shift, double sum, int exponent);
    double (*quotient)(double a, double b, int exponent);
    // A pass of a gradient: pass->out. false: no memory.
    bool (*gradient)(const struct isg_gradient_pass *pass);
    // The outer product of ndim profiles of the real type.
    void (*grid)(int32_t ndim, const int64_t *shape, const void *const *profiles, void *out);
    // The filter's parts, on arrays without gaps. scale: x[i] = 0 below s.tiny, else x[i] * s.factor, in place; returns
    // whether there are finite numbers from `large` on, and then, or where `dry`, leaves x alone.
    bool (*filter_scale)(isg_filter_scale s, double large, bool dry, void *x, int64_t count);
    // Along the middle axis of outer x n x inner elements. table: as isg_filter_table.
    void (*filter_axis)(const isg_filter_axis *axis, isg_filter_scale s, const int32_t *table, int64_t outer, int64_t n,
                        int64_t inner, const void *in, void *out);
    // The correlation of a dense array of 4 axes, among which the plan's count, with its weights. tables: as
    // isg_convolve_table, one for each of them.
    void (*convolve)(const isg_convolve_plan *plan, isg_filter_scale s, const int32_t *const *tables,
                     const int64_t *shape, const void *in, void *out);
    // out[i]: the mean of sum sums[i] and weight weights[i], which is `whole` where all is valid; `empty` where there
    // is none, or own[i] is NaN. own: NULL, or as many numbers.
    void (*filter_weigh)(const isg_filter_weighing *s, double whole, double empty, const void *sums,
                         const void *weights, const void *own, int64_t count, void *out);
    // out[i] = x[0][i], x[1][i], ... put together: kind, amount as cl/derived.h has them; `empty` where that is NaN.
    void (*derive)(int kind, int count, const void *const *x, double amount, double empty, int64_t elements, void *out);
    // A result as an element of any type that a filter gives.
    void (*filter_store)(const void *x, int64_t i, isg_dtype dtype, void *out, int64_t at);
} isg_reference;

// dtype: ISG_F32 or ISG_F64. Never NULL.
const isg_reference *isg_reference_get(isg_dtype dtype, bool fused);

// The whole filter: reads `in`, which is in host memory, and writes `out`, whatever their types and strides. false: no
// memory.
bool isg_reference_filter(const isg_reference *reference, const isg_filter_plan *plan, const isg_array *in,
                          const isg_array *out);

// Likewise the whole convolution.
bool isg_reference_convolve(const isg_reference *reference, const isg_convolve_plan *plan, const isg_array *in,
                            const isg_array *out);
// The same with a mask, whose shape is the array's (strides may be 0); NULL: none.
bool isg_reference_filter_masked(const isg_reference *reference, const isg_filter_plan *plan, const isg_array *in,
                                 const isg_array *mask, const isg_array *out);

// The sum of weights along all axes where all elements are valid, scaled; NaN without memory.
double isg_reference_filter_whole(const isg_reference *reference, const isg_filter_plan *plan);

// "isogram-2/f32/fused" and its three siblings.
const char *isg_contract_name(isg_dtype dtype, bool fused);

#endif
