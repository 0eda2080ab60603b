// The handle of a .npy file, and what reading and writing share. Libc and POSIX only.
#ifndef ISG_LIB_NPY_H
#define ISG_LIB_NPY_H

#include <isogram/npy.h>

#include "base.h"

#include <limits.h>

enum { ISG_NPY_CHUNK_BYTES = 1 << 30 }; // Linux moves less than 2 GiB per call, others refuse more

struct isg_npy {
    isg_array array;
    char label[600];           // the name that messages use
    int64_t bytes;             // header and data together, of what is mapped or will be written
    void *map;                 // `bytes` from mmap; or NULL
    void *block;               // from malloc: data that was read; or NULL
    int fd;                    // the input while it is read, the nameless or hidden file, or the stream; or -1
    int directory;             // where the target lies, so that a later chdir does not matter; or -1
    char *target;              // the target's name within directory; NULL for a stream and when reading
    char hidden[NAME_MAX + 1]; // the name, within directory, that must not stay behind; or ""
    bool created;
    bool gathered; // map is plain memory, to be written at commit
};

// A handle that owns nothing yet. dash_label: what messages call "-".
isg_status isg_npy_begin(isg_npy **out, const char *path, const char *dash_label, isg_error *error);

// Return the status handed in, or ISG_ERR_IO with errno's reason; the message names the file.
isg_status isg_npy_fail(const isg_npy *npy, isg_error *error, isg_status status, const char *format, ...)
    ISG_PRINTF(4, 5);
isg_status isg_npy_fail_errno(const isg_npy *npy, isg_error *error);

// Fills in the strides of a shape. False when one does not fit 63 bits, which a shape of no elements can bring about.
bool isg_npy_set_strides(isg_array *array, bool fortran);

// Whether a transfer that failed with errno is to be tried again; waits for a descriptor that somebody made
// non-blocking. events: as for poll.
bool isg_npy_try_again(int fd, short events);

void isg_npy_unmap(isg_npy *npy);

#endif
