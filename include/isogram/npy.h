// .npy files as arrays (NumPy Enhancement Proposal 1 and numpy.lib.format: versions 1 to 3, C and Fortran order,
// little-endian numbers).
#ifndef ISOGRAM_NPY_H
#define ISOGRAM_NPY_H

#include <isogram/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct isg_npy isg_npy;

// Opens a file for reading; "-" is standard input. The data is mapped where that is possible, else read. Booleans come
// as ISG_U8. ISG_ERR_IO: cannot be read. ISG_ERR_FORMAT: not a .npy file, cut short, or a shape that its size belies.
// ISG_ERR_DTYPE: an element type that is none of isg_dtype's, or big-endian. The message names the file. error: may be
// NULL.
ISG_API isg_status isg_npy_open(isg_npy **out, const char *path, isg_error *error);

// As isg_npy_open, from a descriptor that stays the caller's. name: what messages call it; "-" is "standard input".
// head: the first head_bytes bytes of the file, which have been read from fd already, to tell its format by; NULL: none
// were.
ISG_API isg_status isg_npy_read(isg_npy **out, int fd, const char *name, const void *head, int64_t head_bytes,
                                isg_error *error);

// Begins a new file; "-" is standard output. Nothing is visible under `path` until isg_npy_commit: the data is gathered
// in a nameless or temporary file beside it, whose space is reserved now, so that a full disk is an error here.
ISG_API isg_status isg_npy_create(isg_npy **out, const char *path, isg_dtype dtype, int32_t ndim, const int64_t *shape,
                                  isg_error *error);

// The array of an open file: read-only after isg_npy_open, writable and row-major after isg_npy_create. It belongs to
// the file. Data is aligned to 64 bytes within a created file.
ISG_API const isg_array *isg_npy_array(const isg_npy *npy);

// Puts a created file in its place, atomically where the file system can, and closes it, also on failure.
ISG_API isg_status isg_npy_commit(isg_npy **npy, isg_error *error);

// Closes a file; one that was created and not committed leaves nothing behind.
ISG_API void isg_npy_close(isg_npy **npy);

#ifdef __cplusplus
}
#endif

#endif
