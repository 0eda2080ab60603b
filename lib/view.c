#include "view.h"

#include <stdio.h>
#include <stdlib.h>

cl_mem_flags isg_view_flags(cl_mem mem)
{
    cl_mem_flags flags = 0;
    return clGetMemObjectInfo(mem, CL_MEM_FLAGS, sizeof flags, &flags, NULL) == CL_SUCCESS ? flags : 0;
}

// Checks that this is a buffer of the context's.
static isg_status check_buffer(isg_context *context, cl_mem mem, const char *name, int64_t *bytes)
{
    isg_error *error = &context->error;
    cl_mem_object_type type;
    cl_context owner;
    size_t size;
    cl_int code = clGetMemObjectInfo(mem, CL_MEM_TYPE, sizeof type, &type, NULL);
    if (code == CL_SUCCESS)
        code = clGetMemObjectInfo(mem, CL_MEM_CONTEXT, sizeof owner, &owner, NULL);
    if (code == CL_SUCCESS)
        code = clGetMemObjectInfo(mem, CL_MEM_SIZE, sizeof size, &size, NULL);
    if (code != CL_SUCCESS) {
        char refusal[200];
        snprintf(refusal, sizeof refusal, "%.150s: its cl_mem is none", name);
        return isg_cl_refuse(context, code, "clGetMemObjectInfo", refusal);
    }
    if (owner != context->cl)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s: its cl_mem belongs to another OpenCL context", name);
    if (type != CL_MEM_OBJECT_BUFFER)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s: its cl_mem is not a buffer", name);
    *bytes = (int64_t)size;
    return ISG_OK;
}

// Goes from a buffer to the memory below it: a part to the whole, a buffer over host memory to that.
static isg_status find_root(isg_context *context, cl_mem mem, isg_place *place)
{
    isg_status st = ISG_OK;
    cl_mem whole = NULL;
    size_t offset = 0;
    void *host = NULL;
    CL_TRY(context, clGetMemObjectInfo(mem, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof whole, &whole, NULL));
    if (whole) {
        CL_TRY(context, clGetMemObjectInfo(mem, CL_MEM_OFFSET, sizeof offset, &offset, NULL));
        mem = whole;
    }
    if (isg_view_flags(mem) & CL_MEM_USE_HOST_PTR) {
        CL_TRY(context, clGetMemObjectInfo(mem, CL_MEM_HOST_PTR, sizeof host, &host, NULL));
        offset += (size_t)(uintptr_t)host;
    }
    place->root = host ? NULL : mem;
    place->begin += offset;
    place->end += offset;
fail:
    return st;
}

isg_status isg_view_place(isg_context *context, const isg_array *array, const char *name, isg_place *place)
{
    isg_error *error = &context->error;
    int64_t element = (int64_t)isg_dtype_bytes(array->dtype), count, bytes = 0, low, end;
    *place = (isg_place){NULL, 0, 0};
    if (element == 0)
        return isg_fail(error, ISG_ERR_DTYPE, "%s: unknown element type", name);
    isg_status st = isg_shape_count(array->dtype, array->ndim, array->shape, &count, error);
    if (!st && array->mem)
        st = check_buffer(context, array->mem, name, &bytes);
    if (st || count == 0)
        return st;
    bool spans = isg_array_span(array, &low, &end);
    if (array->mem) {
        // Compared in elements, so that no product can overflow.
        int64_t room = bytes / element;
        if (!spans || array->offset < 0 || array->offset > room || low < -array->offset || end > room - array->offset)
            return isg_fail(error, ISG_ERR_SHAPE, "%s: the view leaves its buffer of %lld %s elements", name,
                            (long long)room, isg_dtype_name(array->dtype));
        place->begin = (uint64_t)((array->offset + low) * element);
        place->end = (uint64_t)((array->offset + end) * element);
        return find_root(context, array->mem, place);
    }
    if ((st = isg_array_addressable(array, name, error)))
        return st;
    // Addresses wrap where strides are nonsense, which only whoever gave them can tell.
    place->begin = (uint64_t)(uintptr_t)array->data + (uint64_t)low * (uint64_t)element;
    place->end = (uint64_t)(uintptr_t)array->data + (uint64_t)end * (uint64_t)element;
    return ISG_OK;
}

bool isg_places_meet(const isg_place *a, const isg_place *b)
{
    return a->root == b->root && a->begin < b->end && b->begin < a->end;
}

isg_status isg_view_read(isg_context *context, isg_array *array, const char *name, void **copy)
{
    isg_status st = ISG_OK;
    int64_t element = (int64_t)isg_dtype_bytes(array->dtype), count, low, end;
    *copy = NULL;
    TRY(isg_shape_count(array->dtype, array->ndim, array->shape, &count, &context->error));
    cl_mem mem = array->mem;
    array->mem = NULL;
    array->data = NULL;
    if (count == 0)
        return ISG_OK;
    if (isg_view_flags(mem) & (CL_MEM_HOST_WRITE_ONLY | CL_MEM_HOST_NO_ACCESS)) {
        st = isg_fail(&context->error, ISG_ERR_ARGUMENT,
                      "%s: its buffer was made so that the host cannot read it, and isogram must", name);
        goto fail;
    }
    // Rows with wide gaps are gathered; what else lies between the lowest and the highest element comes along.
    int64_t stride = array->strides[0];
    bool gather = array->ndim == 2 && (array->strides[1] == 1 || array->shape[1] == 1) && array->shape[0] > 1 &&
                  stride / 2 > array->shape[1] && array->offset % stride + array->shape[1] <= stride;
    isg_array_span(array, &low, &end);
    *copy = isg_alloc(gather ? count : end - low, (size_t)element);
    if (!*copy) {
        st = isg_fail(&context->error, ISG_ERR_MEMORY, "%s: no memory to read it back", name);
        goto fail;
    }
    array->data = (char *)*copy - low * element;
    if (gather) {
        const size_t from[3] = {(size_t)(array->offset % stride * element), (size_t)(array->offset / stride), 0};
        const size_t to[3] = {0, 0, 0};
        const size_t region[3] = {(size_t)(array->shape[1] * element), (size_t)array->shape[0], 1};
        CL_TRY(context, clEnqueueReadBufferRect(context->queue, mem, CL_TRUE, from, to, region,
                                                (size_t)(stride * element), 0, region[0], 0, *copy, 0, NULL, NULL));
        array->strides[0] = array->shape[1];
        array->strides[1] = 1;
    } else {
        CL_TRY(context, clEnqueueReadBuffer(context->queue, mem, CL_TRUE, (size_t)((array->offset + low) * element),
                                            (size_t)((end - low) * element), *copy, 0, NULL, NULL));
    }
fail:
    if (st) {
        free(*copy);
        *copy = NULL;
    }
    return st;
}

isg_status isg_view_lend(isg_context *context, isg_lent *lent, const isg_array *array, const char *name)
{
    *lent = (isg_lent){*array, *array, NULL};
    return array->mem ? isg_view_read(context, &lent->host, name, &lent->copy) : ISG_OK;
}

isg_status isg_view_return(isg_context *context, const isg_lent *lent)
{
    isg_status st = ISG_OK;
    const isg_array *to = &lent->given, *from = &lent->host;
    const int64_t element = (int64_t)isg_dtype_bytes(to->dtype);
    int64_t low, end;
    if (!lent->copy)
        return ISG_OK;
    if (from->strides[0] == to->strides[0] && from->strides[1] == to->strides[1]) {
        isg_array_span(to, &low, &end);
        CL_TRY(context, clEnqueueWriteBuffer(context->queue, to->mem, CL_TRUE, (size_t)((to->offset + low) * element),
                                             (size_t)((end - low) * element), lent->copy, 0, NULL, NULL));
    } else { // rows that isg_view_read gathered
        for (int64_t i = 0; i < to->shape[0]; i++)
            CL_TRY(context, clEnqueueWriteBuffer(
                                context->queue, to->mem, CL_TRUE, (size_t)((to->offset + i * to->strides[0]) * element),
                                (size_t)(to->shape[1] * element),
                                (const char *)from->data + i * from->strides[0] * element, 0, NULL, NULL));
    }
fail:
    return st;
}

void isg_lent_free(isg_lent *lent)
{
    free(lent->copy);
    lent->copy = NULL;
}

static uint64_t size_of(int64_t stride)
{
    return stride < 0 ? -(uint64_t)stride : (uint64_t)stride;
}

// p rows up and q columns back lead to the same element for some p and q but 0, of which p = s1/g, q = s0/g are the
// least, g being the strides' common divisor.
bool isg_view_overlaps_itself(const isg_array *k)
{
    uint64_t rows = (uint64_t)k->shape[0], cols = (uint64_t)k->shape[1];
    uint64_t s0 = size_of(k->strides[0]), s1 = size_of(k->strides[1]), g = s0, rest = s1;
    if (rows == 1 || cols == 1)
        return rows > 1 ? s0 == 0 : cols > 1 && s1 == 0;
    if (s0 == 0 || s1 == 0)
        return true;
    while (rest) {
        uint64_t next = g % rest;
        g = rest;
        rest = next;
    }
    return s1 / g < rows && s0 / g < cols;
}
