// The journal of a store as bytes in memory: what the matrix is of, where its tiles lie, and a record for each. Knows
// no files. docs/store.md has it byte by byte.
#ifndef ISG_LIB_STORE_JOURNAL_H
#define ISG_LIB_STORE_JOURNAL_H

#include "base.h"

#include <isogram/store.h>

enum {
    ISG_JOURNAL_VERSION = 1,
    ISG_JOURNAL_PAGE = 4096, // a header's size is a multiple of it
    ISG_JOURNAL_MOST_HEADER = 1 << 20,
    ISG_RECORD_BYTES = 64, // never over a sector's border
    ISG_HASH_BYTES = 16,
    ISG_LEAST_SIDE = 64,
    ISG_MOST_SIDE = 16384,
};

typedef struct isg_hash {
    uint8_t bytes[ISG_HASH_BYTES]; // XXH3, 128 bits, in its canonical order
} isg_hash;

// The lines of the header's text, in this order. Each is a value; "" where there is none.
enum {
    ISG_LINE_KERNEL,
    ISG_LINE_LENGTHSCALES,
    ISG_LINE_CONTRACT,
    ISG_LINE_X,
    ISG_LINE_Y,
    ISG_LINE_INCLUDE,
    ISG_LINE_FACTORS,
    ISG_LINE_COUNT
};
extern const char *const isg_line_names[ISG_LINE_COUNT];

typedef struct isg_journal {
    isg_store_layout layout;
    isg_dtype dtype;
    int64_t n, m, d, side;
    bool symmetric;
    isg_hash x, y, include, factors; // all zeros where there is none
    char *lines[ISG_LINE_COUNT];     // in `text`
    char *text;                      // owned
    // What follows from these:
    int64_t tiles;        // that are computed
    int64_t data_offset;  // of the file's first element
    int64_t file_bytes;   // of the file
    int64_t header_bytes; // of one of the two headers
    uint64_t seed;        // of the records' checksums
} isg_journal;

typedef enum isg_record_state {
    ISG_RECORD_EMPTY,
    ISG_RECORD_WRITTEN, // the tile's bytes were handed to the system
    ISG_RECORD_SYNCED,  // and are on the disk
    ISG_RECORD_DAMAGED
} isg_record_state;

typedef struct isg_record {
    isg_record_state state;
    isg_hash checksum; // of the tile's bytes
} isg_record;

// A tile: its place among tiles, and what it covers of K.
typedef struct isg_tile {
    int64_t index, i, j;
    int64_t row, col, rows, cols;
    bool mirrored; // its transpose is stored, too
} isg_tile;

// Works out what follows from layout, dtype, n, m, d, side and symmetric; the header's size needs the lines. NULL, or
// what is wrong with them.
const char *isg_journal_derive(isg_journal *journal);

// The header of the file itself, a .npy one, of journal->data_offset bytes. Fits ISG_JOURNAL_PAGE.
void isg_journal_npy_header(const isg_journal *journal, char *header);

// One header, to be freed: journal->header_bytes of it, which this call sets, and the seed too. It stands in the file
// twice, records follow. NULL: no memory. lines: taken from `lines`, NULL for none.
uint8_t *isg_journal_write(isg_journal *journal, const char *const lines[ISG_LINE_COUNT]);

// What is wrong with a header that could not be looked at.
extern const char isg_journal_no_memory[];

// The header that begins at `bytes`. NULL, or what is wrong; then there is nothing to free.
const char *isg_journal_parse(isg_journal *j, const uint8_t *h, int64_t count);
// From the beginning of a journal, taking the second header where the first is damaged. *damaged: headers that are.
const char *isg_journal_find(isg_journal *journal, const uint8_t *bytes, int64_t count, int *damaged);
void isg_journal_free(isg_journal *journal);

int64_t isg_journal_bytes(const isg_journal *journal);
// Of a tile's record, in the journal.
int64_t isg_record_offset(const isg_journal *journal, int64_t tile);
void isg_record_write(const isg_journal *journal, int64_t tile, const isg_record *record,
                      uint8_t bytes[ISG_RECORD_BYTES]);
isg_record isg_record_parse(const isg_journal *journal, int64_t tile, const uint8_t bytes[ISG_RECORD_BYTES]);

isg_tile isg_journal_tile(const isg_journal *journal, int64_t index);
// The tile that is computed for the place (i, k) among tiles: of a symmetric K the transpose's above the diagonal.
int64_t isg_journal_index(const isg_journal *j, int64_t i, int64_t k);
// Where element (a, b) of the tile at place (i, k) lies in the file, and the elements from a row to the next.
int64_t isg_journal_place(const isg_journal *j, int64_t i, int64_t k, int64_t a, int64_t b, int64_t *stride);

bool isg_hash_same(const isg_hash *a, const isg_hash *b);
bool isg_hash_none(const isg_hash *a);
void isg_hash_text(const isg_hash *hash, char text[2 * ISG_HASH_BYTES + 1]);

#endif
