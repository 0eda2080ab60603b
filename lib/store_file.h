// The two files of a store: made in an order that a power cut cannot hurt, read and written in tiles, and locked so
// that a dead process leaves no lock behind. Knows nothing of how tiles are computed. POSIX only.
#ifndef ISG_LIB_STORE_FILE_H
#define ISG_LIB_STORE_FILE_H

#include "store_journal.h"

typedef struct isg_store_file {
    isg_journal journal;
    char *path;        // of the file
    char label[600];   // what messages call it
    int data, records; // descriptors of file and journal; or -1
    int directory;     // where both lie
    char *name;        // of the file within it; the journal's is this and ".journal"
    bool writable;
    bool lockless;       // this file system has no locks: two workers may do the same work, and write the same bytes
    int damaged_headers; // of the journal's two
    int64_t journal_size, data_size; // as found; -1: there is none
} isg_store_file;

// Looks for the store at `path`: *found says whether there is a journal. Opens nothing for writing unless `writable`.
// With a journal that is found but cannot be understood: ISG_ERR_FORMAT. Whatever comes out, isg_store_file_close.
isg_status isg_store_file_find(isg_store_file *file, const char *path, bool writable, bool *found, isg_error *error);

// Puts a journal without records in its place, atomically. *found: somebody else was faster, and theirs is open now.
isg_status isg_store_file_make(isg_store_file *file, isg_journal *journal, const char *const lines[ISG_LINE_COUNT],
                               bool *found, isg_error *error);

// Makes sure that file and journal have their sizes and headers; what is recorded stays. One process at a time does it.
// A file that was there before its journal is refused. repair: also when something recorded must have been lost.
isg_status isg_store_file_prepare(isg_store_file *file, bool repair, isg_error *error);
void isg_store_file_close(isg_store_file *file);

// *what: what is wrong with sizes and headers; NULL: nothing. For whoever reads. text: room for the answer.
isg_status isg_store_file_fault(const isg_store_file *file, int which, char text[200], const char **what,
                                isg_error *error);
enum { ISG_STORE_FAULTS = 3 }; // `which` goes from 0 to below it

isg_status isg_store_file_fail(const isg_store_file *file, isg_error *error, isg_status status, const char *format, ...)
    ISG_PRINTF(4, 5);

// How many records the journal is long enough for: all, unless it was cut short. A header may claim any number.
int64_t isg_store_file_held(const isg_store_file *file);
// The record of a tile as it is now; EMPTY and DAMAGED ones are read once more where another process may be at it.
isg_status isg_store_file_record(const isg_store_file *file, int64_t tile, isg_record *record, isg_error *error);
isg_status isg_store_file_set(const isg_store_file *file, int64_t tile, const isg_record *record, isg_error *error);
// How many records are written or synced (*recorded), synced (*synced), and none at all (*damaged); any may be NULL.
// states: NULL, or the state of each.
isg_status isg_store_file_count(const isg_store_file *file, int64_t *recorded, int64_t *synced, int64_t *damaged,
                                uint8_t *states, isg_error *error);

// A block of the tile at place (i, j) among tiles, from its element (a, b) on. stride: elements from row to row.
isg_status isg_store_file_get(const isg_store_file *file, int64_t i, int64_t j, int64_t a, int64_t b, int64_t rows,
                              int64_t cols, void *to, int64_t stride, isg_error *error);
// The tile at place (i, j), rows x cols of it; of ISG_STORE_TILES side x side, whatever these are.
isg_status isg_store_file_put(const isg_store_file *file, int64_t i, int64_t j, int64_t rows, int64_t cols,
                              const void *from, int64_t stride, isg_error *error);

// Through to the disk: the file's data, or the journal.
isg_status isg_store_file_sync(const isg_store_file *file, bool data, isg_error *error);

// Claims a tile for this handle, alone. 1: claimed; 0: another has it (never with `wait`); -1: interrupted by a signal.
// A claim goes with its process, whatever ends that.
int isg_store_file_claim(isg_store_file *file, int64_t tile, bool wait);
void isg_store_file_release(const isg_store_file *file, int64_t tile);

#endif
