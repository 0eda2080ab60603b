// The filter's cases of the certificate.
#include "verify_cases.h"
#include "verify_inputs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// What is filtered. FINE reaches down to subnormal numbers, beside larger ones; LARGE up to where scales change; HOLES
// holds NaN and infinities.
typedef enum pixels { PLAIN, FINE, LARGE, HOLES } pixels;

static const char *const pixel_names[] = {"plain", "fine", "large", "holes"};

static const struct filter_case {
    const char *what;
    pixels pixels;
    int32_t ndim;
    int64_t shape[4], quick[4]; // quick: all 0: not among the quick ones
    isg_filter_params params;
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
    uint64_t state = 0x4000 + (uint64_t)(from - filter_cases);
    for (int64_t p = 0; c->a && p < c->count; p++)
        isg_store_double(c->dtype, c->a, p, pixel(from->pixels, c->dtype, &state));
    return c->a != NULL;
}

bool isg_filter_case_expected(const isg_case *c, void *out)
{
    isg_filter_plan plan;
    isg_array from = isg_filter_case_view(c, c->a), to = isg_filter_case_view(c, out);
    bool ok = isg_filter_plan_make(&plan, &c->filter, from.ndim, from.shape, c->dtype, c->dtype, NULL) == ISG_OK &&
              isg_reference_filter(isg_reference_get(c->dtype, c->fused), &plan, &from, &to);
    isg_filter_plan_free(&plan);
    return ok;
}
