#include "oracle_gradient.h"
#include "base.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mpfr_t *numbers_new(int64_t count)
{
    mpfr_t *all = malloc((size_t)(count + 1) * sizeof *all);
    if (!all)
        abort();
    for (int64_t i = 0; i <= count; i++) {
        mpfr_init2(all[i], ORACLE_GRADIENT_BITS);
        mpfr_set_zero(all[i], 1);
    }
    return all;
}

static void numbers_free(mpfr_t *all, int64_t count)
{
    for (int64_t i = 0; all && i <= count; i++)
        mpfr_clear(all[i]);
    free(all);
}

static mpfr_t *numbers_of(isg_dtype dtype, const void *from, int64_t count)
{
    mpfr_t *all = numbers_new(count);
    for (int64_t i = 0; i < count; i++)
        mpfr_set_d(all[i], isg_load_double(dtype, from, i), MPFR_RNDN);
    return all;
}

oracle_objective oracle_objective_make(const isg_gram_params *params, isg_dtype dtype, const void *v, const void *w,
                                       int64_t r)
{
    oracle_objective f = {.composite = params->composite,
                          .n = params->x.shape[0],
                          .d = params->x.shape[1],
                          .r = r,
                          .alone = params->y.dtype == ISG_DTYPE_NONE,
                          .factors = (double *)(uintptr_t)params->factors};
    f.m = f.alone ? f.n : params->y.shape[0];
    f.x = numbers_of(dtype, params->x.data, f.n * f.d);
    f.y = f.alone ? f.x : numbers_of(dtype, params->y.data, f.m * f.d);
    f.v = numbers_of(dtype, v, f.n * r);
    f.w = numbers_of(dtype, w, f.m * r);
    if (params->lengthscales)
        f.lengths = numbers_of(ISG_F64, params->lengthscales, f.d);
    f.numbers = numbers_new(3 * ISG_MAX_STEPS);
    for (int s = 0; s < f.composite->count; s++) {
        const isg_step *step = &f.composite->steps[s];
        mpfr_t *n = f.numbers + 3 * s;
        if (step->kind == ISG_STEP_MULTIPLE)
            mpfr_set_d(n[0], step->factor, MPFR_RNDN);
        if (step->kind != ISG_STEP_ROW)
            continue;
        const isg_kernel_params p = isg_step_params(step);
        const isg_kernel *row = p.kernel;
        const bool given = p.gamma != 0 || p.sigma != 0 || p.lengthscale != 0;
        f.by_length[s] = p.sigma != 0 || p.lengthscale != 0 || (!given && row->scale == ISG_SCALE_LENGTHSCALE);
        if (given)
            mpfr_set_d(n[0], p.gamma + p.sigma + p.lengthscale, MPFR_RNDN);
        else if (f.by_length[s] || row->gamma == 1)
            mpfr_set_ui(n[0], 1, MPFR_RNDN);
        else if (params->lengthscales)
            mpfr_set_d(n[0], row->scale == ISG_SCALE_RATE ? 1 : 0.5, MPFR_RNDN);
        else
            mpfr_set_ui(n[0], 1, MPFR_RNDN), mpfr_div_ui(n[0], n[0], (unsigned)f.d, MPFR_RNDN);
        for (int i = 0; i < ISG_MAX_PARAMS && row->params[i].name; i++) {
            mpfr_set_d(n[1 + i], row->params[i].fallback, MPFR_RNDN);
            for (int k = 0; k < p.setting_count; k++)
                if (strcmp(p.settings[k].name, row->params[i].name) == 0)
                    mpfr_set_d(n[1 + i], p.settings[k].value, MPFR_RNDN);
        }
    }
    return f;
}

void oracle_objective_free(oracle_objective *f)
{
    if (!f->alone)
        numbers_free(f->y, f->m * f->d);
    numbers_free(f->x, f->n * f->d);
    numbers_free(f->v, f->n * f->r);
    numbers_free(f->w, f->m * f->r);
    numbers_free(f->lengths, f->d);
    numbers_free(f->numbers, 3 * ISG_MAX_STEPS);
}

// What two points' coordinates add up to: (x - y)^2, |x - y|, x y, (x - y)^2/(x + y), x^2 and y^2.
typedef struct pair_sums {
    mpfr_t square, l1, dot, chi2, xx, yy;
} pair_sums;

static void add_up(const oracle_objective *f, int64_t i, int64_t j, pair_sums *s)
{
    mpfr_t t, u;
    mpfr_inits2(ORACLE_GRADIENT_BITS, t, u, (mpfr_ptr)NULL);
    mpfr_ptr const all[] = {s->square, s->l1, s->dot, s->chi2, s->xx, s->yy};
    for (int a = 0; a < 6; a++)
        mpfr_set_zero(all[a], 1);
    for (int64_t k = 0; k < f->d; k++) {
        mpfr_srcptr x = f->x[i * f->d + k], y = f->y[j * f->d + k];
        mpfr_sub(t, x, y, MPFR_RNDN);
        if (f->lengths)
            mpfr_div(t, t, f->lengths[k], MPFR_RNDN);
        mpfr_sqr(u, t, MPFR_RNDN);
        mpfr_add(s->square, s->square, u, MPFR_RNDN);
        mpfr_abs(u, t, MPFR_RNDN);
        mpfr_add(s->l1, s->l1, u, MPFR_RNDN);
        mpfr_fma(s->dot, x, y, s->dot, MPFR_RNDN);
        mpfr_fma(s->xx, x, x, s->xx, MPFR_RNDN);
        mpfr_fma(s->yy, y, y, s->yy, MPFR_RNDN);
        mpfr_add(u, x, y, MPFR_RNDN);
        mpfr_sqr(t, t, MPFR_RNDN);
        if (mpfr_sgn(u) != 0) {
            mpfr_div(t, t, u, MPFR_RNDN);
            mpfr_add(s->chi2, s->chi2, t, MPFR_RNDN);
        }
    }
    mpfr_clears(t, u, (mpfr_ptr)NULL);
}

static bool is(const char *name, const char *other)
{
    return strcmp(name, other) == 0;
}

// k of a row, from include/isogram/kernel.h's definitions and lib/kernels.def's summaries.
static void row_value(mpfr_ptr k, const char *name, const pair_sums *s, mpfr_t *n, bool by_length)
{
    mpfr_t gamma, r2, r, t;
    mpfr_inits2(ORACLE_GRADIENT_BITS, gamma, r2, r, t, (mpfr_ptr)NULL);
    if (by_length) {
        mpfr_sqr(gamma, n[0], MPFR_RNDN);
        mpfr_mul_2ui(gamma, gamma, 1, MPFR_RNDN);
        mpfr_ui_div(gamma, 1, gamma, MPFR_RNDN);
    } else {
        mpfr_set(gamma, n[0], MPFR_RNDN);
    }
    mpfr_mul(r2, s->square, gamma, MPFR_RNDN); // (|x - y|/l)^2
    mpfr_mul_2ui(r2, r2, 1, MPFR_RNDN);
    mpfr_sqrt(r, r2, MPFR_RNDN);
    if (is(name, "rbf")) {
        mpfr_mul(k, s->square, gamma, MPFR_RNDN);
        mpfr_neg(k, k, MPFR_RNDN);
        mpfr_exp(k, k, MPFR_RNDN);
    } else if (is(name, "laplacian") || is(name, "chi2")) {
        mpfr_mul(k, is(name, "chi2") ? s->chi2 : s->l1, gamma, MPFR_RNDN);
        mpfr_neg(k, k, MPFR_RNDN);
        mpfr_exp(k, k, MPFR_RNDN);
    } else if (is(name, "matern12") || is(name, "matern32") || is(name, "matern52")) {
        mpfr_sqrt_ui(t, is(name, "matern12") ? 1 : is(name, "matern32") ? 3 : 5, MPFR_RNDN);
        mpfr_mul(r, r, t, MPFR_RNDN);
        mpfr_set_ui(t, 1, MPFR_RNDN);
        if (!is(name, "matern12"))
            mpfr_add(t, t, r, MPFR_RNDN);
        if (is(name, "matern52")) {
            mpfr_sqr(r2, r, MPFR_RNDN);
            mpfr_div_ui(r2, r2, 3, MPFR_RNDN);
            mpfr_add(t, t, r2, MPFR_RNDN);
        }
        mpfr_neg(r, r, MPFR_RNDN);
        mpfr_exp(k, r, MPFR_RNDN);
        mpfr_mul(k, k, t, MPFR_RNDN);
    } else if (is(name, "rational_quadratic")) {
        mpfr_div(t, r2, n[1], MPFR_RNDN);
        mpfr_div_2ui(t, t, 1, MPFR_RNDN);
        mpfr_log1p(t, t, MPFR_RNDN);
        mpfr_mul(t, t, n[1], MPFR_RNDN);
        mpfr_neg(t, t, MPFR_RNDN);
        mpfr_exp(k, t, MPFR_RNDN);
    } else if (is(name, "periodic")) {
        mpfr_sqrt(t, s->square, MPFR_RNDN);
        mpfr_div(t, t, n[1], MPFR_RNDN);
        mpfr_const_pi(r, MPFR_RNDN);
        mpfr_mul(t, t, r, MPFR_RNDN);
        mpfr_sin(t, t, MPFR_RNDN);
        mpfr_sqr(t, t, MPFR_RNDN);
        mpfr_mul(t, t, gamma, MPFR_RNDN); // 2/l^2 is 4 gamma
        mpfr_mul_si(t, t, -4, MPFR_RNDN);
        mpfr_exp(k, t, MPFR_RNDN);
    } else if (is(name, "cauchy")) {
        mpfr_add_ui(t, r2, 1, MPFR_RNDN);
        mpfr_ui_div(k, 1, t, MPFR_RNDN);
    } else if (is(name, "multiquadric") || is(name, "inverse_multiquadric")) {
        mpfr_add_ui(t, r2, 1, MPFR_RNDN);
        mpfr_sqrt(k, t, MPFR_RNDN);
        if (is(name, "multiquadric"))
            mpfr_neg(k, k, MPFR_RNDN);
        else
            mpfr_ui_div(k, 1, k, MPFR_RNDN);
    } else if (is(name, "thin_plate")) {
        mpfr_set_zero(k, 1);
        if (mpfr_sgn(r) > 0) {
            mpfr_log(k, r, MPFR_RNDN);
            mpfr_mul(k, k, r2, MPFR_RNDN);
        }
    } else if (is(name, "wendland")) {
        mpfr_set_zero(k, 1);
        if (mpfr_cmp_ui(r, 1) < 0) {
            mpfr_ui_sub(t, 1, r, MPFR_RNDN);
            mpfr_pow_ui(t, t, 4, MPFR_RNDN);
            mpfr_mul_ui(r, r, 4, MPFR_RNDN);
            mpfr_add_ui(r, r, 1, MPFR_RNDN);
            mpfr_mul(k, t, r, MPFR_RNDN);
        }
    } else if (is(name, "sqeuclidean")) {
        mpfr_set(k, s->square, MPFR_RNDN);
    } else if (is(name, "euclidean")) {
        mpfr_sqrt(k, s->square, MPFR_RNDN);
    } else if (is(name, "cityblock")) {
        mpfr_set(k, s->l1, MPFR_RNDN);
    } else if (is(name, "linear")) {
        mpfr_set(k, s->dot, MPFR_RNDN);
    } else if (is(name, "polynomial")) {
        mpfr_fma(t, s->dot, gamma, n[2], MPFR_RNDN);
        mpfr_pow(k, t, n[1], MPFR_RNDN);
    } else if (is(name, "sigmoid")) {
        mpfr_fma(t, s->dot, gamma, n[1], MPFR_RNDN);
        mpfr_tanh(k, t, MPFR_RNDN);
    } else if (is(name, "cosine")) {
        mpfr_set_zero(k, 1);
        if (mpfr_sgn(s->xx) > 0 && mpfr_sgn(s->yy) > 0) {
            mpfr_mul(t, s->xx, s->yy, MPFR_RNDN);
            mpfr_sqrt(t, t, MPFR_RNDN);
            mpfr_div(k, s->dot, t, MPFR_RNDN);
        }
    } else if (is(name, "additive_chi2")) {
        mpfr_neg(k, s->chi2, MPFR_RNDN);
    } else {
        fprintf(stderr, "tests/oracle_gradient.c does not know the row %s\n", name);
        abort();
    }
    mpfr_clears(gamma, r2, r, t, (mpfr_ptr)NULL);
}

static void value(const oracle_objective *f, int64_t i, int64_t j, mpfr_ptr k)
{
    pair_sums s;
    mpfr_t stack[ISG_MAX_ROWS + 1];
    int top = -1;
    mpfr_inits2(ORACLE_GRADIENT_BITS, s.square, s.l1, s.dot, s.chi2, s.xx, s.yy, (mpfr_ptr)NULL);
    for (int at = 0; at <= ISG_MAX_ROWS; at++)
        mpfr_init2(stack[at], ORACLE_GRADIENT_BITS);
    add_up(f, i, j, &s);
    for (int at = 0; at < f->composite->count; at++) {
        const isg_step *step = &f->composite->steps[at];
        if (step->kind == ISG_STEP_ROW) {
            row_value(stack[++top], step->params.kernel->name, &s, f->numbers + 3 * at, f->by_length[at]);
        } else if (step->kind == ISG_STEP_MULTIPLE) {
            mpfr_mul(stack[top], stack[top], f->numbers[3 * at], MPFR_RNDN);
        } else {
            top--;
            (step->kind == ISG_STEP_SUM ? mpfr_add : mpfr_mul)(stack[top], stack[top], stack[top + 1], MPFR_RNDN);
        }
    }
    mpfr_set(k, stack[0], MPFR_RNDN);
    if (f->factors)
        mpfr_mul_d(k, k, f->factors[i], MPFR_RNDN);
    for (int at = 0; at <= ISG_MAX_ROWS; at++)
        mpfr_clear(stack[at]);
    mpfr_clears(s.square, s.l1, s.dot, s.chi2, s.xx, s.yy, (mpfr_ptr)NULL);
}

void oracle_derivative(const oracle_objective *f, mpfr_ptr variable, int64_t of_x, int64_t of_y, mpfr_ptr sum,
                       mpfr_ptr size)
{
    // The difference's own error is about its square of the function's third derivative, 2^-160; what is lost to
    // rounding 2^(80 - 320).
    mpfr_t h, saved, c, up, down;
    mpfr_inits2(ORACLE_GRADIENT_BITS, h, saved, c, up, down, (mpfr_ptr)NULL);
    mpfr_set(saved, variable, MPFR_RNDN);
    mpfr_set_ui_2exp(h, 1, mpfr_zero_p(saved) ? -80 : mpfr_get_exp(saved) - 80, MPFR_RNDN);
    mpfr_set_zero(sum, 1);
    mpfr_set_zero(size, 1);
    for (int64_t i = 0; i < f->n; i++)
        for (int64_t j = 0; j < f->m; j++) {
            const bool here = (of_x < 0 && of_y < 0) || i == of_x || j == (f->alone ? of_x : of_y);
            if (!here)
                continue;
            mpfr_add(variable, saved, h, MPFR_RNDN);
            value(f, i, j, up);
            mpfr_sub(variable, saved, h, MPFR_RNDN);
            value(f, i, j, down);
            mpfr_sub(up, up, down, MPFR_RNDN);
            mpfr_div(up, up, h, MPFR_RNDN);
            mpfr_div_2ui(up, up, 1, MPFR_RNDN);
            mpfr_set_zero(c, 1);
            for (int64_t p = 0; p < f->r; p++)
                mpfr_fma(c, f->v[i * f->r + p], f->w[j * f->r + p], c, MPFR_RNDN);
            mpfr_mul(up, up, c, MPFR_RNDN);
            mpfr_add(sum, sum, up, MPFR_RNDN);
            mpfr_abs(up, up, MPFR_RNDN);
            mpfr_add(size, size, up, MPFR_RNDN);
        }
    mpfr_set(variable, saved, MPFR_RNDN);
    mpfr_clears(h, saved, c, up, down, (mpfr_ptr)NULL);
}
