// What a store is of: hashes of the inputs, the parameters as text, and what of them differs from a store that is
// there.
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

// Adds a 2-D array in its own element type, row by row, so that strides do not matter.
static void add_array(XXH3_state_t *state, const isg_array *a)
{
    const int64_t element = (int64_t)isg_dtype_bytes(a->dtype);
    const int64_t about[3] = {a->dtype, a->shape[0], a->shape[1]};
    XXH3_128bits_update(state, about, sizeof about);
    for (int64_t i = 0; i < a->shape[0]; i++) {
        const char *row = (const char *)a->data + i * a->strides[0] * element;
        if (a->strides[1] == 1)
            XXH3_128bits_update(state, row, (size_t)(a->shape[1] * element));
        else
            for (int64_t k = 0; k < a->shape[1]; k++)
                XXH3_128bits_update(state, row + k * a->strides[1] * element, (size_t)element);
    }
}

// Of an array or of bytes; zeros where there is neither.
static bool hash_of(isg_hash *out, const isg_array *array, const void *bytes, size_t count)
{
    memset(out, 0, sizeof *out);
    if (!bytes && (!array || array->dtype == ISG_DTYPE_NONE))
        return true;
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return false;
    XXH3_128bits_reset(state);
    if (bytes)
        XXH3_128bits_update(state, bytes, count);
    else
        add_array(state, array);
    XXH128_canonicalFromHash((XXH128_canonical_t *)out->bytes, XXH3_128bits_digest(state));
    XXH3_freeState(state);
    return true;
}

// A mask as numbers 0 and 1, whatever the caller's bytes are.
static bool hash_mask(isg_hash *out, const uint8_t *mask, int64_t count)
{
    uint8_t *ones = mask ? malloc((size_t)count + 1) : NULL;
    if (mask && !ones)
        return false;
    for (int64_t i = 0; mask && i < count; i++)
        ones[i] = mask[i] != 0;
    bool done = hash_of(out, NULL, ones, (size_t)count);
    free(ones);
    return done;
}

static char *kernel_text(const isg_gram *gram)
{
    size_t length = isg_composite_text(isg_gram_composite(gram), NULL, 0);
    char *text = malloc(length + 1);
    if (text)
        isg_composite_text(isg_gram_composite(gram), text, length + 1);
    return text;
}

static char *lengthscales_text(const double *lengthscales, int64_t d)
{
    const size_t each = 26;
    size_t bytes = lengthscales ? (size_t)d * each + 1 : 1;
    char *text = malloc(bytes);
    if (!text)
        return NULL;
    isg_text to = {text, bytes, 0};
    text[0] = 0;
    for (int64_t k = 0; lengthscales && k < d; k++)
        isg_put(&to, "%s%.17g", k ? "," : "", lengthscales[k]);
    return text;
}

isg_status isg_store_inputs(isg_journal *journal, const char *lines[ISG_LINE_COUNT], char *texts[2],
                            const isg_gram *gram, const isg_store_params *params, isg_error *error)
{
    const isg_gram_params *g = params->gram;
    isg_gram_shape(gram, &journal->n, &journal->m, &journal->d);
    journal->symmetric = g->y.dtype == ISG_DTYPE_NONE && !g->factors;
    texts[0] = kernel_text(gram);
    texts[1] = lengthscales_text(g->lengthscales, journal->d);
    size_t rows = (size_t)g->x.shape[0];
    if (!texts[0] || !texts[1] || !hash_of(&journal->x, &g->x, NULL, 0) || !hash_of(&journal->y, &g->y, NULL, 0) ||
        !hash_mask(&journal->include, g->include, g->x.shape[0]) ||
        !hash_of(&journal->factors, NULL, g->factors, rows * sizeof *g->factors))
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for what a store is of");
    lines[ISG_LINE_KERNEL] = texts[0];
    lines[ISG_LINE_LENGTHSCALES] = texts[1];
    lines[ISG_LINE_CONTRACT] = isg_gram_contract(gram);
    lines[ISG_LINE_X] = params->x_path;
    lines[ISG_LINE_Y] = params->y_path;
    lines[ISG_LINE_INCLUDE] = params->include_path;
    lines[ISG_LINE_FACTORS] = params->factors_path;
    return ISG_OK;
}

static isg_status differ(const isg_store_file *file, isg_error *error, const char *what, const char *there,
                         const char *asked)
{
    return isg_store_file_fail(file, error, ISG_ERR_ARGUMENT,
                               "the store is of something else: its %s is %.120s, and asked for is %.120s", what, there,
                               asked);
}

static isg_status differ_numbers(const isg_store_file *file, isg_error *error, const char *what, int64_t there,
                                 int64_t asked)
{
    char a[24], b[24];
    snprintf(a, sizeof a, "%lld", (long long)there);
    snprintf(b, sizeof b, "%lld", (long long)asked);
    return differ(file, error, what, a, b);
}

// "none", or the first digits of a hash.
static const char *shown(const isg_hash *hash, char text[2 * ISG_HASH_BYTES + 1])
{
    isg_hash_text(hash, text);
    return isg_hash_none(hash) ? "none" : text;
}

isg_status isg_store_compare(const isg_store_file *file, const isg_journal *asked,
                             const char *const lines[ISG_LINE_COUNT], isg_error *error)
{
    static const char *const layouts[] = {"full", "tiles"};
    const isg_journal *there = &file->journal;
    const struct {
        const char *what;
        int64_t there, asked;
    } numbers[] = {{"number of rows", there->n, asked->n},
                   {"number of columns", there->m, asked->m},
                   {"dimension", there->d, asked->d}};
    const struct {
        const char *what;
        const isg_hash *there, *asked;
    } hashes[] = {{"mask of rows (include), as a hash,", &there->include, &asked->include},
                  {"set of factors, as a hash,", &there->factors, &asked->factors},
                  {"content of X, as a hash,", &there->x, &asked->x},
                  {"content of Y, as a hash,", &there->y, &asked->y}};
    if (there->layout != asked->layout)
        return differ(file, error, "layout", layouts[there->layout], layouts[asked->layout]);
    if (there->dtype != asked->dtype)
        return differ(file, error, "element type", isg_dtype_name(there->dtype), isg_dtype_name(asked->dtype));
    for (int i = 0; i < 3; i++)
        if (numbers[i].there != numbers[i].asked)
            return differ_numbers(file, error, numbers[i].what, numbers[i].there, numbers[i].asked);
    for (int i = ISG_LINE_KERNEL; i <= ISG_LINE_CONTRACT; i++)
        if (strcmp(there->lines[i], lines[i]) != 0)
            return differ(file, error, isg_line_names[i], there->lines[i][0] ? there->lines[i] : "none",
                          lines[i][0] ? lines[i] : "none");
    for (int i = 0; i < 4; i++) {
        char a[2 * ISG_HASH_BYTES + 1], b[2 * ISG_HASH_BYTES + 1];
        if (!isg_hash_same(hashes[i].there, hashes[i].asked))
            return differ(file, error, hashes[i].what, shown(hashes[i].there, a), shown(hashes[i].asked, b));
    }
    if (there->symmetric != asked->symmetric)
        return differ(file, error, "symmetry", there->symmetric ? "K(X, X)" : "K(X, Y)",
                      asked->symmetric ? "K(X, X)" : "K(X, Y)");
    if (asked->side && there->side != asked->side)
        return differ_numbers(file, error, "side of tiles", there->side, asked->side);
    return ISG_OK;
}
