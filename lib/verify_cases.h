// What the certificate computes: inputs from a fixed generator of integers, and the host's answer. No OpenCL here, so
// that the golden hashes come from the reference alone.
#ifndef ISG_LIB_VERIFY_CASES_H
#define ISG_LIB_VERIFY_CASES_H

#include "operator.h"
#include "reference.h"

#include <isogram/apply.h>
#include <isogram/convolve.h>
#include <isogram/derived.h>
#include <isogram/gram.h>
#include <isogram/grid.h>
#include <isogram/reduce.h>

typedef enum isg_case_kind {
    ISG_CASE_FUNCTION,
    ISG_CASE_FORMULA,
    ISG_CASE_GRAM,
    ISG_CASE_GRID,
    ISG_CASE_FILTER,
    ISG_CASE_STENCIL, // a grid that is no product
    ISG_CASE_CONVOLVE,
    ISG_CASE_APPLY,
    ISG_CASE_REDUCE,
    ISG_CASE_GRADIENT
} isg_case_kind;

typedef struct isg_case {
    isg_case_kind kind;
    isg_dtype dtype;
    bool fused;
    char what[48];      // "function real_exp", "gram rbf"
    const char *inputs; // "mixed", "hostile", ...
    int64_t count;      // results

    int function;            // FUNCTION: of cl/functions.h
    void *a, *b;             // FUNCTION: arguments. FORMULA: numbers of pairs. GRAM: points. FILTER: image
    int64_t n, m, d;         // GRAM: b has m points; m = 0: K(X, X)
    bool diagonal;           // GRAM: only the diagonal
    int kernel;              // FORMULA
    isg_numbers numbers;     // FORMULA
    isg_composite composite; // GRAM
    double lengthscales[5];  // GRAM: of d coordinates; all 0: none
    double *factors;         // GRAM: n of them, or NULL
    // APPLY, besides what a GRAM has:
    void *v; // sources x columns
    int64_t columns;
    isg_apply_params apply;
    // REDUCE, likewise: what is asked for, without its arrays; v are a mean's vectors. Extremes' indices are results
    // behind the values.
    isg_reduce_params reduce;
    void *weights; // or NULL
    // GRADIENT, besides what a GRAM has: v and weights are n x columns and m x columns. Results are df/dX, df/dY unless
    // there is one set, and each parameter in two parts, for its type is double.
    int64_t parameters;
    isg_precision accumulate;
    isg_grid_params grid;
    isg_filter_params filter;
    isg_array image; // FILTER, CONVOLVE: what is filtered, dense, in `a`; a filter's mask in `b`, where there is one
    int derived;     // 0: the filter, else an isg_derived + 1 of it
    isg_convolve_params convolve;
    isg_array stencil; // CONVOLVE: in `b`
} isg_case;

// Cases of one precision and arithmetic. Quick ones: the formulas of all rows, but the Gram matrices of few.
int isg_case_count(bool quick);
// Makes case `index`; to be freed. false: no memory.
bool isg_case_make(isg_case *c, int index, isg_dtype dtype, bool fused, bool quick);
void isg_case_free(isg_case *c);

// The operator of a GRAM, an APPLY or a REDUCE; it points into the case.
isg_gram_params isg_case_gram(const isg_case *c);

// The reference's results, c->count of them, to be freed; NULL without memory.
void *isg_case_expected(const isg_case *c);

// Makes all NaNs alike: their payload and sign are not part of the contract.
void isg_case_canonical(const isg_case *c, void *results);
// XXH3-128 of canonical results in hexadecimal: 32 digits and a zero.
void isg_case_hash(const isg_case *c, const void *results, char *hex);

// The inputs of one result, for a message.
void isg_case_describe(const isg_case *c, int64_t at, char *text, size_t bytes);

// Those of the filter (verify_filter.c).
int isg_filter_case_count(bool quick);
bool isg_filter_case_make(isg_case *c, int at, bool quick);
bool isg_filter_case_expected(const isg_case *c, void *out);
isg_array isg_filter_case_view(const isg_case *c, void *data);
// Of what is derived: its parameters, how many arrays come out, and these.
enum { ISG_FILTER_MOST_OUTPUTS = ISG_FILTER_MAX_NDIM * (ISG_FILTER_MAX_NDIM + 1) / 2 };
isg_derived_params isg_filter_case_derived(const isg_case *c);
int32_t isg_filter_case_outputs(const isg_case *c);
void isg_filter_case_views(const isg_case *c, void *data, isg_array *views);
// Numbers of the kind that the name says: "plain", "fine", "large" or "holes".
void isg_filter_case_pixels(const char *name, isg_dtype dtype, void *to, int64_t count, uint64_t *state);

// Those of grids that are no products, and of convolutions (verify_stencil.c).
int isg_stencil_case_count(bool quick);
bool isg_stencil_case_make(isg_case *c, int at);
bool isg_stencil_case_expected(const isg_case *c, void *out);

// What the golden file calls a case: "isogram-2/f32/fused quick gram rbf/hostile".
void isg_case_key(const isg_case *c, bool quick, char *key, size_t bytes);

// The golden hash of a key, or NULL. From tests/golden, embedded.
const char *isg_golden(const char *key);

#endif
