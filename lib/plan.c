#include "plan.h"
#include "kernels.h"

#include <limits.h>
#include <math.h>

isg_extent isg_extent_of(const isg_points *x, const isg_points *y)
{
    double smallest = x->smallest;
    if (smallest == 0 || (y->smallest > 0 && y->smallest < smallest))
        smallest = y->smallest;
    return (isg_extent){fmax(x->largest, y->largest), smallest, x->dims};
}

// Exponents of scaled coordinates, for each precision: the highest that a pair's number has room for; and the lowest
// at which no term can come close to a subnormal number. Between these the plain loop gives what the fine one gives.
// Below, no row may do without the fine one: a term of 2^-140 is nothing in any value, but where the next square lies
// halfway between two numbers it decides for one of them.
//   sqdist  a difference of numbers from 2^-39 on is 0 or at least 2^-62, half as much with its weight, and its
//           square a normal number
//   l1      likewise without the square
//   dot     products of numbers from 2^-39 on are at least 2^-78 and multiples of 2^-125, as all their sums are; and
//           sums stay where product_exact can split them
//   chi2    a term is 0 or more than (x + y) 2^-50
typedef struct window {
    int lowest, highest;
} window;

// several: of more than one row, some may see far larger numbers than they would alone, and these must stay finite.
static window window_of(isg_pair pair, bool norms, bool several, int64_t dims, bool wide)
{
    static const window single[] = {[ISG_PAIR_SQDIST] = {-39, 125},
                                    [ISG_PAIR_L1] = {-102, 125},
                                    [ISG_PAIR_DOT] = {-39, 50},
                                    [ISG_PAIR_CHI2] = {-75, 60}},
                        twice[] = {[ISG_PAIR_SQDIST] = {-457, 1021},
                                   [ISG_PAIR_L1] = {-969, 1021},
                                   [ISG_PAIR_DOT] = {-449, 480},
                                   [ISG_PAIR_CHI2] = {-899, 500}};
    window w = wide ? twice[pair] : single[pair];
    if (pair == ISG_PAIR_DOT) {
        int sums = (int)ceil(log2((double)dims) / 2);
        int room = (wide ? 490 : 56) - sums;
        w.highest = norms ? (wide ? 200 : 20) : w.highest < room ? w.highest : room;
    } else if (several && pair != ISG_PAIR_CHI2) {
        w.highest = (w.highest - (int)ceil(log2((double)dims))) / isg_pair_power(pair) - 1;
    }
    return w;
}

// The factors of 2^e.
static void set_exponent(isg_scale *scale, int e, int lowest)
{
    int widest = -2 * lowest; // two normal factors
    e = e < -widest ? -widest : e > widest ? widest : e;
    scale->exponent = e;
    scale->factor1 = ldexp(1, e / 2);
    scale->factor2 = ldexp(1, e - e / 2);
    scale->tiny = ldexp(1, e < 0 ? lowest - e : lowest);
}

// The exponent that a row would have alone: a 2^(-power e) in [0.5, 2) or [0.25, 4); without a scale, the largest
// coordinate where there is most room. Beside rows with a scale it takes less of it, for their a becomes the smaller.
static int wanted_exponent(const isg_kernel *row, double a, double largest, window w, bool several, bool wide)
{
    int q, power = isg_pair_power(row->pair);
    if (row->scale != ISG_SCALE_NONE) {
        frexp(a, &q);
        return power == 2 ? (q - (q & 1)) / 2 : q;
    }
    if (largest == 0)
        return 0;
    int top = several && w.highest > (wide ? 100 : 10) ? (wide ? 100 : 10) : w.highest;
    return (row->pair == ISG_PAIR_DOT ? top : 0) - ilogb(largest);
}

static isg_status check_scaled(double *scaled, const isg_kernel *row, double a, isg_extent extent, isg_dtype dtype,
                               isg_error *error)
{
    bool wide = dtype == ISG_F64;
    int lowest = wide ? -1022 : -126;
    // Each square below 2^lowest may be flushed, and up to 2^24 of them together must not matter: a times their sum has
    // to stay below half an ulp of 1.
    int highest = -lowest - 24 - (wide ? 54 : 25), power = isg_pair_power(row->pair);
    if (extent.largest == 0)
        *scaled = fmin(*scaled, 1); // every distance is 0, whatever it is multiplied by
    if (!(*scaled < ldexp(1, highest)))
        return isg_fail(error, ISG_ERR_RANGE, "values up to %g are too many lengthscales (%g) apart for %s arithmetic",
                        extent.largest, power == 2 ? sqrt(0.5 / a) : 1 / a, isg_dtype_name(dtype));
    double most = log2(a) + power * (log2(extent.largest) + 1) + log2((double)extent.dims);
    // What is not 0 however far points are apart needs its squares: the functions see no further than 2^120 (2^1000).
    if (extent.largest > 0 && row->far && !(most < (wide ? 999 : 119)))
        return isg_fail(error, ISG_ERR_RANGE, "values up to %g are too many lengthscales (%g) apart for %s in %s",
                        extent.largest, sqrt(0.5 / a), row->name, isg_dtype_name(dtype));
    if (*scaled < ldexp(1, lowest)) {
        // Every pair is far closer than a lengthscale, so that even the square root of what the formula is written in
        // is nothing beside 1; but not where another row's lengthscale is so much smaller that points are scaled for
        // it.
        int digits = wide ? 53 : 24;
        if (extent.largest > 0 && a > 0 && !(most < (row->fine ? lowest : -2 * (digits + 1))))
            return isg_fail(error, ISG_ERR_RANGE,
                            "the scales of %s and of the other kernels are too far apart for %s "
                            "arithmetic",
                            row->name, isg_dtype_name(dtype));
        *scaled = 0;
    }
    return ISG_OK;
}

static isg_status plan_row(isg_plan *plan, isg_plan_step *to, isg_numbers n, isg_extent extent, isg_dtype dtype,
                           isg_error *error)
{
    const isg_kernel *row = isg_kernel_list()[to->kernel];
    double largest_number = ldexp(1, dtype == ISG_F64 ? 1022 : 126);
    int power = isg_pair_power(row->pair);
    if (!(fabs(n.b) < largest_number) || !(fabs(n.c) < largest_number))
        return isg_fail(error, ISG_ERR_RANGE,
                        "a lengthscale or parameter is out of range for %s arithmetic: a factor of %g",
                        isg_dtype_name(dtype), fabs(n.b) < largest_number ? n.c : n.b);
    if (row->scale == ISG_SCALE_NONE) {
        n = (isg_numbers){1, -row->growth * plan->scale.exponent, 0};
    } else {
        double a = n.a;
        n.a = ldexp(a, -power * plan->scale.exponent);
        isg_status st = check_scaled(&n.a, row, a, extent, dtype, error);
        if (st)
            return st;
    }
    // A subnormal number would be 0 on some devices.
    double least = ldexp(1, dtype == ISG_F64 ? -1022 : -126);
    n.b = fabs(n.b) < least ? 0 : n.b;
    n.c = fabs(n.c) < least ? 0 : n.c;
    plan->numbers[to->numbers] = n.a;
    plan->numbers[to->numbers + 1] = n.b;
    plan->numbers[to->numbers + 2] = n.c;
    return ISG_OK;
}

isg_status isg_plan_make(isg_plan *plan, const isg_composite *composite, isg_extent extent, isg_dtype dtype,
                         isg_error *error)
{
    bool wide = dtype == ISG_F64;
    isg_numbers numbers[ISG_MAX_STEPS];
    isg_status st = ISG_OK;
    int e = INT_MIN, room = INT_MAX;
    const bool several = composite->rows > 1;
    *plan = (isg_plan){.count = composite->count};
    for (int i = 0; i < composite->count && !st; i++) {
        const isg_step *step = &composite->steps[i];
        isg_kernel_params params = isg_step_params(step);
        isg_kernel_values values;
        plan->steps[i] = (isg_plan_step){.kind = step->kind, .numbers = plan->number_count};
        if (step->kind == ISG_STEP_MULTIPLE)
            plan->numbers[plan->number_count++] = step->factor;
        // A subnormal one would be 0.
        bool small = step->factor < ldexp(1, wide ? -1022 : -126);
        if (step->kind == ISG_STEP_MULTIPLE && (small || !(step->factor < ldexp(1, wide ? 1023 : 127))))
            st = isg_fail(error, ISG_ERR_RANGE, "a factor of %g is too %s for %s", step->factor,
                          small ? "small" : "large", isg_dtype_name(dtype));
        if (step->kind != ISG_STEP_ROW)
            continue;
        const isg_kernel *row = params.kernel;
        st = isg_kernel_resolve(&values, &params, extent.dims, error);
        plan->steps[i].kernel = isg_kernel_index(row);
        plan->steps[i].formula = isg_kernel_formula(plan->steps[i].kernel, &values);
        plan->number_count += 3;
        plan->used[row->pair] = true;
        plan->norms |= row->norms;
        numbers[i] = isg_kernel_numbers(plan->steps[i].kernel, &values);
        window w = window_of(row->pair, row->norms, several, extent.dims, wide);
        int wanted = wanted_exponent(row, numbers[i].a, extent.largest, w, several, wide);
        e = wanted > e ? wanted : e;
        if (extent.largest > 0)
            room = w.highest - ilogb(extent.largest) < room ? w.highest - ilogb(extent.largest) : room;
    }
    if (st)
        return st;
    set_exponent(&plan->scale, e < room ? e : room, wide ? -1022 : -126);
    for (int i = 0; i < composite->count && !st; i++)
        if (composite->steps[i].kind == ISG_STEP_ROW)
            st = plan_row(plan, &plan->steps[i], numbers[i], extent, dtype, error);
    for (int pair = 0; pair < ISG_PAIR_COUNT; pair++)
        plan->fine[pair] = plan->used[pair] && extent.smallest > 0 &&
                           ilogb(extent.smallest) + plan->scale.exponent <
                               window_of((isg_pair)pair, false, several, extent.dims, wide).lowest;
    return st;
}

// e: |x| < 2^e; far below everything for 0.
static int above(double x)
{
    return x == 0 ? -(1 << 14) : ilogb(x) + 1;
}

static int ceil_log2(int64_t x)
{
    int e = 0;
    while (((int64_t)1 << e) < x)
        e++;
    return e;
}

// The same of a pair's number, as it is computed from scaled coordinates; one more for what is rounded up.
static int pair_above(const isg_plan *plan, isg_pair pair, isg_extent extent)
{
    int one = above(extent.largest) + plan->scale.exponent, term = one + 1;
    if (pair == ISG_PAIR_SQDIST)
        term = 2 * (one + 1);
    else if (pair == ISG_PAIR_DOT)
        term = 2 * one;
    return term + ceil_log2(extent.dims) + 1;
}

// Of a row that is not bounded: with a scale, at most 2^9 (1 + |u| + |b|)^c, where 2^9 is for a logarithm.
static int row_above(const isg_plan *plan, const isg_plan_step *step, isg_extent extent)
{
    const isg_kernel *row = isg_kernel_list()[step->kernel];
    const double *n = plan->numbers + step->numbers;
    int s = pair_above(plan, row->pair, extent);
    if (row->bounded)
        return 0;
    if (row->scale == ISG_SCALE_NONE)
        return (row->growth < isg_pair_power(row->pair) ? (s + (s & 1)) / 2 : s) + (int)n[1];
    int base = s + above(n[0]), b = above(n[1]), order = n[2] > 1 ? (int)n[2] : 1;
    base = base > b ? base : b;
    return 9 + order * ((base > 0 ? base : 0) + 2);
}

void isg_plan_bounds(const isg_plan *plan, isg_extent extent, isg_dtype dtype, int *bounds)
{
    int stack[ISG_MAX_ROWS + 1] = {0}, top = -1, end = dtype == ISG_F64 ? 1024 : 128;
    for (int i = 0; i < plan->count; i++) {
        const isg_plan_step *step = &plan->steps[i];
        if (step->kind == ISG_STEP_ROW) {
            stack[++top] = row_above(plan, step, extent);
        } else if (step->kind == ISG_STEP_MULTIPLE) {
            stack[top] += above(plan->numbers[step->numbers]);
        } else {
            top--;
            int a = stack[top], b = stack[top + 1];
            stack[top] = step->kind == ISG_STEP_PRODUCT ? a + b : (a > b ? a : b) + 1;
        }
        stack[top] = stack[top] < end ? stack[top] : end;
        bounds[i] = stack[top];
    }
}

int isg_plan_largest(const isg_plan *plan, isg_extent extent, isg_dtype dtype)
{
    int bounds[ISG_MAX_STEPS];
    isg_plan_bounds(plan, extent, dtype, bounds);
    return bounds[plan->count - 1];
}

int isg_plan_pair_above(const isg_plan *plan, isg_pair pair, isg_extent extent)
{
    return pair_above(plan, pair, extent);
}

int isg_plan_left(const isg_plan *plan, int step)
{
    int at = step - 1;
    for (int missing = 1;; at--) {
        if (plan->steps[at].kind == ISG_STEP_ROW)
            missing--;
        else if (plan->steps[at].kind != ISG_STEP_MULTIPLE)
            missing++;
        if (missing == 0)
            return at - 1;
    }
}

const char *isg_plan_add(const isg_plan *plan, isg_pair pair)
{
#define NAMES(id, name) [ISG_PAIR_##id] = {"add_" #name, "add_" #name "_fine"},
    static const char *const names[][2] = {ISG_PAIRS(NAMES)};
#undef NAMES
    return names[pair][plan->fine[pair]];
}

// The operand that ends at step `last`; gives the step before its first one. Sums and products do not mind which
// operand comes first.
static int put_operand(isg_text *w, const isg_plan *plan, int last)
{
    const isg_plan_step *step = &plan->steps[last];
    if (step->kind == ISG_STEP_ROW) {
        const isg_kernel *row = isg_kernel_list()[step->formula];
        if (row->norms)
            isg_put(w, "%s(%s,inverse.hi,inverse.lo,N(%d))", row->formula, isg_pair_name(row->pair), step->numbers);
        else
            isg_put(w, "%s(%s,N(%d),N(%d),N(%d))", row->formula, isg_pair_name(row->pair), step->numbers,
                    step->numbers + 1, step->numbers + 2);
        return last - 1;
    }
    if (step->kind == ISG_STEP_MULTIPLE) {
        isg_put(w, "real_product(N(%d),", step->numbers);
        last = put_operand(w, plan, last - 1);
    } else {
        isg_put(w, "%s(", step->kind == ISG_STEP_SUM ? "real_sum" : "real_product");
        last = put_operand(w, plan, last - 1);
        isg_put(w, ",");
        last = put_operand(w, plan, last);
    }
    isg_put(w, ")");
    return last;
}

size_t isg_plan_expression(const isg_plan *plan, char *text, size_t bytes)
{
    isg_text w = {text, bytes, 0};
    put_operand(&w, plan, plan->count - 1);
    return w.length;
}

bool isg_plan_has_logs(const isg_plan *plan)
{
    bool all = true;
    for (int i = 0; i < plan->count; i++)
        all = all && plan->steps[i].kind != ISG_STEP_SUM &&
              (plan->steps[i].kind != ISG_STEP_ROW || isg_kernel_list()[plan->steps[i].kernel]->logarithm);
    return all;
}

// Products' steps come in any order, and sums of logarithms are taken in that of the steps.
size_t isg_plan_log_expression(const isg_plan *plan, char *text, size_t bytes)
{
    isg_text w = {text, bytes, 0};
    int terms = 0;
    if (!isg_plan_has_logs(plan)) {
        isg_put(&w, "real_log(");
        put_operand(&w, plan, plan->count - 1);
        isg_put(&w, ")");
        return w.length;
    }
    isg_put(&w, "(");
    for (int i = 0; i < plan->count; i++) {
        const isg_plan_step *step = &plan->steps[i];
        const isg_kernel *row = isg_kernel_list()[step->kernel];
        if (step->kind == ISG_STEP_PRODUCT)
            continue;
        isg_put(&w, "%s", terms++ ? "+" : "");
        if (step->kind == ISG_STEP_ROW)
            isg_put(&w, "%s(%s,N(%d))", row->logarithm, isg_pair_name(row->pair), step->numbers);
        else
            isg_put(&w, "real_log(N(%d))", step->numbers);
    }
    isg_put(&w, ")");
    return w.length;
}
