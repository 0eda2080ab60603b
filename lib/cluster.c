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

static double coordinate(const tree *t, int64_t row, int64_t k)
{
    const isg_array *a = t->points;
    return isg_load_double(a->dtype, a->data, row * a->strides[0] + k * a->strides[1]);
}

static bool comes_before(const tree *t, int64_t a, int64_t b, int64_t k)
{
    double x = coordinate(t, a, k), y = coordinate(t, b, k);
    return x < y || (x == y && a < b);
}

// The first of the coordinates in which the points order[first …] reach furthest.
static int64_t widest(const tree *t, int64_t first, int64_t count)
{
    int64_t best = 0;
    double most = -1;
    for (int64_t k = 0; k < t->points->shape[1]; k++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = first; i < first + count; i++) {
            double x = coordinate(t, t->order[i], k);
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
        int64_t half = low + (high - low) / 2;
        if (comes_before(t, o[half], o[low], k))
            swap(&o[half], &o[low]);
        if (comes_before(t, o[high], o[low], k))
            swap(&o[high], &o[low]);
        if (comes_before(t, o[high], o[half], k))
            swap(&o[high], &o[half]);
        int64_t pivot = o[half], i = low, j = high;
        while (i <= j) {
            while (comes_before(t, o[i], pivot, k))
                i++;
            while (comes_before(t, pivot, o[j], k))
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
    return ISG_OK;
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
