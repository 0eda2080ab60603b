// A store from inside.
#ifndef ISG_LIB_STORE_H
#define ISG_LIB_STORE_H

#include "store_file.h"

#include <xxhash.h>

struct isg_store {
    isg_store_file file;
    bool *seen;  // tiles that this reader knows to be right; NULL before the first read
    void *block; // a reader's or checker's memory for a tile and a strip of its mirror, or NULL
    // Of one that computes; context is NULL otherwise.
    isg_context *context;
    isg_gram *gram;
    int64_t part, parts;
    bool only;
    bool verified; // what was recorded when it was opened is right
    int64_t struck;
    isg_store_progress_fn progress;
    void *progress_user;
    struct isg_store_run *run; // while isg_store_compute is at work
};

// store_run.c. The bytes of host memory that computing with tiles of this side takes.
int64_t isg_store_run_bytes(const isg_journal *journal, int64_t side);
// Lets go of the operator and the context, before the store is freed. false: not from inside a function of the
// caller's.
bool isg_store_leave(isg_store *store);
// Calls the caller's progress function, if there is one; whether to stop.
int isg_store_ask(isg_store *store, const isg_store_progress *now);
// The gram's progress function; user: the store.
int isg_store_between_launches(void *user, double done, double total);

// Memory for a tile, and for `strip` rows of its mirror behind it.
enum { ISG_STORE_STRIP = 64 };
isg_status isg_store_block(isg_store *store, isg_error *error);

// Compares a tile with its record. *what: NULL where it is right.
isg_status isg_store_verify(isg_store *store, const isg_tile *tile, const isg_record *record, const char **what,
                            isg_error *error);

// Adds rows [first, first + rows) of a tile, as it lies in memory with rows `side` elements apart, to its checksum. Of
// ISG_STORE_TILES a tile has `side` rows and columns, whatever it covers of K.
void isg_store_sum(XXH3_state_t *state, const isg_journal *journal, const isg_tile *tile, const void *block,
                   int64_t first, int64_t rows);
isg_hash isg_store_sum_end(const XXH3_state_t *state);

// store_inputs.c. What params are of: the journal's fields but for layout, dtype and side, and the header's lines. The
// texts of lines[ISG_LINE_KERNEL] and [ISG_LINE_LENGTHSCALES] are to be freed by the caller.
isg_status isg_store_inputs(isg_journal *journal, const char *lines[ISG_LINE_COUNT], char *texts[2],
                            const isg_gram *gram, const isg_store_params *params, isg_error *error);
// Tells the first difference between what is there and what is asked for: ISG_ERR_ARGUMENT, or ISG_OK.
isg_status isg_store_compare(const isg_store_file *file, const isg_journal *asked,
                             const char *const lines[ISG_LINE_COUNT], isg_error *error);

#endif
