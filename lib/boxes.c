#include "boxes.h"

#include <math.h>
#include <stdlib.h>

static bool boxes_new(isg_boxes *boxes, int64_t count, int64_t dims)
{
    int64_t all;
    *boxes = (isg_boxes){.count = count, .dims = dims};
    if (!isg_mul(count, isg_boxes_stride(boxes), &all) || !(boxes->sides = isg_alloc(all, sizeof *boxes->sides)))
        return false;
    for (int64_t i = 0; i < all; i++)
        boxes->sides[i] = i % isg_boxes_stride(boxes) < dims ? INFINITY : -INFINITY;
    return true;
}

static double *low_of(const isg_boxes *boxes, int64_t box)
{
    return boxes->sides + box * isg_boxes_stride(boxes);
}

static double *high_of(const isg_boxes *boxes, int64_t box)
{
    return low_of(boxes, box) + boxes->dims;
}

// As pack.cl scales a coordinate: a power of two changes no digit.
static double scaled(double x, const isg_scale *scale)
{
    return fabs(x) < scale->tiny ? 0 : ldexp(x, scale->exponent);
}

bool isg_boxes_make(isg_boxes *boxes, const isg_points *points, const isg_scale *scale, int64_t first, int64_t count,
                    int64_t width, int64_t before)
{
    const int64_t d = points->dims;
    if (!boxes_new(boxes, (before + count + width - 1) / width, d))
        return false;
    for (int64_t i = 0; i < count; i++) {
        double *low = low_of(boxes, (before + i) / width), *high = low + d;
        for (int64_t k = 0; k < d; k++) {
            double x = isg_load_double(points->dtype, points->rows, (first + i) * points->stride + k);
            if (!isfinite(x)) {
                isg_boxes_open(boxes, (before + i) / width);
                break;
            }
            low[k] = x < low[k] ? x : low[k];
            high[k] = x > high[k] ? x : high[k];
        }
    }
    for (int64_t i = 0; i < boxes->count * isg_boxes_stride(boxes); i++)
        if (isfinite(boxes->sides[i]))
            boxes->sides[i] = scaled(boxes->sides[i], scale);
    return true;
}

bool isg_boxes_merge(isg_boxes *boxes, const isg_boxes *from, int64_t by)
{
    const int64_t d = from->dims;
    if (!boxes_new(boxes, (from->count + by - 1) / by, d))
        return false;
    for (int64_t i = 0; i < from->count; i++) {
        double *number = isg_boxes_number(boxes, i / by);
        *number = fmax(*number, *isg_boxes_number(from, i));
        for (int64_t k = 0; k < d; k++) {
            double *low = low_of(boxes, i / by), *high = low + d;
            low[k] = fmin(low[k], low_of(from, i)[k]);
            high[k] = fmax(high[k], high_of(from, i)[k]);
        }
    }
    return true;
}

void isg_boxes_free(isg_boxes *boxes)
{
    free(boxes->sides);
    boxes->sides = NULL;
}

bool isg_boxes_is_open(const isg_boxes *boxes, int64_t box)
{
    return low_of(boxes, box)[0] == -INFINITY;
}

void isg_boxes_open(isg_boxes *boxes, int64_t box)
{
    *isg_boxes_number(boxes, box) = INFINITY;
    for (int64_t k = 0; k < boxes->dims; k++) {
        low_of(boxes, box)[k] = -INFINITY;
        high_of(boxes, box)[k] = INFINITY;
    }
}

bool isg_boxes_apart(const isg_boxes *a, int64_t i, const isg_boxes *b, int64_t j, const isg_far *far, isg_dtype dtype,
                     const void *weights)
{
    const double *low_a = low_of(a, i), *high_a = high_of(a, i), *low_b = low_of(b, j), *high_b = high_of(b, j);
    double square = 0, sum = 0, chi2 = 0;
    for (int64_t k = 0; k < a->dims; k++) {
        // The nearest two coordinates.
        double x = low_b[k] > high_a[k] ? high_a[k] : low_a[k], y = low_b[k] > high_a[k] ? low_b[k] : high_b[k];
        if (!(low_b[k] > high_a[k]) && !(low_a[k] > high_b[k]))
            continue;
        double t = fabs(y - x) * (weights ? isg_load_double(dtype, weights, k) : 1);
        square += t * t;
        sum += t;
        chi2 += t * t / (x + y);
    }
    return square >= far->from[ISG_PAIR_SQDIST] || sum >= far->from[ISG_PAIR_L1] || chi2 >= far->from[ISG_PAIR_CHI2];
}

double isg_boxes_span(const isg_boxes *a, int64_t i, const isg_boxes *b, int64_t j, isg_dtype dtype,
                      const void *weights, const isg_scale *scale, double *corners)
{
    const double *low_a = low_of(a, i), *high_a = high_of(a, i), *low_b = low_of(b, j), *high_b = high_of(b, j);
    double square = 0;
    for (int64_t k = 0; k < a->dims; k++) {
        bool up = high_b[k] - low_a[k] > high_a[k] - low_b[k];
        double x = up ? low_a[k] : high_a[k], y = up ? high_b[k] : low_b[k];
        double t = (y - x) * (weights ? isg_load_double(dtype, weights, k) : 1);
        square += t * t;
        if (corners) {
            corners[k] = ldexp(x, -scale->exponent);
            corners[a->dims + k] = ldexp(y, -scale->exponent);
        }
    }
    return square;
}
