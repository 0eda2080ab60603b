#include "store_journal.h"
#include "npy_header.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

// Offsets in the header; docs/store.md has them too.
enum {
    AT_VERSION = 16,
    AT_HEADER_BYTES = 20,
    AT_LAYOUT = 24,
    AT_DTYPE = 28,
    AT_N = 32,
    AT_M = 40,
    AT_D = 48,
    AT_SIDE = 56,
    AT_SYMMETRIC = 60,
    AT_TILES = 64,
    AT_DATA_OFFSET = 72,
    AT_FILE_BYTES = 80,
    AT_X = 96,
    AT_Y = 112,
    AT_INCLUDE = 128,
    AT_FACTORS = 144,
    AT_TEXT_BYTES = 160,
    AT_CHECKSUM = 192,
    AT_TEXT = 256,
};
static const char magic[16] = "isogram store";

// Of a record.
enum { AT_STATE = 4, AT_INDEX = 8, AT_TILE_CHECKSUM = 16, AT_RECORD_CHECKSUM = 56 };
static const char record_magic[4] = "TILE";

const char *const isg_line_names[ISG_LINE_COUNT] = {"kernel", "lengthscales", "contract", "x",
                                                    "y",      "include",      "factors"};

// ---- Little-endian numbers ----

static void put_number(uint8_t *to, int bytes, uint64_t value)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_number(const uint8_t *from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

// ---- Hashes ----

bool isg_hash_same(const isg_hash *a, const isg_hash *b)
{
    return memcmp(a->bytes, b->bytes, ISG_HASH_BYTES) == 0;
}

bool isg_hash_none(const isg_hash *a)
{
    static const isg_hash none;
    return isg_hash_same(a, &none);
}

void isg_hash_text(const isg_hash *hash, char text[2 * ISG_HASH_BYTES + 1])
{
    for (int i = 0; i < ISG_HASH_BYTES; i++)
        snprintf(text + (size_t)i * 2, 3, "%02x", hash->bytes[i]);
}

const char isg_journal_no_memory[] = "no memory to read it";

// Of a header, its own field counting as zeros. false: no memory.
static bool header_checksum(const uint8_t *bytes, int64_t count, isg_hash *hash)
{
    static const uint8_t zeros[ISG_HASH_BYTES];
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return false;
    XXH3_128bits_reset(state);
    XXH3_128bits_update(state, bytes, AT_CHECKSUM);
    XXH3_128bits_update(state, zeros, sizeof zeros);
    XXH3_128bits_update(state, bytes + AT_CHECKSUM + ISG_HASH_BYTES, (size_t)count - AT_CHECKSUM - ISG_HASH_BYTES);
    XXH128_canonicalFromHash((XXH128_canonical_t *)hash->bytes, XXH3_128bits_digest(state));
    XXH3_freeState(state);
    return true;
}

// ---- Geometry ----

static int64_t tiles_along(int64_t extent, int64_t side)
{
    return extent / side + (extent % side != 0);
}

static int64_t triangle(int64_t i)
{
    return i * (i + 1) / 2;
}

static void describe_file(const isg_journal *j, isg_array *file)
{
    *file = (isg_array){.dtype = j->dtype, .ndim = 2, .shape = {j->n, j->m}};
    if (j->layout == ISG_STORE_TILES) {
        file->ndim = 3;
        file->shape[0] = j->tiles;
        file->shape[1] = file->shape[2] = j->side;
    }
}

const char *isg_journal_derive(isg_journal *j)
{
    const int64_t most = INT64_MAX / 4;
    int64_t bytes, count;
    if (j->layout != ISG_STORE_FULL && j->layout != ISG_STORE_TILES)
        return "an unknown layout";
    if (j->dtype != ISG_F16 && j->dtype != ISG_F32 && j->dtype != ISG_F64)
        return "an unknown element type";
    if (j->n < 1 || j->m < 1 || j->d < 1 || j->n > INT64_MAX / 2 || j->m > INT64_MAX / 2)
        return "an impossible size";
    if (j->side < ISG_LEAST_SIDE || j->side > ISG_MOST_SIDE || j->side % ISG_LEAST_SIDE != 0)
        return "an impossible side of tiles";
    if (j->symmetric ? j->n != j->m : j->layout == ISG_STORE_TILES)
        return "a triangle of what is not symmetric";
    int64_t down = tiles_along(j->n, j->side), across = tiles_along(j->m, j->side);
    if (!isg_mul(down, j->symmetric ? down + 1 : across, &j->tiles))
        return "an impossible number of tiles";
    if (j->symmetric)
        j->tiles /= 2;
    bool fits =
        j->layout == ISG_STORE_FULL ? isg_mul(j->n, j->m, &count) : isg_mul(j->tiles, j->side * j->side, &count);
    // A tile has 64 elements at least, but for the last one, so that records take no more than the elements do.
    if (!fits || !isg_mul(count, (int64_t)isg_dtype_bytes(j->dtype), &bytes) || bytes > most)
        return "a size that does not fit 64 bits";
    char header[ISG_NPY_HEADER_ROOM];
    isg_array file;
    describe_file(j, &file);
    j->data_offset = isg_npy_write_header(&file, header);
    j->file_bytes = j->data_offset + bytes;
    return NULL;
}

void isg_journal_npy_header(const isg_journal *journal, char *header)
{
    isg_array file;
    describe_file(journal, &file);
    isg_npy_write_header(&file, header);
}

isg_tile isg_journal_tile(const isg_journal *j, int64_t index)
{
    isg_tile t = {.index = index};
    if (j->symmetric) {
        // At most 2^60 elements make fewer than 2^49 tiles, so that 8 index + 1 is exact; a whole root is exact, too,
        // and where there is none the next whole number is much further away than the rounding.
        t.i = (int64_t)((sqrt(8 * (double)index + 1) - 1) / 2);
        t.j = index - triangle(t.i);
    } else {
        int64_t across = tiles_along(j->m, j->side);
        t.i = index / across;
        t.j = index % across;
    }
    t.row = t.i * j->side;
    t.col = t.j * j->side;
    t.rows = isg_min(j->side, j->n - t.row);
    t.cols = isg_min(j->side, j->m - t.col);
    t.mirrored = j->symmetric && j->layout == ISG_STORE_FULL && t.i != t.j;
    return t;
}

int64_t isg_journal_index(const isg_journal *j, int64_t i, int64_t k)
{
    if (j->symmetric)
        return i >= k ? triangle(i) + k : triangle(k) + i;
    return i * tiles_along(j->m, j->side) + k;
}

int64_t isg_journal_place(const isg_journal *j, int64_t i, int64_t k, int64_t a, int64_t b, int64_t *stride)
{
    int64_t element;
    *stride = j->layout == ISG_STORE_FULL ? j->m : j->side;
    if (j->layout == ISG_STORE_FULL)
        element = (i * j->side + a) * j->m + k * j->side + b;
    else
        element = (triangle(i) + k) * j->side * j->side + a * j->side + b;
    return j->data_offset + element * (int64_t)isg_dtype_bytes(j->dtype);
}

// ---- The header ----

// A header of `header_bytes` made from the journal's fields; its checksum is the seed of records. false: no memory.
static bool fill(isg_journal *j, uint8_t *h, int64_t text_bytes)
{
    const isg_hash *const hashes[] = {&j->x, &j->y, &j->include, &j->factors};
    memcpy(h, magic, sizeof magic);
    put_number(h + AT_VERSION, 4, ISG_JOURNAL_VERSION);
    put_number(h + AT_HEADER_BYTES, 4, (uint64_t)j->header_bytes);
    put_number(h + AT_LAYOUT, 4, (uint64_t)j->layout);
    put_number(h + AT_DTYPE, 4, (uint64_t)j->dtype);
    put_number(h + AT_N, 8, (uint64_t)j->n);
    put_number(h + AT_M, 8, (uint64_t)j->m);
    put_number(h + AT_D, 8, (uint64_t)j->d);
    put_number(h + AT_SIDE, 4, (uint64_t)j->side);
    put_number(h + AT_SYMMETRIC, 4, j->symmetric);
    put_number(h + AT_TILES, 8, (uint64_t)j->tiles);
    put_number(h + AT_DATA_OFFSET, 8, (uint64_t)j->data_offset);
    put_number(h + AT_FILE_BYTES, 8, (uint64_t)j->file_bytes);
    for (int i = 0; i < 4; i++)
        memcpy(h + AT_X + (size_t)i * ISG_HASH_BYTES, hashes[i]->bytes, ISG_HASH_BYTES);
    put_number(h + AT_TEXT_BYTES, 4, (uint64_t)text_bytes);
    isg_hash sum;
    if (!header_checksum(h, j->header_bytes, &sum))
        return false;
    memcpy(h + AT_CHECKSUM, sum.bytes, ISG_HASH_BYTES);
    j->seed = get_number(sum.bytes, 8);
    return true;
}

uint8_t *isg_journal_write(isg_journal *j, const char *const lines[ISG_LINE_COUNT])
{
    size_t text_bytes = 0;
    for (int i = 0; i < ISG_LINE_COUNT; i++)
        text_bytes += strlen(lines[i] ? lines[i] : "") + 1;
    int64_t bytes = isg_round_up(AT_TEXT + (int64_t)text_bytes, ISG_JOURNAL_PAGE);
    j->text = malloc(text_bytes);
    uint8_t *h = bytes <= ISG_JOURNAL_MOST_HEADER ? calloc(1, (size_t)bytes) : NULL;
    if (!h || !j->text) {
        free(h);
        isg_journal_free(j);
        return NULL;
    }
    char *at = j->text;
    for (int i = 0; i < ISG_LINE_COUNT; i++) {
        size_t length = strlen(lines[i] ? lines[i] : "") + 1;
        memcpy(at, lines[i] ? lines[i] : "", length);
        j->lines[i] = at;
        at += length;
    }
    memcpy(h + AT_TEXT, j->text, text_bytes);
    j->header_bytes = bytes;
    if (!fill(j, h, (int64_t)text_bytes)) {
        free(h);
        isg_journal_free(j);
        return NULL;
    }
    return h;
}

// The lines lie one behind the other, each with its zero.
static const char *take_text(isg_journal *j, const uint8_t *text, int64_t bytes)
{
    j->text = malloc((size_t)bytes + 1);
    if (!j->text)
        return isg_journal_no_memory;
    memcpy(j->text, text, (size_t)bytes);
    j->text[bytes] = 0;
    int64_t at = 0;
    for (int i = 0; i < ISG_LINE_COUNT; i++) {
        if (at >= bytes)
            return "its text is cut short";
        j->lines[i] = j->text + at;
        at += (int64_t)strlen(j->text + at) + 1;
    }
    return at == bytes ? NULL : "its text has lines too many";
}

static const char *take_fields(isg_journal *j, const uint8_t *h)
{
    isg_hash *const hashes[] = {&j->x, &j->y, &j->include, &j->factors};
    uint64_t n = get_number(h + AT_N, 8), m = get_number(h + AT_M, 8), d = get_number(h + AT_D, 8);
    if (n > INT64_MAX || m > INT64_MAX || d > INT64_MAX)
        return "an impossible size";
    j->layout = (isg_store_layout)get_number(h + AT_LAYOUT, 4);
    j->dtype = (isg_dtype)get_number(h + AT_DTYPE, 4);
    j->n = (int64_t)n;
    j->m = (int64_t)m;
    j->d = (int64_t)d;
    j->side = (int64_t)get_number(h + AT_SIDE, 4);
    j->symmetric = get_number(h + AT_SYMMETRIC, 4) == 1;
    for (int i = 0; i < 4; i++)
        memcpy(hashes[i]->bytes, h + AT_X + (size_t)i * ISG_HASH_BYTES, ISG_HASH_BYTES);
    const char *wrong = isg_journal_derive(j);
    if (wrong)
        return wrong;
    if (get_number(h + AT_SYMMETRIC, 4) > 1 || get_number(h + AT_TILES, 8) != (uint64_t)j->tiles ||
        get_number(h + AT_DATA_OFFSET, 8) != (uint64_t)j->data_offset ||
        get_number(h + AT_FILE_BYTES, 8) != (uint64_t)j->file_bytes)
        return "its sizes do not go together";
    return NULL;
}

const char *isg_journal_parse(isg_journal *j, const uint8_t *h, int64_t count)
{
    memset(j, 0, sizeof *j);
    if (count < AT_TEXT || memcmp(h, magic, sizeof magic) != 0)
        return count < AT_TEXT ? "it is cut short" : "it is not one of a store";
    if (get_number(h + AT_VERSION, 4) != ISG_JOURNAL_VERSION)
        return "another version of the format; known is 1";
    int64_t bytes = (int64_t)get_number(h + AT_HEADER_BYTES, 4), text_bytes = (int64_t)get_number(h + AT_TEXT_BYTES, 4);
    if (bytes < ISG_JOURNAL_PAGE || bytes > ISG_JOURNAL_MOST_HEADER || bytes % ISG_JOURNAL_PAGE != 0)
        return "a header of an impossible size";
    if (bytes > count)
        return "it is cut short";
    isg_hash sum;
    if (!header_checksum(h, bytes, &sum))
        return isg_journal_no_memory;
    if (memcmp(sum.bytes, h + AT_CHECKSUM, ISG_HASH_BYTES) != 0)
        return "its header does not match its checksum";
    if (text_bytes > bytes - AT_TEXT)
        return "its text is longer than its header";
    j->header_bytes = bytes;
    j->seed = get_number(sum.bytes, 8);
    const char *wrong = take_fields(j, h);
    if (!wrong)
        wrong = take_text(j, h + AT_TEXT, text_bytes);
    if (wrong)
        isg_journal_free(j);
    return wrong;
}

const char *isg_journal_find(isg_journal *j, const uint8_t *bytes, int64_t count, int *damaged)
{
    isg_journal second;
    *damaged = 0;
    const char *first_wrong = isg_journal_parse(j, bytes, count);
    if (first_wrong == isg_journal_no_memory)
        return first_wrong;
    if (!first_wrong) {
        const char *wrong = isg_journal_parse(&second, bytes + j->header_bytes, isg_max(count - j->header_bytes, 0));
        if (wrong == isg_journal_no_memory) {
            isg_journal_free(j);
            return wrong;
        }
        *damaged = wrong != NULL;
        if (!*damaged) {
            *damaged = memcmp(bytes, bytes + j->header_bytes, (size_t)j->header_bytes) != 0;
            isg_journal_free(&second);
        }
        return NULL;
    }
    // Where the second stands, only the second knows.
    for (int64_t at = ISG_JOURNAL_PAGE; at < count && at <= ISG_JOURNAL_MOST_HEADER; at += ISG_JOURNAL_PAGE) {
        const char *wrong = isg_journal_parse(j, bytes + at, count - at);
        if (wrong == isg_journal_no_memory)
            return wrong;
        if (wrong)
            continue;
        *damaged = 1;
        if (j->header_bytes == at)
            return NULL;
        isg_journal_free(j);
    }
    *damaged = 2;
    return first_wrong;
}

void isg_journal_free(isg_journal *journal)
{
    free(journal->text);
    journal->text = NULL;
    memset(journal->lines, 0, sizeof journal->lines);
}

// ---- Records ----

int64_t isg_record_offset(const isg_journal *journal, int64_t tile)
{
    return 2 * journal->header_bytes + tile * ISG_RECORD_BYTES;
}

int64_t isg_journal_bytes(const isg_journal *journal)
{
    return isg_record_offset(journal, journal->tiles);
}

void isg_record_write(const isg_journal *journal, int64_t tile, const isg_record *record,
                      uint8_t bytes[ISG_RECORD_BYTES])
{
    memset(bytes, 0, ISG_RECORD_BYTES);
    if (record->state == ISG_RECORD_EMPTY)
        return;
    memcpy(bytes, record_magic, sizeof record_magic);
    put_number(bytes + AT_STATE, 4, (uint64_t)record->state);
    put_number(bytes + AT_INDEX, 8, (uint64_t)tile);
    memcpy(bytes + AT_TILE_CHECKSUM, record->checksum.bytes, ISG_HASH_BYTES);
    put_number(bytes + AT_RECORD_CHECKSUM, 8, XXH3_64bits_withSeed(bytes, AT_RECORD_CHECKSUM, journal->seed));
}

isg_record isg_record_parse(const isg_journal *journal, int64_t tile, const uint8_t bytes[ISG_RECORD_BYTES])
{
    static const uint8_t zeros[ISG_RECORD_BYTES];
    isg_record record = {.state = ISG_RECORD_EMPTY};
    if (memcmp(bytes, zeros, ISG_RECORD_BYTES) == 0)
        return record;
    uint64_t state = get_number(bytes + AT_STATE, 4);
    bool sound =
        memcmp(bytes, record_magic, sizeof record_magic) == 0 &&
        (state == ISG_RECORD_WRITTEN || state == ISG_RECORD_SYNCED) &&
        get_number(bytes + AT_INDEX, 8) == (uint64_t)tile &&
        get_number(bytes + AT_RECORD_CHECKSUM, 8) == XXH3_64bits_withSeed(bytes, AT_RECORD_CHECKSUM, journal->seed);
    record.state = sound ? (isg_record_state)state : ISG_RECORD_DAMAGED;
    memcpy(record.checksum.bytes, bytes + AT_TILE_CHECKSUM, ISG_HASH_BYTES);
    return record;
}
