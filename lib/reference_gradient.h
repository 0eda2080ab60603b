// The reference's gradients: a part of reference_variant.c, which has the pairs' numbers and values.
//
// What cl/gradient.cl computes from statements that gradient_plan.c writes is computed here from the plan's steps.
#ifndef ISG_LIB_REFERENCE_GRADIENT_H
#define ISG_LIB_REFERENCE_GRADIENT_H

#include "gradient_work.h"

typedef real (*row_function)(real, real, real, real);

static row_function derivative_of(int kernel, int by)
{
#undef DERIVATIVES
#define DERIVATIVES(id, ...) [ISG_KERNEL_##id] = {__VA_ARGS__},
#define KERNEL(...)
#define none NULL
    static const row_function all[ISG_KERNEL_COUNT][ISG_BY_COUNT] = {
#include "kernels.def"
    };
#undef none
#undef KERNEL
    return all[kernel][by];
}

// One pair on its way through the plan.
typedef struct pair_state {
    const isg_gradient_plan *gradient;
    const pair_numbers *s;
    pair inverse;
    real value[ISG_MAX_STEPS];
} pair_state;

static real call(const pair_state *p, int step, row_function f)
{
    const isg_plan_step *it = &p->gradient->plan->steps[step];
    const double *n = p->gradient->plan->numbers + it->numbers;
    const isg_kernel *row = isg_kernel_list()[it->kernel];
    if (row->norms)
        return f(p->s->of[row->pair], p->inverse.hi, p->inverse.lo, (real)n[0]);
    return f(p->s->of[row->pair], (real)n[0], (real)n[1], (real)n[2]);
}

static void operands(pair_state *p)
{
    const isg_plan *plan = p->gradient->plan;
    for (int i = 0; i < plan->count; i++) {
        const isg_plan_step *step = &plan->steps[i];
        if (step->kind == ISG_STEP_ROW)
            p->value[i] = call(p, i, formulas[step->formula]);
        else if (step->kind == ISG_STEP_MULTIPLE)
            p->value[i] = real_product((real)plan->numbers[step->numbers], p->value[i - 1]);
        else
            p->value[i] =
                (step->kind == ISG_STEP_SUM ? real_sum : real_product)(p->value[p->gradient->left[i]], p->value[i - 1]);
    }
}

// x times K's derivative by the operand that ends at `step`: the factors of all that it is in, the outermost first.
static real carried(const pair_state *p, int step, real x)
{
    const isg_gradient_plan *gradient = p->gradient;
    const int parent = gradient->parent[step];
    if (parent < 0)
        return x;
    const isg_plan_step *around = &gradient->plan->steps[parent];
    if (around->kind == ISG_STEP_SUM)
        return carried(p, parent, x);
    real factor = around->kind == ISG_STEP_MULTIPLE ? (real)gradient->plan->numbers[around->numbers]
                                                    : p->value[step < parent - 1 ? parent - 1 : gradient->left[parent]];
    return real_product(carried(p, parent, factor), x);
}

static real number_of(const pair_state *p, const isg_gradient_number *number)
{
    const isg_plan_step *step = &p->gradient->plan->steps[number->step];
    const double *n = p->gradient->plan->numbers + step->numbers;
    row_function own = number->kind == ISG_NUMBER_FACTOR  ? NULL
                       : number->kind == ISG_NUMBER_PARAM ? derivative_of(step->kernel, ISG_BY_PARAM + number->param)
                                                          : derivative_of(step->kernel, ISG_BY_LENGTHSCALE);
    if (number->kind == ISG_NUMBER_FACTOR)
        return carried(p, number->step, p->value[number->step - 1]);
    if (own)
        return carried(p, number->step, call(p, number->step, own));
    real slope = carried(p, number->step, call(p, number->step, derivative_of(step->formula, ISG_BY_ARGUMENT)));
    return times_argument(p->s->of[isg_kernel_list()[step->kernel]->pair], (real)n[0], slope);
}

// K's derivative by a pair's number; self: what rows with norms add to K instead.
static real by_pair(const pair_state *p, int of, bool self)
{
    const isg_plan *plan = p->gradient->plan;
    real sum = 0;
    bool begun = false;
    for (int i = 0; i < plan->count; i++) {
        const isg_plan_step *step = &plan->steps[i];
        const double *n = plan->numbers + step->numbers;
        const isg_kernel *row = isg_kernel_list()[step->kernel];
        if (step->kind != ISG_STEP_ROW || (self ? !row->norms : (int)row->pair != of))
            continue;
        real part =
            carried(p, i, call(p, i, self ? formulas[step->formula] : derivative_of(step->formula, ISG_BY_ARGUMENT)));
        if (!self && row->norms)
            part = real_product(part, p->inverse.hi);
        else if (!self && !p->gradient->lone)
            part = row->scale != ISG_SCALE_NONE ? real_product(part, (real)n[0]) : scale_back(part, (real)n[1]);
        sum = begun ? real_sum(sum, part) : part;
        begun = true;
    }
    return !self && of == ISG_PAIR_SQDIST ? sum + sum : sum;
}

// Sums in the contract's order: of the real type, or of products in double.
typedef struct running {
    real block, total;
    double wide_block, wide_total;
} running;

static void add(running *r, real g, real t, bool wide)
{
    if (wide)
        r->wide_block = r->wide_block + (double)g * (double)t;
    else
        r->block = add_dot_fine(r->block, g, t);
}

static void add_plain(running *r, real g, bool wide)
{
    if (wide)
        r->wide_block = r->wide_block + (double)g;
    else
        r->block = r->block + g;
}

static void close_block(running *r)
{
    r->total = r->total + r->block;
    r->wide_total = r->wide_total + r->wide_block;
    r->block = 0;
    r->wide_block = 0;
}

// What pair g's numbers add to coordinate k's sum: x of the target, y of the source.
static void add_coordinate(running *r, const isg_gradient_pass *pass, const real *g, real x, real y, int64_t k)
{
    const isg_plan *plan = pass->plan->plan;
    const bool wide = REAL_BITS == 32 && pass->sums == ISG_F64, lengths = pass->mode == ISG_BY_LENGTHS;
    real t = x - y;
    int at = 0;
    if (plan->weights)
        t = t * ((const real *)plan->weights)[k];
    t = magnitude(t) < SMALLEST_NORMAL ? 0 : t;
    for (int kind = 0; kind < ISG_PAIR_COUNT; kind++) {
        if (!plan->used[kind])
            continue;
        real of = g[at++];
        if (kind == ISG_PAIR_SQDIST && lengths)
            add(r, length_part(of, t), t, wide);
        else if (kind == ISG_PAIR_SQDIST)
            add(r, of, t, wide);
        else if (kind == ISG_PAIR_L1 && lengths)
            add(r, of, magnitude(t), wide);
        else if (kind == ISG_PAIR_L1)
            add_plain(r, sign_part(of, t), wide);
        else if (kind == ISG_PAIR_DOT)
            add(r, of, y, wide);
        else
            add(r, of, chi2_part(x, y), wide);
    }
}

static bool gradient(const isg_gradient_pass *pass)
{
    const isg_operator *op = pass->op;
    const isg_plan *plan = &op->plan;
    const isg_points *targets = pass->transposed ? &op->y : &op->x, *sources = pass->transposed ? &op->x : &op->y;
    const real *a = pass->transposed ? pass->sides->y : pass->sides->x,
               *b = pass->transposed ? pass->sides->x : pass->sides->y;
    const int outputs = isg_gradient_outputs(pass->plan, pass->mode);
    const int64_t sums = isg_gradient_sums(pass->plan, pass->mode, targets->dims);
    const bool wide = REAL_BITS == 32 && pass->sums == ISG_F64;
    running *all = isg_alloc(sums, sizeof *all);
    for (int64_t i = 0; all && i < targets->count; i++) {
        memset(all, 0, (size_t)sums * sizeof *all);
        for (int64_t j = 0; j < sources->count; j++) {
            pair_numbers s = numbers_of(plan, targets, i, sources, j);
            pair_state p = {.gradient = pass->plan, .s = &s};
            real c = 0, g[ISG_MOST_GRADIENT_NUMBERS];
            if (plan->norms)
                p.inverse = inverse_norms(inverse_norm(plan, targets, i), inverse_norm(plan, sources, j));
            operands(&p);
            for (int32_t q = 0; q < pass->sides->columns; q++)
                c = add_dot_fine(c, a[i * pass->sides->columns + q], b[j * pass->sides->columns + q]);
            int at = 0;
            for (int kind = 0; kind < ISG_PAIR_COUNT && pass->mode != ISG_BY_NUMBERS; kind++)
                if (plan->used[kind]) {
                    g[at] = weighted(c, by_pair(&p, kind, false), (real)pass->plan->cut);
                    at++;
                }
            if (pass->mode == ISG_BY_NUMBERS)
                for (; at < outputs; at++)
                    g[at] = weighted(c, number_of(&p, &pass->plan->numbers[at]), (real)pass->plan->least);
            else if (at < outputs)
                g[at] = weighted(c, by_pair(&p, ISG_PAIR_DOT, true), (real)pass->plan->least);
            for (int64_t k = 0; k < sums; k++) {
                if (pass->mode == ISG_BY_NUMBERS)
                    add_plain(&all[k], g[k], wide);
                else if (k == targets->dims)
                    add_plain(&all[k], g[outputs - 1], wide);
                else
                    add_coordinate(&all[k], pass, g, coordinate(plan, targets, i, k), coordinate(plan, sources, j, k),
                                   k);
            }
            for (int64_t k = 0; k < sums && (j + 1 == sources->count || (j + 1) % ISG_BLOCK_SOURCES == 0); k++)
                close_block(&all[k]);
        }
        for (int64_t k = 0; k < sums; k++)
            pass->out[k * targets->count + i] = wide ? all[k].wide_total : (double)all[k].total;
    }
    const bool ok = all != NULL;
    free(all);
    return ok;
}

#endif
