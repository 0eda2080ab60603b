// The filter's cases of the certificate.
#include "reference_derived.h"
#include "verify_cases.h"
#include "verify_inputs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// What is filtered. FINE reaches down to subnormal numbers, beside larger ones; LARGE up to where scales change; HOLES
// holds NaN and infinities, GAPS much NaN, and numbers as FINE has them.
typedef enum pixels { PLAIN, FINE, LARGE, HOLES, GAPS } pixels;

static const char *const pixel_names[] = {"plain", "fine", "large", "holes", "gaps"};

static const struct filter_case {
    const char *what;
    pixels pixels;
    int32_t ndim;
    int64_t shape[4], quick[4]; // quick: all 0: not among the quick ones
    isg_filter_params params;
    bool masked;
    int derived; // 0: none, else an isg_derived + 1
} filter_cases[] = {
    {.what = "filter 1-d", .ndim = 1, .shape = {1000}, .params = {.sigma = {5}, .mode = {ISG_MODE_MIRROR}}},
    {.what = "filter 2-d",
     .ndim = 2,
     .shape = {301, 203},
     .quick = {43, 37},
     .params = {.each = 1, .sigma = {1.5, 4}, .mode = {ISG_MODE_REFLECT, ISG_MODE_WRAP}}},
    {.what = "filter gradient",
     .ndim = 2,
     .shape = {131, 97},
     .params = {.each = 1,
                .sigma = {2.5, 1.25},
                .order = {1, 0},
                .mode = {ISG_MODE_CONSTANT, ISG_MODE_CONSTANT},
                .constant = 0.75}},
    {.what = "filter order 2 and 3",
     .ndim = 2,
     .shape = {131, 97},
     .params = {.each = 1, .sigma = {0.75, 3}, .order = {2, 3}, .mode = {ISG_MODE_NEAREST, ISG_MODE_MIRROR}}},
    {.what = "filter order 4",
     .ndim = 1,
     .shape = {3000},
     .params = {.sigma = {12}, .order = {4}, .mode = {ISG_MODE_WRAP}}},
    {.what = "filter below the radius",
     .ndim = 2,
     .shape = {5, 9},
     .params = {.sigma = {6}, .order = {0}, .mode = {ISG_MODE_MIRROR}}},
    {.what = "filter 3-d",
     .ndim = 3,
     .shape = {33, 40, 51},
     .params = {.each = 1, .sigma = {2, 1, 1.5}, .order = {0, 1, 0}}},
    {.what = "filter 4-d", .ndim = 4, .shape = {11, 12, 13, 14}, .params = {.sigma = {1.25}}},
    {.what = "filter integrated",
     .ndim = 2,
     .shape = {61, 67},
     .params = {.sigma = {0.9}, .sampling = ISG_SAMPLING_INTEGRATED}},
    {.what = "filter bessel",
     .ndim = 2,
     .shape = {61, 67},
     .params = {.sigma = {0.9}, .sampling = ISG_SAMPLING_BESSEL}},
    {.what = "filter 2-d",
     .pixels = FINE,
     .ndim = 2,
     .shape = {201, 103},
     .quick = {53, 41},
     .params = {.sigma = {1.5}}},
    {.what = "filter order 2",
     .pixels = FINE,
     .ndim = 2,
     .shape = {201, 103},
     .quick = {53, 41},
     .params = {.sigma = {1.5}, .order = {2}}},
    {.what = "filter 2-d",
     .pixels = LARGE,
     .ndim = 2,
     .shape = {101, 103},
     .quick = {29, 41},
     .params = {.sigma = {2}}},
    {.what = "filter order 1",
     .pixels = LARGE,
     .ndim = 2,
     .shape = {101, 103},
     .params = {.sigma = {0.6}, .order = {1}}},
    {.what = "filter 2-d",
     .pixels = HOLES,
     .ndim = 2,
     .shape = {101, 103},
     .quick = {101, 103},
     .params = {.sigma = {1}}},
    {.what = "masked ignore",
     .pixels = GAPS,
     .ndim = 2,
     .shape = {101, 103},
     .params = {.each = 1,
                .sigma = {2, 1.5},
                .mode = {ISG_MODE_CONSTANT, ISG_MODE_WRAP},
                .constant = NAN,
                .nan = ISG_NAN_IGNORE},
     .masked = true},
    {.what = "masked preserve",
     .pixels = GAPS,
     .ndim = 3,
     .shape = {19, 21, 23},
     .params = {.sigma = {1.25}, .nan = ISG_NAN_PRESERVE}},
    {.what = "derived laplacian",
     .pixels = FINE,
     .ndim = 2,
     .shape = {61, 67},
     .params = {.sigma = {1.5}},
     .derived = 1 + ISG_DERIVED_LAPLACIAN},
    {.what = "derived gradient-magnitude",
     .pixels = LARGE,
     .ndim = 2,
     .shape = {61, 67},
     .params = {.sigma = {1.5}},
     .derived = 1 + ISG_DERIVED_GRADIENT_MAGNITUDE},
    {.what = "derived unsharp",
     .pixels = FINE,
     .ndim = 2,
     .shape = {61, 67},
     .params = {.sigma = {1.5}},
     .derived = 1 + ISG_DERIVED_UNSHARP},
    {.what = "derived structure-tensor",
     .pixels = FINE,
     .ndim = 2,
     .shape = {61, 67},
     .params = {.sigma = {1.5}},
     .derived = 1 + ISG_DERIVED_STRUCTURE_TENSOR},
};
enum { FILTER_CASES = sizeof filter_cases / sizeof *filter_cases };

static double pixel(pixels set, isg_dtype dtype, uint64_t *state)
{
    uint64_t r = next_integer(state);
    double f = next_fraction(state);
    bool wide = dtype == ISG_F64;
    switch (set) {
    case FINE: return r % 3 == 0 ? f : ldexp(1 + f / 4, -(int)(r / 4 % (wide ? 1074 : 149)));
    case LARGE: return ldexp(f, (int)(r % (wide ? 1020 : 124)));
    case GAPS:
        return r % 5 < 2 ? NAN : r % 2003 == 0 ? INFINITY : ldexp(1 + f / 4, -(int)(r / 4 % (wide ? 1000 : 130)));
    case HOLES: return r % 4001 == 0 ? NAN : r % 2003 == 0 ? INFINITY : f;
    default: return f;
    }
}

void isg_filter_case_pixels(const char *name, isg_dtype dtype, void *to, int64_t count, uint64_t *state)
{
    int set = PLAIN;
    while (strcmp(pixel_names[set], name) != 0)
        set++;
    for (int64_t p = 0; p < count; p++)
        isg_store_double(dtype, to, p, pixel(set, dtype, state));
}

int isg_filter_case_count(bool quick)
{
    int count = 0;
    for (int i = 0; i < FILTER_CASES; i++)
        count += !quick || filter_cases[i].quick[0] > 0;
    return count;
}

isg_array isg_filter_case_view(const isg_case *c, void *data)
{
    isg_array view = c->image;
    view.data = data;
    return view;
}

bool isg_filter_case_make(isg_case *c, int at, bool quick)
{
    int i = 0;
    for (; quick && (filter_cases[i].quick[0] == 0 || at-- > 0); i++)
        ;
    const struct filter_case *from = &filter_cases[quick ? i : at];
    c->kind = ISG_CASE_FILTER;
    c->inputs = pixel_names[from->pixels];
    snprintf(c->what, sizeof c->what, "%s", from->what);
    c->filter = from->params;
    c->filter.precision = c->dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
    c->image = (isg_array){.dtype = c->dtype, .ndim = from->ndim};
    c->count = 1;
    for (int32_t axis = from->ndim - 1; axis >= 0; axis--) {
        c->image.shape[axis] = quick ? from->quick[axis] : from->shape[axis];
        c->image.strides[axis] = c->count;
        c->count *= c->image.shape[axis];
    }
    c->a = isg_alloc(c->count, isg_dtype_bytes(c->dtype));
    c->b = isg_alloc(c->count, 1);
    uint64_t state = 0x4000 + (uint64_t)(from - filter_cases);
    for (int64_t p = 0; c->a && p < c->count; p++)
        isg_store_double(c->dtype, c->a, p, pixel(from->pixels, c->dtype, &state));
    for (int64_t p = 0; c->b && from->masked && p < c->count; p++)
        ((unsigned char *)c->b)[p] = next_integer(&state) % 4 > 0;
    if (from->masked) {
        c->filter.mask = isg_filter_case_view(c, c->b);
        c->filter.mask.dtype = ISG_U8;
    }
    c->derived = from->derived;
    c->count *= isg_filter_case_outputs(c); // 0 without memory to find out
    return c->a && c->b && c->count > 0;
}

isg_derived_params isg_filter_case_derived(const isg_case *c)
{
    return (isg_derived_params){.filter = c->filter, .amount = 2.5};
}

int32_t isg_filter_case_outputs(const isg_case *c)
{
    isg_derived_params p = isg_filter_case_derived(c);
    return c->derived ? isg_derived_outputs((isg_derived)(c->derived - 1), &p, c->image.ndim) : 1;
}

// Of an array each, one behind the other.
void isg_filter_case_views(const isg_case *c, void *data, isg_array *views)
{
    int32_t count = isg_filter_case_outputs(c);
    for (int32_t i = 0; i < count; i++)
        views[i] = isg_filter_case_view(c, (char *)data + (size_t)(c->count / count * i) * isg_dtype_bytes(c->dtype));
}

static bool expected_derived(const isg_case *c, const isg_array *from, void *out)
{
    isg_derived_plan plan;
    isg_derived_params p = isg_filter_case_derived(c);
    isg_array to[ISG_FILTER_MOST_OUTPUTS];
    isg_filter_case_views(c, out, to);
    bool ok = isg_derived_plan_make(&plan, (isg_derived)(c->derived - 1), &p, from->ndim, from->shape, c->dtype,
                                    c->dtype, NULL) == ISG_OK &&
              isg_reference_derived(isg_reference_get(c->dtype, c->fused), &plan, from, NULL, to);
    isg_derived_plan_free(&plan);
    return ok;
}

bool isg_filter_case_expected(const isg_case *c, void *out)
{
    isg_filter_plan plan;
    isg_array from = isg_filter_case_view(c, c->a), to = isg_filter_case_view(c, out);
    const isg_array *mask = c->filter.mask.dtype ? &c->filter.mask : NULL;
    if (c->derived)
        return expected_derived(c, &from, out);
    bool ok = isg_filter_plan_make(&plan, &c->filter, from.ndim, from.shape, c->dtype, c->dtype, NULL) == ISG_OK &&
              isg_reference_filter_masked(isg_reference_get(c->dtype, c->fused), &plan, &from, mask, &to);
    isg_filter_plan_free(&plan);
    return ok;
}
