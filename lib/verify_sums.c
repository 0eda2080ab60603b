// The certificate's cases of sums over points that K is never stored for.
#include "verify_sums.h"
#include "reference_reduce.h"
#include "verify_inputs.h"
#include "weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// Points in a cube; weights near 1, or spread over all of the range. Edge: beside one weight at its upper end, of a
// source where K is 0, all others are so small that their products lie on both sides of what counts. Strung: points lie
// along a line, in order, so that most pairs are far apart; one weight is infinite
// where there is more than a column.
static const struct product {
    const char *what, *function;
    int64_t d, columns;
    bool factors, spread, edge, quick, strung;
    isg_apply_params apply;
} products[] = {
    {.what = "apply rbf", .function = "rbf(gamma=0.7)", .d = 3, .columns = 1, .quick = true},
    {.what = "apply rbf, columns",
     .function = "rbf(gamma=0.7)",
     .d = 11,
     .columns = 37,
     .apply = {.alpha = -0.75, .beta = 0.3}},
    {.what = "apply rbf, few columns", .function = "rbf(gamma=0.7)", .d = 11, .columns = 3, .apply = {.beta = 1}},
    {.what = "apply rbf, transposed",
     .function = "rbf(gamma=0.7)",
     .d = 3,
     .columns = 2,
     .factors = true,
     .apply = {.transpose = 1, .alpha = 3}},
    {.what = "apply rbf, factors", .function = "rbf(gamma=0.7)", .d = 3, .columns = 2, .factors = true},
    {.what = "apply rbf, sums in double",
     .function = "rbf(gamma=0.7)",
     .d = 3,
     .columns = 9,
     .apply = {.accumulate = ISG_PRECISION_F64}},
    {.what = "apply polynomial, spread",
     .function = "polynomial(degree=2, gamma=0.5)",
     .d = 3,
     .columns = 5,
     .spread = true,
     .apply = {.alpha = 0.1, .beta = -1}},
    {.what = "apply sum, spread",
     .function = "1e-9*linear + matern32*rbf(gamma=30)",
     .d = 2,
     .columns = 2,
     .spread = true},
    {.what = "apply cosine, transposed", .function = "cosine", .d = 4, .columns = 3, .apply = {.transpose = 1}},
    {.what = "apply wendland",
     .function = "wendland(lengthscale=4)",
     .d = 2,
     .columns = 2,
     .edge = true,
     .quick = true},
    {.what = "apply rbf, blocks skipped",
     .function = "rbf(gamma=3)",
     .d = 3,
     .columns = 1,
     .quick = true,
     .strung = true,
     .apply = {.skip = ISG_SKIP_ALWAYS}},
    {.what = "apply laplacian times linear, blocks skipped",
     .function = "laplacian(gamma=9)*linear",
     .d = 9,
     .columns = 7,
     .strung = true,
     .apply = {.skip = ISG_SKIP_ALWAYS, .transpose = 1}},
};
enum { PRODUCTS = sizeof products / sizeof *products };

// Points as above; far: some of them are so far from all others that K is 0 there.
static const struct reduction {
    const char *what, *function;
    int64_t d, columns;
    bool far, weights, quick, strung;
    isg_reduce_params reduce;
} reductions[] = {
    {.what = "reduce sum", .function = "matern52", .d = 3, .columns = 1},
    {.what = "reduce least 1",
     .function = "sqeuclidean",
     .d = 5,
     .columns = 1,
     .quick = true,
     .reduce = {.reduction = ISG_REDUCE_LEAST}},
    {.what = "reduce least 7",
     .function = "cityblock",
     .d = 3,
     .columns = 7,
     .reduce = {.reduction = ISG_REDUCE_LEAST, .count = 7}},
    {.what = "reduce largest 3, transposed",
     .function = "rbf(gamma=2) + 0.25*linear",
     .d = 2,
     .columns = 3,
     .quick = true,
     .reduce = {.reduction = ISG_REDUCE_LARGEST, .count = 3, .transpose = 1}},
    {.what = "reduce logsumexp",
     .function = "rbf(gamma=8)",
     .d = 3,
     .columns = 1,
     .far = true,
     .quick = true,
     .reduce = {.reduction = ISG_REDUCE_LOGSUMEXP}},
    {.what = "reduce logsumexp, product",
     .function = "0.125*laplacian(gamma=8)*matern12*matern32*matern52",
     .d = 3,
     .columns = 1,
     .far = true,
     .weights = true,
     .reduce = {.reduction = ISG_REDUCE_LOGSUMEXP}},
    {.what = "reduce logsumexp, sum",
     .function = "rbf(gamma=0.5) + 0.5*cauchy",
     .d = 3,
     .columns = 1,
     .weights = true,
     .reduce = {.reduction = ISG_REDUCE_LOGSUMEXP, .transpose = 1}},
    {.what = "reduce mean",
     .function = "rbf(gamma=8)",
     .d = 3,
     .columns = 5,
     .far = true,
     .weights = true,
     .reduce = {.reduction = ISG_REDUCE_MEAN}},
    {.what = "reduce logsumexp, blocks skipped",
     .function = "2*matern32*rbf(gamma=3)",
     .d = 3,
     .columns = 1,
     .weights = true,
     .strung = true,
     .reduce = {.reduction = ISG_REDUCE_LOGSUMEXP, .skip = ISG_SKIP_ALWAYS}},
};
enum { REDUCTIONS = sizeof reductions / sizeof *reductions };

// Products come first, then reductions: the place of case `index` in both tables.
static int place_of(int index, bool quick)
{
    int found = 0;
    for (int at = 0; at < PRODUCTS + REDUCTIONS; at++) {
        bool here = !quick || (at < PRODUCTS ? products[at].quick : reductions[at - PRODUCTS].quick);
        if (here && index-- == 0)
            found = at;
    }
    return found;
}

int isg_sum_case_count(bool quick)
{
    int count = 0;
    for (int at = 0; at < PRODUCTS; at++)
        count += !quick || products[at].quick;
    for (int at = 0; at < REDUCTIONS; at++)
        count += !quick || reductions[at].quick;
    return count;
}

// What both kinds have: several blocks of sources, the last of them not whole.
static bool make_points(isg_case *c, const char *what, const char *function, bool transposed, bool quick,
                        uint64_t *state)
{
    isg_composite *made;
    const int64_t sources = quick ? 1100 : 3200, targets = quick ? 53 : 203;
    size_t element = isg_dtype_bytes(c->dtype);
    snprintf(c->what, sizeof c->what, "%s", what);
    c->n = transposed ? sources : targets;
    c->m = transposed ? targets : sources;
    c->count = targets * c->columns;
    c->a = isg_alloc(c->n * c->d, element);
    c->b = isg_alloc(c->m * c->d, element);
    c->v = isg_alloc(sources * c->columns, element);
    if (!c->a || !c->b || !c->v || isg_kernel_parse(&made, function, NULL))
        return false;
    c->composite = *made;
    isg_composite_destroy(&made);
    for (int64_t i = 0; i < c->n * c->d; i++)
        isg_store_double(c->dtype, c->a, i, next_fraction(state) * 2);
    for (int64_t i = 0; i < c->m * c->d; i++)
        isg_store_double(c->dtype, c->b, i, next_fraction(state) * 2);
    return true;
}

// Point i of n is moved 60 i/n along the first axis.
static void string_points(isg_case *c)
{
    for (int64_t i = 0; i < c->n; i++)
        isg_store_double(c->dtype, c->a, i * c->d,
                         isg_load_double(c->dtype, c->a, i * c->d) + (double)(i * 60) / (double)c->n);
    for (int64_t i = 0; i < c->m; i++)
        isg_store_double(c->dtype, c->b, i * c->d,
                         isg_load_double(c->dtype, c->b, i * c->d) + (double)(i * 60) / (double)c->m);
}

static bool make_product(isg_case *c, int at, bool quick)
{
    const struct product *product = &products[at];
    uint64_t state = 0x3000 + (uint64_t)at;
    const bool transposed = product->apply.transpose != 0;
    const int reach = c->dtype == ISG_F64 ? 1000 : 130;
    c->kind = ISG_CASE_APPLY;
    c->inputs = product->spread ? "spread" : product->edge ? "edge" : product->strung ? "strung" : "easy";
    c->d = product->d;
    c->columns = product->columns;
    c->apply = product->apply;
    if (!make_points(c, product->what, product->function, transposed, quick, &state))
        return false;
    for (int64_t i = 0; i < (transposed ? c->n : c->m) * c->columns; i++) {
        uint64_t r = next_integer(&state);
        double v = next_fraction(&state);
        if (product->spread)
            v = ldexp(v, -(int)(r % (uint64_t)reach));
        if (product->edge)
            v = ldexp(1 + v / 2, (c->dtype == ISG_F64 ? -889 : -113) - (int)(r % 6));
        isg_store_double(c->dtype, c->v, i, v);
    }
    for (int64_t p = 0; p < c->columns && product->edge; p++)
        isg_store_double(c->dtype, c->v, p, c->dtype == ISG_F64 ? 0x1p1000 : 0x1p60);
    if (product->edge)
        isg_store_double(c->dtype, c->b, 0, 1e6);
    if (product->strung)
        string_points(c);
    if (product->strung && c->columns > 1)
        isg_store_double(c->dtype, c->v, ((transposed ? c->n : c->m) - 5) * c->columns + c->columns - 1, INFINITY);
    if (product->factors && !(c->factors = isg_alloc(c->n, sizeof *c->factors)))
        return false;
    for (int64_t i = 0; i < c->n && product->factors; i++)
        c->factors[i] = ldexp(next_fraction(&state), (int)(i % 9) - 4);
    return true;
}

static bool is_extreme(const isg_case *c)
{
    return c->reduce.reduction == ISG_REDUCE_LEAST || c->reduce.reduction == ISG_REDUCE_LARGEST;
}

static bool make_reduction(isg_case *c, int at, bool quick)
{
    const struct reduction *reduction = &reductions[at];
    uint64_t state = 0x4000 + (uint64_t)at;
    const bool transposed = reduction->reduce.transpose != 0;
    c->kind = ISG_CASE_REDUCE;
    c->inputs = reduction->far ? "far" : reduction->strung ? "strung" : "easy";
    c->d = reduction->d;
    c->columns = reduction->columns;
    c->reduce = reduction->reduce;
    if (!make_points(c, reduction->what, reduction->function, transposed, quick, &state))
        return false;
    const int64_t sources = transposed ? c->n : c->m;
    if (reduction->weights && !(c->weights = isg_alloc(sources, isg_dtype_bytes(c->dtype))))
        return false;
    for (int64_t i = 0; i < sources * c->columns; i++)
        isg_store_double(c->dtype, c->v, i, next_fraction(&state));
    for (int64_t i = 0; i < sources && reduction->weights; i++) {
        double w = fabs(next_fraction(&state));
        isg_store_double(c->dtype, c->weights, i, i % 11 ? w : 0);
    }
    for (int64_t i = 0; i < c->n && reduction->far; i += 4)
        isg_store_double(c->dtype, c->a, i * c->d, 40 + (double)i);
    if (reduction->strung)
        string_points(c);
    c->count *= is_extreme(c) ? 2 : 1;
    return true;
}

bool isg_sum_case_make(isg_case *c, int index, bool quick)
{
    const int at = place_of(index, quick);
    return at < PRODUCTS ? make_product(c, at, quick) : make_reduction(c, at - PRODUCTS, quick);
}

isg_reduce_params isg_sum_case_reduction(const isg_case *c, void *out, int64_t *indices)
{
    const bool transposed = c->reduce.transpose != 0;
    const int64_t targets = transposed ? c->m : c->n, sources = transposed ? c->n : c->m;
    isg_reduce_params p = c->reduce;
    p.out = isg_matrix(c->dtype, out, targets, c->columns);
    if (is_extreme(c))
        p.indices = isg_matrix(ISG_I64, indices, targets, c->columns);
    if (c->weights)
        p.weights = isg_matrix(c->dtype, c->weights, sources, 1);
    if (p.reduction == ISG_REDUCE_MEAN)
        p.v = isg_matrix(c->dtype, c->v, sources, c->columns);
    return p;
}

void isg_sum_case_put_indices(const isg_case *c, void *out, const int64_t *indices)
{
    for (int64_t i = 0; i < c->count / 2 && is_extreme(c); i++)
        isg_store_double(c->dtype, out, c->count / 2 + i, (double)indices[i]);
}

// One target's sums. row: of K, in order of the sources.
static void expect_row(const isg_case *c, const isg_weights *w, const void *row, int64_t target, void *out)
{
    const isg_reference *sums = isg_reference_get(w->dtype, c->fused);
    for (int64_t p = 0; p < c->columns; p++) {
        const char *v = (const char *)w->values + (size_t)(p * w->count) * isg_dtype_bytes(w->dtype);
        int64_t at = target * c->columns + p;
        double sum = isg_reference_get(c->dtype, c->fused)->sum(row, v, 1, w->count, w->dtype);
        double alpha = c->apply.alpha == 0 ? 1 : c->apply.alpha;
        isg_store_double(c->dtype, out, at, sums->combine(alpha, sum, w->exponents[p], c->apply.beta, (double)at));
    }
}

static bool expect_reduction(const isg_case *c, void *out)
{
    isg_gram_params params = isg_case_gram(c);
    isg_operator op = {.symmetric = false};
    int64_t *indices = isg_alloc(c->count, sizeof *indices);
    isg_reduce_params reduction = isg_sum_case_reduction(c, out, indices);
    bool ok = indices && isg_operator_make(&op, &params, c->dtype, NULL) == ISG_OK &&
              isg_reference_reduce(&op, c->fused, &reduction);
    if (ok)
        isg_sum_case_put_indices(c, out, indices);
    isg_operator_free(&op);
    free(indices);
    return ok;
}

static bool expect_product(const isg_case *c, void *out)
{
    isg_gram_params params = isg_case_gram(c);
    isg_operator op = {.symmetric = false};
    isg_weights w = {.values = NULL};
    const bool transposed = c->apply.transpose != 0;
    const int64_t sources = transposed ? c->n : c->m, targets = transposed ? c->m : c->n;
    isg_array v = isg_matrix(c->dtype, c->v, sources, c->columns);
    isg_dtype sums = c->apply.accumulate == ISG_PRECISION_F64 ? ISG_F64 : c->dtype;
    size_t element = isg_dtype_bytes(c->dtype);
    char *k = isg_alloc(c->n * c->m, element), *row = isg_alloc(sources, element);
    bool ok = k && row && isg_operator_make(&op, &params, c->dtype, NULL) == ISG_OK &&
              isg_weights_make(&w, &v, c->dtype, sums, isg_operator_largest(&op), 1, NULL) == ISG_OK;
    if (ok)
        isg_reference_get(c->dtype, c->fused)->gram(&op.plan, &op.x, &op.y, k, c->m);
    for (int64_t i = 0; ok && i < targets; i++) {
        for (int64_t j = 0; j < sources; j++) {
            int64_t at = transposed ? j * c->m + i : i * c->m + j;
            isg_store_double(c->dtype, row, j, isg_load_double(c->dtype, k, at));
        }
        expect_row(c, &w, row, i, out);
    }
    isg_weights_free(&w);
    isg_operator_free(&op);
    free(row);
    free(k);
    return ok;
}

bool isg_sum_case_expected(const isg_case *c, void *out)
{
    return c->kind == ISG_CASE_REDUCE ? expect_reduction(c, out) : expect_product(c, out);
}
