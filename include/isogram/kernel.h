// The registry of covariance functions, a row each, and what is put together from rows.
#ifndef ISOGRAM_KERNEL_H
#define ISOGRAM_KERNEL_H

#include <isogram/base.h>

#ifdef __cplusplus
extern "C" {
#endif

// How two points become the one number that a kernel's formula takes: a sum over the coordinates, in order.
typedef enum isg_pair {
    ISG_PAIR_SQDIST = 0, // (x[k] - y[k])^2
    ISG_PAIR_L1,         // |x[k] - y[k]|
    ISG_PAIR_DOT,        // x[k] y[k]
    ISG_PAIR_CHI2,       // (x[k] - y[k])^2 / (x[k] + y[k]), 0/0 being 0; x and y are not negative
    ISG_PAIR_COUNT
} isg_pair;

// "sqdist", "l1", "dot" or "chi2", of others "unknown": what cl/ and reports call it.
ISG_API const char *isg_pair_name(isg_pair pair);

// What sets a kernel's scale.
typedef enum isg_scale_kind {
    ISG_SCALE_GAMMA = 0,   // gamma = 1/(2 sigma^2) = 1/(2 lengthscale^2)
    ISG_SCALE_RATE,        // gamma alone
    ISG_SCALE_LENGTHSCALE, // lengthscale, or sigma or gamma as above; 1 if none is given
    ISG_SCALE_NONE         // takes none
} isg_scale_kind;

enum { ISG_MAX_PARAMS = 2 };

// A parameter besides the scale, in [least, most].
typedef struct isg_kernel_param {
    const char *name;   // NULL: there is none
    double fallback;    // the value when it is not given
    double least, most; // what it may be
    int32_t whole;      // 1: a whole number
    const char *summary;
} isg_kernel_param;

// One row. Rows are constants of the library and live for ever. In summaries r is |x-y|/lengthscale.
typedef struct isg_kernel {
    const char *name;       // also what reports print
    const char *aliases[4]; // other names in use, NULL-terminated
    const char *summary;    // the formula, in plain text
    const char *formula;    // its function in cl/formulas.h
    isg_pair pair;
    isg_scale_kind scale;
    double gamma;                            // when none is given, of kinds GAMMA and RATE; 0: 1/d
    isg_kernel_param params[ISG_MAX_PARAMS]; // those with a name come first
    double on_diagonal;                      // k(x, x), the same for every x; NaN: depends on x
    int32_t growth;                          // without a scale: the power of the points that the value grows with
    int32_t norms;                           // 1: the formula takes 1/(|x| |y|), in two parts, as its a and b
    int32_t fine;                            // 1: the value keeps its digits as the pair's number goes to 0
    int32_t far;                             // 1: the value is a number to the end of the range, however far points are
                                             // apart: neither 0 nor next to it
    double steep;                            // of squared distances: at most |dk/du|, u being what the formula is
                  // written in, and that over |b| where it has a second number b; k is at most
                  // |on_diagonal| then. 0: there is no such bound
    int32_t bounded;       // 1: |k| is at most 1
    int32_t falling;       // 1: of distances: k is positive, and falls as the pair's number grows; from
                           // where no normal number holds it, it is +0
    const char *logarithm; // log(k) as a function in cl/formulas.h; NULL: none better than of k itself
    int32_t kink;          // 1: dk/du grows as 1/sqrt(u) towards u = 0, as that of exp(-sqrt(u))
} isg_kernel;

// By name or alias, case-sensitive; NULL when there is none.
ISG_API const isg_kernel *isg_kernel_find(const char *name);

// The name or alias that is spelt most like `name`; NULL when more than a third of its letters would change.
ISG_API const char *isg_kernel_nearest(const char *name);

// All rows, NULL-terminated, in the order of the documentation.
ISG_API const isg_kernel *const *isg_kernel_list(void);

// A parameter by its name, as rows call it.
typedef struct isg_setting {
    const char *name;
    double value;
} isg_setting;

// One row with its scale and parameters; what is left out has the row's default.
typedef struct isg_kernel_params {
    const isg_kernel *kernel; // a row of isg_kernel_list; NULL: rbf
    double gamma;             // at most one of the three; positive and finite, 0: not given
    double sigma;
    double lengthscale;
    const isg_setting *settings; // of the row's own parameters
    int32_t setting_count;
} isg_kernel_params;

#define isg_kernel_params(...) (&(struct isg_kernel_params){__VA_ARGS__})

// A covariance function put together from rows by sums, products and positive multiples. It is evaluated in one pass
// over each pair of points. Values of composites live on their own: operands are copied and stay the caller's. error:
// may be NULL.
typedef struct isg_composite isg_composite;

// ISG_ERR_ARGUMENT: a scale or parameter that the row does not have, or out of its range.
ISG_API isg_status isg_kernel_single(isg_composite **out, const isg_kernel_params *params, isg_error *error);
// ISG_ERR_ARGUMENT: more than 16 rows, or 63 rows and operations, in all.
ISG_API isg_status isg_kernel_sum(isg_composite **out, const isg_composite *a, const isg_composite *b,
                                  isg_error *error);
ISG_API isg_status isg_kernel_product(isg_composite **out, const isg_composite *a, const isg_composite *b,
                                      isg_error *error);
// factor: positive and finite.
ISG_API isg_status isg_kernel_multiple(isg_composite **out, double factor, const isg_composite *a, isg_error *error);

// From a text: rows by name, with settings in brackets, joined by +, * and brackets, and positive numbers as factors:
// "2 * rbf(sigma=0.5) + linear * periodic(period=3, lengthscale=2)". ISG_ERR_ARGUMENT says what is wrong and where, and
// suggests the nearest name.
ISG_API isg_status isg_kernel_parse(isg_composite **out, const char *text, isg_error *error);

// The text form, as isg_kernel_parse takes it; with all that was given, and no defaults. Cut off at `bytes`, the zero
// included; gives the length that it would have.
ISG_API size_t isg_composite_text(const isg_composite *composite, char *text, size_t bytes);

ISG_API void isg_composite_destroy(isg_composite **composite);

#ifdef __cplusplus
}
#endif

#endif
