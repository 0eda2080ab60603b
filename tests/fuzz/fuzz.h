// What every fuzz target has: libFuzzer's entry (https://llvm.org/docs/LibFuzzer.html), and a check that stops it.
// replay.c calls the same entry on files, so that ordinary test runs try the corpus with any compiler.
#ifndef ISG_TESTS_FUZZ_H
#define ISG_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What must hold of every input.
#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

// Whether a status and its message go together: a reason for every failure, in one line.
#define MUST_EXPLAIN(code, error)                                                                                      \
    MUST((code) == ISG_OK || ((error).status == (code) && (error).message[0] && !strchr((error).message, '\n')))

// A copy that ends where the input ends, so that the sanitizer sees the first byte read behind it. Text: with a 0.
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    for (size_t i = 0; i < size; i++)
        text[i] = (char)data[i];
    text[size] = 0;
    return text;
}

#endif
