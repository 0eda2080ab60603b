// Covariance functions as text. What is taken is written, and must read back as the same.
#include "fuzz.h"

#include <isogram/isogram.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    isg_composite *made = NULL, *again = NULL;
    isg_error error = {ISG_OK, ""};
    isg_status status = isg_kernel_parse(&made, text, &error);
    MUST_EXPLAIN(status, error);
    MUST((made != NULL) == (status == ISG_OK));
    if (made) {
        size_t bytes = isg_composite_text(made, NULL, 0);
        char *first = malloc(bytes + 1), *second = malloc(bytes + 1);
        MUST(first && second);
        MUST(isg_composite_text(made, first, bytes + 1) == bytes && strlen(first) == bytes);
        MUST(isg_kernel_parse(&again, first, &error) == ISG_OK);
        MUST(isg_composite_text(again, second, bytes + 1) == bytes && strcmp(first, second) == 0);
        free(first);
        free(second);
    }
    isg_composite_destroy(&made);
    isg_composite_destroy(&again);
    free(text);
    return 0;
}
