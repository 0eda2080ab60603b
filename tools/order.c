#include "order.h"

#include "base.h"

#include <isogram/npy.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct labelled {
    int64_t label, row;
} labelled;

static int by_label(const void *a, const void *b)
{
    const labelled *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int64_t label_at(const isg_array *a, int64_t i)
{
    const char *p = (const char *)a->data + i * a->strides[0] * (int64_t)isg_dtype_bytes(a->dtype);
    int64_t wide = 0;
    switch (a->dtype) {
    case ISG_I8: return *(const int8_t *)p;
    case ISG_U8: return *(const uint8_t *)p;
    case ISG_I16: return *(const int16_t *)(const void *)p;
    case ISG_U16: return *(const uint16_t *)(const void *)p;
    case ISG_I32: return *(const int32_t *)(const void *)p;
    case ISG_U32: return *(const uint32_t *)(const void *)p;
    default: memcpy(&wide, p, sizeof wide); return wide;
    }
}

// Fills the order from sorted labels. false: no memory.
static bool lay_out(label_order *out, const labelled *sorted, int64_t count)
{
    out->order = isg_alloc(count, sizeof *out->order);
    out->breaks = isg_alloc(count, sizeof *out->breaks);
    out->names = isg_alloc(count, sizeof *out->names);
    if (!out->order || !out->breaks || !out->names)
        return false;
    for (int64_t i = 0; i < count; i++) {
        out->order[i] = sorted[i].row;
        if (i > 0 && sorted[i].label == sorted[i - 1].label)
            continue;
        char name[24];
        snprintf(name, sizeof name, "%lld", (long long)sorted[i].label);
        out->breaks[out->break_count] = i;
        if (!(out->names[out->break_count] = strdup(name)))
            return false;
        out->break_count++;
    }
    return true;
}

isg_status label_order_read(label_order *out, const char *path, int64_t rows, const uint8_t *include, isg_error *error)
{
    memset(out, 0, sizeof *out);
    isg_npy *file;
    isg_status st = isg_npy_open(&file, path, error);
    if (st)
        return st;
    const isg_array *a = isg_npy_array(file);
    labelled *sorted = NULL;
    if (a->dtype == ISG_F16 || a->dtype == ISG_F32 || a->dtype == ISG_F64 || a->dtype == ISG_U64)
        st = isg_fail(error, ISG_ERR_DTYPE, "%s: labels are whole numbers of at most 63 bits, not %s", path,
                      isg_dtype_name(a->dtype));
    else if (a->ndim != 1 || a->shape[0] != rows)
        st = isg_fail(error, ISG_ERR_SHAPE, "%s: labels are one number for each of the %lld rows", path,
                      (long long)rows);
    else if (!(sorted = isg_alloc(rows, sizeof *sorted)))
        st = isg_fail(error, ISG_ERR_MEMORY, "%s: no memory for %lld labels", path, (long long)rows);
    int64_t count = 0; // of K's rows
    for (int64_t i = 0; i < rows && !st; i++)
        if (!include || include[i]) {
            sorted[count] = (labelled){label_at(a, i), count};
            count++;
        }
    if (!st) {
        qsort(sorted, (size_t)count, sizeof *sorted, by_label);
        if (!lay_out(out, sorted, count))
            st = isg_fail(error, ISG_ERR_MEMORY, "%s: no memory for %lld labels", path, (long long)count);
    }
    free(sorted);
    isg_npy_close(&file);
    return st;
}

void label_order_free(label_order *order)
{
    for (int64_t i = 0; i < order->break_count; i++)
        free(order->names[i]);
    free(order->names);
    free(order->breaks);
    free(order->order);
    memset(order, 0, sizeof *order);
}
