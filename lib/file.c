#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef O_TMPFILE
#define O_TMPFILE 0 // Linux alone has it: elsewhere a directory is opened for writing, which fails as it should
#endif
#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

enum {
    NAME_TRIES = 100,
    CHUNK_BYTES = 1 << 30, // Linux moves less than 2 GiB per call, others refuse more
};

void isg_file_label(char label[ISG_FILE_LABEL_BYTES], const char *path, const char *dash_label)
{
    const char *name = strcmp(path, "-") == 0 ? dash_label : path;
    size_t length = strlen(name), most = ISG_FILE_LABEL_BYTES - sizeof "...";
    if (length > most)
        snprintf(label, ISG_FILE_LABEL_BYTES, "...%s", name + length - most);
    else
        memcpy(label, name, length + 1);
}

// Whether a transfer that failed with errno is to be tried again; waits for a descriptor that somebody made
// non-blocking. events: as for poll.
static bool try_again(int fd, short events)
{
    if (errno == EAGAIN) {
        struct pollfd wait = {fd, events, 0};
        return poll(&wait, 1, -1) >= 0 || errno == EINTR;
    }
    return errno == EINTR;
}

bool isg_file_read(int fd, void *to, int64_t bytes, int64_t *have)
{
    char *at = to;
    while (bytes > 0) {
        ssize_t got = read(fd, at, (size_t)isg_min(bytes, CHUNK_BYTES));
        if (got < 0) {
            if (try_again(fd, POLLIN))
                continue;
            return false;
        }
        if (got == 0)
            break;
        at += got;
        bytes -= got;
        *have += got;
    }
    return true;
}

bool isg_file_write(int fd, const void *from, int64_t bytes)
{
    const char *at = from;
    while (bytes > 0) {
        ssize_t put = write(fd, at, (size_t)isg_min(bytes, CHUNK_BYTES));
        if (put < 0) {
            if (try_again(fd, POLLOUT))
                continue;
            return false;
        }
        at += put;
        bytes -= put;
    }
    return true;
}

// ---- The file that is to be renamed ----

// Calls `take` with likely unused names beside the target until it takes one. Not mkostemp, whose mode of 0600 could
// only be widened with the umask, and that cannot be read without being set for all threads.
static bool take_hidden_name(isg_new_file *file, bool (*take)(isg_new_file *file))
{
    for (int i = 0; i < NAME_TRIES; i++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        snprintf(file->hidden, sizeof file->hidden, ".%.200s.%lx-%lx", file->target, (long)getpid(), now.tv_nsec + i);
        if (take(file))
            return true;
        if (errno != EEXIST)
            break;
    }
    file->hidden[0] = 0; // it is somebody else's
    return false;
}

static bool create_hidden(isg_new_file *file)
{
    file->fd = openat(file->directory, file->hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return file->fd >= 0;
}

// How linkat names an open file without the privileges that AT_EMPTY_PATH asks for.
static void descriptor_path(int fd, char path[32])
{
    snprintf(path, 32, "/proc/self/fd/%d", fd);
}

static bool link_hidden(isg_new_file *file)
{
    char path[32];
    descriptor_path(file->fd, path);
    return linkat(AT_FDCWD, path, file->directory, file->hidden, AT_SYMLINK_FOLLOW) == 0;
}

// A file without a name vanishes with the process, however that ends. It is only of use if it can get a name later.
static bool open_nameless(isg_new_file *file)
{
    file->fd = openat(file->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    if (file->fd < 0)
        return false;
    char path[32];
    descriptor_path(file->fd, path);
    if (access(path, F_OK) == 0)
        return true;
    close(file->fd);
    file->fd = -1;
    return false;
}

static isg_status open_beside(isg_new_file *file, const char *path, const char *label, isg_error *error)
{
    const char *slash = strrchr(path, '/');
    file->target = strdup(slash ? slash + 1 : path);
    char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    isg_status status = ISG_OK;
    if (!file->target || !directory) {
        status = isg_fail(error, ISG_ERR_MEMORY, "%s: out of memory", label);
    } else if (!file->target[0]) {
        status = isg_fail(error, ISG_ERR_IO, "%s: cannot be created: it names a directory", label);
    } else {
        // O_PATH: a directory that may be written need not be readable.
        file->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (file->directory < 0 || (!open_nameless(file) && !take_hidden_name(file, create_hidden)))
            status = isg_fail(error, ISG_ERR_IO, "%s: cannot be created: %s", label, strerror(errno));
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
    static const char begin[] = "/dev/fd/";
    const char *at = path + sizeof begin - 1;
    int32_t descriptor;
    bool named = strncmp(path, begin, sizeof begin - 1) == 0 && isg_read_digits(&at, &descriptor) && *at == 0;
    return named ? descriptor : -1;
}

isg_status isg_new_file_open(isg_new_file *file, const char *path, const char *label, isg_error *error)
{
    *file = (isg_new_file){.fd = -1, .directory = -1};
    isg_status status = ISG_OK;
    int descriptor = named_descriptor(path);
    if (descriptor >= 0) {
        file->fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    } else {
        // A device, pipe or terminal that is there already is written to, not replaced. A path that cannot even be
        // looked up, such as one with too long a name, fails now and not after the work.
        struct stat about;
        bool exists = stat(path, &about) == 0;
        if (exists ? S_ISREG(about.st_mode) : errno == ENOENT)
            status = open_beside(file, path, label, error);
        else if (exists)
            file->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    }
    if (!status && file->fd < 0)
        status = isg_fail(error, ISG_ERR_IO, "%s: %s", label, strerror(errno));
    if (status)
        isg_new_file_close(file);
    return status;
}

// No fsync: what a crash of the machine leaves is up to the file system, as for any program that writes results.
isg_status isg_new_file_place(isg_new_file *file, const char *label, isg_error *error)
{
    bool placed = !file->target || file->hidden[0] || take_hidden_name(file, link_hidden);
    if (placed) {
        int fd = file->fd;
        file->fd = -1;
        placed = close(fd) == 0 || errno == EINTR; // network file systems tell here of a write that failed
    }
    if (placed && file->target)
        placed = renameat(file->directory, file->hidden, file->directory, file->target) == 0;
    if (!placed)
        return isg_fail(error, ISG_ERR_IO, "%s: %s", label, strerror(errno));
    file->hidden[0] = 0;
    isg_new_file_close(file);
    return ISG_OK;
}

void isg_new_file_close(isg_new_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    if (file->hidden[0])
        unlinkat(file->directory, file->hidden, 0);
    if (file->directory >= 0)
        close(file->directory);
    free(file->target);
    *file = (isg_new_file){.fd = -1, .directory = -1};
}
