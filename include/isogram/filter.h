// Gaussian filters: smoothing and derivatives of arrays of one to four dimensions, one axis after the other.
//
// The results are a contract, as all of isogram's: bits depend on the array, the parameters, the precision and the
// arithmetic, and on nothing else. A mirrored array gives the mirrored result. docs/numerics.md says what is promised.
#ifndef ISOGRAM_FILTER_H
#define ISOGRAM_FILTER_H

#include <isogram/grid.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ISG_FILTER_MAX_NDIM = 4, ISG_FILTER_MAX_ORDER = 4 };

// What stands beyond the border of abcd.
typedef enum isg_mode {
    ISG_MODE_DEFAULT = 0, // REFLECT, or what `like` says
    ISG_MODE_REFLECT,     // dcba|abcd|dcba
    ISG_MODE_MIRROR,      // dcb|abcd|cba
    ISG_MODE_NEAREST,     // aaaa|abcd|dddd
    ISG_MODE_CONSTANT,    // a number, along every axis anew
    ISG_MODE_WRAP,        // abcd|abcd|abcd
    ISG_MODE_COUNT
} isg_mode;

// "reflect", …: the words of the command line. Never NULL.
ISG_API const char *isg_mode_name(isg_mode mode);
// The mode of a word, also of SciPy's grid-mirror (which is reflect), grid-constant and grid-wrap; DEFAULT: none.
ISG_API isg_mode isg_mode_named(const char *word);

// What becomes of elements that are no number: NaN, and those that a mask rules out.
typedef enum isg_nan_policy {
    ISG_NAN_DEFAULT = 0, // PROPAGATE; with a mask IGNORE
    ISG_NAN_PROPAGATE,   // NaN goes as far as the filter reaches; what a mask rules out is NaN
    ISG_NAN_IGNORE,      // an element becomes the weighted mean of the valid ones that the filter reaches
    ISG_NAN_PRESERVE,    // likewise, but an element that is not valid stays so
    ISG_NAN_FILL,        // `fill` takes its place before anything else is done
    ISG_NAN_COUNT
} isg_nan_policy;

// "propagate", …: the words of the command line. Never NULL.
ISG_API const char *isg_nan_policy_name(isg_nan_policy policy);

typedef struct isg_filter_params {
    // The array's axes to filter; negative ones count from the last. axis_count 0: all of them. They are filtered in
    // ascending order, whatever order they are named in.
    int32_t axes[ISG_FILTER_MAX_NDIM];
    int32_t axis_count;

    // 1: the four that follow hold a value for each axis in `axes`. 0: the first is for all.
    int32_t each;
    double sigma[ISG_FILTER_MAX_NDIM];  // in samples. An axis whose sigma is 1e-15 or less is left as it is
    int32_t order[ISG_FILTER_MAX_NDIM]; // of the derivative, 0 … 4; above 0 takes POINT sampling
    isg_mode mode[ISG_FILTER_MAX_NDIM];
    int64_t radius[ISG_FILTER_MAX_NDIM]; // the filter has 2 radius + 1 weights. 0: int(truncate sigma + 0.5)

    double truncate; // in sigmas. 0: 4
    double constant; // what CONSTANT puts beyond the border
    // 1: derivatives of polynomials come out right. Weights of order n > 0 that are only sampled do not quite add up to
    // 0 (of order 2 and sigma 0.5 to -0.56), nor is their response to x^n exactly n!; these then hold, and lower powers
    // give 0. ISG_ERR_RANGE where the filter has too few weights for that.
    int32_t exact;
    isg_sampling sampling; // POINT (the default), INTEGRATED or BESSEL; weights are normalised to a sum of 1
    // Whose defaults to take: "scipy" (NULL), "skimage" (mode nearest), "opencv" (mode mirror, OpenCV's sizes; sigma 0
    // with a radius: its sigma of that size), "arrayfire" (sigma 0: a quarter of the size), "clij" (mode nearest, sizes
    // of 8 sigma). Fields set above override it.
    const char *like;
    // Of the arithmetic. DEFAULT: as base.h says.
    isg_precision precision;
    isg_progress_fn progress; // may be NULL
    void *progress_user;

    // Elements without a number. IGNORE and PRESERVE take order 0 only. Where all that the filter reaches is valid,
    // they give the bits of PROPAGATE. An element without a valid one in reach, or whose valid ones have less than
    // 2^-60 of all weights (2^-400 in double precision), has no result: it becomes NaN, which is 0 as a whole number.
    // Infinities are valid. The constant beyond a border is valid, too, unless it is NaN.
    isg_nan_policy nan;
    double fill;           // FILL: what takes the place of elements, and of a NaN constant
    int32_t fills_nothing; // 1: IGNORE, PRESERVE: elements without a result, or not valid, become `fill` instead of NaN
    // Which elements are valid, besides being numbers: 0 and NaN mean not. Of any element type and strides, in host
    // memory or a cl_mem. Its axes are the array's last ones, each as long as the array's or of length 1, which stands
    // for all. It may not share memory with the output. dtype ISG_DTYPE_NONE: there is no mask.
    isg_array mask;
    // Bytes of device memory to use at most; 0: what the device has. See isg_filter.
    int64_t memory;
} isg_filter_params;

#define isg_filter_params(...) (&(struct isg_filter_params){__VA_ARGS__})

// Filters `in` into `out`, and blocks until that is done.
//
// in: 1 … ISG_FILTER_MAX_NDIM dimensions, none of them empty, of ISG_U8, U16, I16, I32, F16, F32 or F64, any strides;
// in host memory or a cl_mem. out: output; the same shape, any of these types, its own strides, none of which may make
// its elements overlap. Either the very view that `in` is, or apart from it.
//
// Of whole numbers, sums are rounded once, at the end: to nearest, halves to even, and then to the nearest number that
// there is; NaN becomes 0. NaN (see isg_nan_policy) and infinities go as far as the filter reaches.
//
// Arrays in host memory that do not fit the device's memory, or `memory`, are filtered in blocks, which gives the same
// bits: their borders are filtered again in each of them, so that small blocks cost time. The host keeps some blocks,
// and of an array that is filtered in place also what the filter still reaches behind what it has written.
//
// What needs double precision is refused by a device without it, also an array of doubles to be filtered in single
// precision: a rounded copy of it is the caller's to make.
//
// ISG_ERR_ARGUMENT: a parameter is out of its range (the message names it), or the arrays overlap. ISG_ERR_RANGE:
// weights beyond 2^30, of high orders with a tiny sigma. ISG_ERR_MEMORY: the host's is out; an array in a cl_mem needs
// more of the device's than there is; or one element and what the filter reaches from it do. ISG_ERR_SHAPE,
// ISG_ERR_DTYPE, ISG_ERR_OVERFLOW. ISG_ERR_UNSUPPORTED: a radius above 32767, of valid elements above 8191, on a device
// whose loops end early (isg_probe.whole_loops). ISG_ERR_CANCELLED: out is then partly written.
ISG_API isg_status isg_filter(isg_context *context, isg_array in, isg_array out, const isg_filter_params *params);

// The filter's weights along one axis of the array as they would be used, in double: w[k], what the element k places
// ahead is multiplied by, for k = -radius … radius. weights: output, room for `capacity` doubles; may be NULL. *count:
// 2 radius + 1; 0: the axis is not filtered. ndim: the array's.
ISG_API isg_status isg_filter_weights(const isg_filter_params *params, int32_t ndim, int32_t axis, double *weights,
                                      int64_t capacity, int64_t *count, isg_error *error);

#ifdef __cplusplus
}
#endif

#endif
