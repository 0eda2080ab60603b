// isg_npy_create and isg_npy_commit: a new file, gathered out of sight, comes into its place whole or not at all.
#include "npy.h"
#include "npy_header.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef O_TMPFILE
#define O_TMPFILE 0 // Linux alone has it: elsewhere a directory is opened for writing, which fails as it should
#endif
#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

enum { NAME_TRIES = 100 };

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

// ---- The file that is to be renamed ----

// Calls `take` with likely unused names beside the target until it takes one. Not mkostemp, whose mode of 0600 could
// only be widened with the umask, and that cannot be read without being set for all threads.
static bool take_hidden_name(isg_npy *npy, bool (*take)(isg_npy *npy))
{
    for (int i = 0; i < NAME_TRIES; i++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        snprintf(npy->hidden, sizeof npy->hidden, ".%.200s.%lx-%lx", npy->target, (long)getpid(), now.tv_nsec + i);
        if (take(npy))
            return true;
        if (errno != EEXIST)
            break;
    }
    npy->hidden[0] = 0; // it is somebody else's
    return false;
}

static bool create_hidden(isg_npy *npy)
{
    npy->fd = openat(npy->directory, npy->hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return npy->fd >= 0;
}

// How linkat names an open file without the privileges that AT_EMPTY_PATH asks for.
static void descriptor_path(int fd, char path[32])
{
    snprintf(path, 32, "/proc/self/fd/%d", fd);
}

static bool link_hidden(isg_npy *npy)
{
    char path[32];
    descriptor_path(npy->fd, path);
    return linkat(AT_FDCWD, path, npy->directory, npy->hidden, AT_SYMLINK_FOLLOW) == 0;
}

// A file without a name vanishes with the process, however that ends. It is only of use if it can get a name later.
static bool open_nameless(isg_npy *npy)
{
    npy->fd = openat(npy->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    if (npy->fd < 0)
        return false;
    char path[32];
    descriptor_path(npy->fd, path);
    if (access(path, F_OK) == 0)
        return true;
    close(npy->fd);
    npy->fd = -1;
    return false;
}

static isg_status open_beside(isg_npy *npy, const char *path, isg_error *error)
{
    const char *slash = strrchr(path, '/');
    npy->target = strdup(slash ? slash + 1 : path);
    char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    isg_status status = ISG_OK;
    if (!npy->target || !directory) {
        status = isg_npy_fail(npy, error, ISG_ERR_MEMORY, "out of memory");
    } else if (!npy->target[0]) {
        status = isg_npy_fail(npy, error, ISG_ERR_IO, "cannot be created: it names a directory");
    } else {
        // O_PATH: a directory that may be written need not be readable.
        npy->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (npy->directory < 0 || (!open_nameless(npy) && !take_hidden_name(npy, create_hidden)))
            status = isg_npy_fail(npy, error, ISG_ERR_IO, "cannot be created: %s", strerror(errno));
    }
    free(directory);
    return status;
}

// ---- Where the data goes ----

// The descriptor that a path stands for, or -1. Renaming over such a name would replace the name, for root even
// /dev/stdout itself, and would reach nobody who holds the descriptor.
static int named_descriptor(const char *path)
{
    if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    if (strcmp(path, "/dev/stderr") == 0)
        return STDERR_FILENO;
    char digits[8], beyond;
    return sscanf(path, "/dev/fd/%7[0-9]%c", digits, &beyond) == 1 ? atoi(digits) : -1;
}

// A device, pipe or terminal that is there already is written to, not replaced. A path that cannot even be looked up,
// such as one with too long a name, fails now and not after the work.
static isg_status open_target(isg_npy *npy, const char *path, isg_error *error)
{
    int descriptor = named_descriptor(path);
    if (descriptor >= 0) {
        npy->fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    } else {
        struct stat about;
        bool exists = stat(path, &about) == 0;
        if (exists ? S_ISREG(about.st_mode) : errno == ENOENT)
            return open_beside(npy, path, error);
        if (exists)
            npy->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    }
    return npy->fd >= 0 ? ISG_OK : isg_npy_fail_errno(npy, error);
}

// Gives the file its size now. Where the file system cannot reserve, a disk that fills up later ends in SIGBUS.
static isg_status reserve(isg_npy *npy, isg_error *error)
{
    int code;
    do {
        code = posix_fallocate(npy->fd, 0, (off_t)npy->bytes);
    } while (code == EINTR);
    if (code == EOPNOTSUPP || code == EINVAL)
        code = ftruncate(npy->fd, (off_t)npy->bytes) == 0 ? 0 : errno;
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
    if (npy->target) {
        isg_status status = reserve(npy, error);
        if (status)
            return status;
        map = mmap(NULL, (size_t)npy->bytes, protection, MAP_SHARED, npy->fd, 0);
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
        status = open_target(npy, path, error);
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

static isg_status write_gathered(isg_npy *npy, isg_error *error)
{
    const char *at = npy->map;
    for (int64_t left = npy->bytes; left > 0;) {
        ssize_t put = write(npy->fd, at, (size_t)isg_min(left, ISG_NPY_CHUNK_BYTES));
        if (put < 0) {
            if (isg_npy_try_again(npy->fd, POLLOUT))
                continue;
            return isg_npy_fail_errno(npy, error);
        }
        at += put;
        left -= put;
    }
    return ISG_OK;
}

// No fsync: what a crash of the machine leaves is up to the file system, as for any program that writes results.
static isg_status put_in_place(isg_npy *npy, isg_error *error)
{
    if (npy->gathered) {
        isg_status status = write_gathered(npy, error);
        if (status)
            return status;
    }
    isg_npy_unmap(npy);
    if (npy->target && !npy->hidden[0] && !take_hidden_name(npy, link_hidden))
        return isg_npy_fail_errno(npy, error);
    int fd = npy->fd;
    npy->fd = -1;
    if (close(fd) != 0 && errno != EINTR) // where network file systems tell of a write that failed
        return isg_npy_fail_errno(npy, error);
    if (npy->target && renameat(npy->directory, npy->hidden, npy->directory, npy->target) != 0)
        return isg_npy_fail_errno(npy, error);
    npy->hidden[0] = 0;
    return ISG_OK;
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
