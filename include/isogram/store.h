// Gram matrices on disk, larger than memory: computed tile by tile on the device while the tiles before are written,
// and never lost. Beside the file lies a journal, FILE.journal, that knows what the matrix is of and which tiles are
// there, with a checksum of each. Whatever ends the work, a later run verifies what is there and computes the rest; the
// finished file is the same, byte for byte, however often it was interrupted and however many workers wrote it.
// docs/store.md has the formats and the argument.
#ifndef ISOGRAM_STORE_H
#define ISOGRAM_STORE_H

#include <isogram/gram.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct isg_store isg_store;

typedef enum isg_store_layout {
    ISG_STORE_FULL = 0, // a .npy file of n x m, row-major: what isg_npy_create and isg_gram_dense would make
    // The lower triangle of K(X, X) by tiles: a .npy file of (tiles, side, side). Tile (i, j), j <= i, is number
    // i (i + 1)/2 + j and holds K[i side + a, j side + b] at [a, b]; what leaves K is 0.
    ISG_STORE_TILES
} isg_store_layout;

// How far the work is. Tiles are those that are computed: of a symmetric K those on and below the diagonal.
typedef struct isg_store_progress {
    int64_t tiles, recorded;      // of the store; recorded by any worker, as far as this one knows
    int64_t computed;             // by this call
    double bytes, recorded_bytes; // of the file, and of it in recorded tiles
    double computed_bytes;        // written by this call
    double seconds;               // since the call began
} isg_store_progress;

// Called on the calling thread after each tile, and between launches; and while isg_store_create checks what is there,
// with `tiles` alone. A non-zero result stops the call at the next border: what is computed is written, and the call
// returns ISG_ERR_CANCELLED.
typedef int (*isg_store_progress_fn)(void *user, const isg_store_progress *progress);

// Strings and arrays are read during isg_store_create only, but for the points, as isg_gram_params has it.
typedef struct isg_store_params {
    const char *path;            // of the file; a regular one, or none yet
    const isg_gram_params *gram; // what K is. Of method CONTRACT, without allow_nonfinite, points in host memory; its
                                 // progress function is not called
    isg_store_layout layout;
    isg_dtype dtype; // of the file: NONE or the gram's, or ISG_F16 beside single precision
    int64_t side;    // of a tile: a multiple of 64 from 64 to 16384. 0: the store's, or as memory allows, up to 2048
    int64_t memory_bytes; // for buffers in host memory. 0: 256 MiB
    int32_t resume;       // 1: goes on with a store that is there, or makes it. 0: there must be none
    int32_t repair;       // 1: as resume, of one that is there; also where file or journal are cut short or damaged
    int32_t trust;        // 1: recorded tiles are taken for right without a look. For further workers on one store
    // Which tiles this worker takes: where part is from 1 to parts, it begins with those of this part of `parts`, and
    // with `only` it leaves it at them. parts 0: all. Other workers on the same store are waited for, unless `only`.
    int64_t part, parts;
    int32_t only;
    // Where the inputs lie, as absolute paths: recorded, for who repairs. NULL: not known.
    const char *x_path, *y_path, *include_path, *factors_path;
    isg_store_progress_fn progress; // may be NULL
    void *progress_user;
} isg_store_params;

#define isg_store_params(...) (&(struct isg_store_params){__VA_ARGS__})

// Makes a store, or opens one to go on, and checks what is recorded there: tiles whose bytes are not as recorded are
// struck from the journal. The file has its full size, reserved where the file system can, and its header; the store
// may be read from now on. context: held by the store. Errors are the context's.
// ISG_ERR_ARGUMENT: it is there and neither resume nor repair is set, or is a store of something else: the message
// names the difference; a path that is no regular file; memory that is too little for two tiles. ISG_ERR_IO: no room,
// no permission. ISG_ERR_FORMAT: the journal or the file is damaged so that only repair can go on.
ISG_API isg_status isg_store_create(isg_context *context, isg_store **out, const isg_store_params *params);

// What a call of isg_store_compute did.
typedef struct isg_store_report {
    isg_store_progress progress; // at its end
    int64_t struck;              // tiles whose records were struck when the store was opened
    double compute_seconds;      // in which the device computed
    double write_seconds;        // in which the writer wrote
    double wait_seconds;         // in which the device waited for the writer
    double sync_seconds;         // in which a third thread had the system write through to the disk
} isg_store_report;

// Computes what is not recorded. Killed at any moment, this call loses the tile that is being written and the one that
// is being computed: never more than one that had been computed. ISG_ERR_CANCELLED, ISG_ERR_IO (no space left, an
// error of the disk): all tiles before are recorded, and a later call or process goes on. report: may be NULL; filled
// on failure too. A process with a limit on the size of files should ignore SIGXFSZ. Uses two threads of its own
// meanwhile; fsync is described in docs/store.md.
ISG_API isg_status isg_store_compute(isg_store *store, isg_store_report *report);

// Opens a store for reading, also while others write it. Needs no device. ISG_ERR_FORMAT: the journal is damaged, of
// another version, or belies the file. error: may be NULL, here and below.
ISG_API isg_status isg_store_open(isg_store **out, const char *path, isg_error *error);
ISG_API void isg_store_close(isg_store **store);

// What a store is of. Strings belong to the store; "" where nothing is known.
typedef struct isg_store_info {
    isg_store_layout layout;
    isg_dtype dtype;
    int64_t n, m, d;
    int32_t symmetric;                            // of K(X, X): tiles on and below the diagonal are computed
    int64_t side, tiles, recorded, synced;        // recorded: now; synced: those of them that a power cut cannot take
    int64_t damaged;                              // records that are none
    int64_t file_bytes, journal_bytes;            // as they should be
    const char *kernel, *lengthscales, *contract; // lengthscales: "0.5,1,…" or ""
    const char *x_path, *y_path, *include_path, *factors_path;
    char x_hash[33], y_hash[33]; // XXH3, 128 bits, in hexadecimal digits
} isg_store_info;
ISG_API isg_status isg_store_describe(isg_store *store, isg_store_info *out, isg_error *error);

// Reads K[row + a, col + b] for every (a, b) of out's shape, from either layout, of any triangle. out: output, of the
// store's dtype, in host memory, any strides that keep elements apart. ISG_ERR_INCOMPLETE: a tile of it is not there
// yet; the message names it, and out is unspecified. A tile whose record was not yet through to the disk when this
// store first saw it is checked against its checksum once (ISG_ERR_FORMAT: it does not match).
ISG_API isg_status isg_store_read(isg_store *store, int64_t row, int64_t col, isg_array out, isg_error *error);

// Something that is not as recorded. row, col: of the tile in tiles, -1 for the header of the file or of the journal.
typedef struct isg_store_fault {
    int64_t row, col;
    const char *what; // valid during the call
} isg_store_fault;
typedef int (*isg_store_fault_fn)(void *user, const isg_store_fault *fault);

// Compares all that is recorded with its checksums. Calls fault (may be NULL) for each that differs, and stops when
// that gives non-zero. *faults: how many there were.
ISG_API isg_status isg_store_check(isg_store *store, isg_store_fault_fn fault, void *user, int64_t *faults,
                                   isg_error *error);

#ifdef __cplusplus
}
#endif

#endif
