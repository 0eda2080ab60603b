// A gradient from its parts.
#include "gradient_work.h"
#include "reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

// --- weights

typedef struct extremes {
    double largest, smallest; // of the finite |x| but 0; 0: there are none
} extremes;

static double element(const isg_array *a, int64_t i, int64_t p)
{
    return isg_load_double(a->dtype, a->data, i * a->strides[0] + p * a->strides[1]);
}

// factors: of rows, of type dtype, or NULL. What is a number beyond double's range counts as the nearest one.
static extremes extremes_of(const isg_array *a, const void *factors, isg_dtype dtype, int *exponent)
{
    extremes e = {0, 0};
    *exponent = 0;
    for (int round = 0; round < 2; round++) { // first the size of the largest, then with that taken off
        int top = -(1 << 14);
        e = (extremes){0, 0};
        for (int64_t i = 0; i < a->shape[0]; i++)
            for (int64_t p = 0; p < a->shape[1]; p++) {
                int ex, ef = 0;
                double x = frexp(element(a, i, p), &ex);
                if (factors)
                    x *= frexp(isg_load_double(dtype, factors, i), &ef);
                if (!isfinite(x) || x == 0)
                    continue;
                top = ex + ef > top ? ex + ef : top;
                x = fabs(ldexp(x, ex + ef - *exponent));
                if (x == 0)
                    continue; // so much smaller than the largest
                e.largest = fmax(e.largest, x);
                e.smallest = e.smallest == 0 ? x : fmin(e.smallest, x);
            }
        if (round == 0)
            *exponent = top > -(1 << 14) ? top : 0;
    }
    return e;
}

// `columns` columns of a from `at` on into rows of `width`, times 2^-exponent.
static void put_columns(void *to, int32_t width, int32_t at, const isg_array *a, const void *factors, isg_dtype dtype,
                        int exponent)
{
    const double least = dtype == ISG_F64 ? DBL_MIN : (double)FLT_MIN;
    for (int64_t i = 0; i < a->shape[0]; i++)
        for (int64_t p = 0; p < a->shape[1]; p++) {
            int ex, ef = 0;
            double x = frexp(element(a, i, p), &ex);
            if (dtype == ISG_F32)
                x = (float)x;
            if (factors)
                x *= frexp(isg_load_double(dtype, factors, i), &ef);
            if (isfinite(x))
                x = ldexp(dtype == ISG_F32 ? (double)(float)x : x, ex + ef - exponent);
            isg_store_double(dtype, to, i * width + at + p, fabs(x) < least ? 0 : x);
        }
}

static void free_sides(isg_gradient_sides *sides)
{
    free(sides->x);
    free(sides->y);
}

static isg_status make_sides(isg_gradient_sides *to, const isg_operator *op, const isg_gradient_plan *plan,
                             const isg_gradient_params *params, isg_error *error)
{
    const isg_array *v = &params->v, *w = &params->w;
    const isg_dtype dtype = op->x.dtype;
    const int32_t r = (int32_t)v->shape[1], width = op->alone ? 2 * r : r;
    int ev, ew, room = 0;
    *to = (isg_gradient_sides){.columns = width};
    to->x = isg_alloc(op->x.count * width, isg_dtype_bytes(dtype));
    to->y = isg_alloc(op->y.count * width, isg_dtype_bytes(dtype));
    if (!to->x || !to->y) {
        free_sides(to);
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for %d columns of weights", (int)width);
    }
    const extremes a = extremes_of(v, op->factors, dtype, &ev), b = extremes_of(w, NULL, dtype, &ew);
    while (room < 31 && ((int64_t)1 << room) < width)
        room++;
    // All numbers are below 1 so far; their products go up to 2^(top - room).
    const int half = (plan->top - room) / 2, other = plan->top - room - half;
    ev -= half;
    ew -= other;
    to->exponent = ev + ew;
    to->fine = a.smallest > 0 && b.smallest > 0 &&
               ilogb(a.smallest) + half + ilogb(b.smallest) + other < (dtype == ISG_F64 ? -898 : -78);
    put_columns(to->x, width, 0, v, op->factors, dtype, ev);
    put_columns(to->y, width, 0, w, NULL, dtype, ew);
    if (op->alone) {
        put_columns(to->x, width, r, w, NULL, dtype, ew);
        put_columns(to->y, width, r, v, op->factors, dtype, ev);
    }
    return ISG_OK;
}

// --- from sums to derivatives

// 2^exponent `sum` `by`, +0 below the smallest normal number of the type.
static double finished(double sum, double by, int exponent, isg_dtype dtype)
{
    const double least = dtype == ISG_F64 ? DBL_MIN : (double)FLT_MIN;
    int a, b;
    double value = frexp(sum, &a) * frexp(by, &b);
    if (isfinite(value))
        value = ldexp(value, a + b + exponent);
    if (dtype == ISG_F32)
        value = (float)value;
    return fabs(value) < least ? 0 : value;
}

// Coordinate k of a point, as it is packed.
static double coordinate(const isg_operator *op, const isg_points *points, int64_t i, int64_t k)
{
    double x = isg_load_double(points->dtype, points->rows, i * points->stride + k);
    return fabs(x) < op->plan.scale.tiny ? 0 : ldexp(x, op->plan.scale.exponent);
}

static void put_points(const isg_gradient_pass *pass, const void *norms, const isg_array *out)
{
    const isg_operator *op = pass->op;
    const isg_gradient_plan *plan = pass->plan;
    const isg_points *points = pass->transposed ? &op->y : &op->x;
    const int64_t d = points->dims, count = points->count;
    for (int64_t k = 0; k < d; k++) {
        double by = op->lengthscales ? plan->point / op->lengthscales[k] : plan->point;
        for (int64_t i = 0; i < count; i++) {
            double sum = pass->out[k * count + i];
            if (plan->self) { // x.y/(|x| |y|) by x: y/(|x| |y|), less the value times x/|x|^2
                double r = isg_load_double(points->dtype, norms, i) + isg_load_double(points->dtype, norms, count + i);
                sum -= pass->out[d * count + i] * (coordinate(op, points, i, k) * r) * r;
            }
            isg_store_double(out->dtype, out->data, i * out->strides[0] + k * out->strides[1],
                             finished(sum, by, plan->point_exponent + pass->sides->exponent, out->dtype));
        }
    }
}

// Over all targets, in double, in the order of sums over points.
static double total(const isg_gradient_pass *pass, int64_t at)
{
    const int64_t count = pass->op->x.count;
    double all = 0;
    for (int64_t first = 0; first < count; first += ISG_BLOCK_SOURCES) {
        double block = 0;
        for (int64_t i = first; i < isg_min(first + ISG_BLOCK_SOURCES, count); i++)
            block += pass->out[at * count + i];
        all += block;
    }
    return all;
}

static void put_number(const isg_gradient_pass *pass, const isg_gradient_params *params, int64_t at, int64_t sum,
                       double by)
{
    // Of one set of points every pair was summed twice.
    const int exponent = pass->sides->exponent - pass->op->alone;
    const isg_array *rows = &params->rows;
    if (params->parameters)
        params->parameters[at] = finished(total(pass, sum), by, exponent, ISG_F64);
    for (int64_t i = 0; i < pass->op->x.count && rows->dtype != ISG_DTYPE_NONE; i++)
        isg_store_double(ISG_F64, rows->data, i * rows->strides[0] + at * rows->strides[1],
                         finished(pass->out[sum * pass->op->x.count + i], by, exponent, ISG_F64));
}

static void put_numbers(const isg_gradient_pass *pass, const isg_gradient_params *params)
{
    const isg_gradient_plan *plan = pass->plan;
    for (int i = 0; i < plan->count && pass->mode == ISG_BY_NUMBERS; i++)
        put_number(pass, params, i, i, plan->numbers[i].by);
    for (int64_t k = 0; k < pass->op->x.dims && pass->mode == ISG_BY_LENGTHS; k++)
        put_number(pass, params, plan->count + k, k, -plan->point / pass->op->lengthscales[k]);
}

// --- all of it

isg_status isg_gradient_run(const isg_operator *op, void *const *norms, const isg_gradient_params *params,
                            isg_gradient_compute compute, void *user, isg_error *error)
{
    isg_gradient_plan plan;
    isg_gradient_sides sides;
    const bool mixed = params->accumulate == ISG_PRECISION_F64,
               numbers = params->parameters || params->rows.dtype != ISG_DTYPE_NONE;
    const struct {
        bool wanted, transposed;
        isg_gradient_mode mode;
    } passes[] = {
        {params->x.dtype != ISG_DTYPE_NONE, false, ISG_BY_POINTS},
        {params->y.dtype != ISG_DTYPE_NONE, true, ISG_BY_POINTS},
        {numbers, false, ISG_BY_NUMBERS},
        {numbers && op->lengthscales, false, ISG_BY_LENGTHS},
    };
    enum { PASSES = sizeof passes / sizeof *passes };
    const double pairs = (double)op->x.count * (double)op->y.count;
    isg_status st = isg_gradient_plan_make(&plan, op, norms, error);
    if (st || (st = make_sides(&sides, op, &plan, params, error)))
        return st;
    isg_gradient_pass pass = {
        .op = op, .plan = &plan, .sides = &sides, .sums = mixed ? ISG_F64 : op->x.dtype, .done = 0, .of = 0};
    for (int i = 0; i < PASSES; i++)
        pass.of += passes[i].wanted ? pairs : 0;
    for (int i = 0; i < PASSES && !st; i++) {
        if (!passes[i].wanted)
            continue;
        pass.mode = passes[i].mode;
        pass.transposed = passes[i].transposed;
        const int64_t rows = isg_gradient_sums(&plan, pass.mode, op->x.dims);
        int64_t size;
        if (rows == 0)
            continue; // a function without numbers
        if (!isg_mul(rows, pass.transposed ? op->y.count : op->x.count, &size) ||
            !(pass.out = isg_alloc(size, sizeof *pass.out))) {
            st = isg_fail(error, ISG_ERR_MEMORY, "no memory for the sums of a gradient");
            break;
        }
        st = compute(user, &pass);
        if (!st && pass.mode == ISG_BY_POINTS)
            put_points(&pass, norms ? norms[pass.transposed] : NULL, pass.transposed ? &params->y : &params->x);
        else if (!st)
            put_numbers(&pass, params);
        free(pass.out);
        pass.done += pairs;
    }
    free_sides(&sides);
    return st;
}

// --- the reference

static isg_status reference_pass(void *user, const isg_gradient_pass *pass)
{
    const isg_reference *reference = user;
    return reference->gradient(pass) ? ISG_OK : ISG_ERR_MEMORY;
}

isg_status isg_reference_gradient(const isg_operator *op, bool fused, const isg_gradient_params *params,
                                  isg_error *error)
{
    const isg_reference *reference = isg_reference_get(op->x.dtype, fused);
    const isg_points *sets[] = {&op->x, &op->y};
    const size_t element_bytes = isg_dtype_bytes(op->x.dtype);
    void *norms[2] = {NULL, NULL};
    isg_status st = ISG_OK;
    for (int i = 0; i < 2 && op->plan.norms && !st; i++) {
        char *of = norms[i] = isg_alloc(2 * sets[i]->count, element_bytes);
        if (of)
            reference->norms(&op->plan, sets[i], of, of + (size_t)sets[i]->count * element_bytes);
        else
            st = isg_fail(error, ISG_ERR_MEMORY, "no memory for the norms of %lld points", (long long)sets[i]->count);
    }
    if (!st)
        st = isg_gradient_run(op, norms, params, reference_pass, (void *)(uintptr_t)reference, error);
    free(norms[0]);
    free(norms[1]);
    return st;
}
