// Points in the order of a k-d tree's leaves (Bentley 1975). Defined by comparisons alone: which points come in the
// lower half is fixed by their coordinates and their numbers, however it is found.
#include "base.h"
#include "reference.h"

#include <isogram/skip.h>

#include <math.h>
#include <stdlib.h>

enum { LEAF = 8 };

typedef struct tree {
    const isg_array *points;
    const double *lengthscales;
    int64_t *order;
} tree;

static inline double coordinate(const tree *t, int64_t row, int64_t k)
{
    const isg_array *a = t->points;
    int64_t at = row * a->strides[0] + k * a->strides[1];
    if (a->dtype == ISG_F32)
        return ((const float *)a->data)[at];
    return a->dtype == ISG_F64 ? ((const double *)a->data)[at] : isg_load_double(a->dtype, a->data, at);
}

// A point as it is compared: its coordinate, and its row where that is equal.
typedef struct place {
    double x;
    int64_t row;
} place;

static inline place place_of(const tree *t, int64_t row, int64_t k)
{
    return (place){coordinate(t, row, k), row};
}

static inline bool comes_before(place a, place b)
{
    return a.x < b.x || (a.x == b.x && a.row < b.row);
}

// The middle one of three.
static place median(place a, place b, place c)
{
    if (comes_before(b, a))
        return comes_before(a, c) ? a : comes_before(b, c) ? c : b;
    return comes_before(b, c) ? b : comes_before(a, c) ? c : a;
}

// The first of the coordinates in which the points order[first …] reach furthest.
static int64_t widest(const tree *t, int64_t first, int64_t count)
{
    int64_t best = 0;
    double most = -1;
    for (int64_t k = 0; k < t->points->shape[1]; k++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = first; i < first + count; i++) {
            const double x = coordinate(t, t->order[i], k);
            low = x < low ? x : low;
            high = x > high ? x : high;
        }
        double width = high / 2 - low / 2; // finite
        width = t->lengthscales ? width / t->lengthscales[k] : width;
        if (width > most) {
            most = width;
            best = k;
        }
    }
    return best;
}

static void swap(int64_t *a, int64_t *b)
{
    int64_t c = *a;
    *a = *b;
    *b = c;
}

// Moves the `lower` least of order[first …] to the front: Hoare's selection, around the median of three.
static void halve(const tree *t, int64_t first, int64_t count, int64_t lower, int64_t k)
{
    int64_t *o = t->order, low = first, high = first + count - 1, at = first + lower;
    while (low < high) {
        const place pivot =
            median(place_of(t, o[low], k), place_of(t, o[low + (high - low) / 2], k), place_of(t, o[high], k));
        int64_t i = low, j = high;
        while (i <= j) {
            while (comes_before(place_of(t, o[i], k), pivot))
                i++;
            while (comes_before(pivot, place_of(t, o[j], k)))
                j--;
            if (i <= j)
                swap(&o[i++], &o[j--]);
        }
        // [low, j] come before the pivot or are it, [i, high] likewise behind.
        if (at <= j)
            high = j;
        else if (at >= i)
            low = i;
        else
            return;
    }
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

// Half of the points, in whole blocks, or where there is but one, in a power of two of leaves.
static int64_t lower_half(int64_t count)
{
    if (count > ISG_BLOCK_SOURCES)
        return isg_round_up((count + 1) / 2, ISG_BLOCK_SOURCES);
    int64_t lower = LEAF;
    while (2 * lower < count)
        lower *= 2;
    return lower;
}

static void split(const tree *t, int64_t first, int64_t count)
{
    while (count > LEAF) {
        int64_t lower = lower_half(count);
        halve(t, first, count, lower, widest(t, first, count));
        split(t, first, lower);
        first += lower;
        count -= lower;
    }
    qsort(t->order + first, (size_t)count, sizeof *t->order, compare);
}

static isg_status check(const isg_array *points, const double *lengthscales, const int64_t *order, isg_error *error)
{
    if (points->ndim != 2 || points->shape[0] < 0 || points->shape[1] < 1)
        return isg_fail(error, ISG_ERR_SHAPE, "points must be rows of at least one coordinate");
    if (isg_dtype_bytes(points->dtype) == 0 || points->dtype == ISG_F16)
        return isg_fail(error, ISG_ERR_DTYPE, "points are %s", isg_dtype_name(points->dtype));
    if (points->mem || (points->shape[0] > 0 && (!points->data || !order)))
        return isg_fail(error, ISG_ERR_ARGUMENT, "points in host memory are needed, and memory for their order");
    for (int64_t k = 0; k < points->shape[1] && lengthscales; k++)
        if (!(lengthscales[k] > 0) || !isfinite(lengthscales[k]))
            return isg_fail(error, ISG_ERR_ARGUMENT, "lengthscale %g of column %lld; it must be positive and finite",
                            lengthscales[k], (long long)k);
    return points->shape[0] > 0 ? isg_array_addressable(points, "the points", error) : ISG_OK;
}

isg_status isg_gram_cluster(isg_array points, const double *lengthscales, int64_t *order, isg_error *error)
{
    isg_error_clear(error);
    isg_status st = check(&points, lengthscales, order, error);
    if (st)
        return st;
    const tree t = {&points, lengthscales, order};
    for (int64_t i = 0; i < points.shape[0]; i++) {
        order[i] = i;
        for (int64_t k = 0; k < points.shape[1]; k++)
            if (!isfinite(coordinate(&t, i, k)))
                return isg_fail(error, ISG_ERR_NONFINITE, "row %lld, column %lld is not finite", (long long)i,
                                (long long)k);
    }
    split(&t, 0, points.shape[0]);
    return ISG_OK;
}
