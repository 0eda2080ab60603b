// Whole .npy files, mapped, and the same bytes through a pipe: both take them or neither does, and the arrays are
// equal.
#include "fuzz.h"

#include <isogram/isogram.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static isg_npy *open_bytes(int file, isg_status *status)
{
    char path[64];
    isg_npy *npy = NULL;
    isg_error error = {ISG_OK, ""};
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    *status = isg_npy_open(&npy, path, &error);
    MUST_EXPLAIN(*status, error);
    MUST((npy != NULL) == (*status == ISG_OK));
    return npy;
}

// Every element, so that a view beyond the file's end is seen.
static uint64_t digest(const isg_array *array)
{
    uint64_t sum = 0, count = 1;
    size_t bytes = isg_dtype_bytes(array->dtype);
    MUST(array->ndim >= 1 && array->ndim <= ISG_MAX_NDIM);
    for (int i = 0; i < array->ndim; i++)
        count *= (uint64_t)array->shape[i];
    int64_t at[ISG_MAX_NDIM] = {0};
    for (uint64_t n = 0; n < count; n++) {
        int64_t offset = 0;
        for (int i = 0; i < array->ndim; i++)
            offset += at[i] * array->strides[i];
        const unsigned char *element = (const unsigned char *)array->data + offset * (int64_t)bytes;
        for (size_t b = 0; b < bytes; b++)
            sum = sum * 31 + element[b];
        for (int i = array->ndim - 1; i >= 0 && ++at[i] == array->shape[i]; i--)
            at[i] = 0;
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    if (file < 0)
        file = memfd_create("npy", 0);
    MUST(file >= 0 && ftruncate(file, 0) == 0);
    MUST(pwrite(file, data, size, 0) == (ssize_t)size);
    isg_status mapped_status, piped_status;
    isg_npy *mapped = open_bytes(file, &mapped_status);
    int ends[2];
    if (size > 4096) { // what a pipe holds without a reader
        isg_npy_close(&mapped);
        return 0;
    }
    MUST(pipe(ends) == 0 && write(ends[1], data, size) == (ssize_t)size);
    close(ends[1]);
    isg_npy *piped = open_bytes(ends[0], &piped_status);
    close(ends[0]);
    MUST(mapped_status == piped_status);
    if (mapped)
        MUST(digest(isg_npy_array(mapped)) == digest(isg_npy_array(piped)));
    isg_npy_close(&mapped);
    isg_npy_close(&piped);
    return 0;
}
