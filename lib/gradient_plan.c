// What a gradient is made of.
#include "gradient_plan.h"

#include <math.h>
#include <stdio.h>

static const isg_kernel *row_of(const isg_plan_step *step)
{
    return isg_kernel_list()[step->kernel];
}

// --- the numbers that have derivatives

static void add_number(isg_gradient_plan *to, isg_gradient_number number)
{
    to->numbers[to->count++] = number;
}

// A row's scale, in the way that it was given, or that its default is in; a = gamma, or 1/l^2, times a constant.
static void add_scale(isg_gradient_plan *to, int step, const isg_kernel_params *given, const isg_kernel_values *values)
{
    const isg_kernel *row = given->kernel;
    const bool own = isg_kernel_derivative(isg_kernel_index(row), ISG_BY_LENGTHSCALE) != NULL;
    bool length = given->sigma != 0 || given->lengthscale != 0;
    if (given->gamma == 0 && !length)
        length = row->scale == ISG_SCALE_LENGTHSCALE;
    isg_gradient_number n = {.kind = ISG_NUMBER_SCALE, .step = step};
    n.name = !length ? "gamma" : given->sigma != 0 ? "sigma" : "lengthscale";
    n.value = length ? values->length : values->gamma;
    // Sums are of u dk/du, or of l dk/dl.
    n.by = (length ? (own ? 1.0 : -2.0) : (own ? -0.5 : 1.0)) / n.value;
    add_number(to, n);
}

static isg_status add_row(isg_gradient_plan *to, const isg_operator *op, int step, isg_error *error)
{
    const isg_kernel_params given = isg_step_params(&op->composite.steps[step]);
    const isg_kernel *row = given.kernel;
    const int kernel = isg_kernel_index(row);
    const bool scaled = given.gamma != 0 || given.sigma != 0 || given.lengthscale != 0;
    isg_kernel_values values;
    isg_status st = isg_kernel_resolve(&values, &given, op->x.dims, error);
    if (st)
        return st;
    if (!isg_kernel_derivative(kernel, ISG_BY_ARGUMENT))
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s has no derivative, so there is no gradient", row->name);
    if (row->scale != ISG_SCALE_NONE && (scaled || !op->lengthscales))
        add_scale(to, step, &given, &values);
    for (int p = 0; p < ISG_MAX_PARAMS && row->params[p].name; p++)
        if (isg_kernel_derivative(kernel, ISG_BY_PARAM + p))
            add_number(to, (isg_gradient_number){.kind = ISG_NUMBER_PARAM,
                                                 .step = step,
                                                 .param = p,
                                                 .name = row->params[p].name,
                                                 .value = values.params[p],
                                                 .by = row->params[p].least > 0 ? 1 / values.params[p] : 1});
    return ISG_OK;
}

// --- how large things get, as exponents

// |x| < 2^it; far below everything for 0.
static int above(double x)
{
    return x == 0 ? -(1 << 14) : ilogb(x) + 1;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int ceil_log2(int64_t x)
{
    int e = 0;
    while (((int64_t)1 << e) < x)
        e++;
    return e;
}

typedef struct sizes {
    isg_extent extent;
    bool wide;
    int value[ISG_MAX_STEPS];  // of operands
    int around[ISG_MAX_STEPS]; // of F's derivative by an operand's value
    int apart;                 // differences that are not 0 are at least 2^it
    int inverse;               // 1/(|x| |y|), of points that are not 0
} sizes;

// Of dk/du, and of u dk/du and what else there is by a row's numbers: docs/adding-a-kernel.md says what rows keep to.
static void row_sizes(const isg_gradient_plan *to, const sizes *s, const isg_plan_step *step, int *slope, int *number)
{
    const isg_kernel *row = row_of(step);
    const double *n = to->plan->numbers + step->numbers;
    const int pair = isg_plan_pair_above(to->plan, row->pair, s->extent);
    const bool scaled = row->scale != ISG_SCALE_NONE;
    const int u = scaled ? pair + above(n[0]) : pair, b = scaled ? above(n[1]) : 0;
    *slope = !scaled ? 0 : 4 + larger(b, 0);
    *number = *slope + larger(u, 0) / 2 + 1;
    if (scaled && !row->bounded) {
        const int base = larger(u, b), order = n[2] > 1 ? (int)n[2] : 1;
        *slope = 9 + order * (larger(base, 0) + 2);
        *number = *slope + larger(u, 0);
    }
    if (row->kink) { // 0 where u is below 2^-100 (2^-1000)
        const int near = 1 - s->apart - (scaled ? (above(n[0]) - 2) / 2 : 0), most = s->wide ? 501 : 51;
        *slope += near < 0 ? 0 : near < most ? near : most;
    }
}

// Of the largest 1/|x|: norms as isg_reference.norms gives them.
static int inverse_above(const isg_points *points, const void *norms)
{
    double most = 0;
    for (int64_t i = 0; norms && i < points->count; i++) {
        double r = isg_load_double(points->dtype, norms, i);
        most = isfinite(r) && r > most ? r : most;
    }
    return most > 0 ? ilogb(most) + 1 : 0;
}

static void size_up(isg_gradient_plan *to, const isg_operator *op, void *const *norms)
{
    const isg_plan *plan = to->plan;
    const bool wide = op->x.dtype == ISG_F64;
    const int end = wide ? 1024 : 128, digits = wide ? 52 : 23, small = wide ? -898 : -78;
    sizes s = {.extent = isg_extent_of(&op->x, &op->y), .wide = wide};
    isg_plan_bounds(plan, s.extent, op->x.dtype, s.value);
    const int lowest = s.extent.smallest > 0 ? ilogb(s.extent.smallest) + plan->scale.exponent : 0;
    for (int pair = 0; pair < ISG_PAIR_COUNT; pair++)
        to->fine |= plan->fine[pair];
    // Coordinates are multiples of an ulp of the smallest; squares of differences, where they are looked at, are
    // normal.
    s.apart = to->fine ? (wide ? -511 : -63) : lowest - digits - (plan->weights != NULL);
    if (plan->norms && norms)
        s.inverse = inverse_above(&op->x, norms[0]) + inverse_above(&op->y, norms[1]);
    int rows = 0, reach[ISG_PAIR_COUNT], most = 0, lone = end;
    const int one = above(s.extent.largest) + plan->scale.exponent;
    for (int pair = 0; pair < ISG_PAIR_COUNT; pair++)
        reach[pair] = pair == ISG_PAIR_SQDIST ? one + 1 : pair == ISG_PAIR_DOT ? one : pair == ISG_PAIR_CHI2 ? 2 : 0;
    for (int i = 0; i < plan->count; i++)
        rows += plan->steps[i].kind == ISG_STEP_ROW;
    s.around[plan->count - 1] = 0;
    for (int i = plan->count - 1; i >= 0; i--) {
        const isg_plan_step *step = &plan->steps[i];
        const double *n = plan->numbers + step->numbers;
        if (step->kind == ISG_STEP_MULTIPLE) {
            s.around[i - 1] = s.around[i] + above(n[0]);
            most = larger(most, s.around[i] + s.value[i - 1]);
        } else if (step->kind != ISG_STEP_ROW) {
            const int l = to->left[i], r = i - 1;
            s.around[l] = s.around[i] + (step->kind == ISG_STEP_PRODUCT ? s.value[r] : 0);
            s.around[r] = s.around[i] + (step->kind == ISG_STEP_PRODUCT ? s.value[l] : 0);
        } else {
            const isg_kernel *row = row_of(step);
            int slope, number;
            row_sizes(to, &s, step, &slope, &number);
            if (row->norms)
                slope = s.inverse;
            else if (!to->lone)
                slope += row->scale == ISG_SCALE_NONE ? (int)n[1] : above(n[0]);
            slope += s.around[i] + ceil_log2(rows) + 1;
            most = larger(most, larger(larger(slope, slope + reach[row->pair]), s.around[i] + number));
            lone = slope < lone ? slope : lone;
        }
    }
    int terms = 31;
    while (terms < 62 && ((int64_t)1 << terms) < isg_max(op->x.count, op->y.count))
        terms++;
    to->top = end - 2 - terms - (most < end ? most : end);
    // What is left of the range between the largest g and those that are cut off decides.
    const int cut = small - (plan->used[ISG_PAIR_SQDIST] ? s.apart : 0) - (plan->used[ISG_PAIR_DOT] ? lowest : 0) +
                    (plan->used[ISG_PAIR_CHI2] ? digits + 3 : 0);
    const int floor = wide ? -960 : -100, enough = wide ? 200 : 60;
    to->fine |= to->top + lone - cut < enough;
    to->cut = ldexp(1, to->fine || cut < floor ? floor : cut);
    to->least = ldexp(1, floor);
}

isg_status isg_gradient_plan_make(isg_gradient_plan *to, const isg_operator *op, void *const *norms, isg_error *error)
{
    const isg_plan *plan = &op->plan;
    int rows = 0;
    isg_status st = ISG_OK;
    *to = (isg_gradient_plan){.plan = plan, .point = 1, .point_exponent = plan->scale.exponent};
    to->parent[plan->count - 1] = -1;
    for (int i = 0; i < plan->count && !st; i++) {
        const isg_plan_step *step = &plan->steps[i];
        if (step->kind == ISG_STEP_MULTIPLE) {
            add_number(to, (isg_gradient_number){.kind = ISG_NUMBER_FACTOR,
                                                 .step = i,
                                                 .name = "factor",
                                                 .value = op->composite.steps[i].factor,
                                                 .by = 1});
            to->forward = true;
            to->parent[i - 1] = i;
        } else if (step->kind == ISG_STEP_ROW) {
            rows++;
            to->self |= row_of(step)->norms != 0;
            st = add_row(to, op, i, error);
        } else {
            to->forward |= step->kind == ISG_STEP_PRODUCT;
            to->left[i] = isg_plan_left(plan, i);
            to->parent[i - 1] = to->parent[to->left[i]] = i;
        }
    }
    if (st)
        return st;
    to->lone = rows == 1;
    for (int i = 0; i < plan->count && to->lone; i++) {
        const double *n = plan->numbers + plan->steps[i].numbers;
        if (plan->steps[i].kind != ISG_STEP_ROW)
            continue;
        if (row_of(&plan->steps[i])->scale != ISG_SCALE_NONE)
            to->point = n[0];
        else if (!row_of(&plan->steps[i])->norms)
            to->point_exponent += (int)n[1];
    }
    size_up(to, op, norms);
    return ISG_OK;
}

// --- as statements: k0, k1, ... are operands' values, b0, b1, ... F's derivatives by them, r0, ... by rows' u

// F's derivative by operand `step`; nothing for 1.
static void put_around(isg_text *w, const isg_gradient_plan *to, int step)
{
    const int parent = to->parent[step];
    if (parent < 0)
        return;
    switch (to->plan->steps[parent].kind) {
    case ISG_STEP_SUM: put_around(w, to, parent); break; // the same
    default: isg_put(w, "b%d", step);
    }
}

static bool is_one(const isg_gradient_plan *to, int step)
{
    while (to->parent[step] >= 0 && to->plan->steps[to->parent[step]].kind == ISG_STEP_SUM)
        step = to->parent[step];
    return to->parent[step] < 0;
}

// `name` times F's derivative by operand `step`.
static void put_times(isg_text *w, const isg_gradient_plan *to, int step, const char *name)
{
    if (is_one(to, step)) {
        isg_put(w, "%s", name);
        return;
    }
    isg_put(w, "real_product(");
    put_around(w, to, step);
    isg_put(w, ",%s)", name);
}

static void put_call(isg_text *w, const isg_plan_step *step, const char *function)
{
    const isg_kernel *row = row_of(step);
    if (row->norms)
        isg_put(w, "%s(%s,inverse.hi,inverse.lo,N(%d))", function, isg_pair_name(row->pair), step->numbers);
    else
        isg_put(w, "%s(%s,N(%d),N(%d),N(%d))", function, isg_pair_name(row->pair), step->numbers, step->numbers + 1,
                step->numbers + 2);
}

static void put_values(isg_text *w, const isg_gradient_plan *to)
{
    for (int i = 0; i < to->plan->count; i++) {
        const isg_plan_step *step = &to->plan->steps[i];
        isg_put(w, "LET(k%d,", i);
        if (step->kind == ISG_STEP_ROW)
            put_call(w, step, isg_kernel_list()[step->formula]->formula);
        else if (step->kind == ISG_STEP_MULTIPLE)
            isg_put(w, "real_product(N(%d),k%d)", step->numbers, i - 1);
        else
            isg_put(w, "%s(k%d,k%d)", step->kind == ISG_STEP_SUM ? "real_sum" : "real_product", to->left[i], i - 1);
        isg_put(w, ")");
    }
}

static void put_backwards(isg_text *w, const isg_gradient_plan *to)
{
    char name[16];
    for (int i = to->plan->count - 1; i >= 0; i--) {
        const isg_plan_step *step = &to->plan->steps[i];
        if (step->kind == ISG_STEP_MULTIPLE) {
            snprintf(name, sizeof name, "N(%d)", step->numbers);
            isg_put(w, "LET(b%d,", i - 1);
            put_times(w, to, i, name);
            isg_put(w, ")");
        }
        for (int side = 0; side < 2 && step->kind == ISG_STEP_PRODUCT; side++) {
            snprintf(name, sizeof name, "k%d", side ? to->left[i] : i - 1);
            isg_put(w, "LET(b%d,", side ? i - 1 : to->left[i]);
            put_times(w, to, i, name);
            isg_put(w, ")");
        }
    }
}

// r: dF/du of a row, and its part of dF/dt.
static void put_slopes(isg_text *w, const isg_gradient_plan *to)
{
    for (int i = 0; i < to->plan->count; i++) {
        const isg_plan_step *step = &to->plan->steps[i];
        char call[160];
        isg_text c = {call, sizeof call, 0};
        if (step->kind != ISG_STEP_ROW)
            continue;
        put_call(&c, step, isg_kernel_derivative(step->formula, ISG_BY_ARGUMENT));
        isg_put(w, "LET(r%d,", i);
        put_times(w, to, i, call);
        isg_put(w, ")");
    }
}

static void put_part(isg_text *w, const isg_gradient_plan *to, int i)
{
    const isg_plan_step *step = &to->plan->steps[i];
    if (row_of(step)->norms)
        isg_put(w, "real_product(r%d,inverse.hi)", i);
    else if (to->lone)
        isg_put(w, "r%d", i);
    else if (row_of(step)->scale != ISG_SCALE_NONE)
        isg_put(w, "real_product(r%d,N(%d))", i, step->numbers);
    else
        isg_put(w, "scale_back(r%d,N(%d))", i, step->numbers + 1);
}

// Sums over the rows of a pair's number, in order: their parts; or, of rows with norms, their values.
static void put_pair(isg_text *w, const isg_gradient_plan *to, int pair, bool self, int at)
{
    char name[24];
    int parts = 0;
    snprintf(name, sizeof name, "p%d_", at);
    for (int i = 0; i < to->plan->count; i++) {
        const isg_plan_step *step = &to->plan->steps[i];
        if (step->kind != ISG_STEP_ROW || (self ? !row_of(step)->norms : (int)row_of(step)->pair != pair))
            continue;
        isg_put(w, "LET(%s%d,", name, parts);
        if (parts)
            isg_put(w, "real_sum(%s%d,", name, parts - 1);
        if (self) {
            char call[160];
            isg_text c = {call, sizeof call, 0};
            put_call(&c, step, isg_kernel_list()[step->formula]->formula);
            put_times(w, to, i, call);
        } else {
            put_part(w, to, i);
        }
        isg_put(w, "%s)", parts ? ")" : "");
        parts++;
    }
    isg_put(w, pair == ISG_PAIR_SQDIST && !self ? "OUT(%d,%s%d+%s%d)" : "OUT(%d,%s%d)", at, name, parts - 1, name,
            parts - 1);
}

static void put_number(isg_text *w, const isg_gradient_plan *to, int at)
{
    const isg_gradient_number *number = &to->numbers[at];
    const isg_plan_step *step = &to->plan->steps[number->step];
    char text[160];
    isg_text t = {text, sizeof text, 0};
    isg_put(w, "OUT(%d,", at);
    if (number->kind == ISG_NUMBER_FACTOR)
        isg_put(&t, "k%d", number->step - 1);
    else if (number->kind == ISG_NUMBER_PARAM)
        put_call(&t, step, isg_kernel_derivative(step->kernel, ISG_BY_PARAM + number->param));
    else if (isg_kernel_derivative(step->kernel, ISG_BY_LENGTHSCALE))
        put_call(&t, step, isg_kernel_derivative(step->kernel, ISG_BY_LENGTHSCALE));
    if (t.length)
        put_times(w, to, number->step, text);
    else
        isg_put(w, "times_argument(%s,N(%d),r%d)", isg_pair_name(row_of(step)->pair), step->numbers, number->step);
    isg_put(w, ")");
}

size_t isg_gradient_statements(const isg_gradient_plan *plan, isg_gradient_mode mode, char *text, size_t bytes)
{
    isg_text w = {text, bytes, 0};
    int at = 0;
    if (plan->forward)
        put_values(&w, plan);
    put_backwards(&w, plan);
    put_slopes(&w, plan);
    for (int i = 0; i < plan->count && mode == ISG_BY_NUMBERS; i++)
        put_number(&w, plan, i);
    for (int pair = 0; pair < ISG_PAIR_COUNT && mode != ISG_BY_NUMBERS; pair++)
        if (plan->plan->used[pair])
            put_pair(&w, plan, pair, false, at++);
    if (plan->self && mode == ISG_BY_POINTS)
        put_pair(&w, plan, 0, true, at);
    return w.length;
}

int isg_gradient_outputs(const isg_gradient_plan *plan, isg_gradient_mode mode)
{
    int count = mode == ISG_BY_NUMBERS ? plan->count : mode == ISG_BY_POINTS && plan->self;
    for (int pair = 0; pair < ISG_PAIR_COUNT && mode != ISG_BY_NUMBERS; pair++)
        count += plan->plan->used[pair];
    return count;
}

int64_t isg_gradient_sums(const isg_gradient_plan *plan, isg_gradient_mode mode, int64_t dims)
{
    return mode == ISG_BY_NUMBERS ? plan->count : dims + (mode == ISG_BY_POINTS && plan->self);
}
