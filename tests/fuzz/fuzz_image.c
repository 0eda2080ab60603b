// Images of every format. What is read, and its format can hold, is written, and must read back as the same.
#include "fuzz.h"
#include "image.h"

#include <string.h>

static size_t bytes_of(const image *im)
{
    size_t count = isg_dtype_bytes(im->array.dtype);
    for (int i = 0; i < im->array.ndim; i++)
        count *= (size_t)im->array.shape[i];
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); // ends where the input ends
    MUST(copy);
    memcpy(copy, data, size);
    image im = {.format = IMAGE_NONE}, again = im;
    isg_error error = {ISG_OK, ""};
    isg_status status = image_decode(&im, copy, (int64_t)size, &error);
    free(copy);
    MUST_EXPLAIN(status, error);
    if (status)
        return 0;
    MUST(im.array.ndim == 2 || im.array.ndim == 3);
    const size_t bytes = bytes_of(&im);
    if (bytes <= 1 << 16) {
        char *written = NULL;
        size_t written_bytes = 0;
        FILE *to = open_memstream(&written, &written_bytes);
        MUST(to);
        MUST(image_check(im.format, im.array.dtype, im.array.ndim, im.array.shape, im.white, &error) == ISG_OK);
        MUST(image_encode(to, &im, im.format, &error) == ISG_OK);
        MUST(fclose(to) == 0);
        MUST(image_decode(&again, written, (int64_t)written_bytes, &error) == ISG_OK);
        MUST(again.array.dtype == im.array.dtype && again.white == im.white && bytes_of(&again) == bytes);
        MUST(memcmp(again.array.data, im.array.data, bytes) == 0);
        image_free(&again);
        free(written);
    }
    image_free(&im);
    return 0;
}
