// The certificate's cases of gradients: every derivative of cl/slopes.h, by points, numbers and lengthscales.
#include "verify_gradient.h"
#include "gradient_work.h"
#include "verify_inputs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// Points in a cube, of positive numbers where they must be. Close: some coordinates differ by so little that products
// are looked at. Spread: weights over all of the range.
static const struct gradient {
    const char *what, *function;
    int64_t d, columns;
    bool alone, positive, close, spread, factors, lengthscales, quick;
    isg_precision accumulate;
} gradients[] = {
    {.what = "gradient rbf", .function = "rbf(sigma=1.25)", .d = 3, .columns = 1, .alone = true, .quick = true},
    {.what = "gradient rbf, spread",
     .function = "1.5*rbf(gamma=0.7)",
     .d = 11,
     .columns = 3,
     .spread = true,
     .factors = true},
    {.what = "gradient rbf, sums in double",
     .function = "rbf(gamma=0.7)",
     .d = 2,
     .columns = 2,
     .accumulate = ISG_PRECISION_F64},
    {.what = "gradient matern12",
     .function = "matern12(lengthscale=0.5)",
     .d = 3,
     .columns = 1,
     .alone = true,
     .close = true},
    {.what = "gradient distances 1",
     .function =
         "matern12(lengthscale=1.5) + matern32*multiquadric(lengthscale=2) + thin_plate + wendland(lengthscale=3)",
     .d = 3,
     .columns = 1},
    {.what = "gradient distances 2",
     .function =
         "rational_quadratic(alpha=0.75) + cauchy(gamma=0.3)*matern52 + inverse_multiquadric + 0.25*sqeuclidean",
     .d = 5,
     .columns = 2,
     .alone = true},
    {.what = "gradient periodic",
     .function = "periodic(period=1.75, lengthscale=0.8)*(0.5*euclidean + cityblock) + laplacian(gamma=0.4)",
     .d = 2,
     .columns = 1},
    {.what = "gradient products",
     .function = "linear + 0.5*polynomial(gamma=0.3, degree=4) + sigmoid(gamma=0.2, coef0=-0.5)",
     .d = 4,
     .columns = 1,
     .alone = true},
    {.what = "gradient cosine", .function = "cosine", .d = 4, .columns = 2, .quick = true},
    {.what = "gradient chi2",
     .function = "chi2(gamma=0.3) + 0.125*additive_chi2",
     .d = 5,
     .columns = 1,
     .positive = true},
    {.what = "gradient lengthscales",
     .function = "rbf + laplacian",
     .d = 5,
     .columns = 1,
     .alone = true,
     .lengthscales = true},
};
enum { GRADIENTS = sizeof gradients / sizeof *gradients };

int isg_gradient_case_count(bool quick)
{
    int count = 0;
    for (int at = 0; at < GRADIENTS; at++)
        count += !quick || gradients[at].quick;
    return count;
}

static int64_t sources_of(const isg_case *c)
{
    return c->m ? c->m : c->n;
}

static void put_points(const isg_case *c, const struct gradient *g, void *to, int64_t count, uint64_t *state)
{
    const int digits = c->dtype == ISG_F64 ? 600 : 60;
    for (int64_t i = 0; i < count * c->d; i++) {
        uint64_t r = next_integer(state);
        double x = next_fraction(state) * 2;
        if (g->close && r % 3 == 0)
            x = ldexp(x, -(int)(r / 3 % (uint64_t)digits));
        isg_store_double(c->dtype, to, i, g->positive ? fabs(x) : x);
    }
}

static void put_weights(const isg_case *c, const struct gradient *g, void *to, int64_t count, uint64_t *state)
{
    const int reach = c->dtype == ISG_F64 ? 1000 : 130;
    for (int64_t i = 0; i < count * c->columns; i++) {
        uint64_t r = next_integer(state);
        double w = next_fraction(state);
        isg_store_double(c->dtype, to, i, g->spread ? ldexp(w, -(int)(r % (uint64_t)reach)) : w);
    }
}

// How many parameters the operator has.
static bool count_parameters(isg_case *c)
{
    isg_gram_params params = isg_case_gram(c);
    isg_operator op;
    isg_gradient_plan plan;
    if (isg_operator_make(&op, &params, c->dtype, NULL))
        return false;
    bool ok = isg_gradient_plan_make(&plan, &op, NULL, NULL) == ISG_OK;
    c->parameters = ok ? plan.count + (op.lengthscales ? c->d : 0) : 0;
    isg_operator_free(&op);
    return ok;
}

bool isg_gradient_case_make(isg_case *c, int index, bool quick)
{
    int at = 0;
    while ((quick && !gradients[at].quick) || index-- > 0)
        at++;
    const struct gradient *g = &gradients[at];
    const size_t element = isg_dtype_bytes(c->dtype);
    uint64_t state = 0x5000 + (uint64_t)at;
    isg_composite *made;
    c->kind = ISG_CASE_GRADIENT;
    c->inputs = g->close ? "close" : g->spread ? "spread" : "easy";
    c->d = g->d;
    c->columns = g->columns;
    c->accumulate = g->accumulate;
    c->n = quick || !g->alone ? 61 : 203;
    c->m = g->alone ? 0 : quick ? 53 : 1100;
    snprintf(c->what, sizeof c->what, "%s", g->what);
    c->a = isg_alloc(c->n * c->d, element);
    c->b = isg_alloc(c->m * c->d, element);
    c->v = isg_alloc(c->n * c->columns, element);
    c->weights = isg_alloc(sources_of(c) * c->columns, element);
    if (!c->a || !c->b || !c->v || !c->weights || isg_kernel_parse(&made, g->function, NULL))
        return false;
    c->composite = *made;
    isg_composite_destroy(&made);
    put_points(c, g, c->a, c->n, &state);
    put_points(c, g, c->b, c->m, &state);
    put_weights(c, g, c->v, c->n, &state);
    put_weights(c, g, c->weights, sources_of(c), &state);
    for (int64_t k = 0; k < c->d && g->lengthscales; k++)
        c->lengthscales[k] = 0.75 + (double)k / 4;
    if (g->factors && !(c->factors = isg_alloc(c->n, sizeof *c->factors)))
        return false;
    for (int64_t i = 0; i < c->n && g->factors; i++)
        c->factors[i] = ldexp(next_fraction(&state), (int)(i % 9) - 4);
    if (!count_parameters(c))
        return false;
    c->count = (c->n + c->m) * c->d + 2 * c->parameters;
    return true;
}

isg_gradient_params isg_gradient_case_wanted(const isg_case *c, void *out, double *parameters)
{
    char *y = (char *)out + (size_t)(c->n * c->d) * isg_dtype_bytes(c->dtype);
    isg_gradient_params p = {.v = isg_matrix(c->dtype, c->v, c->n, c->columns),
                             .w = isg_matrix(c->dtype, c->weights, sources_of(c), c->columns),
                             .x = isg_matrix(c->dtype, out, c->n, c->d),
                             .parameters = parameters,
                             .accumulate = c->accumulate};
    if (c->m)
        p.y = isg_matrix(c->dtype, y, c->m, c->d);
    return p;
}

void isg_gradient_case_put(const isg_case *c, void *out, const double *parameters)
{
    const int64_t first = (c->n + c->m) * c->d;
    for (int64_t i = 0; i < c->parameters; i++) {
        isg_store_double(c->dtype, out, first + 2 * i, parameters[i]);
        isg_store_double(c->dtype, out, first + 2 * i + 1,
                         parameters[i] - isg_load_double(c->dtype, out, first + 2 * i));
    }
}

bool isg_gradient_case_expected(const isg_case *c, void *out)
{
    isg_gram_params params = isg_case_gram(c);
    isg_operator op;
    double *parameters = isg_alloc(c->parameters + 1, sizeof *parameters);
    isg_gradient_params wanted = isg_gradient_case_wanted(c, out, parameters);
    bool ok = parameters && isg_operator_make(&op, &params, c->dtype, NULL) == ISG_OK;
    if (ok) {
        ok = isg_reference_gradient(&op, c->fused, &wanted, NULL) == ISG_OK;
        isg_gradient_case_put(c, out, parameters);
        isg_operator_free(&op);
    }
    free(parameters);
    return ok;
}
