#include "filter_kept.h"

#include <stdlib.h>
#include <string.h>

enum { NDIM = ISG_FILTER_MAX_NDIM };

// One line along the last axis.
static void copy_line(const char *from, int64_t from_step, const isg_filter_span *span, char *to, int64_t to_step,
                      int64_t count, int64_t bytes)
{
    int64_t at = 0, first = span ? span->begin : 0;
    if (from_step == 1 && to_step == 1) {
        at = span ? isg_min(span->count, count) : count;
        memcpy(to, from + first * bytes, (size_t)(at * bytes));
    }
    for (; at < count; at++) {
        const char *source = from + (span ? isg_filter_span_source(span, at) : at) * from_step * bytes;
        char *target = to + at * to_step * bytes;
        switch (bytes) { // of a size that the compiler knows
        case 1: *target = *source; break;
        case 2: memcpy(target, source, 2); break;
        case 4: memcpy(target, source, 4); break;
        default: memcpy(target, source, 8); break;
        }
    }
}

void isg_filter_copy(isg_filter_view from, const isg_filter_span *const *spans, isg_filter_view to,
                     const int64_t *counts, int64_t bytes)
{
    int64_t at[NDIM] = {0};
    while (at[0] < counts[0]) {
        const char *source = from.data;
        char *target = to.data;
        for (int a = 0; a < NDIM - 1; a++) {
            int64_t i = spans && spans[a] ? isg_filter_span_source(spans[a], at[a]) : at[a];
            source += i * from.strides[a] * bytes;
            target += at[a] * to.strides[a] * bytes;
        }
        copy_line(source, from.strides[NDIM - 1], spans ? spans[NDIM - 1] : NULL, target, to.strides[NDIM - 1],
                  counts[NDIM - 1], bytes);
        for (int a = NDIM - 2; ++at[a] == counts[a] && a > 0; a--)
            at[a] = 0;
    }
}

static void row_shape(const isg_filter_kept *kept, int64_t *shape)
{
    memcpy(shape, kept->shape, NDIM * sizeof *shape);
    shape[kept->axis->axis] = 1;
}

// A row that was copied to `data`.
static isg_filter_view copied_row(const isg_filter_kept *kept, char *data)
{
    int64_t shape[NDIM], stride = 1;
    isg_filter_view v = {.data = data};
    row_shape(kept, shape);
    for (int a = NDIM - 1; a >= 0; a--) {
        v.strides[a] = stride;
        stride *= shape[a];
    }
    return v;
}

static void keep_row(const isg_filter_kept *kept, int64_t row, char *data)
{
    int64_t shape[NDIM];
    isg_filter_view from = kept->array;
    row_shape(kept, shape);
    from.data += row * from.strides[kept->axis->axis] * kept->bytes;
    isg_filter_copy(from, NULL, copied_row(kept, data), shape, kept->bytes);
}

isg_status isg_filter_kept_make(isg_filter_kept *kept, const isg_filter_axis *axis, isg_filter_view array,
                                const int64_t *shape, int64_t bytes, isg_error *error)
{
    const int64_t n = shape[axis->axis], radius = axis->radius;
    *kept = (isg_filter_kept){.axis = axis, .array = array, .bytes = bytes, .row_bytes = bytes};
    memcpy(kept->shape, shape, sizeof kept->shape);
    for (int a = 0; a < NDIM; a++)
        kept->row_bytes *= a == axis->axis ? 1 : shape[a];
    isg_filter_span last; // its halo is what is reached from the last element
    isg_status st = isg_filter_span_make(&last, axis, n, n - 1, 1, error);
    kept->window = isg_alloc(isg_min(radius, n) + 1, (size_t)kept->row_bytes);
    kept->end_rows = isg_alloc(last.rows, sizeof *kept->end_rows);
    if (!st && (!kept->window || !kept->end_rows))
        st = isg_fail(error, ISG_ERR_MEMORY, "no memory for what a filter in place still needs");
    // Those that the window will have in any case are left out.
    for (int64_t i = 1; i < last.rows && !st; i++)
        if (last.halo[i - 1] < n - 1 - radius)
            kept->end_rows[kept->end_count++] = last.halo[i - 1];
    isg_filter_span_free(&last);
    if (!st && kept->end_count > 0 && !(kept->ends = isg_alloc(kept->end_count, (size_t)kept->row_bytes)))
        st = isg_fail(error, ISG_ERR_MEMORY, "no memory for what a filter in place still needs");
    return st;
}

void isg_filter_kept_free(isg_filter_kept *kept)
{
    free(kept->window);
    free(kept->ends);
    free(kept->end_rows);
    *kept = (isg_filter_kept){.window = NULL};
}

// The place among the rows of the ends, which are sorted, and which it is one of.
static int64_t end_place(const isg_filter_kept *kept, int64_t row)
{
    int64_t low = 0, high = kept->end_count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (kept->end_rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

isg_filter_view isg_filter_kept_row(const isg_filter_kept *kept, int64_t row)
{
    isg_filter_view v = kept->array;
    if (row >= kept->begin) {
        v.data += row * v.strides[kept->axis->axis] * kept->bytes;
        return v;
    }
    if (row >= kept->low)
        return copied_row(kept, kept->window + (row - kept->low) * kept->row_bytes);
    return copied_row(kept, kept->ends + end_place(kept, row) * kept->row_bytes);
}

void isg_filter_kept_pass(isg_filter_kept *kept, int64_t end)
{
    int64_t low = isg_max(end - kept->axis->radius, 0), begin = kept->begin;
    int64_t stay = isg_max(kept->high - isg_max(low, kept->low), 0); // rows of the window
    if (stay > 0)
        memmove(kept->window, kept->window + (kept->high - stay - kept->low) * kept->row_bytes,
                (size_t)(stay * kept->row_bytes));
    for (int64_t row = isg_max(low, begin); row < end; row++)
        keep_row(kept, row, kept->window + (row - low) * kept->row_bytes);
    kept->low = low;
    kept->high = end;
    for (int64_t i = 0; i < kept->end_count; i++)
        if (kept->end_rows[i] >= begin && kept->end_rows[i] < end)
            keep_row(kept, kept->end_rows[i], kept->ends + i * kept->row_bytes);
    kept->begin = end;
}

void isg_filter_kept_copy(const isg_filter_kept *kept, const isg_filter_span *const *spans, isg_filter_view to)
{
    const int axis = kept->axis->axis;
    const isg_filter_span *others[NDIM];
    int64_t counts[NDIM];
    for (int a = 0; a < NDIM; a++) {
        others[a] = a == axis ? NULL : spans[a];
        counts[a] = a == axis ? 1 : spans[a]->rows;
    }
    for (int64_t i = 0; i < spans[axis]->rows; i++) {
        isg_filter_view row = to;
        row.data += i * to.strides[axis] * kept->bytes;
        isg_filter_copy(isg_filter_kept_row(kept, isg_filter_span_source(spans[axis], i)), others, row, counts,
                        kept->bytes);
    }
}
