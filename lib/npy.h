// The handle of a .npy file, and what reading and writing share. Libc and POSIX only.
#ifndef ISG_LIB_NPY_H
#define ISG_LIB_NPY_H

#include <isogram/npy.h>

#include "file.h"

struct isg_npy {
    isg_array array;
    char label[ISG_FILE_LABEL_BYTES]; // the name that messages use
    int64_t bytes;                    // header and data together, of what is mapped or will be written
    void *map;                        // `bytes` from mmap; or NULL
    void *block;                      // from malloc: data that was read; or NULL
    isg_new_file file;                // that is created; or nothing
    int fd;                           // that is read, the opener's to close
    const char *head;                 // bytes of the input that were read from fd before, and how many are left of them
    int64_t head_bytes;
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

void isg_npy_unmap(isg_npy *npy);

#endif
