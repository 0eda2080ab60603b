#include "npy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the data is used as it lies in the file, which is little-endian"
#endif
_Static_assert(sizeof(off_t) == 8, "files above 2 GiB need _FILE_OFFSET_BITS=64");

isg_status isg_npy_begin(isg_npy **out, const char *path, const char *dash_label, isg_error *error)
{
    if (!path || !path[0])
        return isg_fail(error, ISG_ERR_ARGUMENT, "an empty file name");
    char label[ISG_FILE_LABEL_BYTES];
    isg_file_label(label, path, dash_label);
    isg_npy *npy = calloc(1, sizeof *npy);
    if (!npy)
        return isg_fail(error, ISG_ERR_MEMORY, "%s: out of memory", label);
    memcpy(npy->label, label, sizeof label);
    npy->file.fd = npy->file.directory = -1;
    *out = npy;
    return ISG_OK;
}

isg_status isg_npy_fail(const isg_npy *npy, isg_error *error, isg_status status, const char *format, ...)
{
    char reason[384];
    va_list values;
    va_start(values, format);
    vsnprintf(reason, sizeof reason, format, values);
    va_end(values);
    return isg_fail(error, status, "%s: %s", npy->label, reason);
}

isg_status isg_npy_fail_errno(const isg_npy *npy, isg_error *error)
{
    return isg_npy_fail(npy, error, ISG_ERR_IO, "%s", strerror(errno));
}

bool isg_npy_set_strides(isg_array *array, bool fortran)
{
    int64_t stride = 1;
    for (int32_t i = 0; i < array->ndim; i++) {
        int32_t axis = fortran ? i : array->ndim - 1 - i;
        array->strides[axis] = stride;
        if (!isg_mul(stride, isg_max(array->shape[axis], 1), &stride))
            return false;
    }
    return true;
}

void isg_npy_unmap(isg_npy *npy)
{
    if (npy->map)
        munmap(npy->map, (size_t)npy->bytes);
    npy->map = NULL;
}

const isg_array *isg_npy_array(const isg_npy *npy)
{
    return npy ? &npy->array : NULL;
}

void isg_npy_close(isg_npy **npy)
{
    if (!npy || !*npy)
        return;
    isg_npy *n = *npy;
    isg_npy_unmap(n);
    free(n->block);
    isg_new_file_close(&n->file);
    free(n);
    *npy = NULL;
}
