// The work on a store: the device computes a tile while a thread writes the one before and another has the system
// bring what was written to the disk. The context serves the calling thread alone; the others do nothing but I/O.
//
// A tile is handed over when the one before is recorded, and its last rows are computed only then: whatever kills the
// process, no more than one tile that had been computed is lost.
#include "store_run.h"
#include "context.h"

#include <stdlib.h>
#include <string.h>

int64_t isg_store_run_bytes(const isg_journal *j, int64_t side)
{
    int64_t element = (int64_t)isg_dtype_bytes(j->dtype), tile = side * side,
            mirror = j->symmetric && j->layout == ISG_STORE_FULL ? side * (side + ISG_STORE_PAD) : 0;
    return 2 * element * (tile + mirror);
}

static int64_t bytes_of(const isg_journal *j, const isg_tile *t)
{
    int64_t elements = j->layout == ISG_STORE_TILES ? j->side * j->side : t->rows * t->cols * (t->mirrored ? 2 : 1);
    return elements * (int64_t)isg_dtype_bytes(j->dtype);
}

// ---- The calling thread ----

int isg_store_ask(isg_store *store, const isg_store_progress *now)
{
    if (!store->progress)
        return 0;
    store->context->asking++;
    int stop = store->progress(store->progress_user, now);
    store->context->asking--;
    return stop;
}

static isg_status tell(isg_store_run *run)
{
    isg_store *store = run->store;
    run->report.progress.seconds = isg_seconds() - run->started;
    if (isg_store_ask(store, &run->report.progress))
        return isg_fail(&store->context->error, ISG_ERR_CANCELLED, "cancelled");
    return ISG_OK;
}

int isg_store_between_launches(void *user, double done, double total)
{
    isg_store *store = user; // whose operator computes within isg_store_compute alone
    (void)done, (void)total;
    store->run->report.progress.seconds = isg_seconds() - store->run->started;
    return isg_store_ask(store, &store->run->report.progress);
}

// Rows [first, first + rows) of a tile into columns of its mirror. In squares of a cache line's width.
// NOLINTBEGIN(bugprone-macro-parentheses): `type` is one
#define TRANSPOSE(type)                                                                                                \
    do {                                                                                                               \
        const type *from = from_bytes;                                                                                 \
        type *to = to_bytes;                                                                                           \
        for (int64_t a = first; a < first + rows; a += square)                                                         \
            for (int64_t b = 0; b < cols; b += square)                                                                 \
                for (int64_t u = a; u < isg_min(a + square, first + rows); u++)                                        \
                    for (int64_t v = b; v < isg_min(b + square, cols); v++)                                            \
                        to[v * (side + ISG_STORE_PAD) + u] = from[u * side + v];                                       \
    } while (0)
// NOLINTEND(bugprone-macro-parentheses)
static void transpose(size_t element, void *to_bytes, const void *from_bytes, int64_t side, int64_t first, int64_t rows,
                      int64_t cols)
{
    const int64_t square = 64 / (int64_t)element;
    if (element == 2)
        TRANSPOSE(uint16_t);
    else if (element == 4)
        TRANSPOSE(uint32_t);
    else
        TRANSPOSE(uint64_t);
}

// Rows [first, first + rows) of a tile: computed, mirrored, and added to its checksum.
static isg_status compute_rows(isg_store_run *run, const isg_tile *t, char *block, char *mirror, int64_t first,
                               int64_t rows)
{
    const isg_journal *j = &run->store->file.journal;
    const size_t element = isg_dtype_bytes(j->dtype);
    isg_array k = isg_matrix(j->dtype, block + (size_t)(first * j->side) * element, rows, t->cols);
    k.strides[0] = j->side;
    if (rows == 0)
        return ISG_OK;
    double start = isg_seconds();
    isg_status st = isg_gram_tile(run->store->gram, t->row + first, t->col, k);
    run->report.compute_seconds += isg_seconds() - start;
    if (st)
        return st;
    if (t->mirrored)
        transpose(element, mirror, block, j->side, first, rows, t->cols);
    isg_store_sum(run->sum, j, t, block, first, rows);
    return ISG_OK;
}

static isg_status compute_tile(isg_store_run *run, const isg_tile *t)
{
    isg_store *store = run->store;
    const isg_journal *j = &store->file.journal;
    char *block = run->blocks[run->side_in_use], *mirror = run->mirrors[run->side_in_use];
    int64_t last = isg_min(t->rows, isg_max(j->side / 16, ISG_LEAST_SIDE)), padding = j->side - t->rows;
    if (j->layout == ISG_STORE_TILES && t->rows < j->side) // of the lower triangle the last row alone has cut tiles
        memset(block, 0, (size_t)(j->side * j->side) * isg_dtype_bytes(j->dtype));
    XXH3_128bits_reset(run->sum);
    isg_status st = compute_rows(run, t, block, mirror, 0, t->rows - last);
    if (st || (st = isg_store_threads_wait(run, false, &store->context->error)) ||
        (st = compute_rows(run, t, block, mirror, t->rows - last, last)))
        return st;
    if (j->layout == ISG_STORE_TILES)
        isg_store_sum(run->sum, j, t, block, t->rows, padding);
    isg_context_log(store->context, ISG_LOG_DEBUG, "%s: tile (%lld, %lld) is computed", store->file.label,
                    (long long)t->i, (long long)t->j);
    isg_store_threads_give(run, t, isg_store_sum_end(run->sum), block, mirror);
    run->side_in_use = !run->side_in_use;
    return ISG_OK;
}

static bool there(const isg_store_run *run, int64_t tile)
{
    return run->states[tile] == ISG_RECORD_WRITTEN || run->states[tile] == ISG_RECORD_SYNCED;
}

static void count_recorded(isg_store_run *run, int64_t tile)
{
    const isg_journal *j = &run->store->file.journal;
    isg_tile t = isg_journal_tile(j, tile);
    run->states[tile] = ISG_RECORD_WRITTEN;
    run->report.progress.recorded++;
    run->report.progress.recorded_bytes += (double)bytes_of(j, &t);
}

// Claims a tile that is not there. *mine: it is to be computed; else it is there by now, or, but for `wait`, claimed.
static isg_status take(isg_store_run *run, int64_t tile, bool wait, bool *mine)
{
    isg_store_file *file = &run->store->file;
    isg_error *error = &run->store->context->error;
    isg_record record;
    *mine = false;
    isg_status st = isg_store_file_record(file, tile, &record, error);
    if (st)
        return st;
    if (record.state == ISG_RECORD_WRITTEN || record.state == ISG_RECORD_SYNCED) {
        count_recorded(run, tile);
        return ISG_OK;
    }
    int claimed;
    while ((claimed = isg_store_file_claim(file, tile, wait)) < 0)
        if ((st = tell(run)))
            return st;
    if (!claimed)
        return ISG_OK;
    // Somebody may have been here between the look and the claim.
    st = isg_store_file_record(file, tile, &record, error);
    *mine = !st && (record.state == ISG_RECORD_EMPTY || record.state == ISG_RECORD_DAMAGED);
    if (!*mine)
        isg_store_file_release(file, tile);
    if (!st && !*mine)
        count_recorded(run, tile);
    return st;
}

static isg_status take_and_compute(isg_store_run *run, int64_t tile, bool wait)
{
    const isg_journal *j = &run->store->file.journal;
    bool mine;
    isg_status st = take(run, tile, wait, &mine);
    if (st || !mine)
        return st ? st : tell(run);
    isg_tile t = isg_journal_tile(j, tile);
    if ((st = compute_tile(run, &t))) {
        isg_store_file_release(&run->store->file, tile);
        return st;
    }
    count_recorded(run, tile);
    run->report.progress.computed++;
    run->report.progress.computed_bytes += (double)bytes_of(j, &t);
    return tell(run);
}

// All that nobody has claimed, from this worker's part on; then, unless it is to stay there, what others claimed and
// did not finish, for they may be dead.
static isg_status compute_all(isg_store_run *run)
{
    const isg_store *store = run->store;
    const int64_t tiles = store->file.journal.tiles;
    const double share = store->parts ? (double)tiles / (double)store->parts : (double)tiles;
    int64_t first = store->parts ? (int64_t)(share * (double)(store->part - 1)) : 0;
    int64_t end = store->parts && store->part < store->parts ? (int64_t)(share * (double)store->part) : tiles;
    int64_t count = store->only ? end - first : tiles;
    for (;;) {
        int64_t left = -1;
        for (int64_t k = 0; k < count; k++) {
            int64_t tile = (first + k) % tiles;
            isg_status st = there(run, tile) ? ISG_OK : take_and_compute(run, tile, false);
            if (st)
                return st;
            if (left < 0 && !there(run, tile))
                left = tile;
        }
        if (left < 0 || store->only)
            return ISG_OK;
        // Who waits must hold no claim that another could be waiting for.
        isg_status st = isg_store_threads_wait(run, true, &store->context->error);
        if (st || (st = take_and_compute(run, left, true)))
            return st;
    }
}

// What a run wrote that ended before it was on the disk, and was found right when the store was opened. What somebody
// holds is theirs to bring there.
static isg_status sync_left(isg_store_run *run)
{
    isg_store *store = run->store;
    isg_error *error = &store->context->error;
    isg_status st = ISG_OK;
    int count = 0;
    for (int64_t tile = 0; tile < store->file.journal.tiles && !st; tile++) {
        isg_record record;
        if ((st = isg_store_file_record(&store->file, tile, &record, error)) == ISG_OK &&
            record.state == ISG_RECORD_WRITTEN && isg_store_file_claim(&store->file, tile, false) == 1)
            run->list[count++] = (isg_unsynced){tile, record.checksum};
        if (!st && count == ISG_MOST_UNSYNCED) {
            st = isg_store_sync_tiles(store, run->list, count, error);
            count = 0;
        }
    }
    return st || count == 0 ? st : isg_store_sync_tiles(store, run->list, count, error);
}

static isg_status begin(isg_store_run *run)
{
    isg_store *store = run->store;
    const isg_journal *j = &store->file.journal;
    isg_error *error = &store->context->error;
    isg_store_progress *p = &run->report.progress;
    const int64_t element = (int64_t)isg_dtype_bytes(j->dtype);
    run->states = calloc((size_t)j->tiles, 1);
    run->sum = XXH3_createState();
    bool room = run->states && run->sum;
    for (int i = 0; i < 2 && room; i++) {
        room = (run->blocks[i] = isg_alloc_large(j->side * j->side * element)) != NULL;
        if (room && j->symmetric && j->layout == ISG_STORE_FULL)
            room = (run->mirrors[i] = isg_alloc_large(j->side * (j->side + ISG_STORE_PAD) * element)) != NULL;
    }
    if (!room)
        return isg_store_file_fail(&store->file, error, ISG_ERR_MEMORY, "no memory for two tiles of side %lld",
                                   (long long)j->side);
    isg_status st = isg_store_file_count(&store->file, NULL, NULL, NULL, run->states, error);
    p->tiles = j->tiles;
    p->bytes = (double)(j->file_bytes - j->data_offset);
    for (int64_t i = 0; i < j->tiles && !st; i++)
        if (there(run, i))
            count_recorded(run, i);
    run->started = isg_seconds();
    run->report.struck = store->struck;
    return st;
}

isg_status isg_store_compute(isg_store *store, isg_store_report *report)
{
    if (!store || !store->context)
        return ISG_ERR_ARGUMENT; // opened for reading: there is no context to tell
    isg_status st = isg_context_enter(store->context);
    if (st)
        return st;
    isg_error *error = &store->context->error;
    isg_store_run *run = calloc(1, sizeof *run);
    if (!run)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory to work on a store");
    run->store = store;
    st = begin(run);
    store->run = run;
    if (!st) {
        if (isg_store_threads_start(run))
            st = compute_all(run);
        else
            st = isg_store_file_fail(&store->file, error, ISG_ERR_MEMORY, "no thread to write with");
        isg_store_threads_stop(run);
    }
    if (run->error.status) { // also of what ended after the last look
        isg_error_clear(error);
        st = isg_fail(error, run->error.status, "%s", run->error.message);
    }
    if (!st && store->verified)
        st = sync_left(run);
    store->run = NULL;
    // What was handed over counts as recorded; after a failure the journal knows better.
    isg_store_file_count(&store->file, &run->report.progress.recorded, NULL, NULL, NULL, NULL);
    run->report.write_seconds = run->write_seconds;
    run->report.sync_seconds = run->sync_seconds;
    run->report.progress.seconds = isg_seconds() - run->started;
    if (report)
        *report = run->report;
    for (int i = 0; i < 2; i++) {
        free(run->blocks[i]);
        free(run->mirrors[i]);
    }
    XXH3_freeState(run->sum);
    free(run->states);
    free(run);
    return st;
}
