// Filters of arrays some of whose elements are not valid: weighted means of those that are (normalised convolution:
// Knutsson and Westin 1993, of order 0).
//
// The contract. An element x of validity v, 0 or 1, goes in as the pair (x v, v), and along each axis both numbers
// become sums as filter.cl has them, from the outside in, of the same weights. Where the second sum is that of an array
// without holes, the first one is the result, as filter.cl gives it; else it is the quotient of the two, correctly
// rounded, times a power of two. Where it is too small there is no result. lib/filter_plan.h says what is too small.
//
// Build options, besides those of fma.h:
//   IN, OUT     elements in memory: FILTER_F32 ...
//   CHECKED     1: the input may hold numbers from FILTER_LARGE on
//   MASK_BYTES  bytes of a mask's element; 0: there is no mask
//   MASK_FLOAT  bits of its exponent; 0: it is a whole number
//   FIRST       1: a pass reads what filter_valid wrote; 0: sums
//   LAST        1: it writes results; 0: sums
//   VERTICAL    1: it filters along columns; 0: along rows
#include "fma.h"
#include "lanes.h"
#include "quotient.h"
#include "filter_element.h"

#if defined(MASK_BYTES)

#if MASK_BYTES == 2
typedef ushort element_mask;
#elif MASK_BYTES == 4
typedef uint element_mask;
#elif MASK_BYTES == 8
typedef ulong element_mask;
#else
typedef uchar element_mask;
#endif

// By bits, for numbers may be subnormal, or of a precision that the device has not.
FN int counts(element_mask element)
{
#if MASK_FLOAT
    const element_mask all = (element_mask) ~(element_mask)0, mag = (element_mask)(element << 1); // without the sign
    return mag != 0 && mag <= (element_mask)(all << (MASK_BYTES * 8 - MASK_FLOAT));
#else
    return element != 0;
#endif
}

// The array's elements, scaled, without gaps, and numbers[VALID_BEYOND] for those that are not valid. Dimension 1
// counts all lines, dimension 0 work-items that share one. flags[0]: set where valid input is large.
kernel void filter_valid(global const element_in *in, global const element_mask *mask, global scalar *out,
                         global const long *shape, global const scalar *numbers, global int *flags, long line,
                         long line_end)
{
    const long at = line + (long)get_global_id(1), cols = shape[VALID_COUNT_3];
    if (at >= line_end)
        return;
    const long c = at % shape[VALID_COUNT_2], rest = at / shape[VALID_COUNT_2];
    const long b = rest % shape[VALID_COUNT_1], a = rest / shape[VALID_COUNT_1];
    const long step = shape[VALID_IN_3];
    in += shape[VALID_IN] + a * shape[VALID_IN_0] + b * shape[VALID_IN_1] + c * shape[VALID_IN_2];
#if MASK_BYTES
    const long mask_step = shape[VALID_MASK_3];
    mask += shape[VALID_MASK] + a * shape[VALID_MASK_0] + b * shape[VALID_MASK_1] + c * shape[VALID_MASK_2];
#endif
    out += at * cols;
    bits large = BITS(0);
    for (long col = (long)get_global_id(0); col < cols; col += (long)get_global_size(0)) {
        const scalar x = from_element(in[col * step]);
        bits large_here = BITS(0);
        const scalar kept_x = kept_one(x, numbers, &large_here);
        bits valid = ~is_nan((real)x);
#if MASK_BYTES
        valid &= -(bits)counts(mask[col * mask_step]);
#endif
        out[col] = pick(valid, kept_x, numbers[VALID_BEYOND]);
        large |= large_here & valid;
    }
#if CHECKED
    if (any_lane(large))
        RAISE(flags);
#endif
}

#else

// Of LANES elements: sums of valid ones, and of their weights.
typedef struct valid_sums {
    real sum, weight;
} valid_sums;

// LANES elements from `first` on that stand side by side, where `near`; else those that a line's index names from
// `first` on, none of them behind `last`, or `step` apart from `first` on without one.
FN real take(global const scalar *from, int near, global const int *index, int first, int last, long step,
             scalar outside)
{
    if (near)
        return LOAD(from + first);
    scalar lane[LANES];
    for (int l = 0; l < LANES; l++) {
        const int place = min(first + l, last), source = index ? index[place] : place;
        lane[l] = source < 0 ? outside : from[source * step];
    }
    return LOAD(lane);
}

// What filter_valid wrote is a sum of one element, whose weight its being a number tells.
FN valid_sums sums_of(real sum, real weight, scalar unit)
{
    valid_sums s;
#if FIRST
    const bits valid = ~is_nan(sum);
    s.sum = as_real(as_bits(sum) & valid);
    s.weight = as_real(as_bits(REAL(unit)) & valid);
#else
    s.sum = sum;
    s.weight = weight;
#endif
    return s;
}

// At place `place` of the filter's index, for columns from `col` on. x, weight: the plane.
FN valid_sums sums_at(global const scalar *x, global const scalar *weight, global const long *shape,
                      global const scalar *numbers, global const int *index, int near, int row, int col, int place)
{
    const long step = shape[FILTER_IN_COL], row_step = shape[FILTER_IN_ROW];
    const scalar outside = numbers[WEIGH_CONSTANT], outside_weight = numbers[WEIGH_CONSTANT_WEIGHT];
#if VERTICAL
    const int source = index[row + place], last = (int)shape[FILTER_COLS] - 1;
    if (source < 0)
        return sums_of(REAL(outside), REAL(outside_weight), numbers[WEIGH_UNIT]);
    const real sum = take(x + source * row_step, near, 0, col, last, step, outside);
    const real all = FIRST ? sum : take(weight + source * row_step, near, 0, col, last, step, outside);
#else
    const int radius = (int)shape[FILTER_RADIUS_H], last = (int)shape[FILTER_COLS] + 2 * radius - 1;
    const int first = col + place - near * radius;
    const real sum = take(x + row * row_step, near, index, first, last, step, outside);
    const real all = FIRST ? sum : take(weight + row * row_step, near, index, first, last, step, outside_weight);
#endif
    return sums_of(sum, all, numbers[WEIGH_UNIT]);
}

// As filter_each: a work-item for LANES columns of a line. Dimension 0 counts columns, dimension 1 rows of all planes.
// x: sums, or what filter_valid wrote; weight: sums; own: what filter_valid wrote, of the output's shape. Input has no
// gaps, and LANES elements behind it may be read.
kernel void filter_weighted(global const scalar *x, global const scalar *weight, global element_out *out,
                            global scalar *out_weight, global const scalar *own, global const long *shape,
                            global const scalar *numbers, global const int *index, long line, long line_end)
{
    const int rows = (int)shape[FILTER_ROWS], cols = (int)shape[FILTER_COLS];
    const int col = (int)get_global_id(0) * LANES;
    const long at = line + (long)get_global_id(1), plane = at / rows;
    const int row = (int)(at % rows);
    if (col >= cols || at >= line_end)
        return;
    const long plane_0 = plane / shape[FILTER_PLANES_1], plane_1 = plane % shape[FILTER_PLANES_1];
    const long from = plane_0 * shape[FILTER_IN_0] + plane_1 * shape[FILTER_IN_1];
    const int radius = (int)shape[VERTICAL ? FILTER_RADIUS_V : FILTER_RADIUS_H];
    int near = shape[FILTER_IN_COL] == 1;
#if !VERTICAL
    near = near & (col >= radius) & (col + LANES - 1 + radius < cols);
#endif
    global const scalar *weights = numbers + WEIGH_WEIGHTS;
    real sum = REAL(0), all = REAL(0);
    for (int m = 0; m < radius; m++) {
        const real w = (real)weights[m];
        const valid_sums low = sums_at(x + from, weight + from, shape, numbers, index, near, row, col, m);
        const valid_sums high = sums_at(x + from, weight + from, shape, numbers, index, near, row, col, 2 * radius - m);
        sum = FMA(w, high.sum + low.sum, sum);
        all = FMA(w, high.weight + low.weight, all);
    }
    const valid_sums middle = sums_at(x + from, weight + from, shape, numbers, index, near, row, col, radius);
    sum = FMA((real)weights[radius], middle.sum, sum);
    all = FMA((real)weights[radius], middle.weight, all);

    const long to = shape[FILTER_OUT] + plane_0 * shape[FILTER_OUT_0] + plane_1 * shape[FILTER_OUT_1] +
                    row * shape[FILTER_OUT_ROW] + col * shape[FILTER_OUT_COL];
#if LAST
    const real whole = kept(sum, (real)numbers[WEIGH_TINY_WHOLE], (real)numbers[WEIGH_FACTOR_WHOLE]);
    const real mean = kept(real_divide(sum, all), (real)numbers[WEIGH_TINY_MEAN], (real)numbers[WEIGH_FACTOR_MEAN]);
    real result = pick(MASK(all == (real)numbers[WEIGH_WHOLE]), whole, mean);
    bits none = MASK(all < (real)numbers[WEIGH_NONE]);
    if (shape[WEIGH_PRESERVE]) {
        const long mine = plane_0 * shape[WEIGH_OWN_0] + plane_1 * shape[WEIGH_OWN_1] + row * shape[WEIGH_OWN_ROW];
        scalar lane_own[LANES];
        for (int l = 0; l < LANES; l++)
            lane_own[l] = own[mine + min(col + l, cols - 1) * shape[WEIGH_OWN_COL]];
        none |= is_nan(LOAD(lane_own));
    }
    result = pick(none, (real)numbers[WEIGH_EMPTY], result);
#else
    const real tiny = (real)numbers[WEIGH_TINY], result = kept(sum, tiny, REAL(1));
    scalar lane_weight[LANES];
    STORE(kept(all, tiny, REAL(1)), lane_weight);
    for (int l = 0; l < LANES && col + l < cols; l++)
        out_weight[to + l * shape[FILTER_OUT_COL]] = lane_weight[l];
#endif
    element_out lane[LANES];
    to_elements(result, lane);
    for (int l = 0; l < LANES && col + l < cols; l++)
        out[to + l * shape[FILTER_OUT_COL]] = lane[l];
}
#endif
