// Preloaded in front of the C library, it makes calls on files fail as disks do, for test_cli_store.py.
//
//   LD_PRELOAD=/path/of/this
//   ISOGRAM_FAULT=CALL:N:WHAT   CALL: write (pwrite), sync (fsync, fdatasync) or reserve (fallocate). From 1, the N-th
//   of
//                               them on a file that ISOGRAM_FAULT_FILE names:
//                               kill    writes the first half, and ends the process by SIGKILL
//                               short   writes the first half, and says so
//                               EIO     fails, this one alone
//                               ENOSPC  fails, and all that follow
//                               void    writes nothing and says that it has, all of them; N is 0
//                               slow    takes N milliseconds longer, all of them
//   ISOGRAM_FAULT_FILE=END      how the names of those files end, as the system knows them: several with : between
//
// Whatever goes wrong here ends the process, so that no test takes a call that went well for one that did not.
#undef _FILE_OFFSET_BITS // both names of each call are defined here
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT ssize_t pwrite(int fd, const void *from, size_t bytes, off_t at);
EXPORT ssize_t pwrite64(int fd, const void *from, size_t bytes, off64_t at);
EXPORT int fsync(int fd);
EXPORT int fdatasync(int fd);
EXPORT int fallocate(int fd, int mode, off_t at, off_t bytes);
EXPORT int fallocate64(int fd, int mode, off64_t at, off64_t bytes);

static atomic_long calls;

static void die(const char *what)
{
    fprintf(stderr, "file_faults: %s\n", what);
    abort();
}

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        die(name);
    return found;
}

static bool named(int fd)
{
    char link[40], path[4096];
    const char *ends = getenv("ISOGRAM_FAULT_FILE");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!ends)
        die("ISOGRAM_FAULT_FILE");
    if (length < 0)
        return false;
    path[length] = 0;
    for (const char *end = ends; *end;) {
        size_t count = strcspn(end, ":");
        if (count > 0 && (size_t)length >= count && strncmp(path + length - count, end, count) == 0)
            return true;
        end += count + (end[count] == ':');
    }
    return false;
}

// What is to become of this call: "" for nothing.
static const char *fault(const char *call, int fd)
{
    static _Thread_local char what[16];
    char wanted[16];
    long at;
    int saved = errno;
    const char *text = getenv("ISOGRAM_FAULT");
    if (!text)
        return "";
    if (sscanf(text, "%15[a-z]:%ld:%15[a-zA-Z]", wanted, &at, what) != 3)
        die("ISOGRAM_FAULT is none");
    if (strcmp(wanted, call) != 0 || !named(fd)) {
        errno = saved;
        return "";
    }
    long now = atomic_fetch_add(&calls, 1) + 1;
    errno = saved;
    if (strcmp(what, "slow") == 0) {
        nanosleep(&(struct timespec){at / 1000, at % 1000 * 1000000}, NULL);
        return "";
    }
    if (strcmp(what, "void") == 0)
        return what;
    return now == at || (now > at && strcmp(what, "ENOSPC") == 0) ? what : "";
}

static int failure(const char *what)
{
    errno = strcmp(what, "EIO") == 0 ? EIO : ENOSPC;
    return -1;
}

ssize_t pwrite64(int fd, const void *from, size_t bytes, off64_t at)
{
    ssize_t (*real)(int, const void *, size_t, off64_t);
    *(void **)&real = next("pwrite64");
    const char *what = fault("write", fd);
    if (strcmp(what, "void") == 0)
        return (ssize_t)bytes;
    bool half = strcmp(what, "kill") == 0 || strcmp(what, "short") == 0;
    if (what[0] && !half)
        return failure(what);
    ssize_t put = real(fd, from, half ? (bytes + 1) / 2 : bytes, at);
    if (strcmp(what, "kill") == 0)
        raise(SIGKILL);
    return put;
}

ssize_t pwrite(int fd, const void *from, size_t bytes, off_t at)
{
    return pwrite64(fd, from, bytes, at);
}

static int sync_as(const char *name, int fd)
{
    int (*real)(int);
    *(void **)&real = next(name);
    const char *what = fault("sync", fd);
    if (strcmp(what, "kill") == 0)
        raise(SIGKILL);
    return what[0] ? failure(what) : real(fd);
}

int fsync(int fd)
{
    return sync_as("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_as("fdatasync", fd);
}

int fallocate64(int fd, int mode, off64_t at, off64_t bytes)
{
    int (*real)(int, int, off64_t, off64_t);
    *(void **)&real = next("fallocate64");
    const char *what = fault("reserve", fd);
    if (strcmp(what, "kill") == 0)
        raise(SIGKILL);
    return what[0] ? failure(what) : real(fd, mode, at, bytes);
}

int fallocate(int fd, int mode, off_t at, off_t bytes)
{
    return fallocate64(fd, mode, at, bytes);
}
