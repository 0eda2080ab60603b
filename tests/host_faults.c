// Preloaded in front of the C library, it makes memory run out and files fail, for the library alone:
// test_host_faults.c and test_cli_faults.py. What fails is told through fault_layer.h.
//
// A call counts when it is made by isogram's own code, or by a library that works in its place (OWN): told by the
// address that it returns to, so that the files tested are those that are shipped, and drivers and the C library, whose
// failures are theirs to answer for, go on undisturbed. unlink, munmap and madvise do not fail: nobody can be asked to
// make up for that.
//
// It also counts what that code holds: memory, mappings and descriptors.
#undef _FILE_OFFSET_BITS // both names of each call are defined here
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define LAYER_NAME     "host"
#define FAULT_VARIABLE "ISOGRAM_FAULT_HOST"
#include "fault_arming.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>

EXPORT fault_where_fn fault_where;
EXPORT fault_halves_fn fault_halves;

// glibc's own names of what is defined here: dlsym would call calloc before it has found it.
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

// ---- Whose calls these are ----

static char where[64];
static atomic_int halved;

#define CALLER __builtin_return_address(0)

static bool own(const void *caller)
{
    return range_of(caller) >= 0;
}

// Whether this call is the library's, and one that fails.
static bool fails(const char *name, const void *caller)
{
    const int range = range_of(caller);
    if (range < 0)
        return false;
    const bool first = !atomic_load(&fault_name), failed = fault_counted(name);
    if (failed && first)
        snprintf(where, sizeof where, "%s+0x%lx", ranges[range].file,
                 (unsigned long)((uintptr_t)caller - ranges[range].base));
    return failed;
}

const char *fault_where(void)
{
    return atomic_load(&fault_name) ? where : "";
}

static const char *fault_place(void)
{
    return atomic_load(&fault_name) ? where : "-";
}

void fault_halves(int halves)
{
    atomic_store(&halved, halves);
}

// ---- What is held ----

// Addresses of blocks and mappings, and descriptors, each in one of a few places behind its hash. Without locks, which
// a fork would leave locked.
enum { TABLE_SIZE = 1 << 16, PLACES = 64 };
static _Atomic uintptr_t table[TABLE_SIZE];

#define OF_FD(fd) (((uintptr_t)(fd) << 4) | 1) // no address of a block or a mapping

static size_t place_of(uintptr_t what, size_t k)
{
    return ((size_t)((uint64_t)what * 0x9e3779b97f4a7c15u >> 40) + k) % TABLE_SIZE;
}

static void hold(uintptr_t what)
{
    for (size_t k = 0; k < PLACES; k++) {
        uintptr_t none = 0;
        if (atomic_compare_exchange_strong(&table[place_of(what, k)], &none, what)) {
            atomic_fetch_add(&fault_objects, 1);
            return;
        }
    }
    die("too much memory is held");
}

// Whether it was held.
static bool drop(uintptr_t what)
{
    for (size_t k = 0; k < PLACES; k++) {
        uintptr_t same = what;
        if (atomic_load(&table[place_of(what, k)]) == what &&
            atomic_compare_exchange_strong(&table[place_of(what, k)], &same, 0)) {
            atomic_fetch_sub(&fault_objects, 1);
            return true;
        }
    }
    return false;
}

// ---- Memory ----

// A block for the caller, which is the library's or not.
static void *given(void *block, const void *caller)
{
    if (block && own(caller))
        hold((uintptr_t)block);
    return block;
}

static void *out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

EXPORT void *malloc(size_t bytes)
{
    return fails("malloc", CALLER) ? out_of_memory() : given(__libc_malloc(bytes), CALLER);
}

EXPORT void *calloc(size_t count, size_t bytes)
{
    return fails("calloc", CALLER) ? out_of_memory() : given(__libc_calloc(count, bytes), CALLER);
}

EXPORT void *realloc(void *block, size_t bytes)
{
    if (fails("realloc", CALLER))
        return out_of_memory();
    const bool held = block && drop((uintptr_t)block);
    void *moved = __libc_realloc(block, bytes);
    if (!moved && bytes > 0 && held)
        hold((uintptr_t)block);
    return held && moved ? (hold((uintptr_t)moved), moved) : block ? moved : given(moved, CALLER);
}

EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
    return fails("aligned_alloc", CALLER) ? out_of_memory() : given(__libc_memalign(alignment, bytes), CALLER);
}

EXPORT int posix_memalign(void **block, size_t alignment, size_t bytes)
{
    if (fails("posix_memalign", CALLER))
        return ENOMEM;
    void *made = given(__libc_memalign(alignment, bytes), CALLER);
    if (!made)
        return ENOMEM;
    *block = made;
    return 0;
}

EXPORT void free(void *block)
{
    if (block)
        drop((uintptr_t)block);
    __libc_free(block);
}

static char *copy(const char *text, size_t length, const void *caller)
{
    char *made = given(__libc_malloc(length + 1), caller);
    if (made) {
        memcpy(made, text, length);
        made[length] = 0;
    }
    return made;
}

EXPORT char *strdup(const char *text)
{
    return fails("strdup", CALLER) ? out_of_memory() : copy(text, strlen(text), CALLER);
}

EXPORT char *strndup(const char *text, size_t most)
{
    return fails("strndup", CALLER) ? out_of_memory() : copy(text, strnlen(text, most), CALLER);
}

// ---- Files ----

// The function that is next behind this file's.
#define NEXT(name)                                                                                                     \
    static __typeof__(&name) next;                                                                                     \
    if (!next)                                                                                                         \
    *(void **)&next = dlsym(RTLD_NEXT, #name)

// Functions that are not done when they fail.
#define CALL(type, name, failure, code, parameters, arguments)                                                         \
    EXPORT type name parameters                                                                                        \
    {                                                                                                                  \
        NEXT(name);                                                                                                    \
        if (fails(#name, CALLER)) {                                                                                    \
            errno = (code);                                                                                            \
            return (failure);                                                                                          \
        }                                                                                                              \
        return next arguments;                                                                                         \
    }
// Likewise; what they give is a descriptor.
#define OPEN(name, parameters, arguments)                                                                              \
    EXPORT int name parameters                                                                                         \
    {                                                                                                                  \
        NEXT(name);                                                                                                    \
        if (fails(#name, CALLER)) {                                                                                    \
            errno = EIO;                                                                                               \
            return -1;                                                                                                 \
        }                                                                                                              \
        return opened(next arguments, CALLER);                                                                         \
    }

static int opened(int fd, const void *caller)
{
    if (fd >= 0 && own(caller))
        hold(OF_FD(fd));
    return fd;
}

// open's third argument, where there is one.
#define MODE(flags)                                                                                                    \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                                           \
        va_list values;                                                                                                \
        va_start(values, flags);                                                                                       \
        mode = va_arg(values, mode_t);                                                                                 \
        va_end(values);                                                                                                \
    }
#define OPEN_MODE(name, parameters, arguments)                                                                         \
    EXPORT int name parameters                                                                                         \
    {                                                                                                                  \
        NEXT(name);                                                                                                    \
        MODE(flags)                                                                                                    \
        if (fails(#name, CALLER)) {                                                                                    \
            errno = EIO;                                                                                               \
            return -1;                                                                                                 \
        }                                                                                                              \
        return opened(next arguments, CALLER);                                                                         \
    }
OPEN_MODE(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN_MODE(open64, (const char *path, int flags, ...), (path, flags, mode))
OPEN_MODE(openat, (int directory, const char *path, int flags, ...), (directory, path, flags, mode))
OPEN_MODE(openat64, (int directory, const char *path, int flags, ...), (directory, path, flags, mode))
OPEN(mkstemp, (char *path), (path))
OPEN(mkstemp64, (char *path), (path))

// Locks, and copies of descriptors; either argument that there may be is as wide as a pointer.
#define CONTROL(name)                                                                                                  \
    EXPORT int name(int fd, int command, ...)                                                                          \
    {                                                                                                                  \
        NEXT(name);                                                                                                    \
        va_list values;                                                                                                \
        va_start(values, command);                                                                                     \
        void *value = va_arg(values, void *);                                                                          \
        va_end(values);                                                                                                \
        if (fails(#name, CALLER)) {                                                                                    \
            errno = EIO;                                                                                               \
            return -1;                                                                                                 \
        }                                                                                                              \
        const int result = next(fd, command, value);                                                                   \
        const bool copied = command == F_DUPFD || command == F_DUPFD_CLOEXEC;                                          \
        return copied ? opened(result, CALLER) : result;                                                               \
    }
CONTROL(fcntl)
CONTROL(fcntl64)

// Gone also when it fails.
EXPORT int close(int fd)
{
    NEXT(close);
    const bool failed = fails("close", CALLER);
    drop(OF_FD(fd));
    const int result = next(fd);
    if (failed)
        errno = EIO;
    return failed ? -1 : result;
}

EXPORT int fclose(FILE *file)
{
    NEXT(fclose);
    const bool failed = fails("fclose", CALLER);
    drop(OF_FD(fileno(file)));
    const int result = next(file);
    if (failed)
        errno = EIO;
    return failed ? EOF : result;
}

// Whether a transfer is interrupted now; the next one is not, and is cut to one half.
static bool interrupted(size_t *bytes, const void *caller)
{
    static _Thread_local bool again;
    if (!atomic_load(&halved) || !own(caller))
        return false;
    again = !again;
    *bytes = (*bytes + 1) / 2;
    return again;
}

#define TRANSFER(name, parameters, arguments)                                                                          \
    EXPORT ssize_t name parameters                                                                                     \
    {                                                                                                                  \
        NEXT(name);                                                                                                    \
        if (fails(#name, CALLER)) {                                                                                    \
            errno = EIO;                                                                                               \
            return -1;                                                                                                 \
        }                                                                                                              \
        if (interrupted(&bytes, CALLER)) {                                                                             \
            errno = EINTR;                                                                                             \
            return -1;                                                                                                 \
        }                                                                                                              \
        return next arguments;                                                                                         \
    }
TRANSFER(read, (int fd, void *to, size_t bytes), (fd, to, bytes))
TRANSFER(pread, (int fd, void *to, size_t bytes, off_t at), (fd, to, bytes, at))
TRANSFER(pread64, (int fd, void *to, size_t bytes, off64_t at), (fd, to, bytes, at))
TRANSFER(write, (int fd, const void *from, size_t bytes), (fd, from, bytes))
TRANSFER(pwrite, (int fd, const void *from, size_t bytes, off_t at), (fd, from, bytes, at))
TRANSFER(pwrite64, (int fd, const void *from, size_t bytes, off64_t at), (fd, from, bytes, at))

CALL(int, fsync, -1, EIO, (int fd), (fd))
CALL(int, fdatasync, -1, EIO, (int fd), (fd))
CALL(int, ftruncate, -1, EIO, (int fd, off_t bytes), (fd, bytes))
CALL(int, ftruncate64, -1, EIO, (int fd, off64_t bytes), (fd, bytes))
CALL(int, fallocate, -1, EIO, (int fd, int mode, off_t at, off_t bytes), (fd, mode, at, bytes))
CALL(int, fallocate64, -1, EIO, (int fd, int mode, off64_t at, off64_t bytes), (fd, mode, at, bytes))
CALL(int, posix_fallocate, EIO, EIO, (int fd, off_t at, off_t bytes), (fd, at, bytes))
CALL(int, posix_fallocate64, EIO, EIO, (int fd, off64_t at, off64_t bytes), (fd, at, bytes))
CALL(off_t, lseek, -1, EIO, (int fd, off_t at, int from), (fd, at, from))
CALL(off64_t, lseek64, -1, EIO, (int fd, off64_t at, int from), (fd, at, from))
CALL(int, rename, -1, EIO, (const char *from, const char *to), (from, to))
CALL(int, renameat, -1, EIO, (int from_directory, const char *from, int to_directory, const char *to),
     (from_directory, from, to_directory, to))
CALL(int, linkat, -1, EIO, (int from_directory, const char *from, int to_directory, const char *to, int flags),
     (from_directory, from, to_directory, to, flags))
CALL(int, mkdir, -1, EIO, (const char *path, mode_t mode), (path, mode))
CALL(int, access, -1, EIO, (const char *path, int mode), (path, mode))
CALL(int, stat, -1, EIO, (const char *path, struct stat *about), (path, about))
CALL(int, stat64, -1, EIO, (const char *path, struct stat64 *about), (path, about))
CALL(int, fstat, -1, EIO, (int fd, struct stat *about), (fd, about))
CALL(int, fstat64, -1, EIO, (int fd, struct stat64 *about), (fd, about))
CALL(int, fstatat, -1, EIO, (int directory, const char *path, struct stat *about, int flags),
     (directory, path, about, flags))
CALL(int, fstatat64, -1, EIO, (int directory, const char *path, struct stat64 *about, int flags),
     (directory, path, about, flags))
CALL(ssize_t, readlink, -1, EIO, (const char *path, char *to, size_t bytes), (path, to, bytes))
CALL(char *, realpath, NULL, EIO, (const char *path, char *to), (path, to))
#define OPEN_STREAM(name)                                                                                              \
    EXPORT FILE *name(const char *path, const char *mode)                                                              \
    {                                                                                                                  \
        NEXT(name);                                                                                                    \
        if (fails(#name, CALLER)) {                                                                                    \
            errno = EIO;                                                                                               \
            return NULL;                                                                                               \
        }                                                                                                              \
        FILE *file = next(path, mode);                                                                                 \
        if (file)                                                                                                      \
            opened(fileno(file), CALLER);                                                                              \
        return file;                                                                                                   \
    }
OPEN_STREAM(fopen)
OPEN_STREAM(fopen64)
CALL(FILE *, fdopen, NULL, ENOMEM, (int fd, const char *mode), (fd, mode))

#define MAP(name, offset)                                                                                              \
    EXPORT void *name(void *at, size_t bytes, int protection, int flags, int fd, offset from)                          \
    {                                                                                                                  \
        NEXT(name);                                                                                                    \
        if (fails(#name, CALLER)) {                                                                                    \
            errno = ENOMEM;                                                                                            \
            return MAP_FAILED;                                                                                         \
        }                                                                                                              \
        void *map = next(at, bytes, protection, flags, fd, from);                                                      \
        if (map != MAP_FAILED && own(CALLER))                                                                          \
            hold((uintptr_t)map);                                                                                      \
        return map;                                                                                                    \
    }
MAP(mmap, off_t)
MAP(mmap64, off64_t)

EXPORT int munmap(void *map, size_t bytes)
{
    NEXT(munmap);
    drop((uintptr_t)map);
    return next(map, bytes);
}

CALL(int, posix_spawn, EAGAIN, EAGAIN,
     (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
      char *const *words, char *const *variables),
     (pid, path, actions, attributes, words, variables))
CALL(int, pthread_create, EAGAIN, EAGAIN,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*body)(void *), void *user),
     (thread, attributes, body, user))
