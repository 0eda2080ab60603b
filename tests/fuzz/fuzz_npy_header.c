// The text of a .npy header. What is taken is written as numpy.save would, and must read back as the same.
#include "fuzz.h"
#include "npy_header.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1);
    MUST(text);
    memcpy(text, data, size);
    isg_npy_header header, again;
    const char *wrong = isg_npy_parse_header(&header, text, (int64_t)size);
    free(text);
    if (wrong) {
        MUST(wrong[0]);
        return 0;
    }
    MUST(header.ndim >= 0 && header.ndim <= ISG_MAX_NDIM);
    for (int i = 0; i < header.ndim; i++)
        MUST(header.shape[i] >= 0);
    if (header.dtype == ISG_DTYPE_NONE || header.ndim == 0)
        return 0;
    isg_array array = {.dtype = header.dtype, .ndim = header.ndim};
    memcpy(array.shape, header.shape, sizeof array.shape);
    char written[ISG_NPY_HEADER_ROOM];
    int64_t bytes = isg_npy_write_header(&array, written);
    MUST(bytes > 10 && bytes <= (int64_t)sizeof written && bytes % 64 == 0);
    MUST(!isg_npy_parse_header(&again, written + 10, bytes - 10));
    MUST(again.dtype == header.dtype && again.ndim == header.ndim && !again.fortran);
    for (int i = 0; i < header.ndim; i++)
        MUST(again.shape[i] == header.shape[i]);
    return 0;
}
