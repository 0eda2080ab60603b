// Reading a store, which needs no device: blocks of K, what it is of, and whether all is as recorded.
#include "store.h"

#include <stdlib.h>
#include <string.h>

isg_status isg_store_open(isg_store **out, const char *path, isg_error *error)
{
    isg_error_clear(error);
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    *out = NULL;
    isg_store *store = calloc(1, sizeof *store);
    if (!store)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for a store");
    bool found;
    isg_status st = isg_store_file_find(&store->file, path, false, &found, error);
    if (!st && !found)
        st = isg_store_file_fail(&store->file, error, ISG_ERR_IO, "there is no store: it has no journal, %s.journal",
                                 store->file.name);
    if (st)
        isg_store_close(&store);
    *out = store;
    return st;
}

void isg_store_close(isg_store **store)
{
    if (!store || !*store || ((*store)->context && !isg_store_leave(*store)))
        return;
    isg_store *s = *store;
    isg_store_file_close(&s->file);
    free(s->seen);
    free(s->block);
    free(s);
    *store = NULL;
}

isg_status isg_store_describe(isg_store *store, isg_store_info *out, isg_error *error)
{
    isg_error_clear(error);
    if (!store || !out)
        return isg_fail(error, ISG_ERR_ARGUMENT, store ? "no place for what a store is of" : "no store");
    const isg_journal *j = &store->file.journal;
    *out = (isg_store_info){.layout = j->layout,
                            .dtype = j->dtype,
                            .n = j->n,
                            .m = j->m,
                            .d = j->d,
                            .symmetric = j->symmetric,
                            .side = j->side,
                            .tiles = j->tiles,
                            .file_bytes = j->file_bytes,
                            .journal_bytes = isg_journal_bytes(j),
                            .kernel = j->lines[ISG_LINE_KERNEL],
                            .lengthscales = j->lines[ISG_LINE_LENGTHSCALES],
                            .contract = j->lines[ISG_LINE_CONTRACT],
                            .x_path = j->lines[ISG_LINE_X],
                            .y_path = j->lines[ISG_LINE_Y],
                            .include_path = j->lines[ISG_LINE_INCLUDE],
                            .factors_path = j->lines[ISG_LINE_FACTORS]};
    isg_hash_text(&j->x, out->x_hash);
    isg_hash_text(&j->y, out->y_hash);
    return isg_store_file_count(&store->file, &out->recorded, &out->synced, &out->damaged, NULL, error);
}

// ---- Checksums ----

isg_status isg_store_block(isg_store *store, isg_error *error)
{
    const isg_journal *j = &store->file.journal;
    if (!store->block)
        store->block = isg_alloc(j->side * (j->side + ISG_STORE_STRIP), isg_dtype_bytes(j->dtype));
    return store->block ? ISG_OK : isg_store_file_fail(&store->file, error, ISG_ERR_MEMORY, "no memory for a tile");
}

void isg_store_sum(XXH3_state_t *state, const isg_journal *j, const isg_tile *tile, const void *block, int64_t first,
                   int64_t rows)
{
    const size_t element = isg_dtype_bytes(j->dtype), pitch = (size_t)j->side * element;
    const char *from = (const char *)block + (size_t)first * pitch;
    if (j->layout == ISG_STORE_TILES || tile->cols == j->side)
        XXH3_128bits_update(state, from, (size_t)rows * pitch);
    else
        for (int64_t r = 0; r < rows; r++)
            XXH3_128bits_update(state, from + (size_t)r * pitch, (size_t)tile->cols * element);
}

isg_hash isg_store_sum_end(const XXH3_state_t *state)
{
    isg_hash hash;
    XXH128_canonicalFromHash((XXH128_canonical_t *)hash.bytes, XXH3_128bits_digest(state));
    return hash;
}

// Whether the tile's rows x cols are the transpose of `strip`, cols x rows; both with rows `side` elements apart.
#define TRANSPOSED(type)                                                                                               \
    for (int64_t a = 0; a < rows; a++)                                                                                 \
        for (int64_t b = 0; b < cols; b++)                                                                             \
            if (((const type *)block)[a * side + b] != ((const type *)strip)[b * side + a])                            \
                return false;                                                                                          \
    return true
static bool transposed(size_t element, const void *block, const void *strip, int64_t rows, int64_t cols, int64_t side)
{
    if (element == 2) {
        TRANSPOSED(uint16_t);
    } else if (element == 4) {
        TRANSPOSED(uint32_t);
    } else {
        TRANSPOSED(uint64_t);
    }
}

isg_status isg_store_verify(isg_store *store, const isg_tile *tile, const isg_record *record, const char **what,
                            isg_error *error)
{
    const isg_journal *j = &store->file.journal;
    isg_status st = isg_store_block(store, error);
    int64_t rows = j->layout == ISG_STORE_TILES ? j->side : tile->rows,
            cols = j->layout == ISG_STORE_TILES ? j->side : tile->cols;
    const size_t element = isg_dtype_bytes(j->dtype);
    isg_error cut = {ISG_OK, ""};
    *what = NULL;
    if (st)
        return st;
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return isg_store_file_fail(&store->file, error, ISG_ERR_MEMORY, "no memory for a checksum");
    XXH3_128bits_reset(state);
    char *strip = (char *)store->block + (size_t)(j->side * j->side) * element;
    st = isg_store_file_get(&store->file, tile->i, tile->j, 0, 0, rows, cols, store->block, j->side, &cut);
    if (!st) {
        isg_store_sum(state, j, tile, store->block, 0, rows);
        isg_hash sum = isg_store_sum_end(state);
        if (!isg_hash_same(&sum, &record->checksum))
            *what = "its bytes do not match their checksum";
    }
    XXH3_freeState(state);
    for (int64_t at = 0; !st && !*what && tile->mirrored && at < tile->cols; at += ISG_STORE_STRIP) {
        int64_t count = isg_min(ISG_STORE_STRIP, tile->cols - at);
        st = isg_store_file_get(&store->file, tile->j, tile->i, at, 0, count, tile->rows, strip, j->side, &cut);
        if (!st && !transposed(element, (char *)store->block + (size_t)at * element, strip, tile->rows, count, j->side))
            *what = "its mirror above the diagonal is not its transpose";
    }
    if (st == ISG_ERR_FORMAT) {
        *what = "the file ends before it";
        return ISG_OK;
    }
    return st ? isg_fail(error, st, "%s", cut.message) : ISG_OK;
}

isg_status isg_store_check(isg_store *store, isg_store_fault_fn fault, void *user, int64_t *faults, isg_error *error)
{
    isg_error_clear(error);
    if (!store || !faults)
        return isg_fail(error, ISG_ERR_ARGUMENT, store ? "no place for the number of faults" : "no store");
    const isg_journal *j = &store->file.journal;
    *faults = 0;
    int64_t recorded, damaged;
    isg_status st = isg_store_file_count(&store->file, &recorded, NULL, &damaged, NULL, error);
    if (st)
        return st;
    for (int which = 0; which < ISG_STORE_FAULTS; which++) {
        char text[200];
        isg_store_fault f = {-1, -1, NULL};
        if (which != 1 && recorded + damaged == 0) // the file is made after the journal, and nothing is lost by that
            continue;
        if ((st = isg_store_file_fault(&store->file, which, text, &f.what, error)))
            return st;
        *faults += f.what != NULL;
        if (f.what && fault && fault(user, &f))
            return ISG_OK;
    }
    for (int64_t index = 0; index < isg_store_file_held(&store->file); index++) {
        isg_record record;
        isg_tile tile = isg_journal_tile(j, index);
        isg_store_fault f = {tile.i, tile.j, NULL};
        st = isg_store_file_record(&store->file, index, &record, error);
        if (!st && record.state == ISG_RECORD_DAMAGED)
            f.what = "its record is damaged";
        else if (!st && record.state != ISG_RECORD_EMPTY)
            st = store->file.data < 0 ? ISG_OK : isg_store_verify(store, &tile, &record, &f.what, error);
        if (st)
            return st;
        *faults += f.what != NULL;
        if (f.what && fault && fault(user, &f))
            return ISG_OK;
    }
    return ISG_OK;
}

// ---- Blocks ----

// That a tile is there, and right as far as that is not certain.
static isg_status require(isg_store *store, int64_t index, isg_error *error)
{
    isg_record record;
    const isg_journal *j = &store->file.journal;
    isg_status st = ISG_OK;
    if (!store->seen && !(store->seen = calloc((size_t)j->tiles, sizeof *store->seen)))
        return isg_store_file_fail(&store->file, error, ISG_ERR_MEMORY, "no memory for its tiles");
    if (store->seen[index] || (st = isg_store_file_record(&store->file, index, &record, error)))
        return st;
    isg_tile tile = isg_journal_tile(j, index);
    if (record.state == ISG_RECORD_EMPTY || record.state == ISG_RECORD_DAMAGED)
        return isg_store_file_fail(&store->file, error, ISG_ERR_INCOMPLETE, "tile (%lld, %lld) is not there yet",
                                   (long long)tile.i, (long long)tile.j);
    const char *what = NULL;
    if (record.state == ISG_RECORD_WRITTEN)
        st = isg_store_verify(store, &tile, &record, &what, error);
    if (what)
        return isg_store_file_fail(&store->file, error, ISG_ERR_FORMAT, "tile (%lld, %lld): %s", (long long)tile.i,
                                   (long long)tile.j, what);
    store->seen[index] = !st;
    return st;
}

// What a block and the tile at place (i, j) have in common, by way of store->block.
static isg_status read_part(isg_store *store, int64_t i, int64_t k, int64_t row, int64_t col, const isg_array *out,
                            isg_error *error)
{
    const isg_journal *j = &store->file.journal;
    const size_t element = isg_dtype_bytes(j->dtype);
    int64_t row_lo = isg_max(row, i * j->side), row_hi = isg_min(row + out->shape[0], (i + 1) * j->side);
    int64_t col_lo = isg_max(col, k * j->side), col_hi = isg_min(col + out->shape[1], (k + 1) * j->side);
    int64_t rows = row_hi - row_lo, cols = col_hi - col_lo;
    bool swapped = j->layout == ISG_STORE_TILES && k > i; // only the transpose lies there
    isg_status st = require(store, isg_journal_index(j, i, k), error);
    if (!st && swapped)
        st = isg_store_file_get(&store->file, k, i, col_lo - k * j->side, row_lo - i * j->side, cols, rows,
                                store->block, rows, error);
    else if (!st)
        st = isg_store_file_get(&store->file, i, k, row_lo - i * j->side, col_lo - k * j->side, rows, cols,
                                store->block, cols, error);
    for (int64_t a = 0; a < rows && !st; a++)
        for (int64_t b = 0; b < cols; b++)
            memcpy((char *)out->data +
                       ((row_lo + a - row) * out->strides[0] + (col_lo + b - col) * out->strides[1]) * (int64_t)element,
                   (char *)store->block + (size_t)(swapped ? b * rows + a : a * cols + b) * element, element);
    return st;
}

isg_status isg_store_read(isg_store *store, int64_t row, int64_t col, isg_array out, isg_error *error)
{
    isg_error_clear(error);
    if (!store)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no store");
    const isg_journal *j = &store->file.journal;
    if (out.dtype != j->dtype)
        return isg_store_file_fail(&store->file, error, ISG_ERR_DTYPE, "it holds %s, not %s", isg_dtype_name(j->dtype),
                                   isg_dtype_name(out.dtype));
    if (out.ndim != 2 || (!out.data && out.shape[0] > 0 && out.shape[1] > 0) || out.mem)
        return isg_store_file_fail(&store->file, error, ISG_ERR_SHAPE, "a block is read into a matrix in host memory");
    if (row < 0 || col < 0 || out.shape[0] < 0 || out.shape[1] < 0 || out.shape[0] > j->n - row ||
        out.shape[1] > j->m - col)
        return isg_store_file_fail(&store->file, error, ISG_ERR_SHAPE,
                                   "the block of %lld x %lld at (%lld, %lld) leaves the %lld x %lld matrix",
                                   (long long)out.shape[0], (long long)out.shape[1], (long long)row, (long long)col,
                                   (long long)j->n, (long long)j->m);
    isg_status st = out.shape[0] > 0 && out.shape[1] > 0 ? isg_array_addressable(&out, "the block", error) : ISG_OK;
    if (st)
        return st;
    st = store->file.data < 0
             ? isg_store_file_fail(&store->file, error, ISG_ERR_INCOMPLETE, "the file is not there yet")
             : isg_store_block(store, error);
    if (st || out.shape[0] == 0 || out.shape[1] == 0)
        return st;
    for (int64_t i = row / j->side; i <= (row + out.shape[0] - 1) / j->side && !st; i++)
        for (int64_t k = col / j->side; k <= (col + out.shape[1] - 1) / j->side && !st; k++)
            st = read_part(store, i, k, row, col, &out, error);
    return st;
}
