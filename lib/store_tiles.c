// The bytes of a store's two files: records, and blocks of tiles.
#include "store_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 30 }; // Linux moves less than 2 GiB per call, others refuse more

static const char *reason(void)
{
    return errno == ENOSPC ? "no space left on the device" : strerror(errno);
}

// *have: the bytes that came before the file's end.
static isg_status read_at(const isg_store_file *file, int fd, void *to, int64_t bytes, int64_t at, int64_t *have,
                          isg_error *error)
{
    *have = 0;
    while (*have < bytes) {
        ssize_t got = pread(fd, (char *)to + *have, (size_t)isg_min(bytes - *have, MOST_BYTES), (off_t)(at + *have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return isg_store_file_fail(file, error, ISG_ERR_IO, "cannot be read: %s", reason());
        if (got == 0)
            break;
        *have += got;
    }
    return ISG_OK;
}

static isg_status write_at(const isg_store_file *file, int fd, const void *from, int64_t bytes, int64_t at,
                           isg_error *error)
{
    for (int64_t done = 0; done < bytes;) {
        ssize_t put =
            pwrite(fd, (const char *)from + done, (size_t)isg_min(bytes - done, MOST_BYTES), (off_t)(at + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return isg_store_file_fail(file, error, ISG_ERR_IO, "cannot be written: %s", reason());
        done += put;
    }
    return ISG_OK;
}

// ---- Records ----

int64_t isg_store_file_held(const isg_store_file *file)
{
    int64_t bytes = file->journal_size - isg_record_offset(&file->journal, 0);
    return isg_min(isg_max(bytes / ISG_RECORD_BYTES, 0), file->journal.tiles);
}

isg_status isg_store_file_record(const isg_store_file *file, int64_t tile, isg_record *record, isg_error *error)
{
    // A record that another process is writing may be seen in part.
    for (int tries = 0; tries < 3; tries++) {
        uint8_t bytes[ISG_RECORD_BYTES];
        int64_t have;
        isg_status st = read_at(file, file->records, bytes, ISG_RECORD_BYTES, isg_record_offset(&file->journal, tile),
                                &have, error);
        if (st)
            return st;
        *record = have == ISG_RECORD_BYTES ? isg_record_parse(&file->journal, tile, bytes)
                                           : (isg_record){.state = ISG_RECORD_DAMAGED};
        if (record->state != ISG_RECORD_DAMAGED)
            break;
    }
    return ISG_OK;
}

isg_status isg_store_file_set(const isg_store_file *file, int64_t tile, const isg_record *record, isg_error *error)
{
    uint8_t bytes[ISG_RECORD_BYTES];
    isg_record_write(&file->journal, tile, record, bytes);
    return write_at(file, file->records, bytes, ISG_RECORD_BYTES, isg_record_offset(&file->journal, tile), error);
}

isg_status isg_store_file_count(const isg_store_file *file, int64_t *recorded, int64_t *synced, int64_t *damaged,
                                uint8_t *states, isg_error *error)
{
    enum { AT_ONCE = 256 };
    uint8_t bytes[AT_ONCE * ISG_RECORD_BYTES];
    int64_t counts[ISG_RECORD_DAMAGED + 1] = {0}, have;
    const isg_journal *j = &file->journal;
    const int64_t held = isg_store_file_held(file);
    counts[ISG_RECORD_DAMAGED] = j->tiles - held;
    if (states)
        memset(states + held, ISG_RECORD_DAMAGED, (size_t)(j->tiles - held));
    for (int64_t first = 0; first < held; first += AT_ONCE) {
        int64_t count = isg_min(AT_ONCE, held - first);
        isg_status st =
            read_at(file, file->records, bytes, count * ISG_RECORD_BYTES, isg_record_offset(j, first), &have, error);
        if (st)
            return st;
        for (int64_t k = 0; k < count; k++) {
            isg_record record = {.state = ISG_RECORD_DAMAGED};
            if ((k + 1) * ISG_RECORD_BYTES <= have)
                record = isg_record_parse(j, first + k, bytes + k * ISG_RECORD_BYTES);
            if (record.state == ISG_RECORD_DAMAGED && (st = isg_store_file_record(file, first + k, &record, error)))
                return st;
            counts[record.state]++;
            if (states)
                states[first + k] = (uint8_t)record.state;
        }
    }
    if (recorded)
        *recorded = counts[ISG_RECORD_WRITTEN] + counts[ISG_RECORD_SYNCED];
    if (synced)
        *synced = counts[ISG_RECORD_SYNCED];
    if (damaged)
        *damaged = counts[ISG_RECORD_DAMAGED];
    return ISG_OK;
}

// ---- Tiles ----

isg_status isg_store_file_get(const isg_store_file *file, int64_t i, int64_t j, int64_t a, int64_t b, int64_t rows,
                              int64_t cols, void *to, int64_t stride, isg_error *error)
{
    const int64_t element = (int64_t)isg_dtype_bytes(file->journal.dtype);
    int64_t pitch, have, at = isg_journal_place(&file->journal, i, j, a, b, &pitch);
    bool whole = stride == cols && pitch == cols;
    for (int64_t r = 0; r < (whole ? 1 : rows); r++) {
        int64_t bytes = (whole ? rows : 1) * cols * element;
        isg_status st =
            read_at(file, file->data, (char *)to + r * stride * element, bytes, at + r * pitch * element, &have, error);
        if (st)
            return st;
        if (have < bytes)
            return isg_store_file_fail(file, error, ISG_ERR_FORMAT, "cut short at byte %lld",
                                       (long long)(at + r * pitch * element + have));
    }
    return ISG_OK;
}

isg_status isg_store_file_put(const isg_store_file *file, int64_t i, int64_t j, int64_t rows, int64_t cols,
                              const void *from, int64_t stride, isg_error *error)
{
    const int64_t element = (int64_t)isg_dtype_bytes(file->journal.dtype), side = file->journal.side;
    int64_t pitch, at = isg_journal_place(&file->journal, i, j, 0, 0, &pitch);
    if (file->journal.layout == ISG_STORE_TILES)
        return write_at(file, file->data, from, side * side * element, at, error);
    isg_status st = ISG_OK;
    for (int64_t r = 0; r < rows && !st; r++)
        st = write_at(file, file->data, (const char *)from + r * stride * element, cols * element,
                      at + r * pitch * element, error);
    return st;
}

isg_status isg_store_file_sync(const isg_store_file *file, bool data, isg_error *error)
{
    if (fdatasync(data ? file->data : file->records) == 0)
        return ISG_OK;
    return isg_store_file_fail(file, error, ISG_ERR_IO, "%s to the disk: %s",
                               data ? "cannot be written through" : "its journal cannot be written through", reason());
}
