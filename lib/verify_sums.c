// The certificate's cases of sums over points that K is never stored for.
#include "verify_sums.h"
#include "verify_inputs.h"
#include "weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// Points in a cube; weights near 1, or spread over all of the range.
static const struct product {
    const char *what, *function;
    int64_t d, columns;
    bool factors, spread, quick;
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
     .quick = true,
     .apply = {.transpose = 1, .alpha = 3}},
    {.what = "apply rbf, factors", .function = "rbf(gamma=0.7)", .d = 3, .columns = 2, .factors = true},
    {.what = "apply rbf, sums in double",
     .function = "rbf(gamma=0.7)",
     .d = 3,
     .columns = 9,
     .quick = true,
     .apply = {.accumulate = ISG_PRECISION_F64}},
    {.what = "apply polynomial, spread",
     .function = "polynomial(degree=2, gamma=0.5)",
     .d = 3,
     .columns = 5,
     .spread = true,
     .quick = true,
     .apply = {.alpha = 0.1, .beta = -1}},
    {.what = "apply sum, spread",
     .function = "1e-9*linear + matern32*rbf(gamma=30)",
     .d = 2,
     .columns = 2,
     .spread = true},
    {.what = "apply cosine, transposed", .function = "cosine", .d = 4, .columns = 3, .apply = {.transpose = 1}},
};
enum { PRODUCTS = sizeof products / sizeof *products };

// The place of case `index` in the table.
static int place_of(int index, bool quick)
{
    int found = 0;
    for (int at = 0; at < PRODUCTS; at++)
        if ((!quick || products[at].quick) && index-- == 0)
            found = at;
    return found;
}

int isg_sum_case_count(bool quick)
{
    int count = 0;
    for (int at = 0; at < PRODUCTS; at++)
        count += !quick || products[at].quick;
    return count;
}

bool isg_sum_case_make(isg_case *c, int index, bool quick)
{
    const int at = place_of(index, quick);
    const struct product *product = &products[at];
    const bool wide = c->dtype == ISG_F64, transposed = product->apply.transpose != 0;
    isg_composite *made;
    uint64_t state = 0x3000 + (uint64_t)at;
    c->kind = ISG_CASE_APPLY;
    c->inputs = product->spread ? "spread" : "easy";
    snprintf(c->what, sizeof c->what, "%s", product->what);
    // Several blocks of sources, the last of them not whole.
    const int64_t sources = quick ? 1100 : 3200, targets = quick ? 53 : 203;
    c->n = transposed ? sources : targets;
    c->m = transposed ? targets : sources;
    c->d = product->d;
    c->columns = product->columns;
    c->count = targets * c->columns;
    c->apply = product->apply;
    size_t element = isg_dtype_bytes(c->dtype);
    c->a = isg_alloc(c->n * c->d, element);
    c->b = isg_alloc(c->m * c->d, element);
    c->v = isg_alloc(sources * c->columns, element);
    if (product->factors)
        c->factors = isg_alloc(c->n, sizeof *c->factors);
    if (!c->a || !c->b || !c->v || (product->factors && !c->factors) ||
        isg_kernel_parse(&made, product->function, NULL))
        return false;
    c->composite = *made;
    isg_composite_destroy(&made);
    for (int64_t i = 0; i < c->n * c->d; i++)
        isg_store_double(c->dtype, c->a, i, next_fraction(&state) * 2);
    for (int64_t i = 0; i < c->m * c->d; i++)
        isg_store_double(c->dtype, c->b, i, next_fraction(&state) * 2);
    for (int64_t i = 0; i < sources * c->columns; i++) {
        uint64_t r = next_integer(&state);
        double v = next_fraction(&state);
        isg_store_double(c->dtype, c->v, i, product->spread ? ldexp(v, -(int)(r % (wide ? 1000 : 130))) : v);
    }
    for (int64_t i = 0; i < c->n && product->factors; i++)
        c->factors[i] = ldexp(next_fraction(&state), (int)(i % 9) - 4);
    return true;
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

bool isg_sum_case_expected(const isg_case *c, void *out)
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
