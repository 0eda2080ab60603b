// Opening, making and locking the two files of a store. store_tiles.c moves the bytes.
#include "store_file.h"
#include "folder.h"
#include "npy_header.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef O_TMPFILE
#define O_TMPFILE 0 // Linux alone has it: elsewhere a directory is opened for writing, which fails as it should
#endif
#ifdef F_OFD_SETLK
enum { SET_LOCK = F_OFD_SETLK, WAIT_LOCK = F_OFD_SETLKW }; // of the open file: another handle here is another owner
#else
enum { SET_LOCK = F_SETLK, WAIT_LOCK = F_SETLKW };
#endif
_Static_assert(sizeof(off_t) == 8, "files above 2 GiB need _FILE_OFFSET_BITS=64");

enum { LONGEST_NAME = 255 };
static const char suffix[] = ".journal";

isg_status isg_store_file_fail(const isg_store_file *file, isg_error *error, isg_status status, const char *format, ...)
{
    char reason[384];
    va_list values;
    va_start(values, format);
    vsnprintf(reason, sizeof reason, format, values);
    va_end(values);
    return isg_fail(error, status, "%s: %s", file->label, reason);
}

static isg_status fail_errno(const isg_store_file *file, isg_error *error, const char *what)
{
    return isg_store_file_fail(file, error, ISG_ERR_IO, "%s: %s", what,
                               errno == ENOSPC ? "no space left on the device" : strerror(errno));
}

static void journal_name(const isg_store_file *file, char name[LONGEST_NAME + 1])
{
    snprintf(name, LONGEST_NAME + 1, "%s%s", file->name, suffix);
}

// ---- Finding ----

static isg_status begin(isg_store_file *file, const char *path, isg_error *error)
{
    memset(file, 0, sizeof *file);
    file->data = file->records = file->directory = -1;
    file->journal_size = file->data_size = -1;
    if (!path || !path[0])
        return isg_fail(error, ISG_ERR_ARGUMENT, "a store needs a file name");
    size_t length = strlen(path), most = sizeof file->label - sizeof "...";
    snprintf(file->label, sizeof file->label, "%s%s", length > most ? "..." : "",
             path + (length > most ? length - most : 0));
    if (strcmp(path, "-") == 0)
        return isg_fail(error, ISG_ERR_ARGUMENT, "a store is a file; it cannot go to standard output");
    const char *slash = strrchr(path, '/');
    char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    file->path = strdup(path);
    file->name = strdup(slash ? slash + 1 : path);
    const char *why;
    isg_status st = ISG_OK;
    if (!file->path || !file->name || !directory)
        st = isg_store_file_fail(file, error, ISG_ERR_MEMORY, "no memory");
    else if (!file->name[0])
        st = isg_store_file_fail(file, error, ISG_ERR_ARGUMENT, "names a directory");
    else if (strlen(file->name) + sizeof suffix > LONGEST_NAME)
        st = isg_store_file_fail(file, error, ISG_ERR_ARGUMENT, "too long a name for one with %s behind it", suffix);
    else if ((file->directory = isg_folder_open(directory, false, &why)) < 0)
        st = isg_store_file_fail(file, error, ISG_ERR_IO, "its directory: %s", why);
    free(directory);
    return st;
}

// Opens a regular file of its own name; -1 with *st: what is wrong with it. None at all is -1 and ISG_OK.
static int open_regular(const isg_store_file *file, const char *name, int flags, int64_t *size, isg_status *st,
                        isg_error *error)
{
    struct stat about;
    *size = -1;
    *st = ISG_OK;
    const char *what = strcmp(name, file->name) == 0 ? "it" : "its journal";
    if (fstatat(file->directory, name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT && !(flags & O_CREAT))
            return -1;
        if (errno != ENOENT) {
            *st = fail_errno(file, error, what);
            return -1;
        }
    } else if (!S_ISREG(about.st_mode)) {
        *st = isg_store_file_fail(file, error, ISG_ERR_ARGUMENT, "%s is %s; a store is a regular file by its own name",
                                  what,
                                  S_ISLNK(about.st_mode)   ? "a symbolic link"
                                  : S_ISDIR(about.st_mode) ? "a directory"
                                                           : "a device, a pipe or a socket");
        return -1;
    }
    int fd = openat(file->directory, name, flags | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0666);
    if (fd < 0 || fstat(fd, &about) != 0) {
        *st = fail_errno(file, error, strcmp(name, file->name) == 0 ? "cannot be opened" : "its journal");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *size = about.st_size;
    return fd;
}

// Reads what comes before the file's end, to *have.
static isg_status read_beginning(const isg_store_file *file, int fd, void *to, int64_t bytes, int64_t *have,
                                 const char *what, isg_error *error)
{
    *have = 0;
    while (*have < bytes) {
        ssize_t got = pread(fd, (char *)to + *have, (size_t)(bytes - *have), (off_t)*have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(file, error, what);
        if (got == 0)
            break;
        *have += got;
    }
    return ISG_OK;
}

// Reads the journal's headers, wherever they are.
static isg_status read_headers(isg_store_file *file, isg_error *error)
{
    int64_t count = isg_min(file->journal_size, 2 * (int64_t)ISG_JOURNAL_MOST_HEADER), have = 0;
    uint8_t *bytes = malloc((size_t)count + 1);
    if (!bytes)
        return isg_store_file_fail(file, error, ISG_ERR_MEMORY, "no memory for its journal");
    isg_status st = read_beginning(file, file->records, bytes, count, &have, "its journal", error);
    const char *wrong = st ? NULL : isg_journal_find(&file->journal, bytes, have, &file->damaged_headers);
    if (wrong == isg_journal_no_memory)
        st = isg_store_file_fail(file, error, ISG_ERR_MEMORY, "no memory for its journal");
    else if (wrong)
        st = isg_store_file_fail(file, error, ISG_ERR_FORMAT, "its journal, %s%s, is of no use: %s", file->name, suffix,
                                 wrong);
    free(bytes);
    return st;
}

static isg_status open_found(isg_store_file *file, bool *found, isg_error *error)
{
    char name[LONGEST_NAME + 1];
    isg_status st;
    journal_name(file, name);
    int flags = file->writable ? O_RDWR : O_RDONLY;
    file->records = open_regular(file, name, flags, &file->journal_size, &st, error);
    *found = file->records >= 0;
    if (st || !*found)
        return st;
    if ((st = read_headers(file, error)))
        return st;
    file->data = open_regular(file, file->name, flags, &file->data_size, &st, error);
    return st;
}

isg_status isg_store_file_find(isg_store_file *file, const char *path, bool writable, bool *found, isg_error *error)
{
    *found = false;
    isg_status st = begin(file, path, error);
    file->writable = writable;
    return st ? st : open_found(file, found, error);
}

// ---- Making ----

static isg_status write_all(const isg_store_file *file, int fd, const void *from, int64_t bytes, int64_t at,
                            isg_error *error)
{
    while (bytes > 0) {
        ssize_t put = pwrite(fd, from, (size_t)isg_min(bytes, 1 << 30), (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail_errno(file, error, "cannot be written");
        from = (const char *)from + put;
        at += put;
        bytes -= put;
    }
    return ISG_OK;
}

// Gives a file its size, and its space where the file system can: then a full disk is an error now and not later. Not
// posix_fallocate, which writes to every block where the file system cannot.
static isg_status reserve(const isg_store_file *file, int fd, int64_t bytes, isg_error *error)
{
    int code = 0;
#ifdef __linux__
    do {
        code = fallocate(fd, 0, 0, (off_t)bytes) == 0 ? 0 : errno;
    } while (code == EINTR);
    if (code != EOPNOTSUPP && code != ENOSYS && code != EINVAL && code != 0) {
        errno = code;
        char what[60];
        snprintf(what, sizeof what, "needs %lld MiB", (long long)((bytes >> 20) + ((bytes & 0xfffff) != 0)));
        return fail_errno(file, error, what);
    }
#endif
    return ftruncate(fd, (off_t)bytes) == 0 ? ISG_OK : fail_errno(file, error, "cannot be given its size");
}

// A name is only there for good when its directory is on the disk. Some file systems cannot, and need not.
static void sync_directory(const isg_store_file *file)
{
    int result = fsync(file->directory);
    (void)result;
}

// Links the nameless or hidden file to the journal's name, if that is free. False with errno.
static bool link_journal(const isg_store_file *file, int fd, const char *hidden, const char *name)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!hidden[0])
        return linkat(AT_FDCWD, path, file->directory, name, AT_SYMLINK_FOLLOW) == 0;
    bool linked = linkat(file->directory, hidden, file->directory, name, 0) == 0;
    if (!linked && errno != EEXIST) // a file system without links; two that begin at once are not told apart there
        return renameat(file->directory, hidden, file->directory, name) == 0;
    int code = errno;
    unlinkat(file->directory, hidden, 0);
    errno = code;
    return linked;
}

isg_status isg_store_file_make(isg_store_file *file, isg_journal *journal, const char *const lines[ISG_LINE_COUNT],
                               bool *found, isg_error *error)
{
    struct stat about;
    char hidden[LONGEST_NAME + 1] = "", name[LONGEST_NAME + 1];
    *found = false;
    if (fstatat(file->directory, file->name, &about, AT_SYMLINK_NOFOLLOW) == 0) {
        int64_t size;
        isg_status st;
        int fd = open_regular(file, file->name, O_RDONLY, &size, &st, error);
        if (fd >= 0)
            close(fd);
        return st ? st
                  : isg_store_file_fail(
                        file, error, ISG_ERR_ARGUMENT,
                        "it is there, and no store, for it has no journal; a store never replaces a file");
    }
    uint8_t *header = isg_journal_write(journal, lines);
    if (!header)
        return isg_store_file_fail(file, error, ISG_ERR_MEMORY,
                                   "no memory for its journal, or paths that are too long");
    journal_name(file, name);
    isg_status st = ISG_OK;
    // A file without a name vanishes with the process. It is only of use if it can get a name later, through /proc.
    int fd =
        access("/proc/self/fd", F_OK) == 0 ? openat(file->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666) : -1;
    if (fd < 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        snprintf(hidden, sizeof hidden, ".%.200s.%lx-%lx", file->name, (long)getpid(), now.tv_nsec);
        fd = openat(file->directory, hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (fd < 0) {
        st = fail_errno(file, error, "cannot be created");
    } else if (!(st = reserve(file, fd, isg_journal_bytes(journal), error)) &&
               !(st = write_all(file, fd, header, journal->header_bytes, 0, error)) &&
               !(st = write_all(file, fd, header, journal->header_bytes, journal->header_bytes, error)) &&
               fsync(fd) != 0) {
        st = fail_errno(file, error, "its journal");
    }
    if (!st && !link_journal(file, fd, hidden, name)) {
        *found = errno == EEXIST;
        st = *found ? ISG_OK : fail_errno(file, error, "its journal");
    } else if (st && hidden[0]) {
        unlinkat(file->directory, hidden, 0);
    }
    free(header);
    if (st || *found) {
        if (fd >= 0)
            close(fd);
        isg_journal_free(journal);
        return st ? st : open_found(file, found, error);
    }
    sync_directory(file);
    file->records = fd;
    file->journal_size = isg_journal_bytes(journal);
    file->journal = *journal;
    return ISG_OK;
}

// ---- What file and journal must be like ----

// Whether the file's own header is right. *begun: what of it is not, is zeros, as before it was written.
static isg_status header_right(const isg_store_file *file, bool *right, bool *begun, isg_error *error)
{
    char want[ISG_JOURNAL_PAGE], have[ISG_JOURNAL_PAGE] = {0};
    const int64_t bytes = file->journal.data_offset;
    int64_t read = 0;
    isg_journal_npy_header(&file->journal, want);
    isg_status st =
        file->data >= 0 ? read_beginning(file, file->data, have, bytes, &read, "cannot be read", error) : ISG_OK;
    *begun = true;
    for (int64_t i = 0; i < bytes; i++)
        *begun = *begun && (have[i] == 0 || have[i] == want[i]);
    *right = read == bytes && memcmp(want, have, (size_t)bytes) == 0;
    return st;
}

// Of the sizes and the journal; what needs no look into the file.
static const char *fault(const isg_store_file *file, int which, char text[200])
{
    const isg_journal *j = &file->journal;
    if (which == 0 && file->data < 0)
        return "there is a journal, and no file";
    if (which == 0 && file->data_size != j->file_bytes) {
        snprintf(text, 200, "%s: %lld bytes, and %lld is what its header and its journal say",
                 file->data_size < j->file_bytes ? "cut short" : "too long", (long long)file->data_size,
                 (long long)j->file_bytes);
        return text;
    }
    if (which == 1 && file->journal_size != isg_journal_bytes(j)) {
        snprintf(text, 200, "its journal is %s: %lld bytes of %lld",
                 file->journal_size < isg_journal_bytes(j) ? "cut short" : "too long", (long long)file->journal_size,
                 (long long)isg_journal_bytes(j));
        return text;
    }
    return which == 1 && file->damaged_headers ? "one of the two headers of its journal is damaged" : NULL;
}

isg_status isg_store_file_fault(const isg_store_file *file, int which, char text[200], const char **what,
                                isg_error *error)
{
    bool right = true, begun;
    isg_status st = which == 2 && file->data >= 0 ? header_right(file, &right, &begun, error) : ISG_OK;
    *what = st ? NULL : right ? fault(file, which, text) : "its header is damaged";
    return st;
}

static isg_status lock(const isg_store_file *file, int type, int64_t at, int64_t bytes, bool wait)
{
    struct flock l = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = (off_t)at, .l_len = (off_t)bytes};
    return fcntl(file->records, wait ? WAIT_LOCK : SET_LOCK, &l) == 0 ? ISG_OK : ISG_ERR_IO;
}

static isg_status restore_headers(isg_store_file *file, isg_error *error)
{
    const isg_journal *j = &file->journal;
    isg_journal copy = *j;
    const char *lines[ISG_LINE_COUNT];
    memcpy(lines, j->lines, sizeof lines);
    uint8_t *header = isg_journal_write(&copy, lines);
    if (!header)
        return isg_store_file_fail(file, error, ISG_ERR_MEMORY, "no memory for its journal");
    isg_status st = write_all(file, file->records, header, j->header_bytes, 0, error);
    if (!st)
        st = write_all(file, file->records, header, j->header_bytes, j->header_bytes, error);
    if (!st && ftruncate(file->records, (off_t)isg_journal_bytes(j)) != 0)
        st = fail_errno(file, error, "its journal");
    if (!st && fsync(file->records) != 0)
        st = fail_errno(file, error, "its journal");
    free(header);
    isg_journal_free(&copy);
    file->journal_size = isg_journal_bytes(j);
    file->damaged_headers = 0;
    return st;
}

// Sizes, then the header, through to the disk: from then on records may speak of what lies in the file.
static isg_status prepare_data(isg_store_file *file, isg_error *error)
{
    char header[ISG_JOURNAL_PAGE];
    isg_status st;
    if (file->data < 0)
        file->data = open_regular(file, file->name, O_RDWR | O_CREAT, &file->data_size, &st, error);
    if (file->data < 0)
        return st;
    if (file->data_size > file->journal.file_bytes && ftruncate(file->data, (off_t)file->journal.file_bytes) != 0)
        return fail_errno(file, error, "cannot be cut to its size");
    if ((st = reserve(file, file->data, file->journal.file_bytes, error)))
        return st;
    isg_journal_npy_header(&file->journal, header);
    if ((st = write_all(file, file->data, header, file->journal.data_offset, 0, error)))
        return st;
    if (fsync(file->data) != 0)
        return fail_errno(file, error, "cannot be written");
    sync_directory(file);
    file->data_size = file->journal.file_bytes;
    return ISG_OK;
}

isg_status isg_store_file_prepare(isg_store_file *file, bool repair, isg_error *error)
{
    struct stat about;
    char text[200];
    isg_status st = ISG_OK;
    int64_t recorded = 0, damaged = 0;
    bool right, begun;
    while (lock(file, F_WRLCK, 0, 1, true) && errno == EINTR) {
    }
    // What was found before the lock may be old.
    if (file->data < 0)
        file->data = open_regular(file, file->name, O_RDWR, &file->data_size, &st, error);
    if (!st && file->data >= 0 && fstat(file->data, &about) == 0)
        file->data_size = about.st_size;
    if (!st && repair && fault(file, 1, text))
        st = restore_headers(file, error);
    const char *wrong = st ? NULL : fault(file, 1, text);
    if (wrong)
        st = isg_store_file_fail(file, error, ISG_ERR_FORMAT, "%s; isogram store repair restores it", wrong);
    if (!st)
        st = isg_store_file_count(file, &recorded, NULL, &damaged, NULL, error);
    bool fresh = recorded + damaged == 0;
    if (!st && !repair && !fresh) {
        wrong = fault(file, 0, text);
        if (!wrong)
            st = isg_store_file_fault(file, 2, text, &wrong, error);
        if (wrong)
            st = isg_store_file_fail(file, error, ISG_ERR_FORMAT,
                                     "%s, with %lld tiles recorded; isogram store repair "
                                     "restores it",
                                     wrong, (long long)recorded);
    } else if (!st && !(st = header_right(file, &right, &begun, error)) &&
               (file->data < 0 || file->data_size != file->journal.file_bytes || !right)) {
        // Of a store without records, what is there must be what an interrupted beginning leaves.
        if (!repair &&
            !(file->data < 0 || file->data_size == 0 || (file->data_size == file->journal.file_bytes && begun)))
            st = isg_store_file_fail(file, error, ISG_ERR_FORMAT,
                                     "it is not the file of its journal, which records nothing yet");
        else
            st = prepare_data(file, error);
    }
    lock(file, F_UNLCK, 0, 1, false);
    return st;
}

void isg_store_file_close(isg_store_file *file)
{
    int *const descriptors[] = {&file->data, &file->records, &file->directory};
    for (int i = 0; i < 3; i++) {
        if (*descriptors[i] >= 0)
            close(*descriptors[i]);
        *descriptors[i] = -1;
    }
    isg_journal_free(&file->journal);
    free(file->path);
    free(file->name);
    file->path = file->name = NULL;
}

// ---- Claims ----

int isg_store_file_claim(isg_store_file *file, int64_t tile, bool wait)
{
    if (file->lockless || !lock(file, F_WRLCK, isg_record_offset(&file->journal, tile), ISG_RECORD_BYTES, wait))
        return 1;
    if (errno == EINTR)
        return -1;
    if (!wait && (errno == EAGAIN || errno == EACCES))
        return 0;
    file->lockless = true; // ENOLCK, EOPNOTSUPP, EINVAL
    return 1;
}

void isg_store_file_release(const isg_store_file *file, int64_t tile)
{
    if (!file->lockless)
        lock(file, F_UNLCK, isg_record_offset(&file->journal, tile), ISG_RECORD_BYTES, false);
}
