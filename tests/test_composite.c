// What is put together from rows: texts and what is wrong with them; and values, on the host's reference, against MPFR.
//   A sum or product of kernels is their rounded values' sum or product, rounded once; a multiple and a row's factor
//   likewise; below the smallest normal number they are +0.
//   A composite of one row, equal lengthscales that are a power of two, and an include mask give the bits of the plain
//   row, the plain lengthscale and the rows that are included.
//   With lengthscales |K - k| <= (d + 8) eps s |dk/ds| + 2 ulp.
#include "any_operator.h"
#include "composite.h"
#include "kernels.h"
#include "oracle.h"
#include "oracle_rows.h"
#include "reference.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 2000 };
static const isg_dtype precisions[] = {ISG_F32, ISG_F64};

// ---- Texts ----

static isg_composite *parsed(const char *text)
{
    isg_composite *made;
    isg_error error = {0};
    ck_assert_msg(isg_kernel_parse(&made, text, &error) == ISG_OK, "'%s': %s", text, error.message);
    return made;
}

static void text_is(const isg_composite *composite, const char *want)
{
    char text[TEXT];
    size_t length = isg_composite_text(composite, text, sizeof text);
    ck_assert_str_eq(text, want);
    ck_assert_uint_eq(length, strlen(want));
}

START_TEST(texts)
{
    static const char *const cases[][2] = {
        {"rbf", "rbf"},
        {"gaussian", "rbf"},
        {" rbf ( ) ", "rbf"},
        {"rbf(sigma=0.5)", "rbf(sigma=0.5)"},
        {"rbf( gamma = 1e-3 )", "rbf(gamma=0.001)"},
        {"poly(coef0=-0.5,degree=2,gamma=3)", "polynomial(gamma=3, coef0=-0.5, degree=2)"},
        {"rbf+linear+cosine", "rbf + linear + cosine"},
        {"rbf+(linear+cosine)", "rbf + (linear + cosine)"},
        {"rbf+linear*cosine", "rbf + linear*cosine"},
        {"rbf*linear+cosine", "rbf*linear + cosine"},
        {"(rbf+linear)*cosine", "(rbf + linear)*cosine"},
        {"rbf*(linear+cosine)", "rbf*(linear + cosine)"},
        {"rbf*linear*cosine", "rbf*linear*cosine"},
        {"rbf*(linear*cosine)", "rbf*(linear*cosine)"},
        {"((rbf))", "rbf"},
        {"2*rbf", "2*rbf"},
        {"rbf*2", "2*rbf"},
        {"2*rbf*3*linear", "6*rbf*linear"},
        {"2*(rbf+linear)", "2*(rbf + linear)"},
        {"2*(3*rbf)", "2*(3*rbf)"},
        {"(2*rbf)*linear", "(2*rbf)*linear"},
        {"rbf*(2*linear)", "rbf*(2*linear)"},
        {"1 + rbf", NULL},
        {".5*rbf + 1e2*linear", "0.5*rbf + 100*linear"},
        {"2 * rbf(sigma=0.5) + linear * periodic(period=3, lengthscale=2)",
         "2*rbf(sigma=0.5) + linear*periodic(lengthscale=2, period=3)"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (!cases[i][1])
            continue;
        isg_composite *once = parsed(cases[i][0]), *twice = parsed(cases[i][1]);
        text_is(once, cases[i][1]);
        text_is(twice, cases[i][1]);
        isg_composite_destroy(&once);
        isg_composite_destroy(&twice);
        ck_assert_ptr_null(once);
        isg_composite_destroy(&once);
    }
    isg_composite_destroy(NULL);
}
END_TEST

static bool same_steps(const isg_composite *a, const isg_composite *b)
{
    bool same = a->count == b->count && a->rows == b->rows;
    for (int i = 0; i < a->count && same; i++) {
        const isg_step *p = &a->steps[i], *q = &b->steps[i];
        same = p->kind == q->kind && (p->kind != ISG_STEP_MULTIPLE || p->factor == q->factor);
        if (!same || p->kind != ISG_STEP_ROW)
            continue;
        same = p->params.kernel == q->params.kernel && p->params.gamma == q->params.gamma &&
               p->params.sigma == q->params.sigma && p->params.lengthscale == q->params.lengthscale &&
               p->params.setting_count == q->params.setting_count;
        for (int s = 0; s < p->params.setting_count && same; s++)
            same = p->settings[s].name == q->settings[s].name && p->settings[s].value == q->settings[s].value;
    }
    return same;
}

// Whatever it was made by, a text makes the same steps again, so that values have the same bits.
START_TEST(texts_of_random_composites)
{
    suite_random random = suite_stream(1);
    for (int round = 0; round < 3000; round++) {
        any_operator any = any_operator_make(&random, ISG_F64, 2, round % 2);
        char text[TEXT], cut[20];
        size_t length = isg_composite_text(any.composite, text, sizeof text);
        ck_assert_uint_lt(length, sizeof text);
        isg_composite *again = parsed(text);
        ck_assert_msg(same_steps(any.composite, again), "%s", text);
        // Cut off, with the length that it would have.
        memset(cut, 'x', sizeof cut);
        ck_assert_uint_eq(isg_composite_text(any.composite, cut, 10), length);
        ck_assert_int_eq(strncmp(cut, text, 9), 0);
        ck_assert(cut[10] == 'x' && memchr(cut, 0, 10) != NULL);
        ck_assert_uint_eq(isg_composite_text(any.composite, NULL, 0), length);
        isg_composite_destroy(&again);
        any_operator_free(&any);
    }
}
END_TEST

static void refused(const char *text, const char *says)
{
    isg_composite *made = (isg_composite *)&text;
    isg_error error = {0};
    ck_assert_msg(isg_kernel_parse(&made, text, &error) == ISG_ERR_ARGUMENT, "'%s' was taken", text);
    ck_assert_ptr_null(made);
    ck_assert_int_eq(error.status, ISG_ERR_ARGUMENT);
    ck_assert_msg(strstr(error.message, says) != NULL, "'%s' says: %s", text, error.message);
    ck_assert_int_eq(isg_kernel_parse(&made, text, NULL), ISG_ERR_ARGUMENT);
}

START_TEST(wrong_texts)
{
    static const char *const cases[][2] = {
        {NULL, "no covariance function"},
        {"", "'' ends where a kernel should come"},
        {"  ", "ends where a kernel should come"},
        {"gausian", "no kernel is called 'gausian'; did you mean 'gaussian'?"},
        {"matern42", "did you mean 'matern"},
        {"rbf + cosin", "did you mean 'cosine'?"},
        {"rb", "did you mean 'rbf'?"},
        {"qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", "is called 'qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq'. The kernels are rbf, lapl"},
        {"rbf(sgima=1)", "rbf has no parameter 'sgima'; besides its scale it has none"},
        {"rational_quadratic(beta=1)", "rational_quadratic has no parameter 'beta'; besides its scale it has alpha"},
        {"polynomial(alpha=1)", "besides its scale it has degree and coef0"},
        {"rbf(sigma=-1)", "sigma -1; it must be positive and finite"},
        {"rbf(sigma=0)", "sigma 0; it must be positive and finite"},
        {"rbf(gamma=inf)", "gamma inf; it must be positive and finite"},
        {"rbf(gamma=nan)", "gamma nan; it must be positive and finite"},
        {"rbf(sigma=1, gamma=1)", "say the same thing"},
        {"rbf(sigma=1, sigma=2)", "sigma is given twice"},
        {"polynomial(degree=1, degree=2)", "degree is given twice"},
        {"polynomial(degree=1, coef0=1, degree=2)", "degree is given twice"},
        {"laplacian(sigma=1)", "laplacian takes no sigma"},
        {"linear(gamma=1)", "linear takes no gamma"},
        {"rational_quadratic(alpha=0)", "alpha 0; it must be positive and finite"},
        {"periodic(period=-1)", "period -1; it must be positive and finite"},
        {"polynomial(degree=2.5)", "degree 2.5; it must be a whole number from 1 to 100"},
        {"polynomial(degree=0)", "a whole number from 1 to 100"},
        {"polynomial(degree=101)", "a whole number from 1 to 100"},
        {"sigmoid(coef0=1e16)", "coef0 1e+16; it must be a number from -1e+15 to 1e+15"},
        {"sigmoid(coef0=nan)", "coef0 nan; it must be a number"},
        {"rbf rbf", "'+', '*' or the end should come where 'rbf' stands"},
        {"rbf)", "'+', '*' or the end should come where ')' stands"},
        {"rbf - linear", "should come where '- linear' stands"},
        {"(rbf", "ends where ')' should come"},
        {"(rbf linear)", "')' should come where 'linear)' stands"},
        {"()", "a kernel should come where ')' stands"},
        {"rbf +", "ends where a kernel should come"},
        {"rbf *", "ends where a kernel should come"},
        {"* rbf", "a kernel should come where '* rbf' stands"},
        {"+ rbf", "a kernel should come where '+ rbf' stands"},
        {"2", "ends where '*' and a kernel should come"},
        {"1 + rbf", "'*' and a kernel should come where '+ rbf' stands"},
        {"2 rbf", "'*' and a kernel should come where 'rbf' stands"},
        {"-2*rbf", "a factor of -2; it must be positive and finite"},
        {"0*rbf", "a factor of 0; it must be positive and finite"},
        {"1e400*rbf", "a factor of inf; it must be positive and finite"},
        {"1e300*rbf*1e300", "a factor of 1e+300; it must be positive and finite"},
        {"rbf(", "ends where the name of a setting should come"},
        {"rbf(sigma", "ends where '=' should come"},
        {"rbf(sigma=", "ends where a number should come"},
        {"rbf(sigma=x)", "a number should come where 'x)' stands"},
        {"rbf(sigma=1", "ends where ',' or ')' should come"},
        {"rbf(sigma=1;gamma=2)", "',' or ')' should come where ';gamma=2)' stands"},
        {"rbf(sigma=1,)", "the name of a setting should come where ')' stands"},
        {"rbf(1)", "'=' should come where ')' stands"},
        {"-rbf", "a number should come where '-rbf' stands"},
        {".*rbf", "a number should come where '.*rbf' stands"},
        {"a_name_of_more_than_sixty_three_letters_is_quoted_up_to_there_and_cut",
         "'a_name_of_more_than_sixty_three_letters_is_quoted_up_to_there_a'."},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        refused(cases[i][0], cases[i][1]);
}
END_TEST

// Words that are no misspelt names get no suggestion.
START_TEST(nearest_names)
{
    static const char *const none[] = {"nonsense", "", "xy", "kernel", "mat", "something_else"};
    for (size_t i = 0; i < COUNT(none); i++)
        ck_assert_msg(!isg_kernel_nearest(none[i]), "'%s' suggests %s", none[i], isg_kernel_nearest(none[i]));
    ck_assert_str_eq(isg_kernel_nearest("rgf"), "rbf");
    ck_assert_str_eq(isg_kernel_nearest("matren52"), "matern52");
    ck_assert_str_eq(isg_kernel_nearest("wendlnd"), "wendland");
    for (const isg_kernel *const *row = isg_kernel_list(); *row; row++)
        ck_assert_ptr_null((*row)->aliases[COUNT((*row)->aliases) - 1]); // where searches end
}
END_TEST

// "(((rbf)))", "rbf + rbf + ...": as many as there may be, and one more.
START_TEST(limits)
{
    char text[TEXT] = "";
    isg_composite *made, *more;
    isg_error error;
    for (int deep = 32; deep <= 33; deep++) {
        snprintf(text, sizeof text, "%.*srbf%.*s", deep, "((((((((((((((((((((((((((((((((((", deep,
                 "))))))))))))))))))))))))))))))))))");
        if (deep == 32) {
            made = parsed(text);
            isg_composite_destroy(&made);
        } else {
            refused(text, "more than 32 brackets inside each other");
        }
    }
    strcpy(text, "(rbf)"); // one after the other they are no deeper
    for (int i = 1; i < 16; i++)
        strcat(text, " * (rbf)");
    made = parsed(text);
    ck_assert_int_eq(made->rows, ISG_MAX_ROWS);
    strcat(text, " * rbf");
    refused(text, "more than 16 rows");
    // 31 steps have 16 rows; multiples fill the rest.
    for (int count = made->count; count < ISG_MAX_STEPS; count++) {
        ck_assert_int_eq(isg_kernel_multiple(&more, 2, made, &error), ISG_OK);
        isg_composite_destroy(&made);
        made = more;
    }
    ck_assert_int_eq(isg_kernel_multiple(&more, 2, made, &error), ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(more);
    ck_assert_ptr_nonnull(strstr(error.message, "63 rows and operations"));
    isg_composite_destroy(&made);
    // As text, too: 17 rows summed; 16 rows, each with its multiple, in 16 multiples of all, and one more.
    strcpy(text, "rbf");
    for (int i = 1; i < 17; i++)
        strcat(text, " + rbf");
    refused(text, "more than 16 rows");
    for (int around = 16; around <= 17; around++) {
        strcpy(text, "");
        for (int i = 0; i < around; i++)
            strcat(text, "2*(");
        strcat(text, "(2*rbf)");
        for (int i = 1; i < 16; i++)
            strcat(text, "*(2*rbf)");
        for (int i = 0; i < around; i++)
            strcat(text, ")");
        if (around == 16) {
            made = parsed(text);
            ck_assert_int_eq(made->count, ISG_MAX_STEPS);
            isg_composite_destroy(&made);
        } else {
            refused(text, "63 rows and operations");
        }
    }
    made = parsed("rbf");
    const double bad[] = {0, -1, NAN, INFINITY};
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_int_eq(isg_kernel_multiple(&more, bad[i], made, &error), ISG_ERR_ARGUMENT);
    isg_composite_destroy(&made);
}
END_TEST

// What is no row has numbers that change nothing.
START_TEST(no_row)
{
    const isg_kernel_values values = {.gamma = 2, .length = 3};
    const isg_numbers n = isg_kernel_numbers(ISG_KERNEL_COUNT, &values);
    ck_assert(n.a == 1 && n.b == 0 && n.c == 0);
}
END_TEST

// Operands are copied: they, and what they were made from, may go or change.
START_TEST(ownership)
{
    char name[] = "degree";
    isg_setting settings[] = {{name, 2}};
    isg_composite *a, *b, *sum, *square;
    isg_error error;
    ck_assert_int_eq(isg_kernel_single(&a,
                                       isg_kernel_params(.kernel = isg_kernel_find("poly"), .gamma = 0.5,
                                                         .settings = settings, .setting_count = 1),
                                       &error),
                     ISG_OK);
    memset(name, 'x', sizeof name - 1);
    settings[0].value = 7;
    ck_assert_int_eq(isg_kernel_single(&b, NULL, &error), ISG_OK);
    ck_assert_int_eq(isg_kernel_sum(&sum, a, b, &error), ISG_OK);
    isg_composite_destroy(&a);
    isg_composite_destroy(&b);
    ck_assert_int_eq(isg_kernel_product(&square, sum, sum, &error), ISG_OK);
    text_is(sum, "polynomial(gamma=0.5, degree=2) + rbf");
    isg_composite_destroy(&sum);
    text_is(square, "(polynomial(gamma=0.5, degree=2) + rbf)*(polynomial(gamma=0.5, degree=2) + rbf)");
    isg_composite_destroy(&square);
}
END_TEST

// ---- Values ----

// K by the reference, as an array to be freed.
static void *gram(const isg_gram_params *params, isg_dtype dtype, bool fused, const char *what)
{
    isg_operator op;
    isg_error error = {0};
    ck_assert_msg(isg_operator_make(&op, params, dtype, &error) == ISG_OK, "%s: %s", what, error.message);
    void *k = oracle_array(dtype, op.x.count * op.y.count);
    isg_reference_get(dtype, fused)->gram(&op.plan, &op.x, &op.y, k, op.y.count);
    isg_operator_free(&op);
    return k;
}

// a op b rounded once, +0 below the smallest normal number.
static double joined(isg_dtype dtype, isg_step_kind kind, double a, double b)
{
    mpfr_t x, y;
    mpfr_init2(x, 2200); // holds every sum and product of two doubles
    mpfr_init2(y, dtype == ISG_F64 ? 53 : 24);
    mpfr_set_d(x, a, MPFR_RNDN);
    if (kind == ISG_STEP_SUM)
        mpfr_add_d(x, x, b, MPFR_RNDN);
    else
        mpfr_mul_d(x, x, b, MPFR_RNDN);
    mpfr_set(y, x, MPFR_RNDN);
    double least = oracle_smallest_normal(dtype), v = mpfr_get_d(y, MPFR_RNDN);
    // A product of doubles can round up to the smallest normal one from where mpfr_get_d would round twice.
    if (mpfr_cmpabs(y, (mpfr_set_d(x, least, MPFR_RNDN), x)) < 0)
        v = 0;
    else if (dtype == ISG_F32)
        v = (float)v;
    mpfr_clears(x, y, (mpfr_ptr)NULL);
    return v == 0 ? 0 : v;
}

static void *row_alone(const any_operator *any, const isg_step *step, bool fused, const char *what)
{
    isg_composite row = {1, 1, {*step}};
    isg_gram_params params = any_operator_params(any);
    params.composite = &row;
    params.factors = NULL;
    return gram(&params, any->dtype, fused, what);
}

START_TEST(values)
{
    enum { MOST = 6, ROUNDS = 1500 };
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(10 + (uint64_t)_i);
    for (int round = 0; round < ROUNDS; round++) {
        any_operator any = any_operator_make(&random, dtype, MOST, true);
        isg_gram_params params = any_operator_params(&any);
        char text[TEXT];
        any_operator_describe(&any, text, sizeof text);
        isg_operator op;
        isg_error error = {ISG_OK, ""};
        bool fused = round % 2;
        if (isg_operator_make(&op, &params, dtype, &error)) { // a factor beyond single precision, say
            any_operator_free(&any);
            continue;
        }
        int64_t count = op.x.count * op.y.count, columns = op.y.count;
        isg_operator_free(&op);
        void *k = gram(&params, dtype, fused, text), *rows[ISG_MAX_STEPS] = {NULL};
        for (int i = 0; i < any.composite->count; i++)
            if (any.composite->steps[i].kind == ISG_STEP_ROW)
                rows[i] = row_alone(&any, &any.composite->steps[i], fused, text);
        double factors[MOST];
        int64_t taken = 0;
        for (int64_t i = 0; i < any.n && any.factors; i++)
            if (!any.include || any.include[i])
                factors[taken++] = dtype == ISG_F32 ? (float)any.factors[i] : any.factors[i];
        for (int64_t at = 0; at < count; at++) {
            double stack[ISG_MAX_STEPS];
            int top = -1;
            for (int i = 0; i < any.composite->count; i++) {
                const isg_step *step = &any.composite->steps[i];
                double factor = dtype == ISG_F32 ? (float)step->factor : step->factor;
                if (step->kind == ISG_STEP_ROW)
                    stack[++top] = isg_load_double(dtype, rows[i], at);
                else if (step->kind == ISG_STEP_MULTIPLE)
                    stack[top] = joined(dtype, step->kind, factor, stack[top]);
                else
                    top--, stack[top] = joined(dtype, step->kind, stack[top], stack[top + 1]);
            }
            if (any.factors)
                stack[0] = joined(dtype, ISG_STEP_PRODUCT, stack[0], factors[at / columns]);
            double got = isg_load_double(dtype, k, at);
            ck_assert_msg(memcmp(&got, &stack[0], sizeof got) == 0 || (isnan(got) && isnan(stack[0])),
                          "%s, %s: element %d is %a, and %a in steps", text, isg_contract_name(dtype, fused), (int)at,
                          got, stack[0]);
        }
        for (int i = 0; i < any.composite->count; i++)
            free(rows[i]);
        free(k);
        any_operator_free(&any);
    }
}
END_TEST

// Factors that lead below the smallest normal number, and to it.
START_TEST(small_factors)
{
    enum { N = 40, D = 2 };
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(20 + (uint64_t)_i);
    double x[N * D], factors[N];
    const double least = oracle_smallest_normal(dtype);
    for (int i = 0; i < N * D; i++)
        oracle_put(dtype, x, i, random_between(&random, -1, 1));
    for (int i = 0; i < N; i++)
        factors[i] = i % 5 ? (i % 2 ? -least : least) * random_scaled(&random, 1, 2, 0, 3) : least / 4;
    isg_gram_params params = {.x = isg_matrix(dtype, x, N, D), .gamma = 0.7};
    for (int fused = 0; fused < 2; fused++) {
        void *plain = gram(&params, dtype, fused, "rbf");
        params.factors = factors;
        void *k = gram(&params, dtype, fused, "rbf, factors");
        params.factors = NULL;
        int zero = 0;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double f = dtype == ISG_F32 ? (float)factors[i] : factors[i];
                double want =
                    joined(dtype, ISG_STEP_PRODUCT, fabs(f) < least ? 0 : f, isg_load_double(dtype, plain, i * N + j));
                double got = isg_load_double(dtype, k, i * N + j);
                ck_assert_msg(memcmp(&got, &want, sizeof got) == 0, "%a times %a is %a", f,
                              isg_load_double(dtype, plain, i * N + j), got);
                zero += got == 0;
            }
        ck_assert(zero >= N * N / 5 && zero < N * N);
        free(k);
        free(plain);
    }
}
END_TEST

START_TEST(one_row_is_the_row)
{
    enum { N = 9, D = 3 };
    const isg_kernel *row = isg_kernel_list()[_i / 2];
    isg_dtype dtype = precisions[_i % 2];
    suite_random random = suite_stream(30 + (uint64_t)_i);
    double x[N * D];
    for (int i = 0; i < N * D; i++)
        oracle_put(dtype, x, i, random_between(&random, 0, 3));
    isg_composite *one = parsed(row->name);
    const isg_gram_params plain = {.kernel = row, .x = isg_matrix(dtype, x, N, D)},
                          composite = {.composite = one, .x = plain.x};
    for (int fused = 0; fused < 2; fused++) {
        void *a = gram(&plain, dtype, fused, row->name), *b = gram(&composite, dtype, fused, row->name);
        ck_assert_mem_eq(a, b, N * N * isg_dtype_bytes(dtype));
        free(a);
        free(b);
    }
    isg_composite_destroy(&one);
}
END_TEST

// Rows of distances that have a scale.
static bool takes_lengthscales(const isg_kernel *row)
{
    return (row->pair == ISG_PAIR_SQDIST || row->pair == ISG_PAIR_L1) && row->scale != ISG_SCALE_NONE;
}

START_TEST(lengthscales)
{
    enum { N = 9, D = 7 };
    static const double base[] = {0, 1000, 1000};
    const isg_kernel *row = isg_kernel_list()[_i / 2];
    isg_dtype dtype = precisions[_i % 2];
    if (!takes_lengthscales(row))
        return;
    const double eps = dtype == ISG_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
    suite_random random = suite_stream(40 + (uint64_t)_i);
    double x[N * D], y[N * D], lengths[D];
    mpfr_t s, t, u, b, k, slope;
    mpfr_inits2(ORACLE_BITS, s, t, u, b, k, slope, (mpfr_ptr)NULL);
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < N * D; i++) {
            oracle_put(dtype, x, i, base[round % 3] + random_between(&random, -1, 1));
            oracle_put(dtype, y, i, base[round % 3] + random_between(&random, -1, 1));
        }
        // All alike and powers of two: what the plain lengthscale gives. (gamma = 1 is a rate's.)
        int e = (int)random_below(&random, 9) - 4;
        for (int i = 0; i < D; i++)
            lengths[i] = ldexp(1, e);
        isg_gram_params ard = {.kernel = row,
                               .x = isg_matrix(dtype, x, N, D),
                               .y = isg_matrix(dtype, y, N, D),
                               .lengthscales = lengths},
                        plain = ard;
        plain.lengthscales = NULL;
        if (row->scale == ISG_SCALE_RATE)
            plain.gamma = ldexp(1, -e);
        else
            plain.lengthscale = ldexp(1, e);
        bool fused = random_below(&random, 2);
        // The period has a unit, too.
        double period = 1.5;
        isg_setting ard_setting = {"period", period}, plain_setting = {"period", ldexp(period, e)};
        bool periodic = strcmp(row->name, "periodic") == 0;
        if (!periodic) {
            void *got = gram(&ard, dtype, fused, row->name), *want = gram(&plain, dtype, fused, row->name);
            ck_assert_msg(memcmp(got, want, N * N * isg_dtype_bytes(dtype)) == 0, "%s, 2^%d", row->name, e);
            free(got);
            free(want);
        }
        (void)plain_setting;
        // Any.
        if (periodic) {
            ard.settings = &ard_setting;
            ard.setting_count = 1;
        }
        for (int i = 0; i < D; i++)
            lengths[i] = random_scaled(&random, 1, 2, -1, 4);
        double param = periodic ? period : row->params[0].fallback;
        void *got = gram(&ard, dtype, fused, row->name);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                mpfr_set_zero(s, 1);
                for (int q = 0; q < D; q++) {
                    mpfr_set_d(t, isg_load_double(dtype, x, i * D + q), MPFR_RNDN);
                    mpfr_sub_d(t, t, isg_load_double(dtype, y, j * D + q), MPFR_RNDN);
                    mpfr_div_d(t, t, lengths[q], MPFR_RNDN);
                    if (row->pair == ISG_PAIR_SQDIST)
                        mpfr_sqr(t, t, MPFR_RNDN);
                    else
                        mpfr_abs(t, t, MPFR_RNDN);
                    mpfr_add(s, s, t, MPFR_RNDN);
                }
                oracle_row_numbers(u, b, row->name, s, row->pair == ISG_PAIR_SQDIST ? 0.5 : 1, 1, param);
                oracle_row(k, slope, row->name, u, b);
                mpfr_mul_d(slope, slope, (D + 8) * eps, MPFR_RNDN);
                mpfr_mul_2si(slope, slope, -oracle_ulp(k, dtype), MPFR_RNDN);
                double allowed = fabs(mpfr_get_d(slope, MPFR_RNDN)) + 2;
                if (periodic) // its own bound
                    allowed -= 8 * log(mpfr_get_d(k, MPFR_RNDN));
                double here = isg_load_double(dtype, got, i * N + j), error = oracle_row_error(here, k, dtype, allowed);
                ck_assert_msg(error <= allowed, "%s, %s: %a is %g ulp from %.17g, %g are allowed", row->name,
                              isg_contract_name(dtype, fused), here, error, mpfr_get_d(k, MPFR_RNDN), allowed);
            }
        free(got);
    }
    mpfr_clears(s, t, u, b, k, slope, (mpfr_ptr)NULL);
}
END_TEST

// Rows that are included are those that K(X', Y) has for the points gathered by hand.
// A composite's text says what was given, and no scale that lengthscales stand for.
START_TEST(lengthscales_are_no_scale)
{
    const float x[] = {1, 2, 3, 4};
    const double lengths[] = {1, 2};
    isg_composite *sum = parsed("rbf + laplacian");
    const isg_gram_params params = {.x = isg_matrix_f32(x, 2, 2), .composite = sum, .lengthscales = lengths};
    isg_operator op;
    ck_assert_int_eq(isg_operator_make(&op, &params, ISG_F32, NULL), ISG_OK);
    text_is(&op.composite, "rbf + laplacian");
    isg_operator_free(&op);
    isg_composite_destroy(&sum);
}
END_TEST

START_TEST(include)
{
    enum { MOST = 12 };
    isg_dtype dtype = precisions[_i];
    size_t bytes = isg_dtype_bytes(dtype);
    suite_random random = suite_stream(50 + (uint64_t)_i);
    for (int round = 0; round < 500; round++) {
        any_operator any = any_operator_make(&random, dtype, MOST, round % 2);
        isg_gram_params params = any_operator_params(&any), gathered = params;
        if (any.include) {
            void *x = oracle_array(dtype, any.n * any.d);
            double factors[MOST];
            int64_t count = 0;
            for (int64_t i = 0; i < any.n; i++)
                if (any.include[i]) {
                    memcpy((char *)x + (size_t)(count * any.d) * bytes, (char *)any.x + (size_t)(i * any.d) * bytes,
                           (size_t)any.d * bytes);
                    factors[count++] = any.factors ? any.factors[i] : 0;
                }
            gathered.include = NULL;
            gathered.x = isg_matrix(dtype, x, count, any.d);
            gathered.factors = any.factors ? factors : NULL;
            isg_operator op;
            isg_error error = {ISG_OK, ""};
            if (isg_operator_make(&op, &params, dtype, &error) == ISG_OK) {
                ck_assert_int_eq(op.x.count, count);
                isg_operator_free(&op);
                void *got = gram(&params, dtype, round & 2, "include");
                void *want = gram(&gathered, dtype, round & 2, "gathered");
                for (int64_t i = 0; i < count * (any.m ? any.m : count); i++)
                    ck_assert(memcmp((char *)got + (size_t)i * bytes, (char *)want + (size_t)i * bytes, bytes) == 0 ||
                              isnan(isg_load_double(dtype, got, i)));
                free(got);
                free(want);
            }
            free(x);
        }
        any_operator_free(&any);
    }
}
END_TEST

START_TEST(wrong_operators)
{
    float x[6] = {1, 2, 3, 4, 5, 6}, negative[6] = {1, 2, 3, -4, 5, 6}, big[6] = {1, 1e38f, 3, 4, 5, 6};
    const double lengths[] = {1, 2}, bad_lengths[] = {1, -2}, tiny_lengths[] = {1, 1e-30};
    const double factors[] = {1, NAN, 3}, big_factors[] = {1, 2, 1e300};
    const uint8_t none[] = {0, 0, 0}, some[] = {1, 0, 1}, last[] = {0, 1, 1};
    const isg_array m = isg_matrix_f32(x, 3, 2), with_negative = isg_matrix_f32(negative, 3, 2);
    isg_composite *rbf = parsed("rbf"), *sum = parsed("rbf + chi2"), *scaled = parsed("rbf + linear"),
                  *big_multiple = parsed("1e200*rbf"), *small_multiple = parsed("1e-50*rbf"),
                  *narrow = parsed("periodic(lengthscale=1e-25)");
    const isg_kernel *linear = isg_kernel_find("linear"), *alpha = isg_kernel_find("rational_quadratic"),
                     *distance = isg_kernel_find("sqeuclidean");
    const isg_setting alphas[] = {{"alpha", 1e300}};
    const double infinite[] = {1, INFINITY};
    const struct {
        isg_gram_params params;
        isg_status status;
        const char *says;
    } cases[] = {
        {{.x = m, .composite = rbf, .kernel = linear}, ISG_ERR_ARGUMENT, "a composite has its scales"},
        {{.x = m, .composite = rbf, .gamma = 1}, ISG_ERR_ARGUMENT, "a composite has its scales"},
        {{.x = m, .composite = big_multiple}, ISG_ERR_RANGE, "a factor of 1e+200 is too large for float32"},
        {{.x = m, .composite = small_multiple}, ISG_ERR_RANGE, "a factor of 1e-50 is too small for float32"},
        {{.x = m, .composite = rbf, .settings = alphas, .setting_count = 1}, ISG_ERR_ARGUMENT, "a composite has its"},
        {{.x = m, .kernel = alpha, .settings = alphas, .setting_count = 1}, ISG_ERR_RANGE, "a factor of -1e+300"},
        {{.x = m, .composite = narrow}, ISG_ERR_RANGE, "a lengthscale or parameter is out of range for float32"},
        {{.x = isg_matrix_f32(big, 3, 2), .kernel = isg_kernel_find("laplacian"), .gamma = 1e38},
         ISG_ERR_RANGE,
         "(1e-38) apart for float32"},
        {{.x = m, .lengthscales = lengths, .kernel = distance}, ISG_ERR_ARGUMENT, "sqeuclidean takes no lengthscales"},
        {{.x = m, .lengthscales = infinite}, ISG_ERR_ARGUMENT, "lengthscale inf of column 1"},
        {{.x = isg_matrix_f32(x, 0, 1LL << 31), .allow_empty = 1}, ISG_ERR_OVERFLOW, "X has 2147483648 columns"},
        {{.x = isg_matrix_f32(x, 0, 0), .allow_empty = 1}, ISG_ERR_SHAPE, "0 rows and 0 columns"},
        {{.x = isg_matrix_f32(x, -1, 2), .allow_empty = 1}, ISG_ERR_SHAPE, "-1 rows"},
        {{.x = isg_matrix(ISG_DTYPE_COUNT, x, 0, 2), .allow_empty = 1}, ISG_ERR_DTYPE, "X"},
        {{.x = isg_matrix_f32(x, 1LL << 40, 1LL << 40)}, ISG_ERR_OVERFLOW, "64 bits"},
        {{.x = m, .lengthscales = lengths, .sigma = 1}, ISG_ERR_ARGUMENT, "say the same thing"},
        {{.x = m, .lengthscales = lengths, .kernel = linear}, ISG_ERR_ARGUMENT, "linear takes no lengthscales"},
        {{.x = m, .lengthscales = lengths, .composite = scaled}, ISG_ERR_ARGUMENT, "linear takes no lengthscales"},
        {{.x = m, .lengthscales = bad_lengths}, ISG_ERR_ARGUMENT, "lengthscale -2 of column 1"},
        {{.x = isg_matrix_f32(big, 3, 2), .lengthscales = tiny_lengths}, ISG_ERR_RANGE, "row 0, column 1"},
        {{.x = m, .factors = factors}, ISG_ERR_ARGUMENT, "factor nan of row 1"},
        {{.x = m, .factors = big_factors}, ISG_ERR_ARGUMENT, "factor 1e+300 of row 2; it must be finite in single"},
        {{.x = m, .factors = factors, .include = some}, ISG_ERR_ARGUMENT, "factor nan of row 1"},
        {{.x = m, .include = none}, ISG_ERR_SHAPE, "not one of its 3 rows is included"},
        {{.x = with_negative, .composite = sum}, ISG_ERR_RANGE, "X: row 1, column 1 is -4; chi2 takes no number below"},
        {{.x = m, .y = with_negative, .composite = sum}, ISG_ERR_RANGE, "Y: row 1, column 1 is -4"},
        {{.x = with_negative, .composite = sum, .include = last}, ISG_ERR_RANGE, "X: row 1, column 1 is -4"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_operator op;
        isg_error error = {0};
        isg_status st = isg_operator_make(&op, &cases[i].params, ISG_F32, &error);
        ck_assert_msg(st == cases[i].status && strstr(error.message, cases[i].says), "case %d: %s, %s", (int)i,
                      isg_status_name(st), error.message);
    }
    isg_composite_destroy(&rbf);
    isg_composite_destroy(&sum);
    isg_composite_destroy(&scaled);
    isg_composite_destroy(&big_multiple);
    isg_composite_destroy(&small_multiple);
    isg_composite_destroy(&narrow);
}
END_TEST

int main(void)
{
    static const TTest *const *const once[] = {&texts,           &texts_of_random_composites,
                                               &wrong_texts,     &limits,
                                               &no_row,          &ownership,
                                               &wrong_operators, &lengthscales_are_no_scale,
                                               &nearest_names},
                                     *const *const twice[] = {&values, &small_factors, &include},
                                     *const *const each_row[] = {&one_row_is_the_row, &lengthscales};
    Suite *suite = suite_create("composite");
    TCase *texts_case = tcase_create("texts"), *values_case = tcase_create("values");
    for (size_t i = 0; i < COUNT(once); i++)
        tcase_add_test(texts_case, *once[i]);
    for (size_t i = 0; i < COUNT(twice); i++)
        tcase_add_loop_test(values_case, *twice[i], 0, 2);
    for (size_t i = 0; i < COUNT(each_row); i++)
        tcase_add_loop_test(values_case, *each_row[i], 0, 2 * ISG_KERNEL_COUNT);
    suite_add_tcase(suite, texts_case);
    suite_add_tcase(suite, values_case);
    return suite_run(suite);
}
