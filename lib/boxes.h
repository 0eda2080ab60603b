// Boxes around consecutive points, as they are packed, and how far they are from each other at least. Knows nothing of
// devices.
#ifndef ISG_LIB_BOXES_H
#define ISG_LIB_BOXES_H

#include "far.h"

typedef struct isg_boxes {
    int64_t count, dims;
    double *sides; // of each box the lowest coordinates, then the highest, scaled; and a number of the caller's
} isg_boxes;

// Elements of a box in `sides`; and the caller's number, -infinity at first.
static inline int64_t isg_boxes_stride(const isg_boxes *boxes)
{
    return 2 * boxes->dims + 1;
}

static inline double *isg_boxes_number(const isg_boxes *boxes, int64_t box)
{
    return boxes->sides + (box + 1) * isg_boxes_stride(boxes) - 1;
}

// Of points [first, first + count), `width` for each box; the first box lacks the `before` points in front of them. A
// box with a coordinate that is not finite holds everything. false: no memory.
bool isg_boxes_make(isg_boxes *boxes, const isg_points *points, const isg_scale *scale, int64_t first, int64_t count,
                    int64_t width, int64_t before);
// Of `by` boxes each, with the largest of their numbers.
bool isg_boxes_merge(isg_boxes *boxes, const isg_boxes *from, int64_t by);
void isg_boxes_free(isg_boxes *boxes);

// Makes a box hold everything, with a number above all others, so that nothing is far from it.
void isg_boxes_open(isg_boxes *boxes, int64_t box);
bool isg_boxes_is_open(const isg_boxes *boxes, int64_t box);

// Whether all points of two boxes are far apart, all but for rounding: what to plan with, not to skip by. weights: of
// the coordinates' differences, of type dtype; NULL: none.
bool isg_boxes_apart(const isg_boxes *a, int64_t i, const isg_boxes *b, int64_t j, const isg_far *far, isg_dtype dtype,
                     const void *weights);

// The square of how far apart points of two boxes are at the most, all but for rounding; and those two corners, as
// points before they are scaled. corners: NULL, or 2 dims.
double isg_boxes_span(const isg_boxes *a, int64_t i, const isg_boxes *b, int64_t j, isg_dtype dtype,
                      const void *weights, const isg_scale *scale, double *corners);

#endif
