// The certificate's cases of grids that are no products, and of convolutions.
#include "stencil.h"
#include "verify_cases.h"
#include "verify_inputs.h"

#include <stdio.h>
#include <stdlib.h>

static const struct grid_case {
    const char *what;
    isg_grid_params params;
} grid_cases[] = {
    {"stencil covariance", {.ndim = 3, .size = {9, 10, 11}, .covariance = {4, 1, -0.5, 1, 3, 0.7, -0.5, 0.7, 2}}},
    {"stencil angle", {.ndim = 2, .size = {31, 40}, .sigma = {0.75, 2.5}, .angle = 33}},
    {"stencil derivative", {.ndim = 2, .size = {21, 22}, .sigma = {1.25, 3}, .angle = 33, .order = {1, 2}}},
    {"stencil gabor",
     {.ndim = 2, .size = {31, 33}, .sigma = {4}, .gamma = 0.5, .wavelength = 7, .angle = 60, .phase = 20}},
};
enum { GRID_CASES = sizeof grid_cases / sizeof *grid_cases };

static const struct convolve_case {
    const char *what, *pixels; // as the filter's cases name them
    int32_t ndim, stencil_ndim;
    int64_t shape[4], stencil[3];
    isg_convolve_params params;
} convolve_cases[] = {
    {"correlate 2-d", "plain", 2, 2, {203, 151}, {7, 10}, {.correlate = 1}},
    {"convolve 2-d", "plain", 3, 2, {40, 51, 3}, {4, 5}, {.axes = {0, 1}, .axis_count = 2, .mode = {ISG_MODE_WRAP}}},
    {"convolve 3-d", "plain", 3, 3, {21, 22, 33}, {3, 4, 5}, {.mode = {ISG_MODE_CONSTANT}, .constant = 0.75}},
    {"convolve 2-d", "fine", 2, 2, {101, 103}, {5, 5}, {.mode = {ISG_MODE_NEAREST}}},
    {"convolve 2-d", "large", 2, 2, {51, 53}, {5, 5}, {.mode = {ISG_MODE_MIRROR}}},
    {"convolve 2-d", "holes", 2, 2, {101, 103}, {5, 5}, {.correlate = 0}},
};
enum { CONVOLVE_CASES = sizeof convolve_cases / sizeof *convolve_cases };

// None of them is quick: grids need no device, and convolutions cost its compiler some seconds.
int isg_stencil_case_count(bool quick)
{
    return quick ? 0 : GRID_CASES + CONVOLVE_CASES;
}

static isg_array dense(isg_dtype dtype, int32_t ndim, const int64_t *shape, void *data, int64_t *count)
{
    isg_array a = {.dtype = dtype, .ndim = ndim, .data = data};
    *count = 1;
    for (int32_t axis = ndim - 1; axis >= 0; axis--) {
        a.shape[axis] = shape[axis];
        a.strides[axis] = *count;
        *count *= shape[axis];
    }
    return a;
}

static bool make_convolution(isg_case *c, const struct convolve_case *from)
{
    int64_t weights;
    uint64_t state = 0x5000 + (uint64_t)(from - convolve_cases);
    c->kind = ISG_CASE_CONVOLVE;
    c->convolve = from->params;
    c->convolve.precision = c->dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
    c->image = dense(c->dtype, from->ndim, from->shape, NULL, &c->count);
    c->stencil = dense(ISG_F64, from->stencil_ndim, from->stencil, NULL, &weights);
    c->a = isg_alloc(c->count, isg_dtype_bytes(c->dtype));
    c->b = isg_alloc(weights, sizeof(double));
    for (int64_t i = 0; c->b && i < weights; i++)
        ((double *)c->b)[i] = next_fraction(&state);
    if (c->a)
        isg_filter_case_pixels(from->pixels, c->dtype, c->a, c->count, &state);
    c->stencil.data = c->b;
    return c->a && c->b;
}

bool isg_stencil_case_make(isg_case *c, int at)
{
    bool grid = at < GRID_CASES;
    const struct convolve_case *convolution = &convolve_cases[grid ? 0 : at - GRID_CASES];
    snprintf(c->what, sizeof c->what, "%s", grid ? grid_cases[at].what : convolution->what);
    c->inputs = grid ? "points" : convolution->pixels;
    if (!grid)
        return make_convolution(c, convolution);
    c->kind = ISG_CASE_STENCIL;
    c->grid = grid_cases[at].params;
    c->grid.precision = c->dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
    dense(c->dtype, c->grid.ndim, c->grid.size, NULL, &c->count);
    return true;
}

bool isg_stencil_case_expected(const isg_case *c, void *out)
{
    if (c->kind == ISG_CASE_STENCIL) {
        isg_stencil stencil;
        double *weights = isg_alloc(c->count, sizeof *weights);
        bool ok = weights && isg_stencil_resolve(&stencil, &c->grid, NULL) == ISG_OK &&
                  isg_stencil_weights(&stencil, weights, NULL) == ISG_OK;
        if (ok)
            isg_stencil_round(weights, c->count, c->dtype, out);
        free(weights);
        return ok;
    }
    isg_convolve_plan plan;
    isg_array from = isg_filter_case_view(c, c->a), to = isg_filter_case_view(c, out);
    bool ok =
        isg_convolve_plan_make(&plan, &c->convolve, from.ndim, from.shape, &c->stencil, c->dtype, NULL) == ISG_OK &&
        isg_reference_convolve(isg_reference_get(c->dtype, c->fused), &plan, &from, &to);
    isg_convolve_plan_free(&plan);
    return ok;
}
