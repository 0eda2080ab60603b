// Files by descriptor: whole reads and writes, the name that messages use, and new files that come into their place
// whole or not at all. Knows nothing of formats. Libc and POSIX only.
#ifndef ISG_LIB_FILE_H
#define ISG_LIB_FILE_H

#include "base.h"

#include <limits.h>

enum { ISG_FILE_LABEL_BYTES = 600 };

// What messages call a file: its path, or the end of a very long one, so that the reason still fits a message.
// dash_label: what they call "-".
void isg_file_label(char label[ISG_FILE_LABEL_BYTES], const char *path, const char *dash_label);

// Reads until `bytes` have come or the input ends, and adds what came to *have. False: errno says why.
bool isg_file_read(int fd, void *to, int64_t bytes, int64_t *have);

// False: errno says why, and some of it may have been written.
bool isg_file_write(int fd, const void *from, int64_t bytes);

// A new file, gathered out of sight: nameless where the file system can, so that it vanishes with the process however
// that ends, else under a hidden name. A device, pipe or terminal is written to as it is.
typedef struct isg_new_file {
    int fd;                    // what is written to; -1: nothing is open
    int directory;             // where the target lies, so that a later chdir does not matter; or -1
    char *target;              // the target's name within directory; NULL for a device or pipe
    char hidden[NAME_MAX + 1]; // the name, within directory, that must not stay behind; or ""
} isg_new_file;

// "-" is standard output. Nothing is visible under `path` until isg_new_file_place. A failure, whose message begins
// with the label, leaves nothing to close.
isg_status isg_new_file_open(isg_new_file *file, const char *path, const char *label, isg_error *error);

// Puts the file in its place, atomically where the file system can. It is closed then, or has failed and is to be
// closed.
isg_status isg_new_file_place(isg_new_file *file, const char *label, isg_error *error);

// Of a file that is not in its place, nothing stays behind.
void isg_new_file_close(isg_new_file *file);

#endif
