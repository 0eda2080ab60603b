// A run of isg_store_compute: the calling thread, which computes, and two that write and sync.
#ifndef ISG_LIB_STORE_RUN_H
#define ISG_LIB_STORE_RUN_H

#include "store.h"

#include <pthread.h>

enum {
    ISG_SYNC_SECONDS = 5,     // from what is written to what a power cut cannot take: this, and the disk's own time
    ISG_MOST_UNSYNCED = 1024, // tiles
    ISG_STORE_PAD = 16, // elements between a mirror's rows: rows a power of two apart fall into the same cache lines
};

typedef struct isg_unsynced {
    int64_t tile;
    isg_hash checksum;
} isg_unsynced;

typedef struct isg_store_run {
    isg_store *store;
    isg_store_report report;
    double started;
    uint8_t *states;  // of each tile, as far as this worker knows: isg_record_state
    char *blocks[2];  // a tile each: one is computed while the other is written
    char *mirrors[2]; // and their transposes; NULL where there are none
    int side_in_use;  // of the two
    XXH3_state_t *sum;

    // Shared by the threads.
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool pending;  // a tile is handed over and not recorded yet
    isg_tile tile; // it
    isg_hash checksum;
    const char *block, *mirror;
    bool write_stop, sync_stop, sync_now;
    isg_unsynced list[ISG_MOST_UNSYNCED], batch[ISG_MOST_UNSYNCED]; // batch: being synced
    int unsynced_count;
    isg_error error; // the first failure of a thread
    double write_seconds, sync_seconds;
    pthread_t threads[2];
    int thread_count;
} isg_store_run;

// store_threads.c. Starts the two; false when there are no threads to be had. stop: what is pending is written, what
// is written is synced.
bool isg_store_threads_start(isg_store_run *run);
void isg_store_threads_stop(isg_store_run *run);
// Hands a tile over; nothing is pending.
void isg_store_threads_give(isg_store_run *run, const isg_tile *tile, isg_hash checksum, const char *block,
                            const char *mirror);
// Brings claimed tiles that are written to the disk, records that, and releases them.
isg_status isg_store_sync_tiles(isg_store *store, const isg_unsynced *list, int count, isg_error *error);
// Waits until nothing is pending; with `synced`, nor unsynced. The threads' failure, if there was one.
isg_status isg_store_threads_wait(isg_store_run *run, bool synced, isg_error *error);

#endif
