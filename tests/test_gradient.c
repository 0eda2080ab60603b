// Gradients: within bounds of MPFR's, for every row of the registry, by every argument; the reference's bits on the
// device, for any function, shape, stride, precision, arithmetic and size of buffers; and what is refused.
//
// An element g of a gradient is a sum of terms c_ij dK_ij; its error is |g - exact|/sum |c_ij dK_ij|, element by
// element, so that nothing large beside it hides it. 1e-5 and 1e-12 are promised.
#include "any_operator.h"
#include "device.h"
#include "flushing.h"
#include "gradient_work.h"
#include "gram.h"
#include "oracle.h"
#include "oracle_gradient.h"
#include "probe.h"
#include "reference.h"

#include <isogram/gradient.h>

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const isg_dtype precisions[] = {ISG_F32, ISG_F64};

static double promised(isg_dtype dtype)
{
    return dtype == ISG_F64 ? 1e-12 : 1e-5;
}

// --- against MPFR

// An operator, weights, and room for its gradient.
typedef struct problem {
    isg_dtype dtype;
    int64_t n, m, d, r;
    bool alone;
    void *x, *y, *v, *w, *of_x, *of_y;
    double *parameters, *factors, *lengthscales;
    isg_composite *function;
    isg_gram_params gram;
    isg_gradient_params wanted;
} problem;

static void fill(suite_random *random, isg_dtype dtype, void *to, int64_t count, double low, double high)
{
    for (int64_t i = 0; i < count; i++)
        oracle_put(dtype, to, i, random_between(random, low, high));
}

// Points in [low, high); lengths: one for each coordinate, near `unit`.
static problem problem_make(suite_random *random, isg_dtype dtype, const char *function, int64_t d, bool alone,
                            double low, double high, double lengths, bool factors)
{
    enum { N = 7, M = 11, R = 2 };
    problem p = {.dtype = dtype, .n = N, .m = alone ? N : M, .d = d, .r = R, .alone = alone};
    isg_error error = {ISG_OK, ""};
    isg_status st = isg_kernel_parse(&p.function, function, &error);
    ck_assert_msg(st == ISG_OK, "%s", error.message);
    p.x = oracle_array(dtype, p.n * d);
    p.y = oracle_array(dtype, p.m * d);
    p.of_x = oracle_array(dtype, p.n * d);
    p.of_y = oracle_array(dtype, p.m * d);
    p.v = oracle_array(dtype, p.n * p.r);
    p.w = oracle_array(dtype, p.m * p.r);
    p.parameters = calloc((size_t)(ISG_MOST_GRADIENT_NUMBERS + d), sizeof *p.parameters);
    p.factors = calloc((size_t)p.n, sizeof *p.factors);
    p.lengthscales = calloc((size_t)d, sizeof *p.lengthscales);
    fill(random, dtype, p.x, p.n * d, low, high);
    fill(random, dtype, p.y, p.m * d, low, high);
    fill(random, dtype, p.v, p.n * p.r, -1, 1);
    fill(random, dtype, p.w, p.m * p.r, -1, 1);
    for (int64_t i = 0; i < p.n; i++)
        p.factors[i] = (float)random_between(random, -2, 2);
    for (int64_t k = 0; k < d; k++)
        p.lengthscales[k] = lengths * random_between(random, 0.7, 1.5);
    p.gram = (isg_gram_params){.x = isg_matrix(dtype, p.x, p.n, d),
                               .composite = p.function,
                               .factors = factors ? p.factors : NULL,
                               .lengthscales = lengths > 0 ? p.lengthscales : NULL,
                               .precision = dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32};
    if (!alone)
        p.gram.y = isg_matrix(dtype, p.y, p.m, d);
    p.wanted = (isg_gradient_params){.v = isg_matrix(dtype, p.v, p.n, p.r),
                                     .w = isg_matrix(dtype, p.w, p.m, p.r),
                                     .x = isg_matrix(dtype, p.of_x, p.n, d),
                                     .parameters = p.parameters};
    if (!alone)
        p.wanted.y = isg_matrix(dtype, p.of_y, p.m, d);
    return p;
}

static void problem_free(problem *p)
{
    void *const all[] = {p->x, p->y, p->v, p->w, p->of_x, p->of_y, p->parameters, p->factors, p->lengthscales};
    for (size_t i = 0; i < COUNT(all); i++)
        free(all[i]);
    isg_composite_destroy(&p->function);
}

static struct worst {
    double points, numbers;
} worst;

static void check_one(const oracle_objective *f, mpfr_ptr variable, int64_t of_x, int64_t of_y, double got, double more,
                      double *error, isg_dtype dtype, const char *what)
{
    mpfr_t sum, size, off;
    mpfr_inits2(ORACLE_GRADIENT_BITS, sum, size, off, (mpfr_ptr)NULL);
    oracle_derivative(f, variable, of_x, of_y, sum, size);
    mpfr_sub_d(off, sum, got, MPFR_RNDN);
    mpfr_abs(off, off, MPFR_RNDN);
    // A difference of terms that are 0 has no digits that are: 2^-150 is nothing.
    const double scale = mpfr_get_d(size, MPFR_RNDN) + more;
    double e = scale > 0x1p-150 ? mpfr_get_d(off, MPFR_RNDN) / scale : got == 0 ? 0 : INFINITY;
    ck_assert_msg(e <= promised(dtype), "%s: %g is off by %g, right is %g of %g", what, got, e,
                  mpfr_get_d(sum, MPFR_RNDN), scale);
    *error = e > *error ? e : *error;
    mpfr_clears(sum, size, off, (mpfr_ptr)NULL);
}

// sum |c|/|x| over the terms that point i is in.
static double parts_of_cosine(const problem *p, bool of_y, int64_t i)
{
    double all = 0, norm = 0;
    if (strncmp(p->function->steps[0].params.kernel->name, "cosine", 6) != 0)
        return 0;
    for (int64_t j = 0; j < (of_y ? p->n : p->m); j++)
        for (int side = 0; side < 1 + p->alone; side++) {
            const int64_t row = of_y != (side == 1) ? j : i, column = of_y != (side == 1) ? i : j;
            double c = 0;
            for (int64_t q = 0; q < p->r; q++)
                c += isg_load_double(p->dtype, p->v, row * p->r + q) *
                     isg_load_double(p->dtype, p->w, column * p->r + q);
            all += fabs(c * (p->gram.factors ? p->factors[row] : 1));
        }
    for (int64_t k = 0; k < p->d; k++)
        norm = hypot(norm, isg_load_double(p->dtype, of_y ? p->y : p->x, i * p->d + k));
    return all / norm;
}

// Which number of the objective parameter `at` is.
static mpfr_ptr variable_of(const oracle_objective *f, const isg_gradient_plan *plan, int64_t at)
{
    if (at >= plan->count)
        return f->lengths[at - plan->count];
    const isg_gradient_number *n = &plan->numbers[at];
    return f->numbers[3 * n->step + (n->kind == ISG_NUMBER_PARAM ? 1 + n->param : 0)];
}

static void check_problem(problem *p, bool fused, const char *text)
{
    isg_operator op;
    isg_error error = {ISG_OK, ""};
    isg_gradient_plan plan;
    char what[300];
    ck_assert_msg(isg_operator_make(&op, &p->gram, p->dtype, &error) == ISG_OK, "%s: %s", text, error.message);
    ck_assert_msg(isg_reference_gradient(&op, fused, &p->wanted, &error) == ISG_OK, "%s: %s", text, error.message);
    oracle_objective f = oracle_objective_make(&p->gram, p->dtype, p->v, p->w, p->r);
    for (int64_t i = 0; i < p->n * p->d; i++) {
        snprintf(what, sizeof what, "%s, %s %s, by x[%d, %d]%s", text, isg_dtype_name(p->dtype),
                 fused ? "fused" : "unfused", (int)(i / p->d), (int)(i % p->d), p->alone ? " of one set" : "");
        check_one(&f, f.x[i], i / p->d, -1, isg_load_double(p->dtype, p->of_x, i), parts_of_cosine(p, false, i / p->d),
                  &worst.points, p->dtype, what);
    }
    for (int64_t i = 0; i < p->m * p->d && !p->alone; i++) {
        snprintf(what, sizeof what, "%s, %s %s, by y[%d, %d]", text, isg_dtype_name(p->dtype),
                 fused ? "fused" : "unfused", (int)(i / p->d), (int)(i % p->d));
        check_one(&f, f.y[i], -1, i / p->d, isg_load_double(p->dtype, p->of_y, i), parts_of_cosine(p, true, i / p->d),
                  &worst.points, p->dtype, what);
    }
    // Norms do not matter for which numbers there are.
    double none[2 * 16] = {0};
    void *const norms[2] = {none, none};
    ck_assert(isg_gradient_plan_make(&plan, &op, norms, &error) == ISG_OK);
    for (int64_t at = 0; at < plan.count + (p->gram.lengthscales ? p->d : 0); at++) {
        snprintf(what, sizeof what, "%s, %s %s, by parameter %d", text, isg_dtype_name(p->dtype),
                 fused ? "fused" : "unfused", (int)at);
        check_one(&f, variable_of(&f, &plan, at), -1, -1, p->parameters[at], 0, &worst.numbers, p->dtype, what);
    }
    oracle_objective_free(&f);
    isg_operator_free(&op);
}

// A row with a scale that fits points of size 1 in d coordinates, given in each way that it takes, and parameters.
static void row_text(const isg_kernel *row, int way, int64_t d, char *text, size_t bytes)
{
    isg_text w = {text, bytes, 0};
    const char *before = "(";
    isg_put(&w, "%s", row->name);
    if (row->scale != ISG_SCALE_NONE) {
        const bool length = way % 2 != 0 && row->scale != ISG_SCALE_RATE;
        isg_put(&w, "(%s=%g", length ? (d % 2 ? "sigma" : "lengthscale") : "gamma", length ? 1.25 : 0.6875);
        before = ", ";
    }
    for (int i = 0; i < ISG_MAX_PARAMS && row->params[i].name; i++) {
        const isg_kernel_param *p = &row->params[i];
        double v = p->whole       ? (double)(1 + way % 4)
                   : p->least > 0 ? p->fallback * (way % 3 ? 1.7 : 1)
                                  : 0.375 * (way - 1);
        isg_put(&w, "%s%s=%g", before, p->name, v);
        before = ", ";
    }
    if (before[0] == ',')
        isg_put(&w, ")");
}

START_TEST(every_row_is_close_to_mpfr)
{
    static const int64_t dims[] = {1, 3, 8};
    suite_random random = suite_stream(1);
    for (const isg_kernel *const *row = isg_kernel_list(); *row; row++) {
        if (!isg_kernel_has_gradient(*row))
            continue;
        const bool positive = (*row)->pair == ISG_PAIR_CHI2, distance = (*row)->pair < ISG_PAIR_DOT;
        for (int precision = 0; precision < 2; precision++) {
            worst = (struct worst){0, 0};
            for (int way = 0; way < 6; way++) {
                const int64_t d = dims[way % 3];
                // The last ones: far from the origin, with lengthscales for each coordinate and row factors.
                const double far = way == 4 && distance ? 1000 : 0;
                const bool lengths = way == 5 && distance && (*row)->scale != ISG_SCALE_NONE;
                char text[200];
                row_text(*row, way, d, text, sizeof text);
                if (lengths && (*row)->params[0].name)
                    snprintf(text, sizeof text, "%s(%s=1.5)", (*row)->name, (*row)->params[0].name);
                else if (lengths)
                    snprintf(text, sizeof text, "%s", (*row)->name);
                problem p = problem_make(&random, precisions[precision], text, d, way % 2 != 0,
                                         positive ? 0.1 : far - 1, far + 1, lengths ? 1 : 0, way == 3);
                check_problem(&p, way % 2 == 0, text);
                check_problem(&p, way % 2 != 0, text);
                problem_free(&p);
            }
            printf("%-22s %s  points %.2e  parameters %.2e\n", (*row)->name, isg_dtype_name(precisions[precision]),
                   worst.points, worst.numbers);
        }
    }
}
END_TEST

START_TEST(composites_are_close_to_mpfr)
{
    static const char *const functions[] = {
        "2*rbf(sigma=0.8)",
        "rbf(sigma=0.8) + 0.25*linear",
        "rbf(gamma=0.5)*polynomial(degree=2, coef0=0.5, gamma=0.3)",
        "0.5*(matern32(lengthscale=2) + 3*rational_quadratic(alpha=0.7))*(cosine + 1.5*euclidean)",
        "periodic(period=1.3, lengthscale=0.9)*(linear + 0.125*cosine)*laplacian(gamma=0.4)",
        "3*(2*(wendland(lengthscale=5)*wendland(lengthscale=4))) + sigmoid(gamma=0.2, coef0=-0.3)*sqeuclidean",
    };
    suite_random random = suite_stream(2);
    for (size_t i = 0; i < COUNT(functions); i++)
        for (int way = 0; way < 4; way++) {
            problem p = problem_make(&random, precisions[way % 2], functions[i], 2 + (int64_t)i % 3, way / 2 != 0, -1,
                                     1, 0, i == 1);
            check_problem(&p, true, functions[i]);
            check_problem(&p, false, functions[i]);
            problem_free(&p);
        }
    // With lengthscales for each coordinate, squared distances and absolute ones side by side.
    for (int way = 0; way < 4; way++) {
        const char *function = "rbf + 0.5*laplacian*matern52(lengthscale=2)";
        problem p = problem_make(&random, precisions[way % 2], function, 3, way / 2 != 0, -1, 1, 1, false);
        check_problem(&p, way % 2 == 0, function);
        problem_free(&p);
    }
}
END_TEST

// --- on the device

static bool same_number(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void same_array(const isg_array *got, const isg_array *want, const char *what)
{
    for (int64_t i = 0; i < got->shape[0]; i++)
        for (int64_t k = 0; k < got->shape[1]; k++) {
            double a = isg_load_double(got->dtype, got->data, i * got->strides[0] + k * got->strides[1]),
                   b = isg_load_double(want->dtype, want->data, i * want->strides[0] + k * want->strides[1]);
            ck_assert_msg(same_number(a, b), "%s (%d, %d): the device gives %a, right is %a", what, (int)i, (int)k, a,
                          b);
        }
}

static double any_weight(suite_random *random, int kind, bool wide)
{
    int reach = wide ? 1000 : 120;
    double x = random_between(random, -1, 1);
    switch (kind) {
    case 0: return x;
    case 1: return ldexp(x, (int)random_below(random, 2 * reach) - reach);
    case 2: return random_below(random, 2) ? ldexp(x, -(int)random_below(random, wide ? 900 : 100)) : 0;
    default: return random_below(random, 50) ? x : random_below(random, 2) ? INFINITY : NAN;
    }
}

static void *any_weights(suite_random *random, isg_dtype dtype, int64_t count)
{
    void *all = oracle_array(dtype, count);
    const int kind = random_below(random, 2) ? 0 : (int)random_below(random, 4);
    for (int64_t i = 0; i < count; i++)
        isg_store_double(dtype, all, i, any_weight(random, kind, dtype == ISG_F64));
    return all;
}

// All that is wanted of a gradient, on the device and from the reference, which must agree. Gives false where the
// device lacks the arithmetic, or the operator is refused.
static bool compare(isg_context *context, const isg_gram_params *params, isg_dtype dtype, int64_t r, bool mixed,
                    suite_random *random, const char *what)
{
    isg_gram *gram;
    isg_status st = isg_gram_create(context, &gram, params);
    if (st == ISG_ERR_RANGE || st == ISG_ERR_ARGUMENT || st == ISG_ERR_UNSUPPORTED)
        return false;
    ck_assert_msg(st == ISG_OK, "%s: %s", what, isg_context_error(context)->message);
    int64_t n, m, d;
    isg_gram_shape(gram, &n, &m, &d);
    const bool alone = params->y.dtype == ISG_DTYPE_NONE;
    const int64_t parameters = isg_gram_parameter_count(gram);
    const isg_dtype out = mixed ? ISG_F64 : dtype;
    void *v = any_weights(random, dtype, n * r), *w = any_weights(random, dtype, m * r);
    void *x[2], *y[2];
    double *p[2];
    isg_gradient_params wanted[2];
    for (int i = 0; i < 2; i++) {
        x[i] = device_guard(out, n * (d + 1));
        y[i] = device_guard(out, m * d);
        p[i] = device_guard(ISG_F64, parameters + 1);
        wanted[i] = (isg_gradient_params){.v = isg_matrix(dtype, v, n, r),
                                          .w = isg_matrix(dtype, w, m, r),
                                          .x = isg_matrix(out, x[i], n, d),
                                          .parameters = p[i],
                                          .accumulate = mixed ? ISG_PRECISION_F64 : ISG_PRECISION_DEFAULT};
        wanted[i].x.strides[0] = d + 1;
        if (!alone)
            wanted[i].y = isg_matrix(out, y[i], m, d);
    }

    device_ok(context, isg_gram_gradient(gram, &wanted[0]));
    ck_assert(isg_reference_gradient(&gram->op, isg_probe_fused(context, dtype), &wanted[1], NULL) == ISG_OK);
    char text[700];
    snprintf(text, sizeof text, "%s%s, by x", what, mixed ? ", sums in double" : "");
    same_array(&wanted[0].x, &wanted[1].x, text);
    snprintf(text, sizeof text, "%s%s, by y", what, mixed ? ", sums in double" : "");
    if (!alone)
        same_array(&wanted[0].y, &wanted[1].y, text);
    for (int64_t i = 0; i < parameters; i++)
        ck_assert_msg(same_number(p[0][i], p[1][i]), "%s, by parameter %d of %d: the device gives %a, right is %a",
                      what, (int)i, (int)parameters, p[0][i], p[1][i]);
    for (int i = 0; i < 2; i++) {
        device_guard_free(x[i], out, n * (d + 1));
        device_guard_free(y[i], out, m * d);
        device_guard_free(p[i], ISG_F64, parameters + 1);
    }
    free(v);
    free(w);
    isg_gram_destroy(&gram);
    return true;
}

// The reference's sums where the processor flushes subnormal numbers, and where it does not.
static isg_status both_ways(void *user, const isg_gradient_pass *pass)
{
#if CAN_FLUSH
    static const unsigned modes[] = {FLUSH_BOTH, FLUSH_RESULTS, FLUSH_ARGUMENTS};
    const isg_reference *reference = user;
    const int64_t count = (pass->transposed ? pass->op->y.count : pass->op->x.count) *
                          isg_gradient_sums(pass->plan, pass->mode, pass->op->x.dims);
    double *plain = malloc((size_t)count * sizeof *plain);
    char text[400];
    isg_composite_text(&pass->op->composite, text, sizeof text);
    ck_assert(reference->gradient(pass));
    memcpy(plain, pass->out, (size_t)count * sizeof *plain);
    for (size_t i = 0; i < COUNT(modes); i++) {
        FLUSHING_AS(modes[i], reference->gradient(pass));
        for (int64_t s = 0; s < count; s++)
            ck_assert_msg(same_number(plain[s], pass->out[s]), "%s, mode %d%s, sum %d: %a, and %a where %x is flushed",
                          text, (int)pass->mode, pass->transposed ? " by y" : "", (int)s, plain[s], pass->out[s],
                          modes[i]);
    }
    free(plain);
#else
    (void)user, (void)pass;
#endif
    return ISG_OK;
}

START_TEST(nothing_depends_on_subnormal_numbers)
{
    suite_random random = suite_stream(5);
    int done = 0;
    for (int trial = 0; trial < 20000 && CAN_FLUSH; trial++) {
        const isg_dtype dtype = precisions[trial % 2];
        any_operator any = any_operator_make(&random, dtype, 6, trial % 5 == 0);
        isg_gram_params params = any_operator_params(&any);
        const isg_reference *reference = isg_reference_get(dtype, trial % 4 < 2);
        isg_operator op;
        if (isg_operator_make(&op, &params, dtype, NULL) == ISG_OK) {
            const int64_t r = 1 + random_below(&random, 3), n = op.x.count, m = op.y.count, d = op.x.dims;
            void *v = any_weights(&random, dtype, n * r), *w = any_weights(&random, dtype, m * r);
            double *p = calloc((size_t)(ISG_MOST_GRADIENT_NUMBERS + d), sizeof *p);
            void *x = oracle_array(dtype, n * d), *y = oracle_array(dtype, m * d), *norms[2] = {NULL, NULL};
            const isg_points *sets[] = {&op.x, &op.y};
            isg_gradient_params wanted = {.v = isg_matrix(dtype, v, n, r),
                                          .w = isg_matrix(dtype, w, m, r),
                                          .x = isg_matrix(dtype, x, n, d),
                                          .parameters = p};
            if (!op.alone)
                wanted.y = isg_matrix(dtype, y, m, d);
            for (int i = 0; i < 2 && op.plan.norms; i++) {
                norms[i] = oracle_array(dtype, 2 * sets[i]->count);
                reference->norms(&op.plan, sets[i], norms[i],
                                 (char *)norms[i] + (size_t)sets[i]->count * isg_dtype_bytes(dtype));
            }
            ck_assert(isg_gradient_run(&op, norms, &wanted, both_ways, (void *)(uintptr_t)reference, NULL) == ISG_OK);
            void *const all[] = {v, w, p, x, y, norms[0], norms[1]};
            for (size_t i = 0; i < COUNT(all); i++)
                free(all[i]);
            isg_operator_free(&op);
            done++;
        }
        any_operator_free(&any);
    }
    printf("%d operators, with flushing\n", done);
}
END_TEST

static void random_operators(int trials, uint64_t stream, int64_t most, bool moderate)
{
    suite_random random = suite_stream(stream);
    int done = 0;
    for (int wide = 0; wide < 2; wide++)
        for (int fused = 0; fused < 2; fused++) {
            isg_context *context = device_open(fused ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED, 0);
            for (int trial = 0; context && trial < trials; trial++) {
                isg_dtype dtype = precisions[wide];
                if (wide && isg_context_require(context, dtype))
                    continue;
                any_operator any = any_operator_make(&random, dtype, most, moderate);
                isg_gram_params params = any_operator_params(&any);
                char what[600];
                any_operator_describe(&any, what, sizeof what);
                bool mixed = !wide && random_below(&random, 3) == 0 && isg_context_require(context, ISG_F64) == ISG_OK;
                done += compare(context, &params, dtype, 1 + random_below(&random, 3), mixed, &random, what);
                any_operator_free(&any);
            }
            isg_context_destroy(&context);
        }
    printf("%d operators\n", done);
    ck_assert_int_gt(done, trials);
}

START_TEST(device_has_the_references_bits)
{
    random_operators(2, 3, 40, true);
}
END_TEST

START_TEST(device_has_the_references_bits_at_the_ends_of_the_range)
{
    random_operators(2, 4, 40, false);
}
END_TEST

// Several sets of targets and of sources, several blocks, and the last ones not whole.
START_TEST(buffers_and_blocks_change_no_bit)
{
    enum { N = 1300, M = 2300, D = 3 };
    suite_random random = suite_stream(6);
    for (int i = 0; i < 3; i++) {
        isg_context *context = device_open(ISG_ARITHMETIC_AUTO, i == 0 ? 0 : 36000);
        const isg_dtype dtype = i == 2 ? ISG_F64 : ISG_F32;
        if (!context)
            continue;
        if (isg_context_require(context, dtype) == ISG_OK) {
            void *x = device_points(&random, dtype, N * D, -1, 1), *y = device_points(&random, dtype, M * D, -1, 1);
            isg_gram_params params = {.x = isg_matrix(dtype, x, N, D), .sigma = 0.75};
            if (i != 1)
                params.y = isg_matrix(dtype, y, M, D);
            ck_assert(compare(context, &params, dtype, 1, false, &random, i == 0 ? "one set" : "several sets"));
            free(x);
            free(y);
        }
        isg_context_destroy(&context);
    }
}
END_TEST

static isg_gram *gram_of(isg_context *context, const isg_gram_params *params)
{
    isg_gram *gram;
    isg_status st = isg_gram_create(context, &gram, params);
    ck_assert_msg(st == ISG_OK, "%s", isg_context_error(context)->message);
    return gram;
}

// Y's gradient is X's where the sets and the weights change places; and nothing depends on what else is wanted.
START_TEST(sides_and_wishes_change_no_bit)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(7);
    problem p = problem_make(&random, ISG_F32, "rbf(sigma=1.5)", 3, false, -1, 1, 0, false),
            q = problem_make(&random, ISG_F32, "rbf(sigma=1.5)", 3, false, -1, 1, 0, false);
    isg_gram *forth = gram_of(context, &p.gram);
    p.wanted.accumulate = ISG_PRECISION_DEFAULT;
    device_ok(context, isg_gram_gradient(forth, &p.wanted));
    isg_gram_params swapped = p.gram;
    swapped.x = p.gram.y;
    swapped.y = p.gram.x;
    isg_gram *back = gram_of(context, &swapped);
    isg_gradient_params wanted = {.v = p.wanted.w, .w = p.wanted.v, .x = isg_matrix(ISG_F32, q.of_y, p.m, p.d)};
    device_ok(context, isg_gram_gradient(back, &wanted));
    same_array(&wanted.x, &p.wanted.y, "by y, and by x with sides changed");
    isg_gradient_params alone = {.v = p.wanted.v, .w = p.wanted.w, .x = isg_matrix(ISG_F32, q.of_x, p.n, p.d)};
    device_ok(context, isg_gram_gradient(forth, &alone));
    same_array(&alone.x, &p.wanted.x, "by x, alone and with all");
    alone = (isg_gradient_params){.v = p.wanted.v, .w = p.wanted.w, .parameters = q.parameters};
    device_ok(context, isg_gram_gradient(forth, &alone));
    ck_assert(q.parameters[0] == p.parameters[0] && p.parameters[0] != 0);
    isg_gram_destroy(&back);
    isg_gram_destroy(&forth);
    problem_free(&q);
    problem_free(&p);
    isg_context_destroy(&context);
}
END_TEST

// Equal points are where some functions have a kink: they add nothing, and what is left is the same as without them.
START_TEST(kinks_add_nothing)
{
    static const char *const functions[] = {
        "matern12", "laplacian(gamma=1)", "euclidean", "cityblock", "rbf",          "periodic(period=3)",
        "wendland", "thin_plate",         "matern32",  "chi2",      "additive_chi2"};
    static const isg_dtype dtype = ISG_F32;
    enum { D = 2, N = 5 };
    float x[N * D], v[N], w[N], of_x[N * D];
    isg_error error;
    for (int i = 0; i < N; i++) {
        x[i * D] = 0.75f;
        x[i * D + 1] = i == N - 1 ? 0 : 0.5f;
        v[i] = 1.0f + (float)i;
        w[i] = 2.0f - (float)i;
    }
    for (size_t i = 0; i < COUNT(functions); i++) {
        isg_composite *function;
        isg_operator op;
        ck_assert(isg_kernel_parse(&function, functions[i], &error) == ISG_OK);
        for (int points = N - 1; points <= N; points++) {
            isg_gram_params params = {.x = isg_matrix(dtype, x, points, D), .composite = function};
            isg_gradient_params wanted = {.v = isg_matrix(dtype, v, points, 1),
                                          .w = isg_matrix(dtype, w, points, 1),
                                          .x = isg_matrix(dtype, of_x, points, D)};
            ck_assert(isg_operator_make(&op, &params, dtype, &error) == ISG_OK);
            ck_assert(isg_reference_gradient(&op, true, &wanted, &error) == ISG_OK);
            for (int k = 0; k < points * D; k++) // only the last point lies elsewhere, in the last coordinate
                ck_assert_msg(points == N && k % D == 1 && strcmp(functions[i], "wendland") != 0
                                  ? isfinite(of_x[k])
                                  : of_x[k] == 0 || points == N,
                              "%s: element %d of %d points is %g", functions[i], k, points, of_x[k]);
            for (int k = 0; k < points * D; k += D)
                ck_assert_msg(of_x[k] == 0, "%s: coordinate 0, %g", functions[i], of_x[k]);
            isg_operator_free(&op);
        }
        isg_composite_destroy(&function);
    }
}
END_TEST

// A weight that is no number spoils what it reaches, and nothing else.
START_TEST(numbers_that_are_none_go_as_far_as_their_terms)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(8);
    problem p = problem_make(&random, ISG_F32, "matern52(lengthscale=2)", 3, false, -1, 1, 0, false);
    isg_gram *gram = gram_of(context, &p.gram);
    isg_store_double(ISG_F32, p.v, 3 * p.r, NAN);
    device_ok(context, isg_gram_gradient(gram, &p.wanted));
    for (int64_t i = 0; i < p.n * p.d; i++)
        ck_assert(isnan(isg_load_double(ISG_F32, p.of_x, i)) == (i / p.d == 3));
    for (int64_t i = 0; i < p.m * p.d; i++)
        ck_assert(isnan(isg_load_double(ISG_F32, p.of_y, i)));
    ck_assert(isnan(p.parameters[0]));
    isg_store_double(ISG_F32, p.v, 3 * p.r, 0.5);
    isg_store_double(ISG_F32, p.w, 4 * p.r, INFINITY);
    device_ok(context, isg_gram_gradient(gram, &p.wanted));
    for (int64_t i = 0; i < p.m * p.d; i++)
        ck_assert(isfinite(isg_load_double(ISG_F32, p.of_y, i)) == (i / p.d != 4));
    isg_gram_destroy(&gram);
    problem_free(&p);
    isg_context_destroy(&context);
}
END_TEST

static int cancel(void *user, double done, double total)
{
    (void)done, (void)total;
    return ++*(int *)user > 0;
}

START_TEST(what_is_wrong_is_refused)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(9);
    int calls = 0;
    problem p = problem_make(&random, ISG_F32, "2*rational_quadratic(alpha=2, sigma=3) + polynomial", 3, false, -1, 1,
                             0, false);
    isg_gram *gram = gram_of(context, &p.gram);
    const isg_gradient_params good = p.wanted;
    isg_gradient_params bad;
#define REFUSED(status, words)                                                                                         \
    do {                                                                                                               \
        ck_assert_int_eq(isg_gram_gradient(gram, &bad), status);                                                       \
        ck_assert_msg(strstr(isg_context_error(context)->message, words), "%s", isg_context_error(context)->message);  \
    } while (0)
    bad = (isg_gradient_params){.v = good.v, .w = good.w};
    REFUSED(ISG_ERR_ARGUMENT, "nothing");
    bad = good, bad.v.shape[0]--;
    REFUSED(ISG_ERR_SHAPE, "V is 6 x 2, and must have 7 rows");
    bad = good, bad.w.shape[1] = 1;
    REFUSED(ISG_ERR_SHAPE, "W is 11 x 1, and must have 11 rows and 2 columns");
    bad = good, bad.x.shape[1] = 2;
    REFUSED(ISG_ERR_SHAPE, "X's gradient");
    bad = good, bad.x.dtype = ISG_F64;
    REFUSED(ISG_ERR_DTYPE, "X's gradient is float64");
    bad = good, bad.w.dtype = ISG_F16;
    REFUSED(ISG_ERR_DTYPE, "W");
    bad = good, bad.x.data = p.v;
    REFUSED(ISG_ERR_ARGUMENT, "overlaps");
    bad = good, bad.y.data = (char *)p.of_x + 4;
    REFUSED(ISG_ERR_ARGUMENT, "overlaps");
    bad = good, bad.y.strides[0] = 1;
    REFUSED(ISG_ERR_SHAPE, "overlap");
    bad = good, bad.accumulate = (isg_precision)7;
    REFUSED(ISG_ERR_ARGUMENT, "precision");

    // The parameters, as they were given.
    static const char *const names[] = {"sigma", "alpha", "factor", "gamma", "coef0"};
    isg_gradient_parameter one;
    ck_assert_int_eq(isg_gram_parameter_count(gram), COUNT(names));
    for (int64_t i = 0; i < (int64_t)COUNT(names); i++) {
        ck_assert(isg_gram_parameter(gram, i, &one) == ISG_OK);
        ck_assert_str_eq(one.name, names[i]);
        ck_assert_int_eq(one.row, i == 2 ? -1 : i / 3);
    }
    ck_assert_int_eq(isg_gram_parameter(gram, COUNT(names), &one), ISG_ERR_ARGUMENT);
    isg_gram_destroy(&gram);

    isg_gram_params params = p.gram;
    params.y.dtype = ISG_DTYPE_NONE;
    gram = gram_of(context, &params);
    bad = good, bad.w = good.v;
    REFUSED(ISG_ERR_ARGUMENT, "one set of points");
    isg_gram_destroy(&gram);

    params = p.gram;
    params.progress = cancel;
    params.progress_user = &calls;
    gram = gram_of(context, &params);
    bad = good;
    ck_assert_int_eq(isg_gram_gradient(gram, &bad), ISG_ERR_CANCELLED);
    ck_assert_int_eq(calls, 1);
    isg_gram_destroy(&gram);

    // No columns at all: a sum of nothing.
    gram = gram_of(context, &p.gram);
    bad = good, bad.v.shape[1] = bad.w.shape[1] = 0;
    device_ok(context, isg_gram_gradient(gram, &bad));
    for (int64_t i = 0; i < p.n * p.d; i++)
        ck_assert(isg_load_double(ISG_F32, p.of_x, i) == 0);
    isg_gram_destroy(&gram);
    problem_free(&p);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_row_is_close_to_mpfr,
                                  composites_are_close_to_mpfr,
                                  nothing_depends_on_subnormal_numbers,
                                  device_has_the_references_bits,
                                  device_has_the_references_bits_at_the_ends_of_the_range,
                                  buffers_and_blocks_change_no_bit,
                                  sides_and_wishes_change_no_bit,
                                  kinks_add_nothing,
                                  numbers_that_are_none_go_as_far_as_their_terms,
                                  what_is_wrong_is_refused};
    return suite_run(suite_of("gradient", tests, COUNT(tests)));
}
