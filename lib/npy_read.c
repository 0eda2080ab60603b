// isg_npy_open: maps the data of a regular file, and reads that of everything else.
#include "npy.h"
#include "npy_header.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEADER_BYTES_MAX = 64 * 1024, // versions 2 and 3 could claim 4 GiB; eight extents never need a page
    FIRST_BLOCK_BYTES = 1 << 20,  // what a stream gets before it has proved anything
};

// Reads until `bytes` have come or the input ends, and adds what came to *have. What was read before comes first.
static isg_status read_bytes(isg_npy *npy, void *to, int64_t bytes, int64_t *have, isg_error *error)
{
    int64_t before = isg_min(bytes, npy->head_bytes);
    if (before > 0)
        memcpy(to, npy->head, (size_t)before);
    npy->head += before;
    npy->head_bytes -= before;
    *have += before;
    return isg_file_read(npy->fd, (char *)to + before, bytes - before, have) ? ISG_OK : isg_npy_fail_errno(npy, error);
}

static isg_status cut_short(const isg_npy *npy, int64_t have, int64_t need, const char *at_least, isg_error *error)
{
    return isg_npy_fail(npy, error, ISG_ERR_FORMAT, "cut short: %lld bytes of %s%lld", (long long)have, at_least,
                        (long long)need);
}

// As read_bytes, but an input that ends before is cut short.
static isg_status read_head(isg_npy *npy, void *to, int64_t bytes, int64_t *have, isg_error *error)
{
    int64_t need = *have + bytes;
    isg_status status = read_bytes(npy, to, bytes, have, error);
    return !status && *have < need ? cut_short(npy, *have, need, "at least ", error) : status;
}

// The magic, the version and the length of the header's text: everything before that text, *have bytes.
static isg_status read_prefix(isg_npy *npy, int64_t *have, int64_t *text_bytes, isg_error *error)
{
    unsigned char b[12] = {0};
    isg_status status = read_bytes(npy, b, 10, have, error);
    if (status)
        return status;
    if (*have == 0)
        return isg_npy_fail(npy, error, ISG_ERR_FORMAT, "not a .npy file: it is empty");
    if (memcmp(b, ISG_NPY_MAGIC, (size_t)isg_min(*have, ISG_NPY_MAGIC_BYTES)) != 0)
        return isg_npy_fail(npy, error, ISG_ERR_FORMAT, "not a .npy file");
    if (*have < 10)
        return cut_short(npy, *have, 10, "at least ", error);
    if (b[6] < 1 || b[6] > 3 || b[7] != 0)
        return isg_npy_fail(npy, error, ISG_ERR_FORMAT, "version %d.%d of the format; known are 1.0, 2.0 and 3.0", b[6],
                            b[7]);
    if (b[6] > 1)
        status = read_head(npy, b + 10, 2, have, error);
    *text_bytes = b[8] | b[9] << 8 | (int64_t)b[10] << 16 | (int64_t)b[11] << 24;
    return status;
}

static isg_status read_header(isg_npy *npy, isg_npy_header *header, int64_t *have, isg_error *error)
{
    int64_t text_bytes = 0;
    isg_status status = read_prefix(npy, have, &text_bytes, error);
    if (status)
        return status;
    if (text_bytes > HEADER_BYTES_MAX)
        return isg_npy_fail(npy, error, ISG_ERR_FORMAT, "a header of %lld bytes", (long long)text_bytes);
    char *text = malloc((size_t)text_bytes + 1);
    if (!text)
        return isg_npy_fail(npy, error, ISG_ERR_MEMORY, "out of memory");
    status = read_head(npy, text, text_bytes, have, error);
    const char *wrong = status ? NULL : isg_npy_parse_header(header, text, text_bytes);
    if (wrong)
        status = isg_npy_fail(npy, error, ISG_ERR_FORMAT, "malformed header: %s", wrong);
    free(text);
    return status;
}

// Fills in npy->array but for its data, which lies at `offset`; *bytes: what it must have.
static isg_status accept_header(isg_npy *npy, const isg_npy_header *header, int64_t offset, int64_t *bytes,
                                isg_error *error)
{
    // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): a header that was parsed is filled in
    if (header->dtype == ISG_DTYPE_NONE)
        return isg_npy_fail(
            npy, error, ISG_ERR_DTYPE,
            "element type %s; known are bool, integers of 8 to 64 bits, float16, float32 and float64, little-endian",
            header->descr);
    isg_array *a = &npy->array;
    a->dtype = header->dtype;
    a->ndim = header->ndim;
    memcpy(a->shape, header->shape, sizeof a->shape);
    if (a->ndim == 0) { // a scalar; views have at least one axis
        a->ndim = 1;
        a->shape[0] = 1;
    }
    int64_t count;
    isg_error inner = {ISG_OK, ""};
    if (isg_shape_count(a->dtype, a->ndim, a->shape, &count, &inner))
        return isg_npy_fail(npy, error, ISG_ERR_FORMAT, "an impossible shape: %s", inner.message);
    *bytes = count * (int64_t)isg_dtype_bytes(a->dtype);
    if (!isg_npy_set_strides(a, header->fortran) || *bytes > INT64_MAX - offset)
        return isg_npy_fail(npy, error, ISG_ERR_FORMAT, "an impossible shape: a distance in it does not fit 64 bits");
    return ISG_OK;
}

// Reads the data into a block that starts with `room` bytes and grows only as data comes: a header proves nothing.
static isg_status read_data(isg_npy *npy, int64_t offset, int64_t bytes, int64_t room, isg_error *error)
{
    int64_t have = 0;
    for (room = isg_min(room, bytes);; room = room > bytes / 2 ? bytes : 2 * room) {
        void *block = realloc(npy->block, (size_t)isg_max(room, 1));
        if (!block)
            return isg_npy_fail(npy, error, ISG_ERR_MEMORY, "out of memory after %lld bytes of %lld",
                                (long long)(offset + have), (long long)(offset + bytes));
        npy->block = block;
        isg_status status = read_bytes(npy, (char *)block + have, room - have, &have, error);
        if (status)
            return status;
        if (have < room)
            return cut_short(npy, offset + have, offset + bytes, "", error);
        if (room == bytes)
            break;
    }
    npy->array.data = npy->block;
    return ISG_OK;
}

// A regular file tells its size, so that nothing is allocated for a shape that it belies. Whoever shortens the file
// while it is mapped takes its pages away, which ends in SIGBUS: that is for the user to avoid.
static isg_status load_regular(isg_npy *npy, int64_t offset, int64_t bytes, int64_t file_bytes, isg_error *error)
{
    if (file_bytes - offset < bytes)
        return cut_short(npy, file_bytes, offset + bytes, "", error);
    if (offset % (int64_t)isg_dtype_bytes(npy->array.dtype) == 0) {
        npy->bytes = offset + bytes;
        void *map = mmap(NULL, (size_t)npy->bytes, PROT_READ, MAP_PRIVATE, npy->fd, 0);
        if (map != MAP_FAILED) {
            npy->map = map;
            npy->array.data = (char *)map + offset;
            lseek(npy->fd, offset + bytes, SEEK_SET); // standard input may hold another array behind this one
            return ISG_OK;
        }
    }
    return read_data(npy, offset, bytes, bytes, error);
}

static isg_status load(isg_npy *npy, isg_error *error)
{
    struct stat about;
    if (fstat(npy->fd, &about) != 0)
        return isg_npy_fail_errno(npy, error);
    if (S_ISDIR(about.st_mode)) {
        errno = EISDIR;
        return isg_npy_fail_errno(npy, error);
    }
    // Standard input may be a regular file whose beginning somebody else has read already.
    bool whole_file = S_ISREG(about.st_mode) && npy->head_bytes == 0 && lseek(npy->fd, 0, SEEK_CUR) == 0;
    isg_npy_header header;
    int64_t offset = 0, bytes = 0;
    isg_status status = read_header(npy, &header, &offset, error);
    if (!status)
        status = accept_header(npy, &header, offset, &bytes, error);
    if (status)
        return status;
    return whole_file ? load_regular(npy, offset, bytes, about.st_size, error)
                      : read_data(npy, offset, bytes, FIRST_BLOCK_BYTES, error);
}

isg_status isg_npy_read(isg_npy **out, int fd, const char *name, const void *head, int64_t head_bytes, isg_error *error)
{
    isg_error_clear(error);
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    *out = NULL;
    isg_npy *npy = NULL;
    isg_status status = isg_npy_begin(&npy, name, "standard input", error);
    if (!npy)
        return status;
    npy->fd = fd;
    npy->head = head ? head : "";
    npy->head_bytes = head ? isg_max(head_bytes, 0) : 0;
    status = load(npy, error);
    npy->fd = -1;
    npy->head = NULL;
    if (status)
        isg_npy_close(&npy);
    *out = npy;
    return status;
}

isg_status isg_npy_open(isg_npy **out, const char *path, isg_error *error)
{
    isg_error_clear(error);
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    *out = NULL;
    if (!path || !path[0])
        return isg_fail(error, ISG_ERR_ARGUMENT, "an empty file name");
    int fd =
        strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        char label[ISG_FILE_LABEL_BYTES];
        isg_file_label(label, path, "standard input");
        return isg_fail(error, ISG_ERR_IO, "%s: %s", label, strerror(errno));
    }
    isg_status status = isg_npy_read(out, fd, path, NULL, 0, error);
    close(fd);
    return status;
}
