// The two threads beside the one that computes: one writes and records tiles, the other has the system bring them to
// the disk and says so in the journal. They do nothing but I/O.
#include "store_run.h"

#include <signal.h>
#include <string.h>
#include <time.h>

// ---- The writer ----

static isg_status write_tile(isg_store_run *run, isg_error *error)
{
    const isg_store_file *file = &run->store->file;
    const isg_tile *t = &run->tile;
    const int64_t side = file->journal.side;
    isg_status st = isg_store_file_put(file, t->i, t->j, t->rows, t->cols, run->block, side, error);
    if (!st && t->mirrored)
        st = isg_store_file_put(file, t->j, t->i, t->cols, t->rows, run->mirror, side + ISG_STORE_PAD, error);
    const isg_record record = {ISG_RECORD_WRITTEN, run->checksum};
    return st ? st : isg_store_file_set(file, t->index, &record, error);
}

static void *writer(void *user)
{
    isg_store_run *run = user;
    pthread_mutex_lock(&run->mutex);
    for (;;) {
        while (!run->pending && !run->write_stop)
            pthread_cond_wait(&run->changed, &run->mutex);
        if (!run->pending)
            break;
        pthread_mutex_unlock(&run->mutex);
        isg_error error = {ISG_OK, ""};
        double start = isg_seconds();
        isg_status st = write_tile(run, &error);
        double took = isg_seconds() - start;
        pthread_mutex_lock(&run->mutex);
        run->write_seconds += took;
        if (st) {
            isg_fail(&run->error, st, "%s", error.message);
            isg_store_file_release(&run->store->file, run->tile.index);
        } else {
            while (run->unsynced_count == ISG_MOST_UNSYNCED) {
                run->sync_now = true;
                pthread_cond_broadcast(&run->changed);
                pthread_cond_wait(&run->changed, &run->mutex);
            }
            run->list[run->unsynced_count++] = (isg_unsynced){run->tile.index, run->checksum};
        }
        run->pending = false;
        pthread_cond_broadcast(&run->changed);
    }
    pthread_mutex_unlock(&run->mutex);
    return NULL;
}

// ---- The one that syncs ----

// The data first; then records say that it is there. After a failure nobody knows what the system has dropped: the
// records are taken back.
isg_status isg_store_sync_tiles(isg_store *store, const isg_unsynced *list, int count, isg_error *error)
{
    const isg_store_file *file = &store->file;
    isg_status st = isg_store_file_sync(file, true, error);
    isg_error ignored = {ISG_OK, ""};
    for (int i = 0; i < count; i++) {
        const isg_record record = {st ? ISG_RECORD_EMPTY : ISG_RECORD_SYNCED, list[i].checksum};
        isg_status set = isg_store_file_set(file, list[i].tile, &record, st ? &ignored : error);
        st = st ? st : set;
    }
    if (!st)
        st = isg_store_file_sync(file, false, error);
    for (int i = 0; i < count; i++)
        isg_store_file_release(file, list[i].tile);
    return st;
}

// Waits until there is something to do: tiles, and time or a reason.
static bool wait_to_sync(isg_store_run *run, double last)
{
    for (;;) {
        double left = last + ISG_SYNC_SECONDS - isg_seconds();
        if (run->unsynced_count && (run->sync_now || run->sync_stop || left <= 0))
            return true;
        run->sync_now = false; // all that it was asked of is through
        if (run->sync_stop)
            return false;
        if (!run->unsynced_count) {
            pthread_cond_wait(&run->changed, &run->mutex);
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)left + 1;
        pthread_cond_timedwait(&run->changed, &run->mutex, &until);
    }
}

static void *syncer(void *user)
{
    isg_store_run *run = user;
    double last = isg_seconds();
    pthread_mutex_lock(&run->mutex);
    while (wait_to_sync(run, last)) {
        int count = run->unsynced_count;
        memcpy(run->batch, run->list, (size_t)count * sizeof *run->batch);
        pthread_mutex_unlock(&run->mutex);
        isg_error error = {ISG_OK, ""};
        double start = isg_seconds();
        isg_status st = isg_store_sync_tiles(run->store, run->batch, count, &error);
        last = isg_seconds();
        pthread_mutex_lock(&run->mutex);
        run->sync_seconds += last - start;
        if (st)
            isg_fail(&run->error, st, "%s", error.message);
        run->unsynced_count -= count;
        memmove(run->list, run->list + count, (size_t)run->unsynced_count * sizeof *run->list);
        pthread_cond_broadcast(&run->changed);
    }
    pthread_mutex_unlock(&run->mutex);
    return NULL;
}

// ---- For the calling thread ----

// Signals are for the calling thread, which waits where they must be noticed.
bool isg_store_threads_start(isg_store_run *run)
{
    void *(*const bodies[2])(void *) = {writer, syncer};
    pthread_condattr_t monotonic;
    sigset_t all, before;
    pthread_mutex_init(&run->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&run->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (run->thread_count = 0; run->thread_count < 2; run->thread_count++)
        if (pthread_create(&run->threads[run->thread_count], NULL, bodies[run->thread_count], run) != 0)
            break;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return run->thread_count == 2;
}

void isg_store_threads_stop(isg_store_run *run)
{
    bool *const stops[2] = {&run->write_stop, &run->sync_stop};
    for (int i = 0; i < run->thread_count; i++) {
        pthread_mutex_lock(&run->mutex);
        *stops[i] = true; // NOLINT(clang-analyzer-core.NullDereference): there are two threads at most
        pthread_cond_broadcast(&run->changed);
        pthread_mutex_unlock(&run->mutex);
        double start = isg_seconds();
        pthread_join(run->threads[i], NULL);
        if (i == 0)
            run->report.wait_seconds += isg_seconds() - start;
    }
    pthread_cond_destroy(&run->changed);
    pthread_mutex_destroy(&run->mutex);
}

void isg_store_threads_give(isg_store_run *run, const isg_tile *tile, isg_hash checksum, const char *block,
                            const char *mirror)
{
    pthread_mutex_lock(&run->mutex);
    run->tile = *tile;
    run->checksum = checksum;
    run->block = block;
    run->mirror = mirror;
    run->pending = true;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->mutex);
}

isg_status isg_store_threads_wait(isg_store_run *run, bool synced, isg_error *error)
{
    double start = isg_seconds();
    pthread_mutex_lock(&run->mutex);
    while (run->error.status == ISG_OK && (run->pending || (synced && run->unsynced_count))) {
        run->sync_now = run->sync_now || (synced && !run->pending);
        pthread_cond_broadcast(&run->changed);
        pthread_cond_wait(&run->changed, &run->mutex);
    }
    isg_error failure = run->error;
    pthread_mutex_unlock(&run->mutex);
    run->report.wait_seconds += isg_seconds() - start;
    return failure.status ? isg_fail(error, failure.status, "%s", failure.message) : ISG_OK;
}
