#include "expansion.h"
#include "kernels.h"

#include <float.h>
#include <math.h>

double isg_tolerance_default(isg_dtype dtype)
{
    return 512 * (dtype == ISG_F64 ? DBL_EPSILON : (double)FLT_EPSILON);
}

// A sum of n roundings' (1 + delta) is within this part of 1: Higham, Accuracy and Stability of Numerical Algorithms,
// 2nd ed., lemma 3.1.
static double gamma_n(double n, double unit)
{
    return n * unit < 0.5 ? n * unit / (1 - n * unit) : INFINITY;
}

// Of a covariance function of s: its largest |k|, and the largest |dk/ds|; infinite where there is no such bound.
typedef struct reach {
    double most, slope;
} reach;

static reach reach_of(const isg_plan *plan, const isg_plan_step *step)
{
    const isg_kernel *row = isg_kernel_list()[step->kernel];
    const double *n = plan->numbers + step->numbers;
    if (row->steep == 0)
        return (reach){INFINITY, INFINITY};
    return (reach){fabs(row->on_diagonal), row->steep * n[0] * (n[1] != 0 ? fabs(n[1]) : 1)};
}

// The largest s by which a distance may be off, as a part of the tolerance, wherever it is: most/slope. 0 where one of
// the rows has no largest slope.
static double flatness(const isg_plan *plan)
{
    reach stack[ISG_MAX_ROWS + 1] = {{0, 0}};
    int top = -1;
    for (int i = 0; i < plan->count; i++) {
        const isg_plan_step *step = &plan->steps[i];
        if (step->kind == ISG_STEP_ROW) {
            stack[++top] = reach_of(plan, step);
        } else if (step->kind == ISG_STEP_MULTIPLE) {
            stack[top].most *= plan->numbers[step->numbers];
            stack[top].slope *= plan->numbers[step->numbers];
        } else {
            reach f = stack[top - 1], g = stack[top];
            stack[--top] = step->kind == ISG_STEP_SUM ? (reach){f.most + g.most, f.slope + g.slope}
                                                      : (reach){f.most * g.most, f.slope * g.most + f.most * g.slope};
        }
    }
    double flat = stack[0].most / stack[0].slope;
    return flat > 0 ? flat : 0; // a function without a bound has NaN here
}

// With u the unit roundoff, N = |x|^2 + |y|^2 of the points as they are stored, seen from the centre:
//   4 r u N        storing them rounds each coordinate r times (taking the centre away; its weight), which moves x - y
//                  by r u (|x| + |y|), and that is at most r u sqrt(2 N); s lies below 2 N
//   gamma_n N      2 x.y: a term goes through n = STRETCH + ceil(d/STRETCH) - 1 roundings, and sum |x_k y_k| <= N/2
//                  (Higham, section 3.1)
//   u + gamma_d^2  of each norm, a compensated sum (Ogita, Rump, Oishi 2005, proposition 5.5)
//   u, 2 u         their sum; the last step, where s is at most 2 N
//   u              differences that become subnormal, and may be flushed, beside coordinates that are not
// and in `least` all other subnormal numbers: at most 16 to a coordinate. A thousandth is for what has u^2 in it and
// for the roundings of the comparison itself.
isg_allowance isg_allowance_of(const isg_plan *plan, int64_t dims, isg_dtype dtype, double tolerance)
{
    const bool wide = dtype == ISG_F64;
    const double unit = wide ? DBL_EPSILON / 2 : (double)FLT_EPSILON / 2, spare = 1 + 0x1p-10;
    const double smallest = wide ? DBL_MIN : (double)FLT_MIN, largest = wide ? DBL_MAX : (double)FLT_MAX;
    double stretches = ceil((double)dims / ISG_STRETCH), d = (double)dims;
    double terms = fmin(d, ISG_STRETCH) + stretches - 1, norms = gamma_n(d, unit);
    double growth = gamma_n(terms, unit) + norms * norms + (4 * (plan->weights ? 2 : 1) + 5) * unit;
    double part = tolerance / (1 + tolerance);
    return (isg_allowance){.growth = fmin(growth * spare, largest),
                           .least = 16 * (d + 4) * smallest,
                           .enough = fmin(tolerance * flatness(plan) / spare, largest),
                           .part = part / spare};
}
