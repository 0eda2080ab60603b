// From which pair's number on nothing is left of a value.
//
// A falling row's formula is within 2 ulp of a function that falls in u = s a, and +0 below the smallest normal number
// N. So where it gives +0 for one number s, the function is below N (1 + 2 ulp) there; it falls by more than 4 ulp on
// the way from s to s (1 + 2^-10), for its logarithm has at least half the slope of log s wherever it gets that small;
// and from there on it gives +0 for every number. The first such s is found by bisection: on the formula as the host
// computes it, which has the device's bits. The same holds of any other value in the place of N.
#include "far.h"
#include "reference.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double never = INFINITY;

typedef struct search {
    const isg_reference *reference;
    const isg_plan *plan;
    isg_extent extent;
} search;

static double value_at(const search *s, const isg_plan_step *step, double at)
{
    const isg_reference *reference = s->reference;
    const double *n = s->plan->numbers + step->numbers;
    double number = 0, value = 0;
    isg_store_double(reference->dtype, &number, 0, at);
    reference->formula(step->formula, &number, (isg_numbers){n[0], n[1], n[2]}, &value, 1);
    return isg_load_double(reference->dtype, &value, 0);
}

// Positive numbers are in the order of their bits.
static double middle(double low, double high)
{
    uint64_t a, b;
    memcpy(&a, &low, sizeof a);
    memcpy(&b, &high, sizeof b);
    a += (b - a) / 2;
    memcpy(&low, &a, sizeof low);
    return low;
}

// Of a row alone. A value that may not be 0 is compared with a little less than asked, which is where 2 ulp go.
static double row_from(const search *s, const isg_plan_step *step, double most)
{
    const isg_reference *reference = s->reference;
    const isg_kernel *row = isg_kernel_list()[step->kernel];
    const double largest = reference->dtype == ISG_F64 ? DBL_MAX : (double)FLT_MAX, bound = most * (1 - 0x1p-20),
                 unit = reference->dtype == ISG_F64 ? 0x1p-53 : 0x1p-24, dims = (double)s->extent.dims;
    double low = 0, high = largest;
    if (!row->falling || !(value_at(s, step, INFINITY) <= bound) || !(value_at(s, step, largest) <= bound))
        return never;
    while (high > low * (1 + 0x1p-30) && high > DBL_MIN) {
        double number = middle(low, high);
        if (value_at(s, step, number) <= bound)
            high = number;
        else
            low = number;
    }
    high *= 1 + 0x1p-10;
    // Numbers of chi-squared are not rounded in step with each other: each term within 8 roundings, and their sum; and
    // terms of (x + y) below 2^-75 (2^-899) count as 0.
    if (row->pair == ISG_PAIR_CHI2) {
        if (high < dims * (reference->dtype == ISG_F64 ? 0x1p-800 : 0x1p-40))
            return never;
        high *= 1 + (64 + 4 * dims) * unit;
    }
    return high <= largest ? high : never;
}

// The operand that ends at step `last`, and the step before its first one.
static int first_of(const isg_plan *plan, int last)
{
    for (int open = 1; open > 0; last--) {
        isg_step_kind kind = plan->steps[last].kind;
        open += kind == ISG_STEP_ROW ? -1 : kind == ISG_STEP_MULTIPLE ? 0 : 1;
    }
    return last;
}

// An exponent: the operand's values are at most 2^it in size, or infinite when there is no room for it.
static int largest_of(const search *s, int last)
{
    isg_plan part = *s->plan;
    int first = first_of(s->plan, last) + 1;
    part.count = last + 1 - first;
    memmove(part.steps, part.steps + first, (size_t)part.count * sizeof *part.steps);
    return isg_plan_largest(&part, s->extent, s->reference->dtype);
}

static isg_far nowhere(void)
{
    isg_far far;
    for (int pair = 0; pair < ISG_PAIR_COUNT; pair++)
        far.from[pair] = never;
    return far;
}

static isg_far find(const search *s, int last, double most);

// One operand is small enough for the other, which is finite: 0 times infinity is NaN.
static isg_far one_operand(const search *s, int last, int other, double most)
{
    const int largest = largest_of(s, other), end = s->reference->dtype == ISG_F64 ? 1024 : 128;
    return largest < end ? find(s, last, ldexp(most, -largest) * (1 - 0x1p-20)) : nowhere();
}

static isg_far find(const search *s, int last, double most)
{
    const isg_plan *plan = s->plan;
    const isg_plan_step *step = &plan->steps[last];
    isg_far a = nowhere(), b;
    if (step->kind == ISG_STEP_ROW) {
        isg_pair pair = isg_kernel_list()[step->kernel]->pair;
        a.from[pair] = row_from(s, step, most);
        return a;
    }
    if (step->kind == ISG_STEP_MULTIPLE)
        return find(s, last - 1, most / plan->numbers[step->numbers] * (1 - 0x1p-20));
    const int other = first_of(plan, last - 1);
    if (step->kind == ISG_STEP_SUM) {
        a = find(s, last - 1, most / 2 * (1 - 0x1p-20));
        b = find(s, other, most / 2 * (1 - 0x1p-20));
    } else {
        a = one_operand(s, last - 1, other, most);
        b = one_operand(s, other, last - 1, most);
    }
    // A sum is small where both are, a product where either is.
    for (int pair = 0; pair < ISG_PAIR_COUNT; pair++)
        a.from[pair] = step->kind == ISG_STEP_SUM ? fmax(a.from[pair], b.from[pair]) : fmin(a.from[pair], b.from[pair]);
    return a;
}

isg_far isg_far_find(const isg_operator *op, bool fused, double most)
{
    const search s = {isg_reference_get(op->x.dtype, fused), &op->plan, isg_extent_of(&op->x, &op->y)};
    double factor = 0;
    for (int64_t i = 0; op->factors && i < op->x.count; i++)
        factor = fmax(factor, fabs(isg_load_double(op->x.dtype, op->factors, i)));
    if (factor > 0)
        most = most / factor * (1 - 0x1p-20);
    return find(&s, op->plan.count - 1, most);
}

bool isg_far_known(const isg_far *far)
{
    bool known = false;
    for (int pair = 0; pair < ISG_PAIR_COUNT; pair++)
        known = known || far->from[pair] < never;
    return known;
}
