#include "filter_block.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NDIM = ISG_FILTER_MAX_NDIM };

const isg_filter_axis *isg_filter_axis_of(const isg_filter_plan *plan, int axis)
{
    for (int32_t i = 0; i < plan->count; i++)
        if (plan->axis[i].axis == axis)
            return &plan->axis[i];
    return NULL;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// Sorted, each once; the count.
static int64_t sort_once(int64_t *numbers, int64_t count)
{
    int64_t kept = 0;
    qsort(numbers, (size_t)count, sizeof *numbers, compare);
    for (int64_t i = 0; i < count; i++)
        if (i == 0 || numbers[i] != numbers[kept - 1])
            numbers[kept++] = numbers[i];
    return kept;
}

isg_status isg_filter_span_make(isg_filter_span *span, const isg_filter_axis *axis, int64_t n, int64_t begin,
                                int64_t count, isg_error *error)
{
    *span = (isg_filter_span){.begin = begin, .count = count, .rows = count};
    if (!axis || count == n)
        return ISG_OK;
    const int64_t radius = axis->radius, places = count + 2 * radius;
    int64_t outside = 0;
    span->halo = isg_alloc(2 * radius + 1, sizeof *span->halo);
    span->table = isg_alloc(places, sizeof *span->table);
    if (!span->halo || !span->table)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for an index of %lld elements", (long long)places);
    for (int64_t i = 0; i < places; i++) {
        int64_t source = isg_filter_source(axis->mode, begin - radius + i, n);
        bool inside = source >= begin && source < begin + count;
        span->table[i] = inside ? (int32_t)(source - begin) : -1;
        // Only the places in front of the span and behind it lie outside.
        if (source >= 0 && !inside)
            span->halo[outside++] = source;
    }
    outside = sort_once(span->halo, outside);
    for (int64_t i = 0; i < places; i++) {
        int64_t source = isg_filter_source(axis->mode, begin - radius + i, n), *found = NULL;
        if (source >= 0 && span->table[i] < 0)
            found = bsearch(&source, span->halo, (size_t)outside, sizeof *found, compare);
        if (found)
            span->table[i] = (int32_t)(count + (found - span->halo));
    }
    span->rows = count + outside;
    return ISG_OK;
}

void isg_filter_span_free(isg_filter_span *span)
{
    free(span->halo);
    free(span->table);
    span->halo = NULL;
    span->table = NULL;
}

// --- what fits

// Rows of the input, at most.
static int64_t rows_of(const isg_filter_plan *plan, int axis, int64_t n, int64_t count)
{
    const isg_filter_axis *a = isg_filter_axis_of(plan, axis);
    return a ? isg_min(n, count + 2 * a->radius) : count;
}

// Arrays of the arithmetic's type besides input and output.
static int between_count(const isg_filter_plan *plan)
{
    int two = plan->count > 2 ? 2 : plan->count - 1;
    switch (plan->policy) {
    case ISG_NAN_FILL: return 1 + two;
    case ISG_NAN_IGNORE: return 1 + 2 * two;
    case ISG_NAN_PRESERVE: return 2 + 2 * two;
    default: return two;
    }
}

int64_t isg_filter_block_bytes(const isg_filter_plan *plan, const int64_t *shape, const int64_t *counts,
                               const isg_filter_room *room)
{
    enum { MORE = 1 << 10 }; // numbers, flags, and what vectors read behind an array
    int64_t in = 1, out = 1, tables = 0, element = (int64_t)isg_dtype_bytes(plan->dtype);
    for (int a = 0; a < NDIM; a++) {
        const isg_filter_axis *axis = isg_filter_axis_of(plan, a);
        in *= rows_of(plan, a, shape[a], counts[a]);
        out *= counts[a];
        if (axis)
            tables += (counts[a] + 2 * axis->radius) * (int64_t)sizeof(int32_t) + (axis->radius + 1) * element;
    }
    int64_t largest = isg_max(isg_max(in * room->in, in * room->mask), isg_max(out * room->out, in * element + MORE));
    if (largest > room->buffer_bytes)
        return -1;
    return room->copies * (in * (room->in + room->mask) + out * room->out) +
           between_count(plan) * (in * element + MORE) + tables + MORE;
}

static bool fits(const isg_filter_plan *plan, const int64_t *shape, const int64_t *counts, const isg_filter_room *room)
{
    int64_t bytes = isg_filter_block_bytes(plan, shape, counts, room);
    return bytes >= 0 && bytes <= room->bytes;
}

// Elements of the input over those of the output, along one axis.
static double overlap(const isg_filter_plan *plan, int axis, int64_t n, int64_t count)
{
    return (double)rows_of(plan, axis, n, count) / (double)count;
}

// The axis to be cut in halves next: the slowest in memory of those that then overlap little, or the one that does
// least.
static int next_axis(const isg_filter_plan *plan, const int64_t *shape, const int64_t *counts)
{
    const double little = 1.25;
    int best = -1;
    double least = 0;
    for (int a = 0; a < NDIM; a++) {
        if (counts[a] == 1)
            continue;
        double o = overlap(plan, a, shape[a], (counts[a] + 1) / 2);
        o = o <= little ? little : o;
        if (best < 0 || o < least) {
            best = a;
            least = o;
        }
    }
    return best;
}

bool isg_filter_block_choose(const isg_filter_plan *plan, const int64_t *shape, const isg_filter_room *room,
                             int64_t *counts)
{
    memcpy(counts, shape, NDIM * sizeof *counts);
    while (!fits(plan, shape, counts, room)) {
        int axis = next_axis(plan, shape, counts);
        if (axis < 0)
            return false;
        counts[axis] = (counts[axis] + 1) / 2;
    }
    // As long again as they may be.
    for (int a = NDIM - 1; a >= 0; a--) {
        int64_t low = counts[a], high = isg_min(2 * low, shape[a]) + 1;
        while (high - low > 1) {
            counts[a] = low + (high - low) / 2;
            *(fits(plan, shape, counts, room) ? &low : &high) = counts[a];
        }
        counts[a] = low;
    }
    return true;
}

static bool counts_at(const isg_array *mask, int64_t at)
{
    double counts = mask->dtype == ISG_DTYPE_NONE ? 1 : isg_load_double(mask->dtype, mask->data, at);
    return counts != 0 && !isnan(counts);
}

bool isg_filter_holds_large(const isg_filter_plan *plan, const isg_array *in, const isg_array *mask)
{
    const bool looks = plan->policy != ISG_NAN_PROPAGATE, narrow = plan->dtype == ISG_F32;
    const double limit = isg_filter_large(plan->dtype), most = narrow ? (double)FLT_MAX : DBL_MAX;
    int64_t count = 1;
    if (in->dtype != ISG_F32 && in->dtype != ISG_F64)
        return false;
    for (int a = 0; a < NDIM; a++)
        count *= in->shape[a];
    const int64_t cols = in->shape[NDIM - 1], step = in->strides[NDIM - 1], mask_step = mask->strides[NDIM - 1];
    for (int64_t line = 0; line < count / cols; line++) {
        int64_t at = 0, valid = 0, rest = line;
        for (int a = NDIM - 2; a >= 0; a--) {
            at += rest % in->shape[a] * in->strides[a];
            valid += rest % in->shape[a] * mask->strides[a];
            rest /= in->shape[a];
        }
        for (int64_t j = 0; j < cols; j++, at += step, valid += mask_step) {
            double x = in->dtype == ISG_F32 ? (double)((const float *)in->data)[at] : ((const double *)in->data)[at];
            if (looks && (isnan(x) || !counts_at(mask, valid)))
                x = plan->policy == ISG_NAN_FILL ? plan->fill : 0;
            x = fabs(narrow ? (double)(float)x : x);
            if (x >= limit && x <= most)
                return true;
        }
    }
    return false;
}
