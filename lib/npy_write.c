// isg_npy_create and isg_npy_commit: a new file, gathered out of sight, comes into its place whole or not at all.
#include "npy.h"
#include "npy_header.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Fills in npy->array but for its data, the header and npy->bytes.
static isg_status describe(isg_npy *npy, isg_dtype dtype, int32_t ndim, const int64_t *shape,
                           char header[ISG_NPY_HEADER_ROOM], int64_t *header_bytes, isg_error *error)
{
    if (isg_dtype_bytes(dtype) == 0)
        return isg_npy_fail(npy, error, ISG_ERR_DTYPE, "element type %d is none of the library's", (int)dtype);
    if (!shape)
        return isg_npy_fail(npy, error, ISG_ERR_ARGUMENT, "a new file needs a shape");
    int64_t count;
    isg_error inner = {ISG_OK, ""};
    if (isg_shape_count(dtype, ndim, shape, &count, &inner))
        return isg_npy_fail(npy, error, inner.status, "%s", inner.message);
    isg_array *a = &npy->array;
    a->dtype = dtype;
    a->ndim = ndim;
    memcpy(a->shape, shape, (size_t)ndim * sizeof *shape);
    int64_t bytes = count * (int64_t)isg_dtype_bytes(dtype);
    if (!isg_npy_set_strides(a, false) || bytes > INT64_MAX - ISG_NPY_HEADER_ROOM)
        return isg_npy_fail(npy, error, ISG_ERR_OVERFLOW, "a distance in this shape does not fit 64 bits");
    *header_bytes = isg_npy_write_header(a, header);
    npy->bytes = *header_bytes + bytes;
    return ISG_OK;
}

// Gives the file its size now. Where the file system cannot reserve, a disk that fills up later ends in SIGBUS.
static isg_status reserve(isg_npy *npy, isg_error *error)
{
    int code;
    do {
        code = posix_fallocate(npy->file.fd, 0, (off_t)npy->bytes);
    } while (code == EINTR);
    if (code == EOPNOTSUPP || code == EINVAL)
        code = ftruncate(npy->file.fd, (off_t)npy->bytes) == 0 ? 0 : errno;
    if (code == 0)
        return ISG_OK;
    const char *reason = code == ENOSPC ? "no space" : strerror(code);
    int64_t mebibyte = 1 << 20;
    return isg_npy_fail(npy, error, ISG_ERR_IO, "%s: needs %lld MiB", reason,
                        (long long)(npy->bytes / mebibyte + (npy->bytes % mebibyte != 0)));
}

// Memory for header and data: the file itself, or plain memory where there is no file or where it cannot be mapped.
// Plain memory comes from mmap too: an absurd size is refused, and pages cost nothing before they are written.
static isg_status provide_memory(isg_npy *npy, isg_error *error)
{
    const int protection = PROT_READ | PROT_WRITE;
    void *map = MAP_FAILED;
    if (npy->file.target) {
        isg_status status = reserve(npy, error);
        if (status)
            return status;
        map = mmap(NULL, (size_t)npy->bytes, protection, MAP_SHARED, npy->file.fd, 0);
    }
    npy->gathered = map == MAP_FAILED;
    if (npy->gathered)
        map = mmap(NULL, (size_t)npy->bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return isg_npy_fail(npy, error, ISG_ERR_MEMORY, "out of memory: needs %lld bytes", (long long)npy->bytes);
    npy->map = map;
#ifdef MADV_HUGEPAGE
    // Touching memory page by page takes longer than computing what goes there. A refusal costs nothing.
    if (npy->gathered)
        madvise(map, (size_t)npy->bytes, MADV_HUGEPAGE);
#endif
    return ISG_OK;
}

isg_status isg_npy_create(isg_npy **out, const char *path, isg_dtype dtype, int32_t ndim, const int64_t *shape,
                          isg_error *error)
{
    isg_error_clear(error);
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    *out = NULL;
    isg_npy *npy = NULL;
    isg_status status = isg_npy_begin(&npy, path, "standard output", error);
    if (!npy)
        return status;
    npy->created = true;
    char header[ISG_NPY_HEADER_ROOM];
    int64_t header_bytes = 0;
    status = describe(npy, dtype, ndim, shape, header, &header_bytes, error);
    if (!status)
        status = isg_new_file_open(&npy->file, path, npy->label, error);
    if (!status)
        status = provide_memory(npy, error);
    if (status) {
        isg_npy_close(&npy);
        return status;
    }
    char *memory = npy->map;
    memcpy(memory, header, (size_t)header_bytes);
    npy->array.data = memory + header_bytes;
    *out = npy;
    return ISG_OK;
}

// ---- Commit ----

static isg_status put_in_place(isg_npy *npy, isg_error *error)
{
    if (npy->gathered && !isg_file_write(npy->file.fd, npy->map, npy->bytes))
        return isg_npy_fail_errno(npy, error);
    isg_npy_unmap(npy);
    return isg_new_file_place(&npy->file, npy->label, error);
}

isg_status isg_npy_commit(isg_npy **npy, isg_error *error)
{
    isg_error_clear(error);
    if (!npy || !*npy)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no file to commit");
    isg_status status = (*npy)->created
                            ? put_in_place(*npy, error)
                            : isg_npy_fail(*npy, error, ISG_ERR_ARGUMENT, "opened for reading, not created");
    isg_npy_close(npy);
    return status;
}
