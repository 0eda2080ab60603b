#include "array_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_BLOCK_BYTES = 1 << 16 }; // of a stream, whose length is unknown; doubled as data comes

static isg_status fail(const array_file *file, isg_error *error, isg_status status, const char *reason)
{
    return isg_fail(error, status, "%s: %s", file->label, reason);
}

// ---- Reading ----

static isg_status decode(array_file *out, const void *bytes, int64_t count, isg_error *error)
{
    isg_error inner = {ISG_OK, ""};
    isg_status status = image_decode(&out->image, bytes, count, &inner);
    return status ? fail(out, error, status, inner.message) : ISG_OK;
}

static isg_status decode_mapped(array_file *out, int fd, int64_t bytes, isg_error *error)
{
    if ((uint64_t)bytes > SIZE_MAX / 2)
        return fail(out, error, ISG_ERR_OVERFLOW, "too large for this machine's addresses");
    void *map = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return fail(out, error, ISG_ERR_IO, strerror(errno));
    isg_status status = decode(out, map, bytes, error);
    munmap(map, (size_t)bytes);
    return status;
}

// A stream, to its end, behind its first bytes.
static isg_status decode_stream(array_file *out, int fd, const void *head, int64_t head_bytes, isg_error *error)
{
    int64_t room = FIRST_BLOCK_BYTES, have = head_bytes;
    uint8_t *block = malloc((size_t)room);
    isg_status status = block ? ISG_OK : fail(out, error, ISG_ERR_MEMORY, "out of memory");
    if (block)
        memcpy(block, head, (size_t)head_bytes);
    while (!status) {
        if (!isg_file_read(fd, block + have, room - have, &have)) {
            status = fail(out, error, ISG_ERR_IO, strerror(errno));
        } else if (have < room) {
            status = decode(out, block, have, error);
            break;
        } else {
            void *larger = (uint64_t)room < SIZE_MAX / 4 ? realloc(block, (size_t)(2 * room)) : NULL;
            if (!larger)
                status = fail(out, error, ISG_ERR_MEMORY, "out of memory");
            else
                block = larger;
            room *= 2;
        }
    }
    free(block);
    return status;
}

// Looks at the first bytes without taking them where that is possible; *taken: how many are gone from the descriptor.
static isg_status look(array_file *out, int fd, uint8_t head[IMAGE_MAGIC_BYTES], int64_t *have, int64_t *taken,
                       isg_error *error)
{
    ssize_t got = lseek(fd, 0, SEEK_CUR) == 0 ? pread(fd, head, IMAGE_MAGIC_BYTES, 0) : -1;
    *have = *taken = 0;
    if (got >= 0)
        *have = got;
    else if (!isg_file_read(fd, head, IMAGE_MAGIC_BYTES, have))
        return fail(out, error, ISG_ERR_IO, strerror(errno));
    else
        *taken = *have;
    return ISG_OK;
}

static isg_status read_from(array_file *out, int fd, const char *path, isg_error *error)
{
    uint8_t head[IMAGE_MAGIC_BYTES];
    int64_t have, taken;
    struct stat about;
    isg_status status = look(out, fd, head, &have, &taken, error);
    if (status)
        return status;
    bool known = image_format_of(head, have) != IMAGE_NONE;
    if (!known && have == IMAGE_MAGIC_BYTES && memcmp(head, "\x93NUMPY", 6) != 0)
        return fail(out, error, ISG_ERR_FORMAT, "neither a .npy file nor an image (PNG, PGM, PPM or PFM)");
    if (!known)
        return isg_npy_read(&out->npy, fd, path, head, taken, error);
    if (taken == 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode))
        return decode_mapped(out, fd, about.st_size, error);
    return decode_stream(out, fd, head, taken, error);
}

isg_status array_file_open(array_file *out, const char *path, isg_error *error)
{
    *out = ARRAY_FILE_NONE;
    if (!path[0])
        return isg_fail(error, ISG_ERR_ARGUMENT, "an empty file name");
    isg_file_label(out->label, path, "standard input");
    int fd =
        strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return fail(out, error, ISG_ERR_IO, strerror(errno));
    isg_status status = read_from(out, fd, path, error);
    close(fd);
    return status;
}

const isg_array *array_file_array(const array_file *file)
{
    return file->npy ? isg_npy_array(file->npy) : &file->image.array;
}

// ---- Writing ----

static isg_status take_notes(image *im, const image_notes *notes)
{
    if (!notes)
        return ISG_OK;
    im->notes = *notes;
    im->notes.profile = NULL;
    if (notes->profile) {
        im->notes.profile = malloc(notes->profile_bytes);
        if (!im->notes.profile)
            return ISG_ERR_MEMORY;
        memcpy(im->notes.profile, notes->profile, notes->profile_bytes);
    }
    return ISG_OK;
}

isg_status array_file_create(array_file *out, const char *path, const array_file_kind *kind, isg_error *error)
{
    *out = ARRAY_FILE_NONE;
    if (kind->format == IMAGE_NONE)
        return isg_npy_create(&out->npy, path, kind->dtype, kind->ndim, kind->shape, error);
    isg_file_label(out->label, path, "standard output");
    isg_error inner = {ISG_OK, ""};
    isg_status status = image_check(kind->format, kind->dtype, kind->ndim, kind->shape, kind->white, &inner);
    if (!status)
        status = image_provide(&out->image, kind->dtype, kind->shape[0], kind->shape[1],
                               kind->ndim == 3 ? kind->shape[2] : 1, &inner);
    if (!status)
        status = take_notes(&out->image, kind->notes);
    if (status)
        return fail(out, error, status, inner.status ? inner.message : "out of memory");
    out->image.format = kind->format;
    out->image.white = kind->white;
    // The array is of the shape that was asked for, also where its last axis is a single channel.
    out->image.array.ndim = kind->ndim;
    return isg_new_file_open(&out->file, path, out->label, error);
}

static isg_status write_image(array_file *file, isg_error *error)
{
    isg_error inner = {ISG_OK, ""};
    int fd = fcntl(file->file.fd, F_DUPFD_CLOEXEC, 0);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!to) {
        if (fd >= 0)
            close(fd);
        return fail(file, error, ISG_ERR_IO, strerror(errno));
    }
    isg_status status = image_encode(to, &file->image, file->image.format, &inner);
    if (fclose(to) != 0 && !status)
        status = isg_fail(&inner, ISG_ERR_IO, "%s", strerror(errno));
    return status ? fail(file, error, status, inner.message) : ISG_OK;
}

isg_status array_file_commit(array_file *file, isg_error *error)
{
    isg_status status;
    if (file->npy) {
        status = isg_npy_commit(&file->npy, error);
    } else {
        status = write_image(file, error);
        if (!status)
            status = isg_new_file_place(&file->file, file->label, error);
    }
    array_file_close(file);
    return status;
}

void array_file_close(array_file *file)
{
    isg_npy_close(&file->npy);
    image_free(&file->image);
    isg_new_file_close(&file->file);
}
